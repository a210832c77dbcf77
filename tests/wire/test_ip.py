"""IP packets into records and back: exact for any bytes, right where nothing is stated, false where it is asked for."""

from typing import Any

import dpkt
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.wire.extension import fragment_header
from crenel.wire.ip import parse_packet, serialise
from crenel.wire.link import ip_offset
from crenel.wire.packet import ACK, ICMP, IP_DF, IP_MF, PSH, RST, SYN, TCP, UDP, Packet, tcp_packet, udp_packet
from crenel.wire.result import Unparseable
from crenel.wire.verify import settle_checksums
from tests.wire.captures import real_captures, walk
from tests.wire.oracle import scapy
from tests.wire.packets import packets, wire_bytes

A, B = bytes((192, 0, 2, 1)), bytes((192, 0, 2, 2))
A6, B6 = bytes.fromhex("20010db8") + bytes(11) + b"\1", bytes.fromhex("20010db8") + bytes(11) + b"\2"


def parsed(data: bytes, start: int = 0, end: int | None = None) -> Packet:
    packet = parse_packet(data, start, end)
    assert isinstance(packet, Packet)
    return packet


# Exactness.


@given(packets())
def test_a_packet_that_states_nothing_comes_back_as_it_was(packet: Packet) -> None:
    assert settle_checksums(parsed(serialise(packet))) == packet


@given(wire_bytes(), st.binary(max_size=9), st.binary(max_size=9))
def test_any_bytes_that_hold_a_packet_come_back_as_they_were(data: bytes, before: bytes, after: bytes) -> None:
    packet = parse_packet(before + data + after, len(before), len(before) + len(data))
    if isinstance(packet, Unparseable):
        assert len(data) < 40 or data[0] >> 4 not in (4, 6)
        return
    assert serialise(packet) == data
    assert serialise(settle_checksums(packet)) == data


@given(st.sampled_from([0x40, 0x45, 0x4F, 0x60]), st.integers(0, 255), st.binary(max_size=150))
def test_noise_behind_a_version_comes_back_as_it_was(first: int, proto: int, noise: bytes) -> None:
    data = bytes((first,)) + noise[:8] + bytes((proto,)) + noise[8:]
    packet = parse_packet(data)
    assert isinstance(packet, Unparseable) or serialise(packet) == data


def test_every_packet_of_the_real_captures_comes_back_as_it_was() -> None:
    packets_seen = 0
    for row, content in real_captures():
        for number, _, link_type, offset, captured, _ in walk(content)[0]:
            span = ip_offset(link_type, content, offset, captured)
            if isinstance(span, Unparseable):
                continue
            packet = parsed(content, *span)
            assert serialise(settle_checksums(packet)) == content[span[0] : span[1]], (row["data_path"], number)
            packets_seen += 1
    assert packets_seen > 80_000


def test_a_chain_of_headers_is_not_walked_forever() -> None:
    data = serialise(Packet(6, A6, B6, 0, payload=bytes((0, 0, 1, 4, 0, 0, 0, 0)) * 8000))
    packet = parsed(data)
    assert (len(packet.ip_options), packet.payload) == (64_000, b"")
    assert serialise(packet) == data


# What is right.


def dpkt_checksums_right(data: bytes) -> bool:
    """Let dpkt compute the checksums anew."""
    packet = dpkt.ip.IP(data)
    packet.sum = packet.data.sum = 0
    return bytes(packet) == data


@pytest.mark.parametrize("size", [0, 1, 2, 3, 1459, 1460])
def test_checksums_are_those_that_dpkt_computes(size: int) -> None:
    payload = bytes(range(256)) * 6
    assert dpkt_checksums_right(serialise(tcp_packet(A, B, 1, 2, payload=payload[:size], options=b"\x02\x04\x05\xb4")))
    assert dpkt_checksums_right(serialise(udp_packet(A, B, 1, 2, payload[:size])))


@pytest.mark.parametrize(
    "packet",
    [
        tcp_packet(A, B, 4000, 443, seq=1, ack=2, flags=PSH | ACK, payload=b"hello", window=7, ttl=9, ident=77),
        tcp_packet(A6, B6, 4000, 443, seq=1, ack=2, flags=SYN, options=b"\x02\x04\x05\xb4\x01\x01\x04\x02"),
        udp_packet(A, B, 4000, 53, b"odd"),
        udp_packet(A6, B6, 4000, 53, b"even"),
        Packet(4, A, B, ICMP, icmp_type=8, icmp_rest=0x00010002, payload=b"ping"),
        Packet(6, A6, B6, 58, icmp_type=128, icmp_rest=0x00010002, payload=b"ping"),
        Packet(4, A, B, TCP, ip_options=b"\x07\x04\x04\x00", flags=RST, payload=b"x"),
    ],
)
def test_scapy_reads_the_same_and_computes_the_same(packet: Packet) -> None:
    s, data = scapy(), serialise(packet)
    read = s.IP(data) if packet.version == 4 else s.IPv6(data)
    if packet.proto in (TCP, UDP):
        assert (read.sport, read.dport) == (packet.sport, packet.dport)
    if packet.proto == TCP:
        layer = read[s.TCP]
        assert (layer.seq, layer.ack, int(layer.flags), layer.window, bytes(layer.payload)) == (
            packet.seq, packet.ack, packet.flags, packet.window, packet.payload,
        )  # fmt: skip
    layers: list[Any] = list(iterated(read))
    for layer in layers:
        for name in ("chksum", "cksum", "len", "plen", "ihl", "dataofs"):
            if name in layer.fields and layer.name != "Raw":
                delattr(layer, name)
    assert bytes(read) == data


def iterated(layer: Any) -> Any:
    while layer:
        yield layer
        layer = layer.payload


def malformed() -> dict[str, Any]:
    """Return packets that scapy builds with their headers wrong."""
    s = scapy()
    ip, tcp, raw = s.IP(src="192.0.2.1", dst="192.0.2.2"), s.TCP(sport=1, dport=2, flags="PA"), s.Raw(b"payload of it")
    return {
        "ihl 0": s.IP(ihl=0, src="192.0.2.1") / tcp / raw,
        "ihl 4": s.IP(ihl=4, src="192.0.2.1") / tcp / raw,
        "ihl 15": s.IP(ihl=15, src="192.0.2.1") / tcp / raw,
        "total length 0": s.IP(len=0, src="192.0.2.1") / tcp / raw,
        "total length 10": s.IP(len=10, src="192.0.2.1") / tcp / raw,
        "total length short": s.IP(len=43, src="192.0.2.1") / tcp / raw,
        "total length inside tcp": s.IP(len=30, src="192.0.2.1") / tcp / raw,
        "total length long": s.IP(len=1500, src="192.0.2.1") / tcp / raw,
        "reserved flag": s.IP(flags=7, src="192.0.2.1") / tcp / raw,
        "later fragment": s.IP(frag=100, src="192.0.2.1") / tcp / raw,
        "data offset 0": ip / s.TCP(dataofs=0) / raw,
        "data offset 4": ip / s.TCP(dataofs=4) / raw,
        "data offset 7": ip / s.TCP(dataofs=7) / raw,
        "data offset 15": ip / s.TCP(dataofs=15) / raw,
        "all flags": ip / s.TCP(flags=0x1FF, reserved=7) / raw,
        "no flags": ip / s.TCP(flags=0) / raw,
        "options": ip / s.TCP(options=[("MSS", 1460), ("SAckOK", b""), ("Timestamp", (1, 2)), ("NOP", None), ("WScale", 7)]) / raw,
        "md5 option": ip / s.TCP(options=[(19, bytes(16))]) / raw,
        "bad checksums": s.IP(chksum=1, src="192.0.2.1") / s.TCP(chksum=2) / raw,
        "udp length 0": ip / s.UDP(len=0) / raw,
        "udp length 7": ip / s.UDP(len=7) / raw,
        "udp length short": ip / s.UDP(len=10) / raw,
        "udp length long": ip / s.UDP(len=999) / raw,
        "udp without checksum": ip / s.UDP(chksum=0) / raw,
        "icmp error": ip / s.ICMP(type=3, code=4, nexthopmtu=1400) / ip / tcp,
        "icmp cut": ip / s.Raw(b"\x08\0\0\0"),
        "ipv6 length 0": s.IPv6(plen=0) / tcp / raw,
        "ipv6 length long": s.IPv6(plen=999) / tcp / raw,
        "ipv6 headers": s.IPv6() / s.IPv6ExtHdrHopByHop() / s.IPv6ExtHdrDestOpt(options=[s.PadN(optdata=bytes(12))]) / tcp / raw,
        "ipv6 fragment": s.IPv6() / s.IPv6ExtHdrFragment(offset=3, m=1, id=9, res2=3) / raw,
        "ipv6 first fragment": s.IPv6() / s.IPv6ExtHdrFragment(m=1, id=9) / tcp / raw,
        "ipv6 routing": s.IPv6() / s.IPv6ExtHdrRouting(addresses=["2001:db8::9"]) / tcp / raw,
        "ipv6 no next header": s.IPv6(nh=59) / raw,
    }


@pytest.mark.parametrize("name", [
    "ihl 0", "ihl 4", "ihl 15", "total length 0", "total length 10", "total length short", "total length inside tcp", "total length long",
    "reserved flag", "later fragment", "data offset 0", "data offset 4", "data offset 7", "data offset 15", "all flags", "no flags", "options",
    "md5 option", "bad checksums", "udp length 0", "udp length 7", "udp length short", "udp length long", "udp without checksum", "icmp error",
    "icmp cut", "ipv6 length 0", "ipv6 length long", "ipv6 headers", "ipv6 fragment", "ipv6 first fragment", "ipv6 routing", "ipv6 no next header",
])  # fmt: skip
def test_what_scapy_builds_comes_back_byte_for_byte_even_when_cut(name: str) -> None:
    data = bytes(malformed()[name])
    for length in range(len(data) + 1):
        packet = parse_packet(data, 0, length)
        if isinstance(packet, Packet):
            assert serialise(settle_checksums(packet)) == data[:length]


# What is false, and how it is said.


def test_only_what_differs_from_right_is_stated() -> None:
    packet = settle_checksums(parsed(serialise(tcp_packet(A, B, 1, 2, payload=b"x"))))
    stated = (
        packet.data_offset,
        packet.checksum,
        packet.udp_length,
        packet.header_words,
        packet.total_length,
        packet.ip_checksum,
        packet.next_header,
    )
    assert stated == (None,) * 7


@pytest.mark.parametrize(
    "lie",
    [
        {"header_words": 3}, {"header_words": 4}, {"total_length": 0}, {"total_length": 19}, {"total_length": 2000}, {"ip_checksum": 0},
        {"checksum": 0}, {"data_offset": 0}, {"data_offset": 4}, {"data_offset": 15}, {"reserved": 15}, {"ip_flags": 7}, {"checksum": 0xFFFF},
        {"trailer": b"padding"},
    ],
)  # fmt: skip
def test_a_lie_survives_the_wire(lie: dict[str, Any]) -> None:
    packet = msgspec.structs.replace(tcp_packet(A, B, 1, 2, payload=b"abc" * 5, options=b"\x01\x01\x01\x01"), **lie)
    back = settle_checksums(parsed(serialise(packet)))
    if lie.get("data_offset") in (0, 4):
        # Options that no offset announces are read as payload.
        packet = msgspec.structs.replace(packet, options=b"", payload=packet.options + packet.payload)
    if lie == {"data_offset": 15}:
        packet = msgspec.structs.replace(packet, options=packet.options + packet.payload, payload=b"")
    assert back == packet


def test_total_length_shorter_than_the_frame_leaves_a_trailer() -> None:
    data = serialise(tcp_packet(A, B, 1, 2, payload=b"abc"))
    packet = parsed(data + b"pad")
    assert (packet.payload, packet.trailer, packet.total_length) == (b"abc", b"pad", None)


def test_a_packet_cut_by_the_snap_length_keeps_what_is_there() -> None:
    data = serialise(tcp_packet(A, B, 1, 2, payload=b"a longer payload"))
    packet = parsed(data, 0, 45)
    assert (packet.sport, packet.payload, packet.total_length) == (1, b"a lon", len(data))
    headless = parsed(data, 0, 30)
    assert (headless.headless, headless.has_transport(), headless.sport, headless.payload) == (True, False, 0, data[20:30])


def test_fields_of_an_ipv6_fragment_are_those_of_its_header() -> None:
    data = serialise(Packet(6, A6, B6, UDP, payload=b"middle", frag_offset=1448, ip_flags=IP_MF, ident=7))
    packet = parsed(data)
    assert (packet.frag_offset, packet.ip_flags, packet.ident, packet.proto, packet.payload) == (1448, IP_MF, 7, UDP, b"middle")
    assert (packet.next_header, packet.ip_options) == (44, fragment_header(UDP, 1448, 1, 7))
    moved = parsed(serialise(msgspec.structs.replace(packet, frag_offset=8, ip_flags=0, ident=8)))
    assert (moved.frag_offset, moved.ip_flags, moved.ident) == (8, 0, 8)


def test_ipv6_options_without_a_type_are_destination_options() -> None:
    data = serialise(Packet(6, A6, B6, UDP, 1, 2, payload=b"x", ip_options=bytes((UDP, 0, 1, 4, 0, 0, 0, 0))))
    assert (data[6], parsed(data).next_header, parsed(data).sport) == (60, 60, 1)


def test_longer_than_the_length_fields_is_zero() -> None:
    for packet in (
        tcp_packet(A, B, 1, 2, payload=bytes(70_000)),
        tcp_packet(A6, B6, 1, 2, payload=bytes(70_000)),
        udp_packet(A, B, 1, 2, bytes(70_000)),
    ):
        back = parsed(serialise(packet))
        assert (back.total_length, back.payload) == (0, packet.payload)


def test_raw_is_kept_when_asked_for() -> None:
    data = b"--" + serialise(udp_packet(A, B, 1, 2, b"x")) + b"trailer"
    packet = parse_packet(data, 2, keep_raw=True)
    assert isinstance(packet, Packet)
    assert packet.raw == data[2:]
    assert parsed(data, 2).raw is None


@pytest.mark.parametrize(
    "data", [b"", b"\x45", serialise(udp_packet(A, B, 1, 2, b""))[:19], serialise(udp_packet(A6, B6, 1, 2, b""))[:39], bytes(60)]
)
def test_no_ip_packet(data: bytes) -> None:
    assert isinstance(parse_packet(data), Unparseable)


@pytest.mark.parametrize(
    "wrong",
    [
        {"ttl": 256}, {"sport": 65536}, {"window": -1}, {"flags": 256}, {"reserved": 16}, {"data_offset": 16}, {"header_words": 16}, {"tos": 256},
        {"ip_flags": 8}, {"frag_offset": 65536}, {"src": b"abc"}, {"dst": bytes(16)}, {"checksum": 65536}, {"total_length": 65536},
        {"flow_label": 1 << 20},
    ],
)  # fmt: skip
def test_what_no_header_can_hold_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        serialise(msgspec.structs.replace(tcp_packet(A, B, 1, 2), **wrong))


def test_an_identification_too_large_for_a_fragment_header_is_refused() -> None:
    packet = Packet(6, A6, B6, UDP, ip_options=fragment_header(UDP, 8, 0, 1), next_header=44, frag_offset=8, ident=1 << 32)
    with pytest.raises(ValueError, match="does not fit"):
        serialise(packet)


def test_sequence_numbers_wrap() -> None:
    packet = parsed(serialise(tcp_packet(A, B, 1, 2, seq=(1 << 32) + 5, ack=-1, flags=ACK, ip_flags=IP_DF)))
    assert (packet.seq, packet.ack, packet.ip_flags) == (5, 0xFFFFFFFF, IP_DF)
