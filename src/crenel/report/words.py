"""A judged flow in, what a person reads about it out: the verdict in words, and the reason in one clause."""

from collections.abc import Iterable, Mapping
from typing import Literal, TypeAlias

from crenel.atlas.compile import About
from crenel.net.trace import Evidence, FlowReport
from crenel.report.layout import GLUE, Tone
from crenel.report.text import counted, listed, percent, safe
from crenel.wall.box import Box
from crenel.wall.tcb import CompiledTcb
from crenel.wall.wall import Wall
from crenel.wire.packet import TCP, UDP

Kind: TypeAlias = Literal["blocked", "remembered", "at risk", "tolerated", "undetermined", "unlisted", "passes"]
"""What a table says of a flow. It follows the chance; only `remembered` rests on what this run drew for an earlier flow."""

TONES: dict[Kind, Tone] = {
    "blocked": "bad",
    "remembered": "bad",
    "at risk": "risk",
    "tolerated": "risk",
    "undetermined": "unsure",
    "unlisted": "dim",
    "passes": "good",
}

SEEN: dict[str, str] = {
    "tls.sni": "server name",
    "tls.extension": "extension",
    "http.host": "Host",
    "http.keyword": "request target",
    "dns.qname": "query name",
    "quic.sni": "server name",
    "bytes.random-looking": "first payload",
    "ftp.command": "file name",
    "smtp.address": "mail address",
    "ip.address": "address",
    "tcp.port": "port",
    "residual": "memory",
}
"""How a protocol field is called in a sentence."""

_ACTS: dict[str, tuple[str, str]] = {
    "reset": ("resets it", "reset it"),
    "drop": ("drops its packets", "drop its packets"),
    "forge": ("forges an answer", "forge answers"),
    "throttle": ("slows it", "slow it"),
    "page": ("sends a page instead", "send a page instead"),
    "": ("acts", "act"),
}
_SHOWN_VALUE = 48
"""Characters of a value in a table; the story of a flow shows all of it."""


def kind_of(flow: FlowReport) -> Kind:
    """Return what is to be said of a flow."""
    if flow.residual:
        return "remembered"
    if flow.chance >= 1.0 and flow.at_risk:
        return "blocked"
    if flow.chance > 0.0:
        return "at risk" if flow.at_risk else "tolerated"
    if flow.verdict == "undetermined":
        return "undetermined"
    return "passes" if flow.basis is None else "unlisted"


def odds(chance: float, *, blocked: bool) -> str:
    """Return the wording of a chance between 0 and 1."""
    return f"{percent(chance)} of connections {draw(blocked=blocked)}"


def draw(*, blocked: bool) -> str:
    """Return what this run drew, in words that stay together."""
    return f"(this{GLUE}draw:{GLUE}{'blocked' if blocked else 'passed'})"


def verdict_words(flow: FlowReport, about: About | None) -> str:
    """Return the verdict of a flow in words."""
    kind = kind_of(flow)
    if kind in {"at risk", "tolerated"}:
        return f"{'at risk' if kind == 'at risk' else 'tolerated'}, {odds(flow.chance, blocked=flow.verdict == 'blocked')}"
    if kind == "unlisted":
        return f"not among Crenel's {counted(about.examples if about is not None else 0, 'example name')}"
    return "blocked" if kind == "remembered" else kind


UNLISTED = "which says nothing about the real list; --listed shows what would happen"
"""What must be said with every name that is only not among the examples."""


class Reasons:
    """Reasons of flows judged by one wall.

    Args:
        wall: the wall that judged them.
    """

    def __init__(self, wall: Wall) -> None:
        self._wall = wall
        self._blind: dict[tuple[str, int, bool, bool], int] = {}

    def of(self, flow: FlowReport) -> str:
        """Return why a flow is judged so, in one clause; empty where the verdict says all."""
        kind = kind_of(flow)
        if kind == "undetermined":
            return self._not_captured(flow)
        if kind == "unlisted":
            return ""
        clauses = []
        if flow.residual:
            clauses.append(remembered(flow.evidence))
            if flow.chance > 0.0:
                clauses.append(f"alone it is at risk in {percent(flow.chance)} of connections" if flow.chance < 1.0 else "alone it is blocked")
        clauses += grounds(flow)
        if flow.verdict == "undetermined" and not flow.complete:
            clauses.append(self._not_captured(flow))
        return "; ".join(clauses)

    def _not_captured(self, flow: FlowReport) -> str:
        blind = self.blind_boxes(flow)
        if not blind:
            return "start not captured, which no box here needs"
        return f"start not captured: {counted(blind, 'box', 'boxes')} cannot judge"

    def blind_boxes(self, flow: FlowReport) -> int:
        """Return how many boxes that would watch this flow cannot judge it without its start."""
        key = (flow.transport, flow.server_port, ":" in flow.server, flow.client_port > flow.server_port)
        if key not in self._blind:
            self._blind[key] = sum(needs_start(box) for box in watching(self._wall, flow))
        return self._blind[key]


def watching(wall: Wall, flow: FlowReport) -> list[Box]:
    """Return the boxes whose scope covers a flow, from whichever side it was opened."""
    transport, version = TCP if flow.transport == "tcp" else UDP, 6 if ":" in flow.server else 4
    above = flow.client_port > flow.server_port
    return [
        box
        for box in wall.boxes
        if any(box.scope.covers(transport, version, flow.server_port, inside=inside, above=above) for inside in (True, False))
    ]


def needs_start(box: Box) -> bool:
    """Say whether a box judges only connections whose opening it saw."""
    models = [box.tcb] if box.other is None else [box.tcb, box.other[0]]
    return all(_tracks_only_openings(model) for model in models) if box.tcb is not None else False


def _tracks_only_openings(model: CompiledTcb | None) -> bool:
    return model is None or not any("none" in row.in_ and "S" not in row.has and row.do not in {"ignore", "skip"} for row in model.table.row)


def remembered(evidence: Iterable[Evidence]) -> str:
    """Return which flow a box still remembers, and which box."""
    hit = next((one for one in evidence if one.residual is not None), None)
    if hit is None:
        return "still remembered"
    return f"still remembered from flow {hit.armed_by} by {hit.middlebox}" if hit.armed_by else f"still remembered by {hit.middlebox}"


def grounds(flow: FlowReport) -> list[str]:
    """Return a clause for each thing that was seen: which boxes do what for it."""
    seen = {one.middlebox: one for one in flow.evidence if one.residual is None}
    groups: dict[tuple[str, str], list[str]] = {}
    for trigger in flow.triggers:
        one = seen.get(trigger.middlebox)
        what = "" if one is None else noun_of(one, flow.name)
        groups.setdefault((trigger.action, what), []).append(trigger.middlebox)
    return [_clause(boxes, action, what) for (action, what), boxes in groups.items()]


def _clause(boxes: list[str], action: str, what: str) -> str:
    acts = _ACTS.get(action, _ACTS[""])[len(boxes) > 1]
    return f"{listed(boxes)} {acts}" + (f" for {what}" if what else "")


def noun_of(evidence: Evidence, name: str | None) -> str:
    """Return what was seen as a noun, with its value where the flow's name does not say it already."""
    noun = SEEN.get(evidence.read, evidence.read)
    if evidence.read == "bytes.random-looking":
        return "its first payload, which looks random"
    if evidence.read == "http.keyword":
        return f"the keyword {safe(evidence.rule.partition(' (')[0], _SHOWN_VALUE)}"
    if evidence.read == "ip.address":
        return "its client's address" if "server" not in evidence.rule else "its server's address"
    if evidence.read == "tcp.port":
        return f"its server's port {evidence.value}"
    value = evidence.value.rstrip(".")
    return f"its {noun}" if not value or value == name else f"its {noun} {safe(value, _SHOWN_VALUE)}"


class Tally:
    """Counts flows by what is said of them."""

    def __init__(self) -> None:
        self.flows = 0
        self.by_kind: dict[Kind, int] = {}

    def add(self, kind: Kind) -> None:
        """Count one flow."""
        self.flows += 1
        self.by_kind[kind] = self.by_kind.get(kind, 0) + 1

    def words(self) -> str:
        """Return the counts, worst first."""
        said: Mapping[Kind, str] = {
            "blocked": "blocked",
            "remembered": "still remembered",
            "at risk": "at risk",
            "tolerated": "tolerated",
            "undetermined": "undetermined",
            "unlisted": "on no example list",
            "passes": "pass",
        }
        parts = [f"{self.by_kind[kind]:,} {words}" for kind, words in said.items() if kind in self.by_kind]
        return counted(self.flows, "flow") + (": " + ", ".join(parts) if parts else "")


