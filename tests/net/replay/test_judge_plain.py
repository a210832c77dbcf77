"""Flows followed by where they stand in a capture are reported on as those whose every packet is made."""

import itertools
import random
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crenel.atlas.compile import load_wall
from crenel.bench.frames import FILE_HEADER, End, Segment, tcp_record, udp_record
from crenel.bench.payloads import LISTED, dns_query, http_request, long_hello, short_hello
from crenel.bench.traffic import established, openings
from crenel.net.replay.check import judge_capture
from crenel.net.replay.judge import Judge
from crenel.net.trace import FlowReport
from crenel.wire.packet import ACK, FIN, PSH, RST, SYN

_CHANCE = random.Random(7)
_PAYLOADS = (
    b"", b"\x16", b"GET ", b"USER x\r\n", b"\x00" * 40, _CHANCE.randbytes(300), _CHANCE.randbytes(60),
    short_hello(_CHANCE, LISTED), short_hello(_CHANCE, "other.net"), long_hello(_CHANCE, "other.net")[:400],
    http_request(_CHANCE, LISTED), http_request(_CHANCE, "plain.org"), b"220 ready\r\n",
    dns_query(_CHANCE, LISTED, 1), dns_query(_CHANCE, "plain.org", 1), dns_query(_CHANCE, "plain.org", 28), dns_query(_CHANCE, "more.org", 1),
)
_CLIENT, _SERVERS = End(0xC6120001, 40_000), (End(0xC6130001, 443), End(0xC6130001, 53), End(0xC6130002, 8388))
_WALLS = {date: load_wall(as_of=date) for date in ("2019-06-01", "2022-06-01", "2025-01-15")}


class Step(msgspec.Struct, frozen=True):
    """One packet: of which flow, from which end, with which flags; how far its numbers are from the right ones; what it carries."""

    flow: int
    back: bool
    flags: int
    off: int
    acked: int
    payload: bytes
    udp: bool
    long: bool
    """Whether its UDP length is wrong."""


_STEPS = st.lists(
    st.builds(
        Step, st.integers(0, 2), st.sampled_from((False, False, False, True)),
        st.sampled_from((SYN, ACK, PSH | ACK, PSH | ACK, SYN | ACK, RST, FIN | ACK)),
        st.sampled_from((0, 0, 0, 0, 1, -3)), st.sampled_from((0, 0, 0, 9)), st.sampled_from(_PAYLOADS), st.sampled_from((False, False, True)),
        st.sampled_from((False, False, False, True)),
    ),
    max_size=14,
)


def capture(steps: list[Step], *, opened: bool) -> bytes:
    """Return a capture of the steps, each flow beginning with a SYN where `opened`."""
    records = [FILE_HEADER]
    begun: set[int] = set()
    following = {(flow, back): 1000 * (flow + 1) + 5 * back for flow in range(3) for back in (False, True)}

    def send(flow: int, segment: Segment, *, back: bool) -> None:
        ends = (_CLIENT, _SERVERS[flow])
        records.append(tcp_record(len(records) * 50, ends[back], ends[not back], segment))
        following[flow, back] = segment.seq + len(segment.payload) + bool(segment.flags & SYN)

    for step in steps:
        if step.udp:
            ends = (_CLIENT, _SERVERS[step.flow])
            record = bytearray(udp_record(len(records) * 50, ends[step.back], ends[not step.back], step.payload))
            if step.long:
                record[16 + 39] ^= 2
            records.append(bytes(record))
            continue
        if opened and step.flow not in begun:
            begun.add(step.flow)
            send(step.flow, Segment(SYN, following[step.flow, False]), back=False)
        payload = b"" if step.flags & (SYN | RST) and step.off else step.payload
        segment = Segment(step.flags, following[step.flow, step.back] + step.off, following[step.flow, not step.back] + step.acked, payload)
        send(step.flow, segment, back=step.back)
    return b"".join(records)


def reports(path: Path, date: str, *, plainly: bool) -> list[FlowReport]:
    """Return the reports of a capture, judged the one way or the other."""
    flows: list[FlowReport] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Judge, "_plainly", plainly)
        judge_capture(str(path), _WALLS[date], flows.append)
    return flows


@settings(max_examples=250, deadline=None)
@given(_STEPS, st.booleans(), st.sampled_from(sorted(_WALLS)))
def test_both_ways_report_the_same(tmp_path_factory: pytest.TempPathFactory, steps: list[Step], opened: bool, date: str) -> None:
    path = tmp_path_factory.getbasetemp() / "plain.pcap"
    path.write_bytes(capture(steps, opened=opened))
    assert reports(path, date, plainly=True) == reports(path, date, plainly=False)


@pytest.mark.parametrize("date", sorted(_WALLS))
@pytest.mark.parametrize("server", _SERVERS)
def test_both_ways_report_the_same_of_all_that_follows_on_a_first_payload(tmp_path: Path, server: End, date: str) -> None:
    asks = [ask for ask in _PAYLOADS if ask]
    pairs = [*itertools.product(asks, asks), *((ask[:at], ask[at:]) for ask in asks for at in (2, 5, 20) if len(ask) > at)]
    records = [FILE_HEADER]
    for number, (first, second) in enumerate(pairs):
        # A server to each flow, so that nothing is remembered from one to the next.
        client, far = End(_CLIENT.address, 20_000 + number), End(server.address + number, server.port)
        records.append(tcp_record(4 * number, client, far, Segment(SYN, 99)))
        records.append(tcp_record(4 * number + 1, client, far, Segment(PSH | ACK, 100, 1, first)))
        records.append(tcp_record(4 * number + 2, client, far, Segment(PSH | ACK, 100 + len(first), 1, second)))
        records.append(udp_record(4 * number + 3, client, far, first))
        records.append(udp_record(4 * number + 3, client, far, second))
    path = tmp_path / "x.pcap"
    path.write_bytes(b"".join(records))
    plain = reports(path, date, plainly=True)
    assert len(plain) == 2 * len(pairs)
    assert plain == reports(path, date, plainly=False)


@pytest.mark.parametrize("date", sorted(_WALLS))
@pytest.mark.parametrize("make", [openings, established])
def test_both_ways_report_the_same_of_what_the_bench_makes(tmp_path: Path, make: object, date: str) -> None:
    path = tmp_path / "x.pcap"
    path.write_bytes(b"".join((openings if make is openings else established)(5, 3000)))
    plain = reports(path, date, plainly=True)
    assert plain == reports(path, date, plainly=False)
    assert {"blocked", "pass"} <= {flow.verdict for flow in plain}


def test_a_plain_flow_costs_no_packet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.pcap"
    chance = random.Random(1)
    asks = (short_hello(chance, "plain.org"), http_request(chance, "plain.org"), chance.randbytes(200))
    client = [End(0xC6120001, 40_000 + number) for number in range(len(asks))]
    pairs = [
        tcp_record(0, end, _SERVERS[0], Segment(SYN, 7)) + tcp_record(1, end, _SERVERS[0], Segment(PSH | ACK, 8, 1, ask))
        for end, ask in zip(client, asks, strict=True)
    ]
    path.write_bytes(FILE_HEADER + b"".join(pairs))
    monkeypatch.setattr("crenel.net.replay.judge.tcp_at", None)
    assert [flow.protocol for flow in reports(path, "2025-01-15", plainly=True)] == ["tls", "http", "encrypted"]
