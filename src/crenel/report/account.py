"""An exchange in, its account out: the ladder, what became of it for the client, how probable that was, what comes next, and the reasons."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

import msgspec

from crenel.atlas.compile import About
from crenel.atlas.schema import Source
from crenel.net.app.target import Target
from crenel.net.exchange import Exchange
from crenel.net.trace import FlowReport
from crenel.report.exchange import ExchangeReport, TryRate, flow_of
from crenel.report.ladder import ladder, show_time
from crenel.report.layout import BLANK, GLUE, Line, Piece, Tone, chopped, paragraph, wrap
from crenel.report.reason import HANG, Reason, reason_lines, remembered_until
from crenel.report.table import about_of
from crenel.report.text import counted, listed, percent, safe
from crenel.report.words import TONES, UNLISTED, Reasons, kind_of, verdict_words
from crenel.wall.wall import Wall

OUTCOME_TONES: dict[str, Tone] = {"passed": "good", "blocked": "bad", "tampered": "bad", "failed": "unsure"}
_LONGEST_TARGET = 400


class Tried(msgspec.Struct, frozen=True):
    """One exchange that was carried out, as it is told of."""

    exchange: Exchange
    report: ExchangeReport
    target: Target
    after: float | None
    """Seconds after the client was done with the exchange before; None for the first."""


class Desk(msgspec.Struct, frozen=True):
    """What accounts are written with."""

    sources: Mapping[str, Source]
    width: int | None


def head_lines(about: About, desk: Desk) -> list[Line]:
    """Return which wall, moment, place and seed exchanges rest on."""
    hour = "" if "T" in about.as_of else " at 12:00"
    lines = paragraph(f"{safe(about.title)} ({safe(about.name)}) as of {about.as_of}{hour}", desk.width, label="wall", hang=7)
    lines += paragraph(f"vantage {safe(about.vantage)}, seed {about.seed}", desk.width, label="from", hang=7)
    for note in about.notes:
        lines += paragraph(note, desk.width, label="note", hang=7, tone="risk")
    return lines + given_lines(about, desk)


def given_lines(about: About, desk: Desk) -> list[Line]:
    """Return what was taken for granted, replaced or listed by the user."""
    given = [f"{key}={value}" for key, value in about.assume.items()] + [f"{name} from {path}" for name, path in about.lists.items()]
    given += [f"{name} taken as listed" if name != "*" else "every name taken as listed" for name in about.listed]
    return paragraph(safe(", ".join(given), 2000), desk.width, label="given", hang=7) if given else []


def title_lines(tried: Tried, desk: Desk) -> list[Line]:
    """Return what was asked for, and how long after the exchange before."""
    text = safe(tried.target.shown, _LONGEST_TARGET)
    if tried.after is not None:
        text = f"then, {counted_seconds(tried.after)} later: {text}"
    return paragraph(text, desk.width, tone="strong")


def counted_seconds(duration: float) -> str:
    """Return a number of seconds without needless decimals."""
    return f"{duration:,g}{GLUE}s"


def account(tried: Tried, desk: Desk, told: AbstractSet[str] = frozenset()) -> list[Line]:
    """Return the whole account of an exchange but its title; the boxes in `told` were told of before."""
    lines = [*ladder(tried.exchange, desk.width), BLANK, *summary(tried, desk)]
    return [*lines, *reason_lines(Reason(tried.exchange, desk.sources, desk.width, told))]


def summary(tried: Tried, desk: Desk) -> list[Line]:
    """Return what became of an exchange, how probable that was, its answers, what is remembered, and what to ask next."""
    exchange = tried.exchange
    lines = outcome_line(outcome_words(tried), exchange, desk) + risk_lines(flow_of(tried.report), exchange.wall, desk)
    if tried.report.rate is not None:
        lines += _field(desk, "rate", rate_words(tried.report.rate, tried.report.chance))
    return lines + answer_lines(exchange, desk) + memory_lines(exchange, desk) + _hints(tried, desk)


def outcome_words(tried: Tried) -> str:
    """Return the outcome in a sentence."""
    exchange = tried.exchange
    told = exchange.experience
    when = f"after {show_time(told.time)}{GLUE}ms"
    says = safe(told.says, 400)
    match exchange.outcome:
        case "passed":
            acted = f", although {exchange.middlebox} acted" if exchange.middlebox is not None else ""
            return f"passed: the client has its answer {when}{acted}: {says}"
        case "tampered":
            return f"tampered with: the client takes a forged answer for its server's, {when}: {says}"
        case "blocked":
            return f"blocked {when}: {says}"
        case "failed":
            return f"failed, and the wall had no part in it, {when}: {says}"


def rate_words(rate: TryRate, chance: float) -> str:
    """Return how often repetitions were blocked, beside the exact chance."""
    often = f"{rate.blocked:,} of {counted(rate.trials, 'trial')} blocked, {percent(rate.value)}"
    return f"{often} (95{GLUE}% interval {percent(rate.low)} to {percent(rate.high)}); the exact chance that a box acts is {percent(chance)}"


def _field(desk: Desk, label: str, text: str, tone: Tone = "") -> list[Line]:
    return paragraph(text, desk.width, label=label, hang=HANG, tone=tone)


def outcome_line(words: str, exchange: Exchange, desk: Desk) -> list[Line]:
    """Return the outcome, in words of which those before a colon count most."""
    word, found, rest = words.partition(":")
    pieces: list[Piece] = [(word + found, OUTCOME_TONES[exchange.outcome]), (rest, "")]
    first, *others = wrap(pieces, desk.width, first=HANG, hang=HANG)
    return [(("outcome".ljust(HANG), "dim"), *first), *others]


def risk_lines(flow: FlowReport, wall: Wall, desk: Desk) -> list[Line]:
    """Return how probable it is that a flow is blocked, and by what."""
    about, kind = about_of(wall), kind_of(flow)
    if kind == "undetermined":
        return _field(desk, "verdict", "no box of the wall has ground to act")
    if kind == "remembered":
        boxes = [trigger.middlebox for trigger in flow.triggers if trigger.acted]
        alone = "it would pass" if flow.chance == 0 else f"a box acts on {percent(flow.chance)} of connections"
        return _field(desk, "verdict", f"still remembered from before by {listed(boxes)}; alone {alone}", "bad")
    reason = Reasons(wall).of(flow)
    pieces: list[Piece] = [(verdict_words(flow, about), TONES[kind]), (f": {reason}" if reason else "", "")]
    if kind == "unlisted":
        pieces = [(f"passes: {safe(flow.name or '')} is {verdict_words(flow, about)}, {UNLISTED}", "")]
    first, *others = wrap(pieces, desk.width, first=HANG, hang=HANG)
    return [(("verdict".ljust(HANG), "dim"), *first), *others]


def answer_lines(exchange: Exchange, desk: Desk) -> list[Line]:
    """Return who answered what, where that is not plain."""
    answers = exchange.answers
    if len(answers) < 2 and not any(answer.forged_by for answer in answers):
        return []
    lines: list[Line] = []
    first = answers[0].time
    for number, answer in enumerate(answers):
        when = f"first, after {show_time(answer.time)}{GLUE}ms" if not number else f"{show_time(answer.time - first)}{GLUE}ms later"
        who = f"forged by {answer.forged_by}" if answer.forged_by is not None else "the server's own" if answer.intact else "not forged on the way"
        lines += _field(desk, "" if number else "answers", f"{when}: {safe(answer.says)}, {who}", "bad" if answer.forged_by is not None else "good")
    return lines


def memory_lines(exchange: Exchange, desk: Desk) -> list[Line]:
    """Return which boxes remember the exchange until when."""
    until = remembered_until(exchange)
    if not until:
        return []
    boxes: dict[str, list[str]] = {}
    for name, moment in until.items():
        boxes.setdefault(moment, []).append(name)
    parts = [f"{listed(names)} until {moment}" for moment, names in boxes.items()]
    return _field(desk, "afterwards", f"remembered by {'; '.join(parts)}")


def _hints(tried: Tried, desk: Desk) -> list[Line]:
    exchange, hints = tried.exchange, []
    if exchange.outcome == "passed" and exchange.chance > 0 and tried.report.rate is None:
        hints.append("this draw was lucky: --seed takes another, --repeat 100 many")
    if tried.target.address is None and tried.target.name and tried.report.protocol != "dns" and tried.after is None:
        hints.append(f"the look-up of the name before it is an exchange of its own: crenel try {safe(tried.target.name)}")
    lines: list[Line] = []
    for number, hint in enumerate(hints):
        lines += _field(desk, "" if number else "more", hint, "dim")
    return lines


def accounts(tried: Sequence[Tried], about: About | None, desk: Desk) -> list[Line]:
    """Return the account of exchanges that follow each other, with what they rest on."""
    lines: list[Line] = []
    told: set[str] = set()
    for number, one in enumerate(tried):
        lines += [*([BLANK, BLANK] if number else []), *title_lines(one, desk)]
        lines += head_lines(about, desk) if about is not None and not number else []
        lines += [BLANK, *account(one, desk, told)]
        told |= {evidence.middlebox for evidence in one.exchange.evidence}
    return chopped(lines, desk.width)
