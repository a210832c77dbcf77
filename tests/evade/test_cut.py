"""Packets cut by IP, and by the lengths that they claim; what TCP pieces carry is tested with the actions."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.evade.cut import as_sent, cut_segment, fragment_in_two, segment_in_two
from crenel.evade.reading import total_length
from crenel.wire.ip import serialise, write_transport
from crenel.wire.packet import ACK, IP_DF, IP_MF, PSH, URG, Packet, tcp_packet
from crenel.wire.verify import ip_checksum_valid
from tests.evade.acting import BARE, DATA_SEGMENT, QUERY, REQUEST, STAMP, on_wire, sent

SIX = tcp_packet(bytes(15) + b"\1", bytes(15) + b"\2", 1, 2, flags=PSH | ACK, payload=REQUEST)


@pytest.mark.parametrize("whole", [DATA_SEGMENT, QUERY, SIX])
@given(eighths=st.integers(-1, 12))
def test_two_fragments_make_the_packet_again(whole: Packet, eighths: int) -> None:
    pieces = fragment_in_two(whole, eighths)
    assert pieces is not None
    first, second = pieces
    if first is second:
        assert first == whole
        return
    body = b"".join(write_transport(one) for one in pieces)
    assert body == write_transport(whole)
    assert (first.frag_offset, second.frag_offset) == (0, len(write_transport(first)))
    assert first.ip_flags & IP_MF
    assert not second.ip_flags & IP_MF
    assert first.ident == second.ident == whole.ident
    assert all(ip_checksum_valid(on_wire(one)) for one in pieces)
    assert all(serialise(on_wire(one)) == serialise(one) for one in pieces)


def test_where_ip_cuts_and_what_it_flags() -> None:
    first, second = fragment_in_two(DATA_SEGMENT, 1) or (BARE, BARE)
    assert (len(write_transport(first)), first.ip_flags, second.ip_flags) == (8, IP_MF | IP_DF, IP_DF)
    size = len(write_transport(DATA_SEGMENT))
    half, _ = fragment_in_two(DATA_SEGMENT, -1) or (BARE, BARE)
    assert len(write_transport(half)) == size // 16 * 8
    assert fragment_in_two(DATA_SEGMENT, 0) == (DATA_SEGMENT, DATA_SEGMENT)
    assert fragment_in_two(BARE, 1) == (BARE, BARE)
    assert fragment_in_two(DATA_SEGMENT, -2) is None


def test_what_tcp_cannot_cut_comes_twice() -> None:
    assert segment_in_two(BARE, 8, 0) == (BARE, BARE)
    assert segment_in_two(QUERY, 8, 0) == (QUERY, QUERY)
    one = sent(PSH | ACK, b"x")
    assert [piece.payload for piece in segment_in_two(one, -1, 0)] == [b"", b"x"]


@pytest.mark.parametrize(
    ("at", "overlap", "first", "second"), [(8, 0, 8, 8), (8, 3, 11, 8), (0, 0, 0, 0), (-1, 0, 5, 5), (99, 0, 5, 5), (-2, 0, 8, -2)]
)
def test_where_tcp_cuts(at: int, overlap: int, first: int, second: int) -> None:
    packet = sent(PSH | ACK, b"0123456789"[: 11 if at == 8 else 10] + b"abcdef" * (at == 8))
    one, two = segment_in_two(packet, at, overlap)
    assert one.payload == packet.payload[:first]
    assert two.payload == packet.payload[second:]
    assert two.seq - one.seq == second


def test_the_urgent_pointer_stays_at_its_byte() -> None:
    packet = msgspec.structs.replace(sent(PSH | ACK | URG, b"abcdef"), urgent=4)
    assert [(one.flags & URG, one.urgent) for one in cut_segment(packet, [2, 4])] == [(URG, 4), (URG, 2), (0, 4)]


def test_sequence_numbers_wrap() -> None:
    packet = sent(PSH | ACK, b"abcdef", seq=0xFFFFFFFE)
    assert [one.seq for one in cut_segment(packet, [1, 2, 3])] == [0xFFFFFFFE, 0xFFFFFFFF, 0, 1]
    assert segment_in_two(packet, 3, 0)[1].seq == 1


@given(st.integers(0, 15))
def test_a_data_offset_is_read_as_on_the_wire(words: int) -> None:
    made = as_sent(msgspec.structs.replace(DATA_SEGMENT, data_offset=words))
    assert made is not None
    wire = on_wire(made)
    assert (wire.options, wire.payload, wire.data_offset) == (made.options, made.payload, made.data_offset)
    assert serialise(made) == serialise(msgspec.structs.replace(DATA_SEGMENT, data_offset=words))
    assert made.options + made.payload == STAMP + REQUEST


@given(st.integers(40, 200))
def test_an_ip_length_is_read_as_on_the_wire(claimed: int) -> None:
    packet = msgspec.structs.replace(DATA_SEGMENT, total_length=claimed)
    made = as_sent(packet)
    assert made is not None
    if claimed <= total_length(DATA_SEGMENT):
        assert len(serialise(made)) == claimed
        assert made.total_length is None
    else:
        assert made.total_length == claimed
    assert made.trailer == b""
    assert (made == DATA_SEGMENT) is (claimed == total_length(DATA_SEGMENT))


def test_a_packet_that_says_nothing_false_is_sent_as_it_is() -> None:
    assert as_sent(DATA_SEGMENT) is DATA_SEGMENT
    assert as_sent(QUERY) is QUERY
