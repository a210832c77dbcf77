"""Packets that ran out of TTL in, what routers say about them out."""

from crenel.net.path.router import answer_of, hop_address
from crenel.wire.ip import parse_packet, serialise
from crenel.wire.packet import ICMP, ICMPV6, SYN, Packet, tcp_packet
from crenel.wire.result import Unparseable

A, B = bytes((192, 0, 2, 1)), bytes((192, 0, 2, 2))


def test_the_answer_quotes_the_header_and_eight_bytes() -> None:
    packet = tcp_packet(A, B, 40_000, 80, seq=77, flags=SYN, ttl=0, payload=b"x" * 100)
    answer = answer_of(packet, hop_address(9, 4))
    assert answer is not None
    assert (answer.src, answer.dst, answer.icmp_type, answer.icmp_code) == (bytes((100, 64, 0, 9)), A, 11, 0)
    assert answer.payload == serialise(packet)[:28]
    read = parse_packet(serialise(answer))
    assert not isinstance(read, Unparseable)
    assert read.payload == answer.payload


def test_over_ipv6_as_much_is_quoted_as_fits() -> None:
    packet = tcp_packet(bytes(15) + b"\1", bytes(15) + b"\2", 40_000, 443, payload=b"x" * 1300, ttl=0)
    answer = answer_of(packet, hop_address(300, 6))
    assert answer is not None
    assert (answer.proto, answer.icmp_type, answer.icmp_code) == (ICMPV6, 3, 0)
    assert answer.src[-2:] == (300).to_bytes(2, "big")
    assert len(serialise(answer)) == 1280


def test_no_error_is_sent_about_an_error_nor_about_a_later_fragment() -> None:
    assert answer_of(Packet(4, A, B, ICMP, icmp_type=11), A) is None
    assert answer_of(Packet(4, A, B, ICMP, icmp_type=8), A) is not None
    assert answer_of(Packet(6, bytes(16), bytes(16), ICMPV6, icmp_type=1), bytes(16)) is None
    assert answer_of(Packet(4, A, B, 6, payload=b"x" * 8, frag_offset=8), A) is None


def test_nothing_is_said_about_what_no_wire_could_carry() -> None:
    assert answer_of(tcp_packet(A, B, 1 << 16, 80), A) is None
