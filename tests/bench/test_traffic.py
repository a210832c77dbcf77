"""The benchmark captures are what they claim: the same bytes for the same seed, the stated mix, nothing malformed."""

import hashlib
import shutil
import struct
import subprocess
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import pytest

from crenel.bench.payloads import LISTED
from crenel.bench.traffic import FLOW_PACKETS, established, many_flows, openings, quic
from crenel.wire.checksum import ones_sum, pseudo_header
from crenel.wire.result import Field
from crenel.wire.tls import ClientHello, read_client_hello, read_server_name

MAKERS: dict[str, Callable[[int, int], Iterator[bytes]]] = {"openings": openings, "established": established, "quic": quic, "many": many_flows}


class Seen:
    """One packet, taken apart without the code under test."""

    def __init__(self, frame: bytes) -> None:
        self.ip = frame[14:]
        self.proto = self.ip[9]
        self.source, self.target = self.ip[12:16], self.ip[16:20]
        self.transport = self.ip[20:]
        self.sport, self.dport = struct.unpack_from(">HH", self.transport)
        self.flags = self.transport[13] if self.proto == 6 else 0
        self.payload = self.transport[self.transport[12] >> 4 << 2 :] if self.proto == 6 else self.transport[8:]

    def flow(self) -> frozenset[tuple[bytes, int]]:
        """Return both ends, in no order."""
        return frozenset({(self.source, self.sport), (self.target, self.dport)})


def read(chunks: Iterator[bytes]) -> list[Seen]:
    """Take a capture apart, insisting on whole records and clocks that never run back."""
    data = b"".join(chunks)
    assert data[:4] == bytes.fromhex("d4c3b2a1")
    seen, at, before = [], 24, (0, 0)
    while at < len(data):
        *clock, kept, length = struct.unpack_from("<IIII", data, at)
        assert kept == length
        assert tuple(clock) >= before
        before = (clock[0], clock[1])
        seen.append(Seen(data[at + 16 : at + 16 + kept]))
        assert len(seen[-1].ip) == struct.unpack_from(">H", seen[-1].ip, 2)[0]
        at += 16 + kept
    assert at == len(data)
    return seen


@pytest.mark.parametrize("name", MAKERS)
def test_same_seed_same_bytes(name: str) -> None:
    def digest(seed: int) -> str:
        return hashlib.sha256(b"".join(MAKERS[name](seed, 600))).hexdigest()

    assert digest(3) == digest(3)
    assert digest(3) != digest(4)


@pytest.mark.parametrize("name", MAKERS)
def test_checksums_are_valid(name: str) -> None:
    for packet in read(MAKERS[name](1, 400)):
        pseudo = pseudo_header(packet.source, packet.target, packet.proto, len(packet.transport))
        assert ones_sum(packet.ip[:20]) == 0xFFFF
        assert ones_sum(packet.transport, pseudo) == 0xFFFF


@pytest.mark.parametrize(("packets", "flows"), [(1, 1), (2, 1), (3, 2), (400, 200), (2050, 1025)])
def test_openings_hold_two_packets_a_flow(packets: int, flows: int) -> None:
    counted = Counter(packet.flow() for packet in read(openings(5, packets)))
    assert len(counted) == flows
    assert set(counted.values()) == {2}


def test_openings_have_the_stated_mix() -> None:
    seen = read(openings(7, 4000))
    assert sum(packet.flags == 0x02 for packet in seen) == 1700
    first = [packet for packet in seen if packet.proto == 6 and packet.payload]
    hellos = [packet.payload for packet in first if packet.dport == 443]
    assert len(hellos) == 600
    assert sum(len(hello) > 1650 for hello in hellos) == 300
    assert sum(len(hello) < 600 for hello in hellos) == 300
    assert sum(packet.payload.startswith(b"GET /") for packet in first) == 600
    opaque = [len(packet.payload) for packet in first if packet.dport == 8388]
    assert len(opaque) == 500
    assert min(opaque) >= 100
    assert max(opaque) <= 1400
    assert sum(packet.proto == 17 for packet in seen) == 600


def test_two_openings_in_a_hundred_carry_the_listed_name() -> None:
    seen = read(openings(7, 4000))
    wire_form = b"\x07blocked\x07example\x00"
    listed = {packet.flow() for packet in seen if LISTED.encode() in packet.payload or wire_form in packet.payload}
    assert len(listed) == 40


def test_every_hello_can_be_read() -> None:
    for packet in read(openings(2, 2000)):
        if packet.dport == 443 and packet.payload:
            assert isinstance(read_client_hello(packet.payload), ClientHello)
            assert isinstance(read_server_name(packet.payload), Field)


def test_no_two_flows_share_client_and_server() -> None:
    pairs = Counter(frozenset({packet.source, packet.target}) for packet in read(openings(0, 20_000)))
    assert len(pairs) == 10_000


def test_established_flows_are_conversations() -> None:
    seen = read(established(9, 100 * FLOW_PACKETS))
    flows: dict[frozenset[tuple[bytes, int]], list[Seen]] = {}
    for packet in seen:
        flows.setdefault(packet.flow(), []).append(packet)
    assert len(flows) == 100
    for packets in flows.values():
        assert [packet.flags for packet in packets[:4]] == [0x02, 0x12, 0x10, 0x18]
        assert len(packets) == FLOW_PACKETS
        following: dict[bytes, int] = {}
        for packet in packets:
            seq, ack = struct.unpack_from(">II", packet.transport, 4)
            assert seq == following.get(packet.source, seq)
            assert ack == (following[packet.target] if packet.flags & 0x10 else 0)
            following[packet.source] = seq + len(packet.payload) + (packet.flags & 0x02) // 2


def test_one_established_packet_in_twenty_is_the_clients_with_data() -> None:
    seen = read(established(9, 100 * FLOW_PACKETS))
    assert sum(bool(packet.payload) and packet.dport in (80, 443) for packet in seen) == len(seen) // 20
    assert {len(packet.payload) for packet in seen if packet.sport in (80, 443)} == {0, 1200}


def test_established_are_rounded_up_to_whole_flows() -> None:
    assert len(read(established(1, 65))) == 2 * FLOW_PACKETS


def test_quic_initials_come_from_distinct_ends_and_repeat_after_the_pool() -> None:
    seen = read(quic(4, 1100))
    assert len({packet.flow() for packet in seen}) == 1100
    assert len({packet.payload for packet in seen}) == 500
    assert {len(packet.payload) for packet in seen} == {1200}
    assert all(packet.sport > packet.dport == 443 for packet in seen)


def test_many_flows_stay_in_constant_memory() -> None:
    chunks = many_flows(1, 1_000_000_000)
    list(islice(chunks, 5))
    tracemalloc.start()
    try:
        for _ in islice(chunks, 100):
            pass
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
def test_tshark_reads_what_was_written(tmp_path: Path) -> None:
    capture = tmp_path / "mixed.pcap"
    head, *rest = [*openings(6, 400), *list(quic(7, 100))[1:], *list(established(8, 640))[1:]]
    capture.write_bytes(head + b"".join(rest))
    names = _tshark(capture, "tls.handshake.extensions_server_name", "tls.handshake.extensions_server_name")
    assert len(names) == 60 + 100 + 5
    assert names.count(LISTED) >= 2
    assert len(_tshark(capture, "http.request.method == GET", "http.host")) >= 60
    assert len(_tshark(capture, "dns.flags.response == 0", "dns.qry.name")) == 60
    assert not _tshark(capture, "_ws.malformed || ip.checksum.status == 0 || tcp.checksum.status == 0 || udp.checksum.status == 0", "frame.number")


def _tshark(capture: Path, condition: str, field: str) -> list[str]:
    options = [word for layer in ("ip", "tcp", "udp") for word in ("-o", f"{layer}.check_checksum:TRUE")]
    command = ["tshark", "-r", str(capture), *options, "-Y", condition, "-T", "fields", "-e", field]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout.split()
