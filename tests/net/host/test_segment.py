"""Packets whose header claims too much or too little: what a host sees in them, and how it answers those that belong nowhere."""

import msgspec
import pytest

from crenel.net.host.segment import answer_reset, read_segment
from crenel.wire.ip import parse_packet, serialise
from crenel.wire.packet import ACK, FIN, RST, SYN, Packet, tcp_packet, udp_packet

A, B = bytes((10, 0, 0, 1)), bytes((10, 0, 0, 2))


def made(**changes: object) -> Packet:
    packet = tcp_packet(A, B, 1, 2, seq=10, ack=20, flags=ACK, payload=b"GET / HTTP/1.1\r\n")
    return msgspec.structs.replace(packet, **changes)


@pytest.mark.parametrize("words", [0, 4, 10, 15])
def test_a_data_offset_under_five_or_beyond_the_segment_is_dropped(words: int) -> None:
    assert read_segment(made(data_offset=words)) is None


@pytest.mark.parametrize("words", [5, 6, 9])
def test_a_larger_one_shortens_the_payload(words: int) -> None:
    segment = read_segment(made(data_offset=words))
    assert segment is not None
    assert segment.payload == b"GET / HTTP/1.1\r\n"[(words - 5) * 4 :]
    assert segment.end == 10 + len(segment.payload)


def test_a_checksum_is_checked_where_it_is_a_number() -> None:
    parsed = parse_packet(serialise(made()))
    assert isinstance(parsed, Packet)
    assert read_segment(parsed) is not None
    assert parsed.checksum is not None
    assert read_segment(msgspec.structs.replace(parsed, checksum=parsed.checksum ^ 1)) is None


def test_what_is_no_whole_tcp_segment_is_none() -> None:
    assert read_segment(udp_packet(A, B, 1, 2, b"x")) is None
    assert read_segment(made(headless=True)) is None
    assert read_segment(made(frag_offset=8)) is None


def test_syn_and_fin_count() -> None:
    segment = read_segment(made(flags=SYN | FIN))
    assert segment is not None
    assert segment.end == 10 + 16 + 2


@pytest.mark.parametrize(("flags", "answer"), [(ACK, (RST, 20, 0)), (SYN, (RST | ACK, 0, 27)), (0, (RST | ACK, 0, 26)), (FIN | ACK, (RST, 20, 0))])
def test_a_reset_has_the_numbers_of_rfc_9293(flags: int, answer: tuple[int, int, int]) -> None:
    packet = made(flags=flags)
    segment = read_segment(packet)
    assert segment is not None
    reset = answer_reset(packet, segment, 64)
    assert reset is not None
    assert (reset.flags, reset.seq, reset.ack) == answer
    assert (reset.src, reset.dst, reset.sport, reset.dport) == (B, A, 2, 1)


def test_neither_a_rst_nor_a_signed_segment_is_answered() -> None:
    for packet in (made(flags=RST), made(options=b"\x13\x12" + bytes(18))):
        segment = read_segment(packet)
        assert segment is not None
        assert answer_reset(packet, segment, 64) is None
