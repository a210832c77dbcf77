"""The short reading of packets against the whole one: the same flow, class and TTL, and nothing said where the packet is odd."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.flow.key import CLASS_LOAD, FLAG_CLASS, flow_key
from crenel.net.lab.heads import is_header_sound, lower, read_head, stays_on_link
from crenel.wire.ip import parse_packet, serialise
from crenel.wire.packet import ACK, IP_MF, SYN, TCP, UDP, Packet, tcp_packet, udp_packet
from crenel.wire.verify import ip_checksum_valid

A4, B4 = bytes((192, 0, 2, 1)), bytes((203, 0, 113, 9))
A6, B6 = bytes.fromhex("20010db8" + "00" * 11 + "01"), bytes.fromhex("20010db8" + "00" * 11 + "02")
ENDS = st.sampled_from([(A4, B4), (A6, B6)])
PORTS = st.integers(0, 65535)
BYTES, PAYLOADS = st.integers(0, 255), st.binary(max_size=60)


def segment(ends: tuple[bytes, bytes], ports: tuple[int, int], flags: int, payload: bytes, ttl: int, words: int) -> Packet:
    return tcp_packet(ends[0], ends[1], ports[0], ports[1], seq=1, ack=2, flags=flags, payload=payload, ttl=ttl, options=b"\x01" * 4 * words)


def datagram(ends: tuple[bytes, bytes], ports: tuple[int, int], payload: bytes, ttl: int) -> Packet:
    return udp_packet(ends[0], ends[1], ports[0], ports[1], payload, ttl=ttl)


SEGMENTS = st.builds(segment, ENDS, st.tuples(PORTS, PORTS), BYTES, PAYLOADS, BYTES, st.integers(0, 10))
DATAGRAMS = st.builds(datagram, ENDS, st.tuples(PORTS, PORTS), PAYLOADS, BYTES)


@given(st.one_of(SEGMENTS, DATAGRAMS))
def test_a_plain_packet_is_read_alike(packet: Packet) -> None:
    data = serialise(packet)
    head = read_head(data)
    assert head is not None
    key, proto, ttl, start, packet_class = head
    assert key == flow_key(packet.src, packet.dst, packet.sport, packet.dport)
    assert (proto, ttl, start) == (packet.proto, packet.ttl, 20 if packet.version == 4 else 40)
    assert packet_class == ((FLAG_CLASS[packet.flags] | (CLASS_LOAD if packet.payload else 0)) if proto == TCP else 0)


@given(st.binary(max_size=120))
def test_any_bytes_are_read_as_the_parser_reads_them_or_not_at_all(data: bytes) -> None:
    head = read_head(data)
    if head is not None:
        packet = parse_packet(data)
        assert isinstance(packet, Packet)
        assert packet.has_transport()
        assert head[:3] == (flow_key(packet.src, packet.dst, packet.sport, packet.dport), packet.proto, packet.ttl)


@given(st.integers(0, 5), st.sampled_from([TCP, UDP]), st.data())
def test_bytes_that_begin_like_a_packet_are_read_as_the_parser_reads_them(odd: int, proto: int, draw: st.DataObject) -> None:
    data = bytearray(serialise(draw.draw(SEGMENTS if proto == TCP else DATAGRAMS)))
    for _ in range(odd):
        data[draw.draw(st.integers(0, min(len(data), 60) - 1))] = draw.draw(st.integers(0, 255))
    head = read_head(bytes(data))
    if head is not None:
        packet = parse_packet(bytes(data))
        assert isinstance(packet, Packet)
        assert packet.has_transport()
        assert not packet.frag_offset
        assert head[:3] == (flow_key(packet.src, packet.dst, packet.sport, packet.dport), packet.proto, packet.ttl)


@pytest.mark.parametrize(
    "changes",
    [
        {"ip_flags": IP_MF}, {"frag_offset": 8}, {"ip_options": b"\x01" * 4}, {"total_length": 30}, {"data_offset": 4}, {"data_offset": 15},
        {"proto": 47}, {"header_words": 6},
    ],
)  # fmt: skip
def test_an_odd_packet_is_left_to_the_parser(changes: dict[str, int]) -> None:
    fields = {name: getattr(tcp_packet(A4, B4, 1, 2, flags=SYN), name) for name in Packet.__struct_fields__}
    assert read_head(serialise(Packet(**(fields | changes)))) is None


def test_a_datagram_whose_length_is_wrong_is_left_to_the_parser() -> None:
    data = bytearray(serialise(udp_packet(A4, B4, 1, 2, b"four")))
    data[25] -= 1
    assert read_head(bytes(data)) is None


@given(st.one_of(SEGMENTS, DATAGRAMS), st.integers(0, 40))
def test_a_packet_is_the_same_later_but_for_its_ttl(packet: Packet, hops: int) -> None:
    if packet.ttl <= hops:
        return
    expected = serialise(Packet(**({name: getattr(packet, name) for name in Packet.__struct_fields__} | {"ttl": packet.ttl - hops})))
    later = bytearray(lower(serialise(packet), hops))
    if packet.version == 4 and bytes(later[10:12]) in {b"\xff\xff", b"\0\0"}:
        later[10:12] = expected[10:12]  # the two zeros of one's complement
    assert later == expected


def test_a_wrong_header_checksum_stays_wrong() -> None:
    data = serialise(Packet(4, A4, B4, TCP, 1, 2, flags=ACK, ip_checksum=0x1234))
    right = serialise(Packet(4, A4, B4, TCP, 1, 2, flags=ACK))
    off = int.from_bytes(data[10:12], "big") - int.from_bytes(right[10:12], "big")
    data, right = bytes(lower(data, 7)), bytes(lower(right, 7))
    assert (int.from_bytes(data[10:12], "big") - int.from_bytes(right[10:12], "big") - off) % 0xFFFF == 0


@given(SEGMENTS, st.integers(0, 0xFFFF))
def test_a_header_is_sound_where_the_checker_says_so(packet: Packet, checksum: int) -> None:
    for data in (serialise(packet), serialise(msgspec.structs.replace(packet, ip_checksum=checksum))):
        parsed = parse_packet(data)
        assert isinstance(parsed, Packet)
        assert is_header_sound(data) is ip_checksum_valid(parsed)


@pytest.mark.parametrize(
    ("address", "stays"),
    [
        ("e00000fb", True), ("ffffffff", True), ("a9fe0101", True), ("dfffffff", False), ("cb007109", False), ("ff02" + "00" * 14, True),
        ("fe80" + "00" * 14, True), ("febf" + "00" * 14, True), ("fec0" + "00" * 14, False), ("20010db8" + "00" * 12, False),
    ],
)  # fmt: skip
def test_what_no_router_passes_on(address: str, stays: bool) -> None:
    assert stays_on_link(bytes.fromhex(address)) is stays
