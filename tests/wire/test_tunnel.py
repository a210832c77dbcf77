"""What an IP packet carries: transport, start and end, for headers true and false."""

import pytest

from crenel.wire.ip import serialise
from crenel.wire.packet import Packet, udp_packet
from crenel.wire.result import Unparseable
from crenel.wire.tunnel import BRIDGED, FRAGMENT_BODY, IPV4, IPV6, TUNNELS, carried, ip_by_version

ADDRESSES_4 = bytes((192, 0, 2, 1)), bytes((192, 0, 2, 2))
PACKET_4 = serialise(udp_packet(*ADDRESSES_4, 1, 2, b"body"))
PACKET_6 = serialise(udp_packet(bytes(16), bytes(16), 1, 2, b"body"))


def test_transport_start_and_end_leave_out_what_follows_the_packet() -> None:
    assert carried(IPV4, PACKET_4 + bytes(9), 0, len(PACKET_4) + 9) == (17, 20, len(PACKET_4))
    assert carried(IPV6, PACKET_6 + bytes(9), 0, len(PACKET_6) + 9) == (17, 40, len(PACKET_6))


@pytest.mark.parametrize("total", [0, 19, 0xFFFF])
def test_an_impossible_length_means_all_there_is(total: int) -> None:
    packet = bytearray(PACKET_4)
    packet[2:4] = total.to_bytes(2, "big")
    assert carried(IPV4, bytes(packet), 0, len(packet)) == (17, 20, len(packet))


def test_a_fragment_carries_no_transport() -> None:
    fragment = serialise(Packet(4, *ADDRESSES_4, 4, payload=PACKET_4, ip_flags=1))
    assert carried(IPV4, fragment, 0, len(fragment)) == (FRAGMENT_BODY, 20, len(fragment))


@pytest.mark.parametrize(("kind", "packet"), [(IPV4, PACKET_4[:19]), (IPV4, PACKET_6), (IPV6, PACKET_6[:39]), (IPV6, PACKET_4 + bytes(40))])
def test_no_ip_packet(kind: int, packet: bytes) -> None:
    assert isinstance(carried(kind, packet, 0, len(packet)), Unparseable)


@pytest.mark.parametrize(("first", "kind"), [(0x45, IPV4), (0x60, IPV6), (0x4F, IPV4)])
def test_version_by_the_first_bits(first: int, kind: int) -> None:
    assert ip_by_version(bytes((first, 0)), 0, 2) == (kind, 0, 2)


@pytest.mark.parametrize("packet", [b"", b"\x00", b"\x50", b"\xff"])
def test_version_unknown(packet: bytes) -> None:
    assert isinstance(ip_by_version(packet, 0, len(packet)), Unparseable)


@pytest.mark.parametrize(
    ("header", "kind", "length"),
    [
        ("0000 0800", IPV4, 4),
        ("8000 0800", IPV4, 8),
        ("2000 86dd", IPV6, 8),
        ("1000 6558", BRIDGED, 8),
        ("b000 0800", IPV4, 16),
        ("2001 880b 00000000", 0x880B, 8),
        ("3081 880b 00000000", 0x880B, 16),
        ("0000 88be", BRIDGED, 4),
        ("1000 88be", BRIDGED, 16),
        ("1000 22eb", BRIDGED, 20),
    ],
)
def test_gre_headers(header: str, kind: int, length: int) -> None:
    buffer = bytes.fromhex(header).ljust(40, b"\0")
    assert TUNNELS[47](buffer, 0, 40) == (kind, length, 40)
