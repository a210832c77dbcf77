"""Conversations in a few words in, captures and reports out, for tests of what people and programs read."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from crenel.atlas.compile import load_wall
from crenel.net.replay.check import judge_capture
from crenel.net.replay.watch import Watched
from crenel.net.trace import Evidence, FlowReport, Trigger
from crenel.wall.wall import Wall
from crenel.wire.dns_build import build_query
from crenel.wire.ip import serialise
from crenel.wire.packet import ACK, PSH, SYN, tcp_packet, udp_packet
from crenel.wire.pcapng_writer import interface, packet_block, section_header
from crenel.wire.tls_build import build_client_hello

CLIENT, SERVER = bytes((192, 0, 2, 7)), bytes((198, 51, 100, 9))
EXAMPLE = Path(__file__).parents[2] / "examples" / "first-look.pcapng"
DAY = "2025-01-15"
START = 1_700_000_000_000_000_000

Timed = tuple[int, bytes]


def hello(name: bytes, record_sizes: Sequence[int] = ()) -> bytes:
    """Return a ClientHello."""
    return build_client_hello(name, random=bytes(range(32)), record_sizes=record_sizes)


def tcp(
    payloads: Sequence[bytes], *, sport: int = 40000, dport: int = 443, at: int = 0, handshake: bool = True, server: bytes = SERVER
) -> list[Timed]:
    """Return the packets of a connection whose client sends these segments, `at` seconds after the start of the capture."""
    packets = []
    if handshake:
        packets += [
            tcp_packet(CLIENT, server, sport, dport, seq=1000, flags=SYN),
            tcp_packet(server, CLIENT, dport, sport, seq=5000, ack=1001, flags=SYN | ACK),
            tcp_packet(CLIENT, server, sport, dport, seq=1001, ack=5001),
        ]
    seq = 1001
    for payload in payloads:
        packets.append(tcp_packet(CLIENT, server, sport, dport, seq=seq, ack=5001, flags=PSH | ACK, payload=payload))
        seq += len(payload)
    return [(START + at * 1_000_000_000 + number * 1_000_000, serialise(packet)) for number, packet in enumerate(packets)]


def udp(payloads: Sequence[bytes], *, sport: int = 50000, dport: int = 53, at: int = 0, server: bytes = SERVER) -> list[Timed]:
    """Return datagrams of a client."""
    packets = [udp_packet(CLIENT, server, sport, dport, payload) for payload in payloads]
    return [(START + at * 1_000_000_000 + number * 1_000_000, serialise(packet)) for number, packet in enumerate(packets)]


def query(name: bytes, *, sport: int = 50000) -> list[Timed]:
    """Return one DNS query over UDP."""
    return udp([build_query(name)], sport=sport)


def write_capture(path: Path, *conversations: Iterable[Timed]) -> str:
    """Write conversations one after the other, and return the path."""
    blocks = [packet_block(when, frame) for conversation in conversations for when, frame in conversation]
    path.write_bytes(section_header() + interface() + b"".join(blocks))
    return str(path)


def wall_of(**given: Any) -> Wall:
    """Return the shipped wall on a fixed day."""
    return load_wall(**{"as_of": DAY, **given})


def judge(path: str, wall: Wall, *, tolerate: float = 0.0) -> list[FlowReport]:
    """Return the flows of a capture."""
    flows: list[FlowReport] = []
    judge_capture(path, wall, flows.append, tolerate=tolerate)
    return flows


def watch(path: str, wall: Wall, number: int) -> tuple[FlowReport, Watched]:
    """Return one flow of a capture with its packets."""
    watched = Watched(number)
    flows: list[FlowReport] = []
    judge_capture(path, wall, flows.append, watch=watched)
    return next(flow for flow in flows if flow.flow == number), watched


def flow(**changes: Any) -> FlowReport:
    """Return a flow that passes, or differs in the fields given."""
    plain = FlowReport(
        "x.pcap", 1, "tcp", "192.0.2.7", 40000, "198.51.100.9", 443, "1700000000.000000000", 10, 1000, "tls", "allowed.example",
        ("allowed.example",), None, True, "pass", False, None, None, False, None, 0.0, (), (),
    )
    return msgspec.structs.replace(plain, **changes)


def trigger(box: str, chance: float = 1.0, *, action: str = "reset", acted: bool = True) -> Trigger:
    """Return a box with ground to act."""
    return Trigger(box, action, chance, acted)


def evidence(box: str, **changes: Any) -> Evidence:
    """Return what a box read: a listed server name, or what the fields given say."""
    plain = Evidence(
        "tls.sni", 127, 15, "allowed.example", "allowed.example (suffix) on names", box, "2020-01-01", ("made-up",), (), 4, 1.0, None, None
    )
    return msgspec.structs.replace(plain, **changes)
