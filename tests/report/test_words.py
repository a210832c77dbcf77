"""Words follow the chance, not the draw; the reason is one clause."""

import msgspec
import pytest

from crenel.net.trace import FlowReport
from crenel.report.layout import GLUE
from crenel.report.table import about_of
from crenel.report.words import Kind, Reasons, Tally, kind_of, needs_start, odds, verdict_words, watching
from tests.report.making import evidence, flow, trigger, wall_of

LISTED = evidence("a-box")
KEYWORD = evidence("a-box", read="http.keyword", value="/?q=free", rule="free (substring) on words")
ADDRESS = evidence("a-box", read="ip.address", rule="198.51.100.9; address of the server, port 443")


@pytest.mark.parametrize(
    ("changes", "kind", "words"),
    [
        ({}, "passes", "passes"),
        ({"basis": "example-list"}, "unlisted", "not among Crenel's 55 example names"),
        ({"chance": 1.0, "at_risk": True, "verdict": "blocked"}, "blocked", "blocked"),
        ({"chance": 0.263, "at_risk": True}, "at risk", "at risk, 26 % of connections (this draw: passed)"),
        ({"chance": 0.263, "at_risk": True, "verdict": "blocked"}, "at risk", "at risk, 26 % of connections (this draw: blocked)"),
        ({"chance": 0.263, "verdict": "blocked"}, "tolerated", "tolerated, 26 % of connections (this draw: blocked)"),
        ({"chance": 1.0, "verdict": "blocked"}, "tolerated", "tolerated, 100 % of connections (this draw: blocked)"),
        ({"chance": 0.5, "at_risk": True, "basis": "example-list"}, "at risk", "at risk, 50 % of connections (this draw: passed)"),
        ({"residual": True, "verdict": "blocked"}, "remembered", "blocked"),
        ({"verdict": "undetermined", "complete": False}, "undetermined", "undetermined"),
        (
            {"verdict": "undetermined", "complete": False, "chance": 0.5, "at_risk": True},
            "at risk", "at risk, 50 % of connections (this draw: passed)",
        ),
    ],
)
def test_the_verdict_in_words(changes: dict[str, object], kind: Kind, words: str) -> None:
    judged = flow(**changes)
    about = about_of(wall_of())
    assert about is not None
    assert kind_of(judged) == kind
    assert verdict_words(judged, msgspec.structs.replace(about, examples=55)).replace(GLUE, " ") == words


def test_a_draw_stays_on_one_line() -> None:
    assert odds(0.97, blocked=True).split(" ") == ["97\u00a0%", "of", "connections", "(this\u00a0draw:\u00a0blocked)"]


def at_risk(**changes: object) -> FlowReport:
    return flow(**{"chance": 0.9, "at_risk": True, "verdict": "blocked", **changes})


@pytest.mark.parametrize(
    ("judged", "reason"),
    [
        (at_risk(triggers=(trigger("a-box"),), evidence=(LISTED,)), "a-box resets it for its server name"),
        (
            at_risk(triggers=(trigger("a-box"), trigger("b-box"), trigger("c-box")), evidence=(LISTED, evidence("b-box"), evidence("c-box"))),
            "a-box, b-box and c-box reset it for its server name",
        ),
        (
            at_risk(triggers=(trigger("a-box"), trigger("b-box", action="drop")), evidence=(LISTED, evidence("b-box"))),
            "a-box resets it for its server name; b-box drops its packets for its server name",
        ),
        (
            at_risk(triggers=(trigger("a-box"),), evidence=(evidence("a-box", value="other.example."),)),
            "a-box resets it for its server name other.example",
        ),
        (
            at_risk(triggers=(trigger("a-box"),), evidence=(KEYWORD,)),
            "a-box resets it for the keyword free",
        ),
        (
            at_risk(triggers=(trigger("a-box", action="forge"),), evidence=(evidence("a-box", read="dns.qname"),)),
            "a-box forges an answer for its query name",
        ),
        (
            at_risk(triggers=(trigger("a-box", action="drop"),), evidence=(evidence("a-box", read="bytes.random-looking", value=""),)),
            "a-box drops its packets for its first payload, which looks random",
        ),
        (
            at_risk(triggers=(trigger("a-box"),), evidence=(ADDRESS,)),
            "a-box resets it for its server's address",
        ),
        (
            at_risk(triggers=(trigger("a-box"),), evidence=(evidence("a-box", read="tcp.port", value="443"),)),
            "a-box resets it for its server's port 443",
        ),
        (at_risk(triggers=(trigger("a-box", action=""),)), "a-box acts"),
    ],
)
def test_the_reason_is_one_clause(judged: FlowReport, reason: str) -> None:
    assert Reasons(wall_of()).of(judged) == reason


def test_a_residual_hit_names_the_flow_that_armed_it() -> None:
    hit = evidence("a-box", residual="1 trigger", armed_by=12)
    judged = flow(residual=True, verdict="blocked", evidence=(hit,))
    assert Reasons(wall_of()).of(judged) == "still remembered from flow 12 by a-box"
    again = msgspec.structs.replace(judged, chance=0.97, at_risk=True, triggers=(trigger("b-box"),), evidence=(hit, evidence("b-box")))
    said = Reasons(wall_of()).of(again).replace(GLUE, " ")
    assert said == "still remembered from flow 12 by a-box; alone it is at risk in 97 % of connections; b-box resets it for its server name"


def test_a_flow_without_its_start_says_how_many_boxes_cannot_judge_it() -> None:
    wall = wall_of()
    judged = flow(verdict="undetermined", complete=False)
    blind = [box for box in watching(wall, judged) if needs_start(box)]
    assert blind
    assert Reasons(wall).of(judged) == f"start not captured: {len(blind)} boxes cannot judge"
    dns = flow(verdict="undetermined", complete=False, transport="udp", server_port=9)
    assert Reasons(wall).of(dns) == "start not captured, which no box here needs"


def test_hostile_values_are_shown_harmlessly() -> None:
    said = Reasons(wall_of()).of(at_risk(triggers=(trigger("a-box"),), evidence=(evidence("a-box", value="x\x1b]0;y\x07" + "z" * 300),)))
    assert said.isprintable()
    assert len(said) < 100


def test_only_models_that_ask_for_an_opening_need_one() -> None:
    wall = wall_of()
    with_model = {box.id for box in wall.boxes if box.tcb is not None}
    assert {box.id for box in wall.boxes if needs_start(box)} <= with_model
    assert any(needs_start(box) for box in wall.boxes)


def test_the_tally_counts_worst_first() -> None:
    tally = Tally()
    kinds: tuple[Kind, ...] = ("passes", "blocked", "passes", "at risk")
    for kind in kinds:
        tally.add(kind)
    assert tally.words() == "4 flows: 1 blocked, 1 at risk, 2 pass"
    assert Tally().words() == "0 flows"
