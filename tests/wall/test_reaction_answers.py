"""Queries in, forged DNS answers out: dnspython says what they hold, and the pool is walked as the profile says."""

import ipaddress
import itertools
import struct
from typing import Any

import dns.message
import dns.rdatatype
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.coins import Coins, KeyedCoins, ScriptedCoins
from crenel.wall.reaction import Answerer, Answers
from crenel.wall.readers import DnsQname
from crenel.wall.readers.reading import Query
from crenel.wire.dns_build import build_query
from crenel.wire.packet import IP_DF, Packet, udp_packet
from tests.wall.making import CLIENT, CLIENT6, FIXED, SERVER, SERVER6

POOL = tuple(bytes((203, 0, 113, last)) for last in range(1, 8))
POOL6 = tuple(bytes((0x20, 1, 13, 0xB8, *bytes(11), last)) for last in range(1, 6))
A, AAAA, ANY = 1, 28, 255
USUAL: dict[str, Any] = {
    "flags_rd0": 0x8400, "flags_rd1": 0x8180, "record_ttl": {"fixed": 60}, "owner": "pointer", "pool": "four", "pool6": "six", "order": "cyclic", "df": False,
    "ip_id": FIXED, "ttl": {"fixed": 64}, "delay": {"fixed": 1},
}


def answers(**changes: object) -> Answers:
    return msgspec.convert(USUAL | changes, Answers)


def answerer(**changes: object) -> Answerer:
    return Answerer("box", answers(**changes), {"four": POOL, "six": POOL6})


def asked(payload: bytes, ends: tuple[bytes, bytes] = (CLIENT, SERVER)) -> tuple[Packet, Query]:
    """Return the packet of a query and what a reader has of it."""
    packet = udp_packet(*ends, 50000, 53, payload, ttl=57, ident=777)
    (found,) = DnsQname(list="names", longest_name=125, qclass=0).read_packet(packet).found
    assert found.query is not None
    return packet, found.query


def forge(
    payload: bytes, *, ends: tuple[bytes, bytes] = (CLIENT, SERVER), coins: Coins | None = None, flow: bytes = b"f", scope: bytes = b"s",
    counters: dict[str, int] | None = None, **changes: object,
) -> Packet:
    packet, query = asked(payload, ends)
    return answerer(**changes).forge(packet, query, coins or ScriptedCoins(), scope, flow, {} if counters is None else counters)[0]


def addresses(forged: Packet) -> list[str]:
    return [str(item) for record in dns.message.from_wire(forged.payload).answer for item in record]


def test_an_answer_comes_back_from_where_the_query_went() -> None:
    forged = forge(build_query(b"blocked.example"))
    assert (forged.src, forged.sport, forged.dst, forged.dport) == (SERVER, 53, CLIENT, 50000)


@pytest.mark.parametrize("owner", ["pointer", "copy"])
@pytest.mark.parametrize(("kind", "answered"), [(A, "A"), (AAAA, "AAAA"), (ANY, "A")])
def test_an_answer_holds_one_record_of_the_pool(kind: int, answered: str, owner: str) -> None:
    forged = forge(build_query(b"a.blocked.example", ident=4711, kind=kind), owner=owner)
    message = dns.message.from_wire(forged.payload)
    assert message.id == 4711
    assert [(question.name.to_text(), int(question.rdtype)) for question in message.question] == [("a.blocked.example.", kind)]
    (record,) = message.answer
    assert (record.name.to_text(), dns.rdatatype.to_text(record.rdtype), record.ttl) == ("a.blocked.example.", answered, 60)
    pool = POOL6 if answered == "AAAA" else POOL
    assert ipaddress.ip_address(addresses(forged)[0]).packed in pool


@pytest.mark.parametrize("owner", ["pointer", "copy"])
def test_the_owner_is_a_pointer_or_the_whole_name_again(owner: str) -> None:
    query = build_query(b"blocked.example")
    name = query[12:-4]
    payload = forge(query, owner=owner).payload
    assert payload[:12] == query[:2] + bytes.fromhex("8180 0001 0001 0000 0000")
    assert payload[12 : len(query)] == query[12:]
    assert payload[len(query) :] == (b"\xc0\x0c" if owner == "pointer" else name) + struct.pack(">HHIH", A, 1, 60, 4) + POOL[3]


def test_without_a_pool_of_ipv6_a_question_for_one_gets_ipv4() -> None:
    (record,) = dns.message.from_wire(forge(build_query(b"blocked.example", kind=AAAA), pool6=None).payload).answer
    assert dns.rdatatype.to_text(record.rdtype) == "A"


@pytest.mark.parametrize(("flags", "answered"), [(0x0100, 0x8180), (0x0000, 0x8400), (0x0120, 0x8180), (0x0020, 0x8400), (0x0200, 0x8400)])
def test_the_flags_follow_from_recursion_alone(flags: int, answered: int) -> None:
    assert int.from_bytes(forge(build_query(b"blocked.example", flags=flags)).payload[2:4], "big") == answered


@pytest.mark.parametrize("left", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("owner", ["pointer", "copy"])
def test_no_byte_is_echoed_that_the_packet_does_not_hold(left: int, owner: str) -> None:
    """A query cut within its type and class is answered with as much of them as there is."""
    whole = build_query(b"blocked.example")
    cut = whole[: len(whole) - 4 + left]
    payload = forge(cut, owner=owner).payload
    assert payload[12:].startswith(cut[12:])
    assert payload[len(cut) :].startswith(b"\xc0\x0c\0\1\0\1" if owner == "pointer" else whole[12:-4] + b"\0\1\0\1")


def test_a_query_cut_before_its_type_asks_for_ipv4() -> None:
    cut = build_query(b"blocked.example", kind=AAAA)[:-4]
    assert forge(cut).payload[-6:-4] == b"\x00\x04"
    assert forge(cut + b"\x00\x1c").payload[-18:-16] == b"\x00\x10"


@given(junk=st.binary(min_size=1, max_size=60))
def test_whatever_stands_where_the_name_should_the_echo_is_of_the_packet(junk: bytes) -> None:
    packet = udp_packet(CLIENT, SERVER, 50000, 53, build_query(b"")[:12] + junk)
    for found in DnsQname(list="names", longest_name=125, qclass=0).read_packet(packet).found:
        assert found.query is not None
        forged, _ = answerer().forge(packet, found.query, ScriptedCoins(), b"s", b"f", {})
        echoed = forged.payload[12 : forged.payload.rindex(b"\xc0\x0c\0")]
        assert junk.startswith(echoed)


def test_numbers_of_the_header_follow_their_laws() -> None:
    query = build_query(b"blocked.example")
    forged = forge(query, ttl={"mirror": True}, ip_id={"mirror": True, "step": 5}, df=True)
    assert (forged.ttl, forged.ident, forged.ip_flags) == (57, 777, IP_DF)
    assert forge(query, record_ttl={"between": [130, 230]}).payload[-10:-6] == (180).to_bytes(4, "big")
    packet, read = asked(query)
    assert answerer(delay={"fixed": 1500}).forge(packet, read, ScriptedCoins(), b"s", b"f", {})[1] == 1_500_000


def test_ipv6_has_no_identification_and_no_such_flag() -> None:
    forged = forge(build_query(b"blocked.example"), ends=(CLIENT6, SERVER6), ip_id={"fixed": 9}, df=True)
    assert (forged.version, forged.src, forged.ident, forged.ip_flags) == (6, SERVER6, 0, 0)


# Pools.


class Placed(ScriptedCoins):
    """Coins by which a flow's scope is the number of the walk that it meets."""

    def pick(self, box: str, scope: bytes, name: str, n: int) -> int:
        return int(scope) % n if name == "answer/process" else super().pick(box, scope, name, n)


def walked(flows: str, coins: Coins | None = None, *, kind: int = A, counters: dict[str, int] | None = None, **changes: object) -> list[int]:
    """Return the place in the pool of the answer to each flow's query; a flow is a digit."""
    kept: dict[str, int] = {} if counters is None else counters
    pool = POOL6 if kind == AAAA else POOL
    query = build_query(b"blocked.example", kind=kind)
    made = [forge(query, coins=coins or Placed(), flow=one.encode(), counters=kept, scope=b"%d" % number, **changes) for number, one in enumerate(flows)]
    return [pool.index(ipaddress.ip_address(addresses(forged)[0]).packed) for forged in made]


def test_one_walk_goes_through_the_pool_in_its_order_and_begins_again() -> None:
    assert walked("0123456780") == [3, 4, 5, 6, 0, 1, 2, 3, 4, 5]


def test_walks_go_on_side_by_side() -> None:
    """Each flow meets its own walk, and moves no other on."""
    assert walked("0001122010", processes=3) == [3, 4, 5, 3, 4, 3, 4, 6, 5, 0]
    assert walked("00112203", processes=4)[-1] == 3


def test_a_walk_begins_where_a_coin_of_the_box_says() -> None:
    """Neither flow nor event decides it: only seed and process."""
    begins = {seed: walked("0", KeyedCoins(seed))[0] for seed in range(60)}
    assert set(begins.values()) == set(range(len(POOL)))
    assert all(walked(flow, KeyedCoins(seed))[0] == begin for flow in "19" for seed, begin in list(begins.items())[:10])


def test_flows_spread_over_all_walks_and_keep_to_theirs() -> None:
    query = build_query(b"blocked.example")
    met: dict[str, int] = {}
    for flow in range(40):
        counters: dict[str, int] = {}
        for event in range(3):
            forge(query, coins=KeyedCoins(5), flow=b"%d" % flow, scope=b"%d" % event, counters=counters, processes=3)
        (walk,) = counters
        met[walk] = met.get(walk, 0) + 1
    assert sorted(met) == [f"answer/walk-{process}-v4" for process in range(3)]
    assert min(met.values()) > 3


def test_the_pools_of_both_versions_are_walked_apart() -> None:
    counters: dict[str, int] = {}
    assert walked("00", counters=counters) == [3, 4]
    assert walked("00", kind=AAAA, counters=counters) == [2, 3]
    assert walked("0", counters=counters) == [5]


def test_a_random_order_is_one_draw_for_each_answer() -> None:
    places = [walked("0123456789" * 4, KeyedCoins(seed), order="random") for seed in (1, 1, 2)]
    assert places[0] == places[1] != places[2]
    assert set(places[0]) == set(range(len(POOL)))
    assert any((after - before) % len(POOL) != 1 for before, after in itertools.pairwise(places[0]))


@pytest.mark.parametrize(("order", "processes", "allowed"), [("cyclic", 1, True), ("cyclic", 0, False), ("random", 1, True), ("random", 2, False)])
def test_walks_where_nothing_walks_are_refused(order: str, processes: int, allowed: bool) -> None:
    if allowed:
        assert answers(order=order, processes=processes).processes == processes
    else:
        with pytest.raises(msgspec.ValidationError, match="processes is 1 or more, and 1 where the order is random"):
            answers(order=order, processes=processes)
