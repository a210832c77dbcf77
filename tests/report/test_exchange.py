"""What is written of an exchange: the fields of a flow where they mean the same, and what only an exchange has."""

import json
from pathlib import Path

import jsonschema
import msgspec
import pytest

from crenel.net.replay.check import judge_capture
from crenel.net.sim.tries import payload_target
from crenel.net.trace import FlowReport
from crenel.report.exchange import ExchangeReport, client_packets, exchange_report, flow_of, wilson
from crenel.report.schema import result_schema
from crenel.wire.packet import SYN
from tests.report.making import hello, query, tcp, write_capture
from tests.report.tried import NOISE, carried, wall_of

ONLY_FLOWS = {"capture", "flow", "packets", "bytes", "complete", "at_packet"}


def report_of(target: str, **given: object) -> ExchangeReport:
    return carried(wall_of(**given), target)[0].report  # type: ignore[arg-type]


def test_it_has_the_fields_of_a_flow_that_mean_the_same() -> None:
    assert set(FlowReport.__struct_fields__) - ONLY_FLOWS <= set(ExchangeReport.__struct_fields__)


@pytest.mark.parametrize("host", ["blocked.example", "allowed.example"])
def test_it_says_the_same_as_a_check_of_such_a_flow(host: str, tmp_path: Path) -> None:
    wall = wall_of("2025-01-15T12:00")
    flows: list[FlowReport] = []
    judge_capture(write_capture(tmp_path / "x.pcapng", tcp([hello(host.encode())])), wall, flows.append)
    report, [flow] = carried(wall, f"https://{host}/")[0].report, flows
    for name in ("transport", "server_port", "protocol", "name", "names", "basis", "at_risk", "chance"):
        assert getattr(report, name) == getattr(flow, name)
    assert [(one.middlebox, one.chance) for one in report.triggers] == [(one.middlebox, one.chance) for one in flow.triggers]


def test_a_query_says_the_same_as_a_check(tmp_path: Path) -> None:
    flows: list[FlowReport] = []
    judge_capture(write_capture(tmp_path / "x.pcapng", query(b"www.some-site.org")), wall_of(), flows.append)
    report = report_of("www.some-site.org")
    assert (report.protocol, report.name, report.basis) == ("dns", "www.some-site.org", "example-list")
    assert (flows[0].protocol, flows[0].name, flows[0].basis) == ("dns", "www.some-site.org", "example-list")
    assert report_of("blocked.example").basis is None


@pytest.mark.parametrize(
    ("target", "outcome", "verdict", "ending"),
    [
        ("https://blocked.example/", "blocked", "blocked", "reset"),
        ("blocked.example", "tampered", "blocked", "misled"),
        ("https://allowed.example/", "passed", "pass", "answered"),
    ],
)
def test_outcome_and_verdict(target: str, outcome: str, verdict: str, ending: str) -> None:
    report = report_of(target)
    assert (report.outcome, report.verdict, report.experience.ending) == (outcome, verdict, ending)


def test_an_exchange_that_failed_without_the_wall_is_undetermined() -> None:
    tried = carried(wall_of(), "https://allowed.example/")[0]
    told = msgspec.structs.replace(tried.exchange.experience, ending="timed out")
    report = exchange_report(msgspec.structs.replace(tried.exchange, experience=told), tried.target)
    assert (report.outcome, report.verdict) == ("failed", "undetermined")


def test_noise_is_called_encrypted() -> None:
    assert carried(wall_of(), payload_target(NOISE))[0].report.protocol == "encrypted"
    assert carried(wall_of(), payload_target(b"hello world\n"))[0].report.protocol == "unknown"


def test_answers_and_events() -> None:
    report = report_of("blocked.example")
    assert [answer.forged_by for answer in report.answers] == ["dns-1", "dns-3", "dns-2", None]
    assert [answer.intact for answer in report.answers] == [False, False, False, True]
    forged = [event for event in report.events if event.what == "injected"]
    assert {event.injected_by for event in forged} == {"dns-1", "dns-2", "dns-3"}
    assert forged[0].says.startswith("DNS answer A ")
    assert report.events[report.evidence[0].packet - 1].where == "gfw"


def test_flags_are_letters() -> None:
    events = report_of("https://blocked.example/").events
    assert [event.flags for event in events if event.what == "sent"][:3] == ["S", "SA", "A"]
    assert {event.flags for event in events if event.what == "injected"} == {"RA", "R"}


def test_it_keeps_to_the_schema() -> None:
    check = jsonschema.Draft202012Validator(result_schema())
    for one in carried(wall_of(), "https://blocked.example/", "blocked.example", trials=3):
        check.validate(json.loads(msgspec.json.encode(one.report)))


def test_as_a_flow_it_keeps_what_is_said_of_it() -> None:
    report = report_of("https://blocked.example/")
    flow = flow_of(report)
    assert all(getattr(flow, name) == getattr(report, name) for name in set(FlowReport.__struct_fields__) - ONLY_FLOWS)


def test_the_packets_of_the_client_are_those_of_its_first_connection() -> None:
    trace = carried(wall_of(), "https://blocked.example/")[0].exchange.trace
    packets = list(client_packets(trace))
    assert packets[0].flags == SYN
    assert {packet.sport for packet in packets} == {packets[0].sport}
    assert not list(client_packets(trace, packets[0].sport + 1))


@pytest.mark.parametrize(
    ("blocked", "trials", "low", "high"),
    [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (50, 100, 0.4038, 0.5962), (1, 1, 0.2065, 1.0), (263, 1000, 0.2367, 0.2912)],
)
def test_wilson_intervals(blocked: int, trials: int, low: float, high: float) -> None:
    rate = wilson(blocked, trials)
    assert (rate.low, rate.high) == pytest.approx((low, high), abs=5e-5)
    assert rate.value == blocked / trials
