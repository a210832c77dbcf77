"""Two ends and a payload in; the record that the bench writes, read by the parser and checked field by field, out."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.bench.frames import FILE_HEADER, START, End, Segment, tcp_record, udp_record
from crenel.wire.capture import open_capture
from crenel.wire.checksum import ones_sum
from crenel.wire.ip import parse_packet
from crenel.wire.packet import ACK, IP_DF, PSH, SYN, TCP, UDP, Packet
from crenel.wire.pcap import PcapReader

CLIENT, SERVER = End(0xC6120001, 40_000), End(0xC613FFFE, 443)
ENDS = st.builds(End, st.integers(0, 0xFFFFFFFF), st.integers(0, 0xFFFF))


def packet_of(record: bytes) -> tuple[int, Packet]:
    """Return time and packet of a record."""
    reader = open_capture(FILE_HEADER + record)
    assert isinstance(reader, PcapReader)
    assert reader.plain
    ((_, now, link_type, offset, captured, original),) = reader.records()
    assert reader.damage == []
    assert (link_type, captured) == (1, original)
    packet = parse_packet(bytes(reader.buffer), offset + 14, offset + captured)
    assert isinstance(packet, Packet)
    return now, packet


@pytest.mark.parametrize("tick", [0, 1, 999_999, 1_000_000, 123_456_789])
def test_a_tick_is_a_microsecond(tick: int) -> None:
    for record in (tcp_record(tick, CLIENT, SERVER, Segment(ACK, 1)), udp_record(tick, CLIENT, SERVER, b"x")):
        assert packet_of(record)[0] == START * 1_000_000_000 + tick * 1000


def test_a_packet_that_opens_carries_the_usual_options() -> None:
    _, packet = packet_of(tcp_record(0, CLIENT, SERVER, Segment(SYN, 7)))
    assert packet.options == bytes.fromhex("020405b40402010303070101")
    assert (packet.flags, packet.seq, packet.ack, packet.payload) == (SYN, 7, 0, b"")
    _, later = packet_of(tcp_record(0, CLIENT, SERVER, Segment(ACK, 8, 9)))
    assert (later.options, later.ack) == (b"", 9)


@given(ENDS, ENDS, st.sampled_from([SYN, SYN | ACK, ACK, PSH | ACK]), st.integers(0, 0xFFFFFFFF), st.integers(0, 0xFFFFFFFF), st.binary(max_size=40))
def test_segments_say_what_was_asked_and_their_sums_are_valid(source: End, target: End, flags: int, seq: int, ack: int, payload: bytes) -> None:
    record = tcp_record(5, source, target, Segment(flags, seq, ack, payload))
    _, packet = packet_of(record)
    assert (packet.version, packet.proto, packet.ip_flags, packet.ttl, packet.window) == (4, TCP, IP_DF, 64, 64240)
    assert (packet.src, packet.sport) == (struct.pack("!I", source.address), source.port)
    assert (packet.dst, packet.dport) == (struct.pack("!I", target.address), target.port)
    assert (packet.flags, packet.seq, packet.ack, packet.payload) == (flags, seq, ack, payload)
    assert sums(record) == (True, True)


@given(ENDS, ENDS, st.binary(max_size=60))
def test_datagrams_say_what_was_asked_and_their_sums_are_valid(source: End, target: End, payload: bytes) -> None:
    record = udp_record(5, source, target, payload)
    _, packet = packet_of(record)
    assert (packet.version, packet.proto, packet.ip_flags, packet.udp_length) == (4, UDP, IP_DF, None)
    assert (packet.src, packet.sport) == (struct.pack("!I", source.address), source.port)
    assert (packet.dst, packet.dport, packet.payload) == (struct.pack("!I", target.address), target.port, payload)
    assert sums(record) == (True, True)
    assert packet.checksum != 0  # zero would say that there is none


def sums(record: bytes) -> tuple[bool, bool]:
    """Return whether the sums of the IP header and of the transport are right, worked out from the bytes."""
    raw = record[16 + 14 :]
    claimed = struct.unpack_from("!H", raw, 2)[0]
    pseudo = raw[12:20] + struct.pack("!BBH", 0, raw[9], claimed - 20)
    return ones_sum(raw[:20], 0) == 0xFFFF, ones_sum(pseudo + raw[20:claimed], 0) == 0xFFFF


def test_the_header_of_the_file() -> None:
    reader = open_capture(FILE_HEADER)
    assert isinstance(reader, PcapReader)
    assert (reader.link_type, reader.unit, reader.snap_length, reader.version, reader.damage) == (1, 1000, 262_144, (2, 4), [])
