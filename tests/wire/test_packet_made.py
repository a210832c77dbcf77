"""Addresses, ports and a few fields in, valid packets out; and for which packets the transport fields mean anything."""

import msgspec
import pytest

from crenel.wire.ip import parse_packet, serialise
from crenel.wire.packet import ACK, ICMP, ICMPV6, IP_DF, IP_MF, PSH, SYN, TCP, UDP, Packet, tcp_packet, udp_packet

FOUR = (bytes((192, 0, 2, 1)), bytes((198, 51, 100, 2)))
SIX = (bytes.fromhex("20010db8" + "00" * 11 + "01"), bytes.fromhex("20010db8" + "00" * 11 + "02"))


@pytest.mark.parametrize(("ends", "version", "flags"), [(FOUR, 4, IP_DF), (SIX, 6, 0)])
def test_a_segment_takes_its_version_from_the_addresses(ends: tuple[bytes, bytes], version: int, flags: int) -> None:
    packet = tcp_packet(*ends, 40000, 443, seq=7, ack=9, flags=PSH | ACK, payload=b"hello", window=1, ttl=3, options=b"\x01" * 4)
    assert (packet.version, packet.src, packet.dst, packet.proto, packet.sport, packet.dport) == (version, *ends, TCP, 40000, 443)
    assert (packet.seq, packet.ack, packet.flags, packet.payload, packet.window, packet.ttl, packet.options) == (
        7, 9, PSH | ACK, b"hello", 1, 3, b"\x01" * 4,
    )
    assert packet.ip_flags == flags


@pytest.mark.parametrize(("ends", "version"), [(FOUR, 4), (SIX, 6)])
def test_a_datagram_takes_its_version_from_the_addresses(ends: tuple[bytes, bytes], version: int) -> None:
    packet = udp_packet(*ends, 1, 2, b"hello", ttl=3, ident=4, ip_flags=IP_DF)
    assert (packet.version, packet.proto, packet.sport, packet.dport, packet.payload, packet.ttl) == (version, UDP, 1, 2, b"hello", 3)
    assert (packet.ident, packet.ip_flags) == (4, IP_DF if version == 4 else 0)


@pytest.mark.parametrize("ends", [FOUR, SIX])
def test_what_was_made_survives_the_wire(ends: tuple[bytes, bytes]) -> None:
    segments = [tcp_packet(*ends, 1, 2, seq=3, flags=SYN), tcp_packet(*ends, 1, 2, payload=b"x")]
    for packet in (*segments, udp_packet(*ends, 1, 2, b""), udp_packet(*ends, 1, 2, b"odd")):
        parsed = parse_packet(serialise(packet))
        assert isinstance(parsed, Packet)
        kept = {name: getattr(packet, name) for name in Packet.__struct_fields__ if name not in {"checksum", "ip_checksum", "raw"}}
        assert {name: getattr(parsed, name) for name in kept} == kept
        assert (parsed.checksum is None, parsed.ip_checksum is None) == (False, packet.version == 6)


def test_the_defaults_are_those_of_a_common_host() -> None:
    packet = tcp_packet(*FOUR, 1, 2)
    assert (packet.flags, packet.window, packet.ttl, packet.ident, packet.seq, packet.ack, packet.payload) == (ACK, 64240, 64, 0, 0, 0, b"")
    stated = ("data_offset", "checksum", "udp_length", "header_words", "total_length", "ip_checksum", "next_header", "raw")
    assert [name for name in stated if getattr(packet, name) is not None] == []
    assert udp_packet(*FOUR, 1, 2, b"").ip_flags == 0


@pytest.mark.parametrize(
    ("changes", "has"),
    [
        ({}, True), ({"proto": UDP}, True), ({"proto": ICMP}, True), ({"proto": ICMPV6}, True), ({"proto": 132}, False), ({"proto": 41}, False),
        ({"frag_offset": 8}, False), ({"ip_flags": IP_MF}, True), ({"headless": True}, False), ({"proto": UDP, "headless": True}, False),
    ],
)  # fmt: skip
def test_only_a_first_fragment_that_is_all_there_has_a_transport(changes: dict[str, int], has: bool) -> None:
    assert msgspec.structs.replace(tcp_packet(*FOUR, 1, 2), **changes).has_transport() is has


def test_a_packet_cannot_be_changed_and_is_a_value() -> None:
    packet = tcp_packet(*FOUR, 1, 2)
    with pytest.raises(AttributeError):
        packet.ttl = 3  # type: ignore[misc]
    assert packet == tcp_packet(*FOUR, 1, 2)
    assert packet != tcp_packet(*FOUR, 1, 3)
    assert len({packet, tcp_packet(*FOUR, 1, 2)}) == 1
