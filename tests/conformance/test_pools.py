"""The real pools of forged addresses in, through the option that replaces a list; answers that hold only them, in their order, out."""

import functools
import ipaddress

import pytest

from crenel.atlas.compile import load_wall
from crenel.coins import KeyedCoins
from crenel.instant import NANOSECONDS, Instant
from crenel.wall.effects import Inject, Side
from crenel.wall.run import Run
from crenel.wall.wall import Wall
from crenel.wire.dns_build import build_query
from crenel.wire.packet import udp_packet
from tests.data import data_path

AS_OF = "2023-06-01"
BOX = "dns-3"
WALKS = 3
"""Processes that walk the pool side by side."""
A, AAAA = 1, 28
POOLS = {A: ("dns-3-pool", "ordered-ip-pool-injector-3-a.txt", 592), AAAA: ("dns-3-pool6", "ordered-ip-pool-injector-3-aaaa.txt", 30)}


def file_of(qtype: int) -> str:
    return str(data_path(f"verdicts/wallbleed/{POOLS[qtype][1]}"))


@functools.cache
def published(qtype: int) -> list[bytes]:
    """Return the pool in its order."""
    with open(file_of(qtype), encoding="ascii") as lines:  # noqa: PTH123  the path is the option's text
        return [ipaddress.ip_address(line.strip()).packed for line in lines if line.strip()]


@functools.cache
def wall() -> Wall:
    return load_wall(as_of=AS_OF, lists={POOLS[qtype][0]: file_of(qtype) for qtype in POOLS})


def answer(run: Run, number: int, sport: int, qtype: int) -> bytes:
    """Ask for a listed name and return the address that the third injector forges."""
    query = build_query(b"blocked.example", kind=qtype)
    packet = udp_packet(bytes((192, 0, 2, 2)), bytes((198, 51, 100, 2)), sport, 53, query)
    effects = run.see(Instant(number * NANOSECONDS), Side.INSIDE, packet)
    (forged,) = [effect.packet.payload for effect in effects if isinstance(effect, Inject) and effect.because.middlebox == BOX]
    return forged[-4:] if qtype == A else forged[-16:]


@pytest.mark.parametrize("qtype", [A, AAAA])
def test_one_flow_walks_the_whole_pool_in_order_and_begins_anew(qtype: int) -> None:
    pool = published(qtype)
    assert len(pool) == POOLS[qtype][2]
    run = wall().start(KeyedCoins(7))
    walked = [answer(run, number, 50000, qtype) for number in range(2 * len(pool))]
    start = pool.index(walked[0])
    assert walked == 2 * (pool[start:] + pool[:start])


@pytest.mark.parametrize("qtype", [A, AAAA])
def test_many_flows_together_follow_as_many_walks_as_there_are_processes(qtype: int) -> None:
    pool = published(qtype)
    after = {address: pool[(place + 1) % len(pool)] for place, address in enumerate(pool)}
    run = wall().start(KeyedCoins(11))
    walks: list[bytes] = []
    for number in range(3 * len(pool)):
        address = answer(run, number, 40000 + number, qtype)
        assert address in after
        following = next((place for place, last in enumerate(walks) if after[last] == address), None)
        if following is None:
            walks.append(address)
        else:
            walks[following] = address
    assert len(walks) == WALKS


def test_another_seed_begins_elsewhere_and_the_same_seed_at_the_same_place() -> None:
    first = [answer(wall().start(KeyedCoins(seed)), 0, 50000, A) for seed in (1, 2, 1)]
    assert first[0] == first[2] != first[1]


def test_the_pool_that_is_shipped_has_the_documented_size_and_hardly_any_real_address() -> None:
    for qtype, (_, _, size) in POOLS.items():
        run = load_wall(as_of=AS_OF).start(KeyedCoins(7))
        walked = {answer(run, number, 50000, qtype) for number in range(size + 5)}
        assert len(walked) == size
        assert len(walked & set(published(qtype))) <= 20
