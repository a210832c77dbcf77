"""Triggers with their times in, what is remembered out: for whom, how long, how much at most, and which packets it hits."""

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.coins import ScriptedCoins
from crenel.flow.key import CLASS_ACK, CLASS_FIN, CLASS_LOAD, CLASS_RST, CLASS_SECOND, CLASS_SYN, flow_key
from crenel.flow.table import FlowTable
from crenel.instant import Instant
from crenel.wall.effects import Armed, Drop, Expired, Side
from crenel.wall.residual import Memory, Part, classes_hit, key_maker, residual_key
from crenel.wall.run import Run
from crenel.wire.packet import ACK, SYN, TCP, UDP
from tests.net.made import box, wall_with
from tests.wall.making import CLIENT, CLIENT6, LISTED, SERVER, SERVER6, at, flow, residual, show, to_client, to_server

PARTS: tuple[Part, ...] = ("client", "server", "client_port", "server_port")
MAKES = [make for size in (1, 2, 3, 4) for make in itertools.permutations(PARTS, size)]
REMEMBERS = (
    'residual = {{ tuple = ["client", "server", "server_port"], seconds = {seconds}, refresh = {refresh}, from = "client", on = "any", '
    'does = "drop", chances = [1.0], onset = {{ fixed = {onset} }} }}'
)


def remembering(folder: Path, *, seconds: float = 60, refresh: bool = False, onset: int = 0) -> Run:
    """Return a run of a wall whose box remembers for some seconds, from some milliseconds after its ground."""
    more = REMEMBERS.format(seconds=seconds, refresh=str(refresh).lower(), onset=onset)
    return wall_with(folder, box("a", chance='p = 1.0, per = "flow"', more=more)).start(ScriptedCoins())


# Keys.


def test_keys_of_different_make_never_meet() -> None:
    """All hosts and ports are zeros, so only the tag tells keys apart; and the length of addresses those that hold one."""
    for makes, halves in ((MAKES, (4,)), (MAKES, (16,)), ([make for make in MAKES if {"client", "server"} & set(make)], (4, 16))):
        keys = {key_maker(make, transport, half)(bytes(2 * half + 4)) for make in makes for transport in (TCP, UDP) for half in halves}
        assert len(keys) == len(makes) * 2 * len(halves)


@given(key=st.binary(min_size=12, max_size=12), other=st.binary(min_size=12, max_size=12), make=st.sampled_from(MAKES))
def test_two_flows_share_a_key_if_they_share_its_parts(key: bytes, other: bytes, make: tuple[Part, ...]) -> None:
    cuts = {"client": slice(0, 4), "server": slice(4, 8), "client_port": slice(8, 10), "server_port": slice(10, 12)}
    for second in (other, bytes(mine if number % 2 else theirs for number, (mine, theirs) in enumerate(zip(key, other, strict=True))), key):
        alike = all(key[cuts[part]] == second[cuts[part]] for part in make)
        maker = key_maker(make, TCP, 4)
        assert (maker(key) == maker(second)) is alike


@pytest.mark.parametrize(("client", "server"), [(CLIENT, SERVER), (CLIENT6, SERVER6)])
def test_the_key_of_a_flow_holds_its_ends(client: bytes, server: bytes) -> None:
    table = FlowTable(10)
    record = table.open(flow_key(client, server, 258, 772), TCP, 4 if len(client) == 4 else 6, Instant(0), table.tcp)
    assert residual_key(("server", "server_port"), record) == server + b"\x03\x04" + b"server,server_port\x06"
    assert residual_key(("client", "server", "server_port"), record) == client + server + b"\x03\x04" + b"client,server,server_port\x06"
    assert residual_key(("client_port",), record) == b"\x01\x02" + b"client_port\x06"


# Which packets are hit.


SYN_, SYN_ACK, BARE_ACK, DATA, BARE_RST, RST_ACK, FIN_ACK = (
    CLASS_SYN, CLASS_SYN | CLASS_ACK, CLASS_ACK, CLASS_ACK | CLASS_LOAD, CLASS_RST, CLASS_RST | CLASS_ACK, CLASS_FIN | CLASS_ACK,
)
SHAPES = {
    "SYN": SYN_, "SYN+ACK": SYN_ACK, "ACK": BARE_ACK, "data": DATA, "RST": BARE_RST, "RST+ACK": RST_ACK, "FIN+ACK": FIN_ACK, "none": 0,
    "SYN data": SYN_ | CLASS_LOAD, "datagram": CLASS_LOAD,
}
FROM_CLIENT = {
    "any": set(SHAPES), "syn": {"SYN", "SYN data"}, "ack": {"ACK", "data", "RST+ACK", "FIN+ACK"}, "payload": {"data", "SYN data", "datagram"},
}
FROM_SERVER = FROM_CLIENT | {"syn": {"SYN", "SYN+ACK", "SYN data"}}
"""A server opens with SYN/ACK, too; a client's SYN/ACK opens nothing."""


@pytest.mark.parametrize("on", FROM_CLIENT)
@pytest.mark.parametrize("sender", ["client", "server", "both"])
def test_what_is_hit_is_what_the_profile_says(on: str, sender: str) -> None:
    mask = classes_hit(residual(on=on, **{"from": sender}))
    hit = {name for name, shape in SHAPES.items() if mask >> shape & 1}
    hit_back = {name for name, shape in SHAPES.items() if mask >> (shape | CLASS_SECOND) & 1}
    assert hit == (FROM_CLIENT[on] if sender != "server" else set())
    assert hit_back == (FROM_SERVER[on] if sender != "client" else set())


# Memory by itself.


def held(memory: Memory) -> list[tuple[int, bytes, int, int]]:
    return sorted((entry.box, entry.key, entry.until, entry.count) for entries in memory.entries.values() for entry in entries)


def test_a_second_trigger_counts_and_lengthens_and_never_shortens() -> None:
    memory = Memory(10)
    first = memory.arm(0, b"k", Instant(0), Instant(100), flow=1)
    assert memory.arm(0, b"k", Instant(50), Instant(150), flow=2) is first
    assert (first.count, first.since, first.until, first.flow) == (2, 0, 150, 2)
    memory.arm(0, b"k", Instant(60), Instant(120))
    assert (first.count, first.until) == (3, 150)


def test_boxes_and_keys_are_remembered_apart() -> None:
    memory = Memory(10)
    for number, (index, key) in enumerate([(0, b"k"), (1, b"k"), (0, b"l"), (1, b"k")]):
        memory.arm(index, key, Instant(number), Instant(number + 100))
    assert held(memory) == [(0, b"k", 100, 1), (0, b"l", 102, 1), (1, b"k", 103, 2)]
    assert [entry.box for entry in memory.entries[b"k"]] == [0, 1]


@pytest.mark.parametrize(("now", "gone"), [(99, []), (100, [100]), (101, [100]), (200, [100, 200])])
def test_an_entry_is_over_at_the_very_instant_that_it_ends(now: int, gone: list[int]) -> None:
    memory = Memory(10)
    for until in (200, 100):
        memory.arm(0, b"%d" % until, Instant(0), Instant(until))
    assert [entry.until for entry in memory.expire(Instant(now))] == gone
    assert len(memory.entries) == 2 - len(gone)
    assert memory.expire(Instant(now)) == []


def test_a_renewed_entry_ends_once_at_its_new_end() -> None:
    memory = Memory(10)
    entry = memory.arm(0, b"k", Instant(0), Instant(100))
    memory.renew(entry, Instant(300))
    memory.renew(entry, Instant(200))
    assert memory.expire(Instant(299)) == []
    assert memory.expire(Instant(1000)) == [entry]
    assert entry.until == 300
    assert memory.next_end() is None


def test_an_entry_set_again_after_its_end_is_a_new_one() -> None:
    memory = Memory(10)
    memory.arm(0, b"k", Instant(0), Instant(100))
    memory.arm(0, b"k", Instant(1), Instant(100))
    memory.expire(Instant(100))
    assert memory.arm(0, b"k", Instant(150), Instant(250)).count == 1
    assert memory.next_end() == 250


def test_no_end_is_known_while_nothing_is_remembered() -> None:
    memory = Memory(2)
    assert memory.next_end() is None
    memory.arm(0, b"k", Instant(0), Instant(7))
    memory.arm(0, b"l", Instant(0), Instant(5))
    assert memory.next_end() == 5


def test_what_would_end_first_makes_room() -> None:
    memory = Memory(2)
    for key, until in ((b"late", 300), (b"early", 100), (b"new", 200)):
        memory.arm(0, key, Instant(0), Instant(until))
    assert set(memory.entries) == {b"late", b"new"}
    assert memory.evictions == 1
    memory.arm(0, b"new", Instant(0), Instant(500))
    assert memory.evictions == 1


@pytest.mark.parametrize("renewals", [1, 2, 50])
def test_a_renewal_takes_no_room(renewals: int) -> None:
    memory = Memory(3)
    entry = memory.arm(0, b"old", Instant(0), Instant(100))
    for number in range(renewals):
        memory.renew(entry, Instant(101 + number))
    memory.arm(0, b"a", Instant(0), Instant(1000))
    memory.arm(0, b"b", Instant(0), Instant(1000))
    assert set(memory.entries) == {b"old", b"a", b"b"}
    assert memory.evictions == 0


def test_a_renewed_entry_is_not_the_first_to_make_room() -> None:
    memory = Memory(2)
    entry = memory.arm(0, b"renewed", Instant(0), Instant(100))
    memory.arm(0, b"other", Instant(0), Instant(200))
    memory.renew(entry, Instant(300))
    memory.arm(0, b"new", Instant(0), Instant(400))
    assert set(memory.entries) == {b"renewed", b"new"}


@given(
    limit=st.integers(1, 4),
    steps=st.lists(st.tuples(st.sampled_from(("arm", "renew", "expire")), st.integers(0, 5), st.integers(0, 1), st.integers(1, 40)), max_size=60),
)
def test_memory_is_what_a_plain_list_would_be(limit: int, steps: list[tuple[str, int, int, int]]) -> None:
    """A list that is searched from end to end is the oracle: the same entries, ends, counts and evictions."""
    memory = Memory(limit)
    model: dict[tuple[int, bytes], list[int]] = {}
    evictions = 0
    for now, (what, name, index, length) in enumerate(steps):
        key = b"%d" % name
        # No two ends are alike, so that it is certain which comes first.
        until = (now + length) * 100 + now
        if what == "expire":
            gone = {(entry.box, entry.key) for entry in memory.expire(Instant(now * 100))}
            over = {place for place, (end, _) in model.items() if end <= now * 100}
            assert gone == over
            for place in over:
                del model[place]
        elif what == "renew":
            for entry in memory.entries.get(key, ()):
                memory.renew(entry, Instant(until + entry.box * 50))
                model[entry.box, key][0] = max(model[entry.box, key][0], until + entry.box * 50)
        elif (index, key) in model:
            memory.arm(index, key, Instant(now), Instant(until))
            model[index, key] = [max(until, model[index, key][0]), model[index, key][1] + 1]
        else:
            if len(model) >= limit:
                del model[min(model, key=lambda place: model[place][0])]
                evictions += 1
            memory.arm(index, key, Instant(now), Instant(until))
            model[index, key] = [until, 1]
        assert held(memory) == sorted((index, key, end, count) for (index, key), (end, count) in model.items())
        assert memory.evictions == evictions
        assert (memory.next_end() is None) == (not model)


# Memory at work.


@pytest.mark.parametrize(("seconds", "dropped"), [(0.0, True), (59.999999999, True), (60.0, False), (60.000000001, False)])
def test_a_memory_holds_up_to_but_not_at_its_end(tmp_path: Path, seconds: float, dropped: bool) -> None:
    run = remembering(tmp_path)
    armed = [effect for effect in show(run, flow(LISTED), step=0) if isinstance(effect, Armed)]
    assert [effect.until for effect in armed] == [at(60)]
    effects = run.see(at(seconds), Side.INSIDE, to_server(1, SYN, port=50001))
    assert [type(effect) for effect in effects] == ([Drop] if dropped else [Expired])


def test_the_alarm_rings_at_the_end(tmp_path: Path) -> None:
    run = remembering(tmp_path)
    assert run.next_alarm() is None
    show(run, flow(LISTED), step=0)
    assert run.next_alarm() == at(60)
    assert run.ring(Instant(at(60) - 1)) == []
    assert run.ring(at(60)) == [Expired("a", at(60))]
    assert run.next_alarm() is None


@pytest.mark.parametrize(("seconds", "dropped"), [(0.249999999, False), (0.25, True), (59.9, True)])
def test_a_memory_holds_from_its_onset_on(tmp_path: Path, seconds: float, dropped: bool) -> None:
    run = remembering(tmp_path, onset=250)
    show(run, flow(LISTED), step=0)
    assert bool(run.see(at(seconds), Side.INSIDE, to_server(1, SYN, port=50001))) is dropped


def test_a_memory_of_no_time_is_none(tmp_path: Path) -> None:
    run = remembering(tmp_path, seconds=0)
    assert not [effect for effect in show(run, flow(LISTED)) if isinstance(effect, Armed)]
    assert not run.armed


@pytest.mark.parametrize(("refresh", "dropped"), [(True, True), (False, False)])
def test_traffic_renews_a_memory_where_the_profile_says_so(tmp_path: Path, refresh: bool, dropped: bool) -> None:
    run = remembering(tmp_path, refresh=refresh)
    show(run, flow(LISTED), step=0)
    assert run.see(at(50), Side.INSIDE, to_server(1, SYN, port=50001))
    again = run.see(at(109), Side.INSIDE, to_server(1, SYN, port=50002))
    assert any(isinstance(effect, Drop) for effect in again) is dropped


def test_the_server_s_packets_neither_are_hit_nor_renew_where_only_the_client_is_watched(tmp_path: Path) -> None:
    run = remembering(tmp_path, refresh=True)
    show(run, flow(LISTED), step=0)
    assert run.see(at(50), Side.OUTSIDE, to_client(1, SYN | ACK)) == []
    assert run.next_alarm() == at(60)


def test_another_port_or_server_is_not_hit(tmp_path: Path) -> None:
    run = remembering(tmp_path)
    show(run, flow(LISTED), step=0)
    assert run.see(at(1), Side.INSIDE, to_server(1, SYN, port=50001, server=bytes((198, 51, 100, 3)))) == []
    assert run.see(at(1), Side.INSIDE, to_server(1, SYN, port=50001)) != []
