"""Checksums of parsed packets: valid, wrong, absent, left to the network card, or unknowable."""

import subprocess

import msgspec
import pytest
from hypothesis import given

from crenel.wire.checksum import ones_sum
from crenel.wire.ip import parse_packet, serialise, transport_sum
from crenel.wire.link import ip_offset
from crenel.wire.packet import ICMP, IP_MF, TCP, UDP, Packet, tcp_packet, udp_packet
from crenel.wire.verify import ChecksumState, checksum_state, ip_checksum_valid, settle_checksums
from tests.data import data_path
from tests.wire.captures import walk
from tests.wire.packets import packets, wire_bytes

A, B = bytes((192, 0, 2, 1)), bytes((192, 0, 2, 2))
A6, B6 = bytes(15) + b"\1", bytes(15) + b"\2"
WHOLE = [
    tcp_packet(A, B, 1, 2, payload=b"abc"), tcp_packet(A6, B6, 1, 2, payload=b"abc"), udp_packet(A, B, 1, 2, b"abc"),
    udp_packet(A6, B6, 1, 2, b"abc"),
    Packet(4, A, B, ICMP, icmp_type=8, payload=b"abc"), Packet(6, A6, B6, 58, icmp_type=128, payload=b"abc"),
]  # fmt: skip


def reread(packet: Packet) -> Packet:
    again = parse_packet(serialise(packet))
    assert isinstance(again, Packet)
    return again


@pytest.mark.parametrize("packet", WHOLE)
def test_valid_and_wrong(packet: Packet) -> None:
    read = reread(packet)
    assert read.checksum is not None
    assert checksum_state(packet) is checksum_state(read) is ChecksumState.VALID
    assert checksum_state(msgspec.structs.replace(read, checksum=read.checksum ^ 1)) is ChecksumState.WRONG


@pytest.mark.parametrize("packet", WHOLE[:4])
def test_left_to_the_network_card(packet: Packet) -> None:
    whole = ones_sum(b"", transport_sum(packet))
    length = (20 if packet.proto == TCP else 8) + 3
    for partial in (whole, ones_sum(b"", transport_sum(packet) - length)):
        assert checksum_state(msgspec.structs.replace(packet, checksum=partial)) is ChecksumState.OFFLOADED


def test_udp_over_ipv4_may_have_none() -> None:
    assert checksum_state(msgspec.structs.replace(WHOLE[2], checksum=0)) is ChecksumState.ABSENT
    assert checksum_state(msgspec.structs.replace(WHOLE[3], checksum=0)) is ChecksumState.WRONG


@pytest.mark.parametrize(
    "packet",
    [
        Packet(4, A, B, UDP, payload=b"middle", frag_offset=8),
        Packet(4, A, B, UDP, payload=b"first", ip_flags=IP_MF, checksum=5),
        Packet(4, A, B, TCP, payload=b"cut by the snap length", total_length=1500, checksum=5),
        Packet(4, A, B, TCP, payload=b"cut", headless=True),
        Packet(4, A, B, 132, payload=b"sctp"),
    ],
)
def test_unknowable(packet: Packet) -> None:
    assert checksum_state(packet) is ChecksumState.UNKNOWN


def test_both_zeros_are_valid_and_only_the_usual_one_is_settled() -> None:
    packet = next(p for p in (tcp_packet(A, B, port, 2) for port in range(65536)) if reread(p).checksum == 0)
    other = msgspec.structs.replace(packet, checksum=0xFFFF)
    assert checksum_state(other) is ChecksumState.VALID
    assert settle_checksums(other).checksum == 0xFFFF
    assert settle_checksums(reread(packet)).checksum is None


def test_udp_checksum_covers_what_the_length_says() -> None:
    short = reread(Packet(4, A, B, UDP, 1, 2, payload=b"abcdef", udp_length=11))
    assert checksum_state(short) is ChecksumState.VALID
    assert checksum_state(msgspec.structs.replace(short, payload=b"abcxyz")) is ChecksumState.VALID
    assert checksum_state(msgspec.structs.replace(short, payload=b"abXdef")) is ChecksumState.WRONG


def test_header_checksum() -> None:
    read = reread(WHOLE[0])
    assert read.ip_checksum is not None
    assert ip_checksum_valid(read)
    assert ip_checksum_valid(WHOLE[0])
    assert ip_checksum_valid(WHOLE[1])
    assert not ip_checksum_valid(msgspec.structs.replace(read, ip_checksum=read.ip_checksum ^ 1))
    assert not ip_checksum_valid(msgspec.structs.replace(read, ttl=read.ttl - 1))


@given(packets())
def test_settling_leaves_nothing_stated_in_a_valid_packet(packet: Packet) -> None:
    settled = settle_checksums(reread(packet))
    assert (settled.checksum, settled.ip_checksum) == (None, None)


@given(wire_bytes())
def test_any_packet_has_a_state(data: bytes) -> None:
    packet = parse_packet(data)
    if isinstance(packet, Packet):
        assert isinstance(checksum_state(packet), ChecksumState)
        assert isinstance(ip_checksum_valid(packet), bool)


@pytest.mark.peer("tshark")
@pytest.mark.parametrize("name", ["captures/ndpi/ossfuzz_seed_fake_traces_2.pcapng", "captures/ndpi/teamspeak3.pcap", "captures/zeek/web.pcap"])
def test_states_are_those_that_tshark_finds(name: str) -> None:
    path = data_path(name)
    options = [part for layer in ("ip", "tcp", "udp") for part in ("-o", f"{layer}.check_checksum:TRUE", "-e", f"{layer}.checksum.status")]
    command = ["tshark", "-r", str(path), "-T", "fields", "-E", "occurrence=f", *options]
    theirs = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    content, compared = path.read_bytes(), 0
    for (_, _, link_type, offset, captured, _), line in zip(walk(content)[0], theirs, strict=True):
        span = ip_offset(link_type, content, offset, captured)
        packet = parse_packet(content, *span) if isinstance(span, tuple) else None
        if not isinstance(packet, Packet) or packet.proto not in (TCP, UDP):
            continue
        header, tcp, udp = line.split("\t")
        state = checksum_state(packet)
        expected = {"1": {ChecksumState.VALID}, "0": {ChecksumState.WRONG, ChecksumState.OFFLOADED}}
        assert state in expected.get(tcp or udp, {ChecksumState.ABSENT, ChecksumState.UNKNOWN})
        if packet.version == 4:
            assert ip_checksum_valid(packet) == (header == "1")
        compared += 1
    assert compared > 10
