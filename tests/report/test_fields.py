"""A packet's fields in words: what tells a forged packet from another is said, and nothing is invented where there is no header."""

import msgspec
import pytest

from crenel.report.fields import byte_words, field_words
from crenel.wire.packet import ACK, ICMP, IP_MF, RST, Packet, tcp_packet, udp_packet
from tests.report.making import CLIENT, SERVER


def test_the_fields_of_tcp() -> None:
    packet = tcp_packet(SERVER, CLIENT, 443, 40000, seq=5, ack=7, flags=RST | ACK, window=900, ttl=58, ident=4)
    assert field_words(packet) == "198.51.100.9:443 → 192.0.2.7:40000, TCP; RST+ACK, seq 5, ack 7, window 900; TTL 58, IP ID 4, DF"


@pytest.mark.parametrize(
    ("packet", "said"),
    [
        (udp_packet(CLIENT, SERVER, 5000, 53, b"x"), "192.0.2.7:5000 → 198.51.100.9:53, UDP; TTL 64, IP ID 0"),
        (Packet(4, CLIENT, SERVER, ICMP), "192.0.2.7 → 198.51.100.9, ICMP; TTL 64, IP ID 0"),
        (udp_packet(bytes(16), bytes(15) + b"\x01", 1, 2, b""), "[::]:1 → [::1]:2, UDP; hop limit 64, IP ID 0".replace(", IP ID 0", "")),
        (Packet(4, CLIENT, SERVER, 47), "192.0.2.7 → 198.51.100.9, IP protocol 47; TTL 64, IP ID 0"),
    ],
)
def test_others(packet: Packet, said: str) -> None:
    assert field_words(packet) == said


def test_a_later_fragment_has_no_ports() -> None:
    packet = msgspec.structs.replace(udp_packet(CLIENT, SERVER, 1, 2, b"x"), frag_offset=8, ip_flags=IP_MF)
    assert field_words(packet) == "192.0.2.7 → 198.51.100.9, UDP; TTL 64, IP ID 0, more fragments, fragment at 8"


def test_bytes_are_capped() -> None:
    assert not byte_words(udp_packet(CLIENT, SERVER, 1, 2, b""))
    assert byte_words(udp_packet(CLIENT, SERVER, 1, 2, b"\x01")) == "1 byte: 01"
    assert byte_words(udp_packet(CLIENT, SERVER, 1, 2, bytes(60_000))) == "60,000 bytes: " + "00 " * 24 + "…"
