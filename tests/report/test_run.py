"""Outcomes of commands in words and in JSON: a row for each flow, ladders of those that matter, and numbers that lead into the capture."""

import json

import jsonschema
import msgspec

from crenel.atlas.compile import load_wall
from crenel.coins import KeyedCoins
from crenel.instant import Instant
from crenel.net.lab.flows import Setting, follow_flows
from crenel.net.lab.outcome import Outcome
from crenel.net.trace import WallEffect
from crenel.report.account import Desk
from crenel.report.layout import plain
from crenel.report.result import Asked, try_head
from crenel.report.run import MOST_TOLD, exchange_lines, merged, run_head, run_lines, run_result, tell_flows
from crenel.report.schema import result_schema
from crenel.wall.effects import Side
from tests.net.lab.talk import Talk
from tests.net.lab.test_flows import shifted

WALL = load_wall("gfw", as_of="2025-01-15")
REQUEST = b"GET / HTTP/1.1\r\nHost: blocked.example\r\n\r\n"
DESK = Desk({}, 80)
TITLES = ["flow 2: http over tcp to blocked.example:80", "flow 3: tcp to 203.0.113.2:80"]


def outcome_of(*talks: Talk, **more: object) -> Outcome:
    events = [event for number, talk in enumerate(talks) for event in shifted(talk.events, number * 2_500_000, number * 100, 50_000 + number)]
    events = [msgspec.structs.replace(event, where=WALL.name) if event.where == "wall" else event for event in events]
    events.sort(key=lambda event: event.time)
    run, effects = WALL.start(KeyedCoins(0), mode="forecast"), []
    for event in events:
        if event.where == WALL.name:
            side = Side.INSIDE if event.sender == "client" else Side.OUTSIDE
            effects += [WallEffect(Instant(event.time), WALL.name, one, event.number) for one in run.see(Instant(event.time), side, event.packet)]
    flows = follow_flows(events, effects, Setting(WALL, Instant(0)))
    whole = Outcome(("curl", "-s", "http://x/"), 0, b"", b"", tuple(flows))
    return msgspec.structs.replace(whole, **more)


def listed() -> Talk:
    return Talk(80).opening().client("A", 1, REQUEST, 1).server("A", 1, b"page", len(REQUEST) + 1)


def plain_talk() -> Talk:
    return Talk(80).opening().client("A", 1, b"hello", 1).server("A", 1, b"page", 6)


def unanswered() -> Talk:
    return Talk(80).client("S").client("S")


def lines(outcome: Outcome, most: int | None = MOST_TOLD) -> list[str]:
    return [plain(line) for line in run_lines(outcome, tell_flows(outcome), WALL, DESK, most=most)]


def test_flows_that_matter_have_ladders_and_the_others_a_row() -> None:
    text = lines(outcome_of(plain_talk(), listed(), unanswered()))
    assert text[0] == "What the wall did to: curl -s http://x/"
    assert "   1  tcp   203.0.113.2:80      passes" in text
    assert any(line.startswith("   2  http  blocked.example:80  at risk, ") for line in text)
    assert "   3  tcp   203.0.113.2:80      inconclusive: nobody answered its SYN" in text
    assert [line for line in text if line.startswith("flow ")] == ["flow  what  to                  verdict", *TITLES]
    assert max(map(len, text)) <= 80
    assert text[-2:] == ["3 flows: 1 at risk, 1 pass, 1 inconclusive", "the command ended with status 0"]
    assert len([line for line in lines(outcome_of(plain_talk(), listed(), unanswered()), None) if line.startswith("flow 1")]) == 1


def test_what_is_left_out_is_counted() -> None:
    outcome = outcome_of(*(listed() for _ in range(MOST_TOLD + 2)))
    assert any("2 more flows with ground or without an answer; --all tells of every flow" in line for line in lines(outcome))


def test_what_cannot_be_relied_on_is_said() -> None:
    text = lines(outcome_of(plain_talk(), problems=("the server died",), status=None, untold=7))
    assert text[-3:] == [
        "the command was ended, because its time was up", "beware the server died", "note   7 packets were too many to be told of",
    ]  # fmt: skip
    assert "the command was ended by signal 9" in lines(outcome_of(plain_talk(), status=-9))
    assert "no packet of it came to the wall" in lines(outcome_of())


def test_numbers_lead_to_the_packets_of_the_capture() -> None:
    outcome = outcome_of(plain_talk(), listed())
    trace = merged(outcome.flows)
    assert [event.time for event in trace] == sorted(event.time for event in trace)
    (report,) = [told.report for told in tell_flows(outcome, "x.pcapng") if told.report.name]
    for evidence in report.evidence:
        event = trace[evidence.packet - 1]
        assert event.where == WALL.name
        assert b"blocked.example" in bytes(event.packet.payload)
    acted = [one.packet for one in report.evidence if one.middlebox == report.middlebox]
    assert (report.capture, [report.at_packet], report.packets) == ("x.pcapng", acted, 5)


def test_json_keeps_to_the_schema() -> None:
    outcome = outcome_of(plain_talk(), listed(), unanswered())
    head = run_head(try_head(WALL, Asked("1", (), 0.0)), outcome, ("a note",))
    flows = [told.report for told in tell_flows(outcome)]
    whole = json.loads(msgspec.json.encode(run_result(head, flows)))
    jsonschema.validate(whole, result_schema())
    assert whole["command"] == ["curl", "-s", "http://x/"]
    assert [flow["outcome"] for flow in whole["flows"]] == ["passed", "passed", "failed"]
    for part in (json.loads(msgspec.json.encode(one)) for one in (head, *flows)):
        jsonschema.validate(part, result_schema())


def test_an_exchange_alone_is_told_with_its_reasons() -> None:
    text = [plain(line) for line in exchange_lines(outcome_of(listed()).flows[0].exchange, DESK)]
    assert any(line.startswith("verdict") for line in text)
    assert any("blocked.example" in line and line.startswith("read") for line in text)
