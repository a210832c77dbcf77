"""A tested strategy in, its account out: the rate and the coins that decide it, why it works, and a ladder of a success and of a failure."""

from collections.abc import Mapping

import msgspec

from crenel.atlas.schema import Source
from crenel.atlas.strategy import Named
from crenel.evade.families import Family, row_text
from crenel.evade.rate import Rate
from crenel.evade.tested import Finding, Way
from crenel.report.citing import cite
from crenel.report.coins import decided, rate_words
from crenel.report.content import packet_words
from crenel.report.ladder import ladder
from crenel.report.layout import BLANK, GLUE, Line, Tone, chopped, line_of, paragraph
from crenel.report.text import counted, listed, percent, safe
from crenel.wall.tcb import Row
from crenel.wall.walk import Told

HANG = 12
_LONGEST_DNA = 2000
IDLE = "the strategy never did anything: no packet set off its triggers, so this tests nothing"

_ORDINARY = frozenset({"track", "complete", "read"})
"""What boxes do with any conversation."""

WHY: dict[Family, str] = {
    "tear-down": "{boxes} took a packet for the end of the connection and gave it up",
    "desynchronisation": "{boxes} lost the place in the client's stream, or read something else in it",
    "segmentation": "{boxes} read the request in its pieces and found nothing in any of them, or in what they put together",
    "unread": "{boxes} read nothing of the request",
    "withstood": "{boxes} acted, in vain: the client was answered all the same",
    "luck": "{boxes} had ground to act and missed, as happens without any strategy",
}


class Rule(msgspec.Struct, frozen=True):
    """A rule of a box's state model that was carried out."""

    middleboxes: tuple[str, ...]
    model: str
    rule: str
    packet: str
    coin: str | None
    p: float
    do: str
    sources: tuple[str, ...]
    assumed: str | None


def rules_of(way: Way) -> tuple[Rule, ...]:
    """Return the rules that were carried out in a trial, each with what it was carried out on, repetitions left out."""
    rules = {_key(one): one for one in way.told}
    return tuple(_rule(one) for one in rules.values())


def why_words(tested: Finding, way: Way) -> str:
    """Return in a sentence how a trial came to succeed."""
    boxes = dict.fromkeys(box for one in way.told for box in one.boxes) or [box.id for box in tested.trials.wall.boxes]
    names = listed(list(boxes)) or "the wall's boxes"
    prepared = tested.trials.prepared
    if way.family == "desynchronisation" and prepared is not None and prepared.grows and all(one.row.do in _ORDINARY for one in way.told):
        return f"{names} read the request as it was rewritten, and found nothing in it"
    return WHY[way.family or "luck"].format(boxes=names)


def finding_lines(tested: Finding, shown: Mapping[str, str], sources: Mapping[str, Source], width: int | None) -> list[Line]:
    """Return the account of a test.

    Args:
        tested: what came of it.
        shown: labelled lines that say what was tested, where and when.
        sources: the works, by id.
        width: columns; None in a pipe.
    """
    lines: list[Line] = []
    for label, text in shown.items():
        lines += paragraph(safe(text, _LONGEST_DNA), width, label=label, hang=HANG)
    lines += account_lines(tested, sources, width)
    for way, title in ((tested.success, "a success"), (tested.failure, "a failure")):
        if way is not None:
            share = "" if way.share is None else f", {percent(way.share)} of all trials go just so".replace(GLUE, " ")
            lines += [BLANK, line_of(f"{title}{share}", "strong"), BLANK, *ladder(way.trial.exchange, width)]
    if tested.success is None or tested.failure is None:
        which = "succeeded" if tested.success is None else "failed"
        lines += [BLANK, *paragraph(f"no trial {which}, so there is one ladder only", width, tone="dim")]
    return chopped(lines, width)


def account_lines(tested: Finding, sources: Mapping[str, Source], width: int | None) -> list[Line]:
    """Return what came of a test and why, without what was tested and without ladders; the arguments are those of `finding_lines`."""
    return [*_rate_lines(tested, width), *_why_lines(tested, sources, width)]


def _rate_lines(tested: Finding, width: int | None) -> list[Line]:
    rate = tested.rate
    tone: Tone = "good" if rate.value >= 0.5 else "bad"
    lines = [BLANK, *paragraph(rate_words(rate), width, label="rate", hang=HANG, tone=tone)]
    words = decided(rate, tested.trials.wall)
    if words:
        lines += paragraph(words, width, label="decided by", hang=HANG)
    ends = sorted(rate.endings.items(), key=lambda item: -item[1])
    lines += paragraph(listed([f"{name} {percent(share)}" for name, share in ends if share]), width, label="endings", hang=HANG)
    lines += paragraph(f"{tested.plain.says}; the boxes act on {percent(tested.trials.experiment.chance)}", width, label="without it", hang=HANG)
    if tested.idle:
        lines += paragraph(IDLE, width, label="idle", hang=HANG, tone="risk")
    for doubt in tested.doubts:
        lines += paragraph(doubt, width, label="doubt", hang=HANG, tone="risk")
    if rate.held:
        who = dict.fromkeys(name.partition("/")[0] for name in rate.held)
        words = f"{counted(len(rate.held), 'draw')} of {listed(list(who))} at the median; --format json names them"
        lines += paragraph(words, width, label="held", hang=HANG, tone="dim")
    return lines


def _why_lines(tested: Finding, sources: Mapping[str, Source], width: int | None) -> list[Line]:
    way = tested.success
    if way is None:
        return paragraph("no trial succeeded", width, label="why", hang=HANG)
    if tested.trials.prepared is None or tested.idle:
        return paragraph("what gets through is what the boxes miss", width, label="why", hang=HANG)
    lines = paragraph(f"{way.family}: {why_words(tested, way)}", width, label="why", hang=HANG, tone="strong")
    cited: dict[str, None] = {}
    for number, rule in enumerate(rules_of(way)):
        chance = f", {rule.coin} falls so in {percent(rule.p)}" if rule.p < 1.0 else ""
        text = f"{listed(rule.middleboxes)}: {rule.packet}{GLUE}-- {rule.rule}{chance}"
        lines += paragraph(text, width, label="" if number else "rules", hang=HANG)
        if rule.assumed is not None:
            lines += paragraph(f"assumed: {rule.assumed}", width, hang=HANG, tone="dim")
        cited |= dict.fromkeys(rule.sources)
    for number, work in enumerate(cite(cited, sources)):
        lines += paragraph(work, width, label="" if number else "sources", hang=HANG, tone="dim")
    return lines


def _key(one: Told) -> tuple[object, ...]:
    packet = one.packet
    return id(one.row), packet.seq, packet.flags, packet.sport, bytes(packet.payload)


def _rule(one: Told) -> Rule:
    row: Row = one.row
    return Rule(one.boxes, one.tcb, row_text(row), packet_words((one.packet,)).replace(GLUE, " "), row.coin, row.p, row.do, row.sources, row.assumed)



class StrategyReport(msgspec.Struct, frozen=True):
    """A test as it is written as JSON."""

    strategy: str
    """As the user wrote it."""
    dna: str
    name: str | None
    side: str
    protocol: str
    ground: str
    rate: Rate
    decided_by: str
    without: float
    """Probability that any box acts where no strategy is at work."""
    family: str | None
    why: str | None
    rules: tuple[Rule, ...]
    note: str | None
    """What keeps the trials from telling anything: that the strategy never did anything."""
    doubts: tuple[str, ...]


def strategy_report(tested: Finding, given: str, entry: Named | None, ground: str) -> StrategyReport:
    """Return a test as it is written as JSON."""
    trials, way = tested.trials, tested.success
    dna = str(trials.prepared.strategy) if trials.prepared is not None else ""
    return StrategyReport(
        given, dna, entry.name if entry is not None else None, trials.side, trials.experiment.protocol, ground, tested.rate,
        decided(tested.rate, trials.wall).replace(GLUE, " "), trials.experiment.chance, way.family if way is not None else None,
        why_words(tested, way) if way is not None else None, rules_of(way) if way is not None else (),
        IDLE if tested.idle else None, tested.doubts,
    )  # fmt: skip
