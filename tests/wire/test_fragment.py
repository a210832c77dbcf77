"""Fragments: the bytes that each contributes, and the packet that all of them make."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.wire.extension import fragment_header
from crenel.wire.fragment import fragment_body, reassembled
from crenel.wire.ip import parse_packet, serialise, write_transport
from crenel.wire.packet import IP_MF, UDP, Packet, tcp_packet, udp_packet
from crenel.wire.verify import settle_checksums
from tests.wire.oracle import scapy
from tests.wire.packets import wire_bytes

A, B = bytes((192, 0, 2, 1)), bytes((192, 0, 2, 2))
A6, B6 = bytes(15) + b"\1", bytes(15) + b"\2"


def parsed(data: bytes) -> Packet:
    packet = parse_packet(data)
    assert isinstance(packet, Packet)
    return packet


def scapy_fragments(packet: Packet) -> list[Packet]:
    s = scapy()
    if packet.version == 4:
        return [parsed(bytes(piece)) for piece in s.fragment(s.IP(serialise(packet)), fragsize=24)]
    whole = s.IPv6(serialise(packet))
    upper = whole.payload
    whole.remove_payload()
    del whole.nh, whole.plen
    return [parsed(bytes(piece)) for piece in s.fragment6(whole / s.IPv6ExtHdrFragment(id=9) / upper, 72)]


@pytest.mark.parametrize(
    "packet",
    [
        tcp_packet(A, B, 1, 2, payload=bytes(range(100)), ip_flags=0),
        udp_packet(A, B, 1, 2, bytes(range(100))),
        udp_packet(A6, B6, 1, 2, bytes(range(100))),
        tcp_packet(A6, B6, 1, 2, payload=bytes(range(100))),
    ],
)
def test_what_scapy_takes_apart_is_put_together(packet: Packet) -> None:
    fragments = scapy_fragments(packet)
    assert len(fragments) > 2
    body = b"".join(fragment_body(fragment) for fragment in fragments)
    assert body == write_transport(packet)
    assert settle_checksums(reassembled(fragments[0], body)) == packet


def test_headers_before_the_fragment_header_stay_and_those_behind_belong_to_the_body() -> None:
    hop = bytes((44, 0, 1, 4, 0, 0, 0, 0))
    behind = bytes((UDP, 0, 1, 4, 0, 0, 0, 0))
    first = parsed(serialise(Packet(6, A6, B6, UDP, 1, 2, payload=b"abcd", ip_options=hop + fragment_header(60, 0, 1, 9) + behind, next_header=0,
                                    ip_flags=IP_MF, ident=9)))  # fmt: skip
    body = fragment_body(first)
    assert body.startswith(behind)
    whole = reassembled(first, body)
    assert (whole.next_header, whole.ip_options) == (0, bytes((60,)) + hop[1:] + behind)
    assert (whole.sport, whole.payload, whole.frag_offset, whole.ip_flags, whole.ident) == (1, b"abcd", 0, 0, 0)


def test_a_fragment_that_was_built_without_its_header() -> None:
    first = Packet(6, A6, B6, UDP, 1, 2, payload=b"abcd", ip_flags=IP_MF, ident=9)
    assert settle_checksums(reassembled(first, fragment_body(first))) == udp_packet(A6, B6, 1, 2, b"abcd")


def test_a_header_cut_over_fragments_is_read_when_whole() -> None:
    segment = write_transport(tcp_packet(A, B, 1, 2, payload=b"x"))
    first = parsed(serialise(Packet(4, A, B, 6, payload=segment[:8], headless=True, ip_flags=IP_MF, ident=5)))
    assert first.headless
    whole = reassembled(first, fragment_body(first) + segment[8:])
    assert (whole.dport, whole.payload, whole.ident, whole.headless) == (2, b"x", 5, False)


@given(wire_bytes(), st.binary(max_size=100))
def test_any_fragment_and_any_body_make_a_packet(data: bytes, body: bytes) -> None:
    first = parse_packet(data)
    if isinstance(first, Packet):
        assert isinstance(fragment_body(first), bytes)
        whole = reassembled(first, body)
        assert whole.frag_offset == 0
        assert msgspec.structs.replace(whole) == whole
