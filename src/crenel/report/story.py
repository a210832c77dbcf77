"""One judged flow with its packets in, its whole story out: what each box read where, by which rule, who measured it, what would have passed."""

from collections.abc import Mapping, Sequence

import msgspec

from crenel.atlas.schema import Source
from crenel.net.replay.watch import Watched
from crenel.net.trace import Evidence, FlowReport, Trigger
from crenel.report.bytes_read import BytesRead, look
from crenel.report.citing import cite
from crenel.report.clock import moment_words
from crenel.report.dump import dump
from crenel.report.layout import BLANK, GLUE, Line, Piece, line_of, paragraph, wrap
from crenel.report.reactions import memory_words, reaction_words
from crenel.report.table import about_lines, about_of, end_of
from crenel.report.text import counted, listed, percent, safe, safe_path
from crenel.report.ways import list_words, ways_past
from crenel.report.words import SEEN, TONES, UNLISTED, Reasons, kind_of, needs_start, verdict_words, watching
from crenel.wall.box import Box
from crenel.wall.wall import Wall

_HANG = 12
_IDLE = f"did{GLUE}not{GLUE}act"
_BYTES = 6
"""Columns before a hex dump: sixteen bytes a row then fit into eighty columns."""


class Told(msgspec.Struct, frozen=True):
    """What a story is made of."""

    flow: FlowReport
    watched: Watched
    wall: Wall
    sources: Mapping[str, Source]
    width: int | None


def tell(told: Told) -> list[Line]:
    """Return the story of a flow."""
    lines = _opening(told)
    boxes = {box.id: box for box in told.wall.boxes}
    triggers = {trigger.middlebox: trigger for trigger in told.flow.triggers}
    bytes_read = BytesRead(told.watched)
    shown: set[tuple[int, int, int]] = set()
    for evidence in told.flow.evidence:
        box = boxes.get(evidence.middlebox)
        if box is not None:
            lines.append(BLANK)
            lines += _box(told, box, evidence, triggers.get(box.id))
            lines += _bytes(told, evidence, bytes_read, shown)
            lines += _rule(told, box, evidence)
    lines += _ways(told, boxes)
    lines += _others(told)
    lines.append(BLANK)
    about = about_of(told.wall)
    return lines + ([] if about is None else about_lines(about, told.width))


def _opening(told: Told) -> list[Line]:
    flow, about = told.flow, about_of(told.wall)
    lines = [line_of(f"Flow {flow.flow} of {safe_path(flow.capture)}", "strong")]
    ends = f"{flow.transport.upper()} from {end_of(flow.client, flow.client_port)} to {end_of(flow.server, flow.server_port)}"
    lines += _field(told, "flow", f"{ends}, {counted(flow.packets, 'packet')}, {counted(flow.bytes, 'byte')}")
    begun = moment_words(flow.start, about.utc_offset if about is not None else 0)
    lines += _field(told, "begun", begun if flow.complete else f"{begun}; its start was not captured")
    what = "no protocol that Crenel reads" if flow.protocol == "unknown" else flow.protocol
    names = "" if not flow.names else f", asking for {listed([safe(name) for name in flow.names[:8]])}"
    more = f" and {len(flow.names) - 8} more" if len(flow.names) > 8 else ""
    lines += _field(told, "read", what + names + more)
    kind = kind_of(flow)
    reason = Reasons(told.wall).of(flow)
    acted = f", at packet {flow.at_packet} by {flow.middlebox}" if flow.at_packet is not None else ""
    pieces: list[Piece] = [("verdict".ljust(_HANG), "dim"), (verdict_words(flow, about), TONES[kind])]
    lines += _wrapped(told, [*pieces, (acted, ""), (f": {reason}" if reason else "", "dim")])
    if flow.basis is not None:
        lines += _field(told, "", f"its name was only compared with example lists, {UNLISTED}")
    return lines


def _wrapped(told: Told, pieces: Sequence[Piece]) -> list[Line]:
    lines = wrap(pieces[1:], told.width, first=_HANG, hang=_HANG)
    return [(pieces[0], *lines[0]), *lines[1:]]


def _field(told: Told, label: str, text: str) -> list[Line]:
    return paragraph(text, told.width, label=label, hang=_HANG)


def _box(told: Told, box: Box, evidence: Evidence, trigger: Trigger | None) -> list[Line]:
    lines = wrap([(box.id, "head"), (f"  {safe(box.facts.title)}", "strong")], told.width, hang=2)
    if evidence.residual is not None:
        odds = f"what it remembers is enforced on {percent(evidence.chance)} of flows"
    elif trigger is None:
        odds = f"{percent(evidence.chance)} of connections"
    else:
        odds = f"{percent(trigger.chance)} of connections (this{GLUE}draw:{GLUE}{'acted' if trigger.acted else _IDLE})"
    return lines + _field(told, "chance", odds)


def _bytes(told: Told, evidence: Evidence, bytes_read: BytesRead, shown: set[tuple[int, int, int]]) -> list[Line]:
    if evidence.residual is not None:
        by = f" by flow {evidence.armed_by}" if evidence.armed_by else ""
        return _field(told, "read", f"nothing: what was set{by} still held when packet {evidence.packet} came")
    noun = SEEN.get(evidence.read, evidence.read)
    value = f" {safe(evidence.value, 2000)}" if evidence.value else ""
    if not evidence.length:
        return _field(told, "read", f"{noun}{value} in the headers of packet {evidence.packet}")
    data, where = bytes_read.of(evidence)
    text = f"{noun}{value}: {counted(evidence.length, 'byte')} at byte {evidence.offset:,} of {where}, complete with packet {evidence.packet}"
    lines = _field(told, "read", text)
    if not data:
        return [*lines, *_field(told, "", "its bytes were not kept: the flow is too long")]
    place = (evidence.offset, evidence.length, evidence.packet)
    if place in shown:
        return [*lines, *_field(told, "", "the same bytes as above")]
    shown.add(place)
    return lines + dump(data, evidence.offset, evidence.length, indent=_BYTES)


def _rule(told: Told, box: Box, evidence: Evidence) -> list[Line]:
    last = f", last observed on {evidence.last_observed}" if evidence.last_observed is not None else ""
    lines = _field(told, "rule", safe(evidence.rule, 2000)) if evidence.rule else []
    if evidence.residual is None:
        for sentence in reaction_words(box.reaction):
            lines += _field(told, "does", sentence)
    if box.residual is not None and box.residual.seconds > 0:
        lines += _field(told, "remembers", memory_words(box.residual))
    lines += _field(told, "in force", f"since {evidence.epoch}{last}; confidence {box.facts.confidence}")
    for number, work in enumerate(cite(evidence.sources, told.sources)):
        lines += _field(told, "" if number else "sources", work)
    for number, sentence in enumerate(evidence.assumed):
        lines += _field(told, "" if number else "assumed", safe(sentence, 2000))
    return lines


def _ways(told: Told, boxes: Mapping[str, Box]) -> list[Line]:
    """Gather what would have let the flow through, by the boxes that it would have helped against."""
    acting = [evidence for evidence in told.flow.evidence if evidence.middlebox in boxes]
    lists = [words for evidence in acting if evidence.residual is None and (words := list_words(boxes[evidence.middlebox]))]
    by_way: dict[str, list[str]] = {}
    if lists:
        by_way[f"names and keywords that are not on {listed(list(dict.fromkeys(lists)))}"] = [evidence.middlebox for evidence in acting]
    for evidence in acting:
        for way in ways_past(boxes[evidence.middlebox], told.flow, evidence):
            by_way.setdefault(way, []).append(evidence.middlebox)
    if not by_way:
        return []
    lines = [BLANK, line_of("What would have let it through", "strong")]
    for way, helped in by_way.items():
        against = "" if len(helped) == len(acting) else f" — past {listed(helped)}"
        lines += paragraph(way + against, told.width, label="  -", hang=4)
    if 0.0 < told.flow.chance < 1.0:
        lines += paragraph(f"luck: {percent(1.0 - told.flow.chance)} of such connections pass", told.width, label="  -", hang=4)
    return lines


def _others(told: Told) -> list[Line]:
    """Tell of the boxes that watch such a flow and had no ground, and of those that could not judge it."""
    flow = told.flow
    acting = {evidence.middlebox for evidence in flow.evidence}
    others = [box for box in watching(told.wall, flow) if box.id not in acting]
    blind = [box for box in others if not flow.complete and needs_start(box)]
    if not others:
        return []
    head = "Boxes that watch such a flow and had no ground" if acting else "Boxes that watch such a flow: none had ground"
    lines = [BLANK, line_of(head, "strong")]
    looked = list(look([box for box in others if box not in blind], told.watched, flow))
    for one in looked:
        if one.says:
            lines += paragraph(f"{one.box.id}: {one.says}", told.width, label="  -", hang=4)
    nothing = [one.box.id for one in looked if not one.says]
    if nothing:
        they = "they read" if len(nothing) > 1 else "it reads"
        lines += paragraph(f"{listed(nothing)}: nothing in it that {they}", told.width, label="  -", hang=4)
    if blind:
        lines += paragraph(f"{listed([box.id for box in blind])}: cannot judge without the start of the connection", told.width, label="  -", hang=4)
    return lines
