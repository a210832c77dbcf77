"""Packets in, what a middlebox lets by out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.atlas.load import load_vantage
from crenel.coins import KeyedCoins, ScriptedCoins, enumerate_trials
from crenel.instant import Instant
from crenel.net.path.middlebox import ClientFilter, StrictFilter, choose_client_filter, choose_strict_filter
from crenel.wire.ip import parse_packet, serialise
from crenel.wire.packet import ACK, FIN, IP_MF, PSH, RST, SYN, URG, Packet
from crenel.wire.result import Unparseable
from tests.net.sim.scripted import ours, theirs

BOXES = {box.id: box for box in load_vantage("eleven-points-2017").client_middlebox}
NOW = Instant(0)


def fragments(packet: Packet) -> list[Packet]:
    """Cut a packet in two, behind the transport header."""
    whole = serialise(packet)
    body = whole[20:]
    head = Packet(4, packet.src, packet.dst, 6, ident=7, ip_flags=IP_MF, payload=body[:24], headless=True)
    tail = Packet(4, packet.src, packet.dst, 6, ident=7, frag_offset=24, payload=body[24:])
    pieces = [parse_packet(serialise(piece)) for piece in (head, tail)]
    return [piece for piece in pieces if not isinstance(piece, Unparseable)]


@pytest.mark.parametrize(
    ("box", "packet", "stopped"),
    [
        ("aliyun", ours(FIN | ACK, 1), False),
        ("unicom-shijiazhuang", ours(FIN | ACK, 1), True),
        ("unicom-shijiazhuang", ours(0, 1), False),
        ("unicom-tianjin", ours(0, 1, payload=b"x"), True),
        ("unicom-tianjin", ours(ACK, 1), False),
        ("unicom-tianjin", Packet(4, bytes(4), bytes(4), 6, 1, 2, flags=ACK, checksum=1), True),
        ("unicom-shijiazhuang", Packet(4, bytes(4), bytes(4), 6, 1, 2, flags=ACK, checksum=1), False),
        ("unicom-tianjin", Packet(4, bytes(4), bytes(4), 17, 1, 2, payload=b"x"), False),
    ],
)
def test_each_drops_what_it_is_said_to(box: str, packet: Packet, stopped: bool) -> None:
    passage = ClientFilter(BOXES[box]).take(NOW, packet)
    assert (passage.packet is None, bool(passage.reason)) == (stopped, stopped)


def test_fragments_are_dropped_or_joined() -> None:
    packet = ours(PSH | ACK, 5, 6, b"GET / HTTP/1.1\r\n\r\n" * 3)
    first, last = fragments(packet)
    drops = ClientFilter(BOXES["aliyun"])
    assert [drops.take(NOW, piece).packet for piece in (first, last)] == [None, None]
    joins = ClientFilter(BOXES["qcloud"])
    assert joins.take(NOW, last).held
    passage = joins.take(NOW, first)
    assert passage.joined
    assert passage.packet is not None
    assert (passage.packet.seq, passage.packet.payload, passage.packet.frag_offset) == (5, packet.payload, 0)


def test_a_joined_packet_is_looked_at_like_any() -> None:
    first, last = fragments(ours(FIN | ACK, 5, 6, b"x" * 40))
    box = ClientFilter(BOXES["unicom-shijiazhuang"])
    box.take(NOW, first)
    assert box.take(NOW, last).reason == "it carries FIN"


def test_the_one_that_is_met_is_drawn_by_weight() -> None:
    boxes = tuple(BOXES.values())
    drawn = enumerate_trials(lambda coins: choose_client_filter(boxes, coins))
    chances = {leaf.result.id: leaf.probability for leaf in drawn.leaves if leaf.result is not None}
    assert chances == {box.id: pytest.approx(box.weight / 11) for box in boxes}
    assert [box.weight for box in boxes] == [6, 3, 1, 1]
    assert choose_client_filter((), KeyedCoins(0)) is None


def test_the_strict_filter_stands_there_as_its_coin_falls() -> None:
    assert choose_strict_filter(0.0, KeyedCoins(0)) is None
    assert choose_strict_filter(0.3, ScriptedCoins({"path/strict-server": True})) is not None
    assert choose_strict_filter(0.3, ScriptedCoins({"path/strict-server": False})) is None


@pytest.mark.parametrize(
    ("flags", "sound"),
    [(SYN, True), (SYN | ACK, True), (ACK | PSH, True), (FIN | ACK, True), (0, False), (FIN, False), (SYN | FIN, False), (SYN | RST, False),
     (FIN | RST | ACK | PSH | URG, False), (ACK | URG, True), (PSH, False)],
)  # fmt: skip
def test_the_strict_filter_drops_odd_flags(flags: int, sound: bool) -> None:
    assert (StrictFilter().take(NOW, ours(flags, 1)).packet is not None) == sound


@pytest.mark.parametrize(
    ("reset", "sound"),
    [
        (ours(RST, 1021), True),
        (ours(RST, 1020), False),
        (ours(RST, 1021 + 1460), False),
        (ours(RST | ACK, 1021, 5001), True),
        (ours(RST | ACK, 1021, 5002), False),
        (ours(RST | ACK, 1021, 0), False),
        (ours(RST, 1021, sport=49_999), False),
    ],
)
def test_the_strict_filter_drops_resets_out_of_state(reset: Packet, sound: bool) -> None:
    box = StrictFilter()
    box.take(NOW, ours(SYN, 1000))
    box.watch(theirs(SYN | ACK, 5000, 1001))
    box.take(NOW, ours(PSH | ACK, 1001, 5001, b"x" * 20))
    assert (box.take(NOW, reset).packet is not None) == sound


def test_a_wrong_checksum_teaches_the_strict_filter_nothing() -> None:
    box = StrictFilter()
    box.take(NOW, ours(SYN, 1000))
    wrong = ours(PSH | ACK, 1001, 1, b"x" * 20)
    box.take(NOW, Packet(4, wrong.src, wrong.dst, 6, wrong.sport, wrong.dport, 1001, 1, wrong.flags, payload=wrong.payload, checksum=1))
    assert box.take(NOW, ours(RST, 1001)).packet is not None


@given(st.lists(st.builds(ours, st.integers(0, 255), st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.binary(max_size=9)), max_size=20))
def test_nothing_that_goes_by_is_changed(packets: list[Packet]) -> None:
    strict = StrictFilter()
    for packet in packets:
        assert strict.take(NOW, packet).packet in {packet, None}
        for box in BOXES.values():
            assert ClientFilter(box).take(NOW, packet).packet in {packet, None}
