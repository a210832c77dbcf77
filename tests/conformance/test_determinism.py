"""The same packets in, judged again, in another order or by another process; the same reports out, for every flow."""

import os
import random
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from crenel.atlas.compile import load_wall
from crenel.net.replay.check import check_capture
from crenel.net.trace import FlowReport
from crenel.wire.dns_build import build_query
from crenel.wire.ip import serialise
from crenel.wire.packet import ACK, FIN, PSH, RST, SYN, Packet, tcp_packet, udp_packet
from crenel.wire.pcapng_writer import write_pcapng
from crenel.wire.tls_build import build_client_hello
from tests.conformance.judging import WIDE, judge, rows_of
from tests.data import data_path

Sent = tuple[int, Packet]
"""Time in nanoseconds, and what was sent."""

START = 1_600_000_000_000_000_000
STEP = 20_000_000
FLOWS = 300
REAL = ("captures/ndpi/443-firefox.pcap", "captures/ndpi/fuzz-2006-06-26-2594.pcap", "censored/ech2025/comprehensive/china/cf_cdn.pcapng")


def payload_of(dice: random.Random, name: str) -> tuple[int, bytes]:
    """Return a port and a first payload."""
    return dice.choice([
        (443, build_client_hello(name.encode(), random=dice.randbytes(32))),
        (80, b"GET / HTTP/1.1\r\nHost: %b\r\n\r\n" % name.encode()),
        (8388, dice.randbytes(dice.randrange(30, 300))),
        (25, b"EHLO %b\r\nMAIL FROM:<a@%b>\r\n" % (name.encode(), name.encode())),
    ])


def flow(dice: random.Random, number: int) -> list[Sent]:
    """Return a conversation between two hosts that meet no others, so that nothing a wall remembers concerns a second flow."""
    client, server = bytes((10, 1, number >> 8, number & 255)), bytes((198, 18, number >> 8, number & 255))
    sport = dice.randrange(20000, 60000)
    name = dice.choice(["blocked.example", "www.blocked.example", "allowed.example"])
    if dice.random() < 0.2:
        packets = [udp_packet(client, server, sport, 53, build_query(name.encode()))]
    else:
        port, payload = payload_of(dice, name)
        mine, theirs = dice.randrange(1 << 32), dice.randrange(1 << 32)
        one, two = (mine + 1) % (1 << 32), (theirs + 1) % (1 << 32)
        packets = [
            tcp_packet(client, server, sport, port, seq=mine, flags=SYN),
            tcp_packet(server, client, port, sport, seq=theirs, ack=one, flags=SYN | ACK),
            tcp_packet(client, server, sport, port, seq=one, ack=two),
        ]
        if dice.random() < 0.3:  # what some models toss a coin for
            packets.append(tcp_packet(client, server, sport, port, seq=one, ack=two, flags=dice.choice([RST, RST | ACK, FIN | ACK])))
        packets.append(tcp_packet(client, server, sport, port, seq=one, ack=two, flags=PSH | ACK, payload=payload))
        packets.append(tcp_packet(server, client, port, sport, seq=two, ack=(one + len(payload)) % (1 << 32), flags=PSH | ACK, payload=b"\0" * 20))
    begin = START + dice.randrange(10_000_000_000)
    return [(begin + STEP * place, packet) for place, packet in enumerate(packets)]


def write(path: Path, sent: list[Sent]) -> str:
    path.write_bytes(b"".join(write_pcapng((time, serialise(packet), None) for time, packet in sent)))
    return str(path)


def alone(report: FlowReport) -> FlowReport:
    """Return a report without what says where in its capture the flow stands."""
    evidence = tuple(msgspec.structs.replace(one, packet=0) for one in report.evidence)
    return msgspec.structs.replace(report, capture="", flow=0, at_packet=None, evidence=evidence)


def by_ends(path: str, as_of: str, seed: int = 0) -> dict[tuple[str, int], FlowReport]:
    return {(report.client, report.client_port): alone(report) for report in check_capture(path, load_wall(as_of=as_of, seed=seed))}


@pytest.fixture(scope="module")
def conversations() -> list[list[Sent]]:
    dice = random.Random(5)
    return [flow(dice, number) for number in range(FLOWS)]


@pytest.mark.parametrize("as_of", ["2017-05-01", "2020-01-15", WIDE])
def test_flows_shuffled_against_each_other_are_judged_alike(tmp_path: Path, conversations: list[list[Sent]], as_of: str) -> None:
    one_by_one = [sent for conversation in conversations for sent in conversation]
    order = [number for number, conversation in enumerate(conversations) for _ in conversation]
    random.Random(6).shuffle(order)
    rest = [iter(conversation) for conversation in conversations]
    shuffled = [next(rest[number]) for number in order]
    by_time = sorted(one_by_one, key=lambda sent: sent[0])
    reports = [by_ends(write(tmp_path / f"{number}", sent), as_of) for number, sent in enumerate((one_by_one, shuffled, by_time))]
    assert reports[0] == reports[1] == reports[2]
    assert len(reports[0]) == FLOWS
    assert {report.verdict for report in reports[0].values()} == {"pass", "blocked"}


def test_another_seed_draws_otherwise_from_the_same_chances(tmp_path: Path, conversations: list[list[Sent]]) -> None:
    """Otherwise the agreement of the other tests would say nothing."""
    path = write(tmp_path / "made", [sent for conversation in conversations for sent in conversation])
    first, second = (by_ends(path, WIDE, seed) for seed in (0, 1))
    assert {ends: report.chance for ends, report in first.items()} == {ends: report.chance for ends, report in second.items()}
    assert {ends: report.verdict for ends, report in first.items()} != {ends: report.verdict for ends, report in second.items()}


def test_the_same_seed_gives_the_same_reports_twice() -> None:
    for name in REAL:
        first, second = (check_capture(str(data_path(name)), load_wall(as_of=WIDE, seed=3)) for _ in range(2))
        assert msgspec.json.encode(first.flows) == msgspec.json.encode(second.flows)


def possible(report: FlowReport) -> tuple[object, ...]:
    """Return what a report says of all draws together."""
    grounds = {(one.middlebox, one.packet, one.offset, one.value) for one in report.evidence if one.residual is None}
    return report.chance, [(trigger.middlebox, trigger.chance) for trigger in report.triggers], grounds


def test_what_could_happen_to_real_flows_does_not_depend_on_what_was_drawn() -> None:
    walls = [load_wall(as_of=WIDE, seed=seed) for seed in (1, 2)]
    names = [row["data_path"] for row in rows_of("labels/pcap_inventory.csv")]
    at_risk = [name for name in names if any(flow.at_risk for flow in judge(name))]
    assert len(at_risk) > 20
    for name in at_risk:
        drawn = [judge(name).flows, *(check_capture(str(data_path(name)), wall).flows for wall in walls)]
        assert len({len(flows) for flows in drawn}) == 1
        for alternatives in zip(*drawn, strict=True):
            assert all(possible(other) == possible(alternatives[0]) for other in alternatives), (name, alternatives[0].flow)


PROGRAM = """
import hashlib, sys, msgspec, crenel
wall = crenel.load_wall(as_of=sys.argv[1], seed=9)
print(hashlib.sha256(b"".join(msgspec.json.encode(crenel.check_capture(path, wall).flows) for path in sys.argv[2:])).hexdigest())
out = crenel.try_payload(b"GET / HTTP/1.1\\r\\nHost: blocked.example\\r\\n\\r\\n", wall, port=80)
print(out.trace)
"""


def test_another_process_with_another_order_of_sets_gives_the_same_reports(tmp_path: Path, conversations: list[list[Sent]]) -> None:
    captures = [write(tmp_path / "made", [sent for conversation in conversations for sent in conversation]), *(str(data_path(name)) for name in REAL)]
    said = set()
    for hash_seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        done = subprocess.run([sys.executable, "-c", PROGRAM, WIDE, *captures], capture_output=True, text=True, check=True, env=environment)
        said.add(done.stdout)
    assert len(said) == 1
