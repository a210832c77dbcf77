"""Sequence numbers on both sides of bytes that the stack does not know of."""

import itertools

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from crenel.evade.growth import Growing, Streams
from crenel.wire.packet import ACK, PSH, Packet
from tests.evade.acting import sent, started

WHOLE = sent(PSH | ACK, b"abcdef", seq=0xFFFFFFFD)


def streams() -> Streams:
    """Return what is known once XY was put before the c and Z behind the f: abXYcdefZ."""
    growing = Growing(WHOLE)
    growing.put(WHOLE, b"abXYcdef", [(2, 2)], None)
    growing.put(msgspec.structs.replace(WHOLE, payload=b"abXYcdef"), b"abXYcdefZ", [(8, 1)], None)
    assert growing.added == 3
    found = Streams()
    found.note(growing)
    return found


def part(start: int, stop: int) -> Packet:
    """Return a segment with these bytes of the stream of the stack, the digits behind the letters included."""
    return sent(PSH | ACK, b"abcdef0123"[start:stop], seq=0xFFFFFFFD + start & 0xFFFFFFFF)


def moved(start: int, stop: int) -> tuple[int, bytes]:
    known, packet = streams(), part(start, stop)
    grown = known.growth_of(packet)
    filled = packet if grown is None else known.filled(packet, grown)
    ((_, one),) = known.move(packet, [(0, filled)])
    return one.seq - 0xFFFFFFFD & 0xFFFFFFFF, one.payload


@given(st.integers(0, 9), st.integers(1, 10))
def test_any_part_that_is_sent_again_fits_into_the_stream_as_sent(start: int, size: int) -> None:
    stop = min(start + size, 10)
    at, payload = moved(start, stop)
    assert b"abXYcdefZ0123"[at : at + len(payload)] == payload
    assert set(part(start, stop).payload) <= set(payload)


@given(st.lists(st.integers(1, 9), max_size=4))
def test_parts_that_follow_one_another_leave_no_hole(cuts: list[int]) -> None:
    edges = sorted({0, 10, *cuts})
    joined = b""
    for start, stop in itertools.pairwise(edges):
        at, payload = moved(start, stop)
        assert at == len(joined)
        joined += payload
    assert joined == b"abXYcdefZ0123"


def test_acknowledgements_are_moved_back() -> None:
    known = streams()
    answers = [sent(ACK, options=b"")] * 13
    back = []
    for place, answer in enumerate(answers):
        packet = msgspec.structs.replace(
            answer, src=answer.dst, dst=answer.src, sport=answer.dport, dport=answer.sport, ack=0xFFFFFFFD + place & 0xFFFFFFFF,
            options=b"\x01\x01\x05\x0a" + (0xFFFFFFFD).to_bytes(4, "big") + (0xFFFFFFFD + place & 0xFFFFFFFF).to_bytes(4, "big"),
        )  # fmt: skip
        moved_back = known.move_back(packet)
        back.append(moved_back.ack - 0xFFFFFFFD & 0xFFFFFFFF)
        assert moved_back.options[8:12] == moved_back.ack.to_bytes(4, "big")
    assert back == [0, 1, 2, 2, 2, 3, 4, 5, 6, 6, 7, 8, 9]


def test_other_flows_and_what_came_before_are_not_moved() -> None:
    known = streams()
    before, other = sent(ACK, seq=0xFFFFFFF0), sent(ACK, seq=90, dport=81)
    assert known.move(before, [(0, before)]) == [(0, before)]
    assert known.move(other, [(0, other)]) == [(0, other)]
    assert known.move_back(other) is other


def test_a_fake_packet_is_no_part_of_the_stream() -> None:
    growing = Growing(WHOLE)
    growing.put(msgspec.structs.replace(WHOLE, payload=b"zzzzzz"), b"zzYzzzz", [(2, 1)], None)
    assert growing.added == 0


def test_the_next_segment_and_the_next_acknowledgement_are_moved() -> None:
    applied = started("[TCP:flags:PA:1]-oob{1}-|")
    applied.outbound(sent(PSH | ACK, b"abc", seq=100))
    ((_, following),) = applied.outbound(sent(PSH | ACK, b"d", seq=103))
    assert following.seq == 104
    answer = sent(ACK)
    ((_, delivered),) = applied.inbound(
        msgspec.structs.replace(answer, src=answer.dst, dst=answer.src, sport=answer.dport, dport=answer.sport, ack=105)
    )
    assert delivered.ack == 104
