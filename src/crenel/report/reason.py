"""An exchange in, the boxes with ground to act out: which bytes each read, by which rule, what it remembers, who measured it, what is assumed."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

import msgspec

from crenel.atlas.schema import Source
from crenel.flow.overlap import Overlap
from crenel.flow.reassembly import Stream, StreamLimits
from crenel.net.exchange import Exchange
from crenel.net.trace import Evidence, Trigger
from crenel.report.bytes_read import clear_initials
from crenel.report.citing import cite
from crenel.report.dump import dump
from crenel.report.exchange import client_packets
from crenel.report.layout import BLANK, GLUE, Line, paragraph, wrap
from crenel.report.reactions import memory_words
from crenel.report.table import about_of
from crenel.report.text import counted, listed, percent, safe
from crenel.report.words import SEEN
from crenel.wall.box import Box
from crenel.wall.effects import Armed
from crenel.wire.packet import SYN, TCP

HANG = 12
"""Columns of the labels."""
_BYTES = 6
_NANOSECONDS = 1_000_000_000
_LIMITS = StreamLimits()


class Reason(msgspec.Struct, frozen=True):
    """What reasons are told with."""

    exchange: Exchange
    sources: Mapping[str, Source]
    width: int | None
    told: AbstractSet[str] = frozenset()
    """Boxes that were told of already: who measured them is not said again."""


def reason_lines(reason: Reason) -> list[Line]:
    """Return a part for each box with ground to act, those that acted first."""
    exchange = reason.exchange
    boxes = {box.id: box for box in exchange.wall.boxes}
    triggers = {trigger.middlebox: trigger for trigger in exchange.triggers}
    for evidence in exchange.evidence:
        # A box that remembers and did not act on it has ground, and is no trigger of this exchange.
        triggers.setdefault(evidence.middlebox, Trigger(evidence.middlebox, boxes[evidence.middlebox].action or "", 0.0, acted=False))
    until = remembered_until(exchange)
    acted = [one for one in exchange.evidence if triggers[one.middlebox].acted]
    idle = [one for one in exchange.evidence if not triggers[one.middlebox].acted]
    lines: list[Line] = []
    read: set[tuple[int, int]] = set()
    for evidence in [*acted, *idle]:
        box, trigger = boxes[evidence.middlebox], triggers[evidence.middlebox]
        lines += [BLANK, *wrap([(box.id, "head"), (f"  {safe(box.facts.title)}", "strong")], reason.width, hang=2)]
        if (evidence.offset, evidence.length) in read and evidence.residual is None:
            lines += _in_short(reason, box, evidence, trigger)
            continue
        read.add((evidence.offset, evidence.length))
        lines += _chance(reason, evidence, trigger)
        lines += _read(reason, evidence)
        lines += _field(reason, "rule", safe(evidence.rule, 2000)) if evidence.rule and evidence.residual is None else []
        if box.id in until and box.residual is not None:
            lines += _field(reason, "remembers", f"{memory_words(box.residual)}; now until {until[box.id]}")
        lines += _facts(reason, box, evidence) if box.id not in reason.told else []
    return lines


def remembered_until(exchange: Exchange) -> dict[str, str]:
    """Return for each box that remembers the exchange until when, in words."""
    until: dict[str, int] = {}
    for told in exchange.events:
        if isinstance(told.effect, Armed) and told.wall == exchange.wall.name:
            name = told.effect.because.middlebox
            until[name] = max(until.get(name, 0), told.effect.until - exchange.start)
    return {name: f"{time / _NANOSECONDS:.1f}{GLUE}s after the client began" for name, time in until.items()}


def client_bytes(exchange: Exchange, evidence: Evidence) -> bytes:
    """Return what a box read in: the client's stream, or the datagram."""
    place = evidence.packet - 1
    seen = exchange.trace[place].packet if 0 <= place < len(exchange.trace) else None
    if seen is None:
        seen = next((packet for packet in client_packets(exchange.trace) if packet.payload), None)
    if seen is None:
        return b""
    if seen.proto != TCP:
        payload = bytes(seen.payload)
        return clear_initials(payload) if evidence.read.startswith("quic") else payload
    port = seen.sport if exchange.trace[0].packet.dst == seen.dst else seen.dport
    stream, data = None, b""
    for packet in client_packets(exchange.trace, port):
        if packet.flags & SYN:
            stream = stream or Stream((packet.seq + 1) & 0xFFFFFFFF, _LIMITS, Overlap.FIRST)
        elif stream is not None and packet.payload:
            data += stream.add(packet.seq, bytes(packet.payload)) or b""
    return data


def _field(reason: Reason, label: str, text: str) -> list[Line]:
    return paragraph(text, reason.width, label=label, hang=HANG)


def _chance(reason: Reason, evidence: Evidence, trigger: Trigger) -> list[Line]:
    return _field(reason, "chance", odds_words(evidence, trigger))


def odds_words(evidence: Evidence, trigger: Trigger) -> str:
    """Return how often a box with ground acts, and whether this draw made it act."""
    draw = f"this{GLUE}draw:{GLUE}" + ("acted" if trigger.acted else f"did{GLUE}not{GLUE}act")
    if evidence.residual is not None:
        return f"enforces what it remembers on {percent(evidence.chance)} of connections; {draw}"
    return f"acts on {percent(trigger.chance)} of connections; {draw}"


def _in_short(reason: Reason, box: Box, evidence: Evidence, trigger: Trigger) -> list[Line]:
    """Tell of a further box that read the same bytes."""
    ids = list(dict.fromkeys(source.partition(":")[0] for source in evidence.sources))
    last = f"; last observed on {evidence.last_observed}" if evidence.last_observed is not None else ""
    return _field(reason, "the same", f"{odds_words(evidence, trigger)}; {safe(evidence.rule, 2000)}{last} [{safe(', '.join(ids), 2000)}]")


def _read(reason: Reason, evidence: Evidence) -> list[Line]:
    where = "the datagram" if reason.exchange.trace[0].packet.proto != TCP else "what the client sent"
    lines = _field(reason, "read", read_words(evidence, where))
    if evidence.residual is not None or not evidence.length:
        return lines
    return lines + dump(client_bytes(reason.exchange, evidence), evidence.offset, evidence.length, indent=_BYTES)


def read_words(evidence: Evidence, where: str) -> str:
    """Return what a box read, and at which place of what is called `where`."""
    if evidence.residual is not None:
        return f"nothing: it remembers an exchange before this one ({safe(evidence.residual)})"
    noun = SEEN.get(evidence.read, evidence.read)
    value = f" {safe(evidence.value, 2000)}" if evidence.value and evidence.read != "bytes.random-looking" else ""
    if not evidence.length:
        return f"{noun}{value} in the headers of a packet"
    return f"{noun}{value}: {counted(evidence.length, 'byte')} at byte {evidence.offset:,} of {where}"


def _facts(reason: Reason, box: Box, evidence: Evidence) -> list[Line]:
    last = f", last observed on {evidence.last_observed}" if evidence.last_observed is not None else ""
    lines = _field(reason, "in force", f"since {evidence.epoch}{last}; confidence {box.facts.confidence}")
    for number, work in enumerate(cite(evidence.sources, reason.sources)):
        lines += _field(reason, "" if number else "sources", work)
    keys = list(dict.fromkeys(sentence.partition(": ")[0] for sentence in evidence.assumed))
    about = about_of(reason.exchange.wall)
    if keys:
        lines += _field(reason, "assumed", safe(_assumed(keys), 2000))
    if keys and about is not None:
        lines += _field(reason, "", f"why: crenel walls show {safe(about.name)} --as-of {about.as_of} --box {box.id}")
    return lines


def _assumed(keys: Sequence[str]) -> str:
    return f"for lack of a measurement, {listed(keys)}"
