"""What a command in a lab came to in, what is told of it out: a line for each flow, the ladders and reasons of those that matter, and JSON."""

import shlex
from collections.abc import Iterable, Sequence

import msgspec

from crenel.net.app.speaker import Answer
from crenel.net.exchange import Exchange
from crenel.net.exchange import Outcome as Ended
from crenel.net.lab.flows import LabFlow
from crenel.net.lab.outcome import Outcome
from crenel.net.trace import Event, FlowReport
from crenel.report.account import Desk, answer_lines, head_lines, memory_lines, outcome_line, risk_lines
from crenel.report.exchange import PacketEvent, Went, exchange_report, flow_of
from crenel.report.ladder import ladder, show_time
from crenel.report.layout import BLANK, GLUE, Line, Piece, chopped, columns, line_of, paragraph, wrap
from crenel.report.reason import Reason, reason_lines
from crenel.report.result import TryHead
from crenel.report.table import about_of, target_of
from crenel.report.text import counted, cut_left, plain_path, safe
from crenel.report.words import TONES, UNLISTED, Reasons, Tally, kind_of, verdict_words
from crenel.wall.wall import Wall

MOST_TOLD = 4
"""Flows that are told of in full unless all are asked for."""
_LONGEST_COMMAND = 400
_LONGEST_TARGET = 40
_NOTE = 7


class RunFlow(FlowReport, frozen=True):
    """A flow of a real program, judged; `capture` is that of `--pcap`, and packets are counted in what that holds."""

    outcome: Ended
    experience: Went
    answers: tuple[Answer, ...]
    misled_by: str | None
    """The box whose forged answer sent the client to this address."""
    events: tuple[PacketEvent, ...]


class RunOfHead(TryHead, frozen=True):
    """What the flows of a command rest on, and how it ended."""

    command: tuple[str, ...]
    status: int | None
    passed: bool
    problems: tuple[str, ...]
    notes: tuple[str, ...]
    untold: int


class RunOfResult(RunOfHead, frozen=True):
    """All of one run of a command as one object."""

    flows: tuple[RunFlow, ...]


class Told(msgspec.Struct, frozen=True):
    """One flow, as it is told of."""

    lab: LabFlow
    report: RunFlow


def merged(flows: Iterable[LabFlow]) -> list[Event]:
    """Return the events of flows as one trace, by time since the lab's began."""
    events = [msgspec.structs.replace(event, time=event.time + flow.began) for flow in flows for event in flow.exchange.trace]
    return sorted(events, key=lambda event: event.time)


def tell_flows(outcome: Outcome, capture: str = "") -> list[Told]:
    """Return what is told of each flow of a command.

    Args:
        outcome: what the command came to.
        capture: path of the capture that holds the trace of these flows; empty where there is none.
    """
    flows = outcome.flows
    found = ((event.time + flow.began, flow.number, at) for flow in flows for at, event in enumerate(flow.exchange.trace))
    order = sorted(found, key=lambda one: one[0])
    places = {(number, at): place for place, (_, number, at) in enumerate(order, 1)}
    return [Told(flow, _report(flow, outcome.misled_by(flow), plain_path(capture), places)) for flow in flows]


def _report(flow: LabFlow, misled_by: str | None, capture: str, places: dict[tuple[int, int], int]) -> RunFlow:
    told = exchange_report(flow.exchange, "")
    evidence = tuple(
        msgspec.structs.replace(one, packet=places[flow.number, one.packet - 1]) if one.packet else one for one in told.evidence
    )
    acted = next((one.packet for one in evidence if one.middlebox == told.middlebox), 0)
    return RunFlow(
        capture, flow.number, told.transport, told.client, told.client_port, told.server, told.server_port, told.start, flow.packets, flow.size,
        told.protocol, told.name, told.names, told.basis, True, told.verdict, told.at_risk, told.middlebox, told.action, told.residual,
        acted or None, told.chance, told.triggers, evidence, told.outcome, told.experience, told.answers, misled_by, told.events,
    )


def run_head(head: TryHead, outcome: Outcome, notes: Sequence[str]) -> RunOfHead:
    """Return what the flows of a command rest on."""
    words = tuple(plain_path(word) for word in outcome.argv)
    known = {name: getattr(head, name) for name in TryHead.__struct_fields__}
    return RunOfHead(
        **known, command=words, status=outcome.status, passed=outcome.passed, problems=outcome.problems, notes=tuple(notes), untold=outcome.untold
    )


def run_result(head: RunOfHead, flows: Sequence[RunFlow]) -> RunOfResult:
    """Return all of a run as one object."""
    return RunOfResult(**{name: getattr(head, name) for name in RunOfHead.__struct_fields__}, flows=tuple(flows))


def run_lines(
    outcome: Outcome, told: Sequence[Told], wall: Wall, desk: Desk, *, notes: Sequence[str] = (), most: int | None = MOST_TOLD
) -> list[Line]:
    """Return the account of a command.

    Args:
        outcome: what it came to.
        told: its flows.
        wall: what stood between.
        desk: what accounts are written with.
        notes: what the machine could not give the lab, in sentences.
        most: flows that are told of in full, those with ground for the wall and those that came to nothing first; None: all.
    """
    about = about_of(wall)
    lines = wrap([(f"What the wall did to: {safe(shlex.join(outcome.argv), _LONGEST_COMMAND)}", "strong")], desk.width, hang=2)
    lines += head_lines(about, desk) if about is not None else []
    lines += [BLANK, *(rows_of(told, wall, desk) if told else [line_of("no packet of it came to the wall", "dim")])]
    chosen = told_in_full(told, most)
    seen: set[str] = set()
    for one in chosen:
        lines += [BLANK, *_flow_lines(one, wall, desk, seen)]
        seen |= {evidence.middlebox for evidence in one.report.evidence}
    lines += [BLANK, *foot_lines(outcome, told, desk, notes)]
    left = len([one for one in told if _matters(one)]) - len(chosen)
    if left > 0:
        text = f"{counted(left, 'more flow')} with ground or without an answer; --all tells of every flow"
        lines += paragraph(text, desk.width, label="more", hang=_NOTE)
    return chopped(lines, desk.width)


def exchange_lines(exchange: Exchange, desk: Desk) -> list[Line]:
    """Return the ladder of an exchange, how probable it was that it is blocked, and the reasons."""
    lines = [*ladder(exchange, desk.width), BLANK, *risk_lines(flow_of(exchange_report(exchange, "")), exchange.wall, desk)]
    return chopped([*lines, *answer_lines(exchange, desk), *reason_lines(Reason(exchange, desk.sources, desk.width))], desk.width)


def rows_of(told: Sequence[Told], wall: Wall, desk: Desk) -> list[Line]:
    """Return a line for each flow."""
    reasons, about = Reasons(wall), about_of(wall)
    rows: list[list[Piece]] = [[(title, "head") for title in ("flow", "what", "to", "verdict")]]
    for one in told:
        report, kind = one.report, kind_of(one.report)
        words, tone, reason = verdict_words(report, about), TONES[kind], reasons.of(report)
        if kind == "undetermined":
            words, tone, reason = "inconclusive", "unsure", report.experience.says
            if report.misled_by is not None:
                words, tone, reason = "came to nothing", "bad", f"the address is one that {report.misled_by} forged"
        what = report.transport if report.protocol == "unknown" else report.protocol
        verdict = f"{words}: {reason}" if reason else f"{words}, {UNLISTED}" if kind == "unlisted" else words
        rows.append([(f"{report.flow:>4}", "dim"), (what, ""), (cut_left(target_of(report), _LONGEST_TARGET), ""), (verdict, tone)])
    return columns(rows, desk.width)


def _matters(one: Told) -> bool:
    """Say whether a flow is told of in full without being asked for: the wall had ground, or it came to nothing."""
    return bool(one.report.triggers or one.report.evidence) or (one.report.outcome == "failed" and one.report.misled_by is None)


def told_in_full(told: Sequence[Told], most: int | None) -> list[Told]:
    """Return the flows that are told of in full: at most so many of those that matter, or all."""
    return list(told) if most is None else [one for one in told if _matters(one)][:most]


def flow_title(report: RunFlow) -> str:
    """Return which flow it is, over what, to whom."""
    what = report.transport if report.protocol == "unknown" else f"{report.protocol} over {report.transport}"
    return f"flow {report.flow}: {what} to {target_of(report)}"


def account_lines(one: Told, wall: Wall, desk: Desk) -> list[Line]:
    """Return how a flow ended, how probable it was that it is blocked, its answers, and what is remembered of it."""
    exchange, report = one.lab.exchange, one.report
    lines = outcome_line(outcome_words(one), exchange, desk)
    if report.outcome != "failed" or kind_of(report) != "undetermined":
        lines += risk_lines(report, wall, desk)
    return lines + answer_lines(exchange, desk) + memory_lines(exchange, desk)


def _flow_lines(one: Told, wall: Wall, desk: Desk, seen: set[str]) -> list[Line]:
    lines = paragraph(flow_title(one.report), desk.width, tone="head")
    lines += [*ladder(one.lab.exchange, desk.width), BLANK, *account_lines(one, wall, desk)]
    return [*lines, *reason_lines(Reason(one.lab.exchange, desk.sources, desk.width, seen))]


def outcome_words(one: Told) -> str:
    """Return how a flow ended, in a sentence."""
    report = one.report
    when = f"after {show_time(report.experience.time)}{GLUE}ms"
    says = safe(report.experience.says, 400)
    match report.outcome:
        case "passed":
            return f"passed {when}{f', although {report.middlebox} acted' if report.middlebox is not None else ''}: {says}"
        case "tampered":
            return f"tampered with {when}: the client got a forged answer first: {says}"
        case "blocked":
            return f"blocked {when}: {says}"
        case "failed" if report.misled_by is not None:
            return f"came to nothing: the address is one that {report.misled_by} forged: {says}"
        case "failed":
            return f"inconclusive, no box of the wall had a part in it, {when}: {says}"


def foot_lines(outcome: Outcome, told: Sequence[Told], desk: Desk, notes: Sequence[str]) -> list[Line]:
    """Return how many flows came to what, how the command ended, and what to know of the answer."""
    tally = Tally()
    for one in told:
        if one.report.outcome != "failed" or kind_of(one.report) != "undetermined":
            tally.add(kind_of(one.report))
    misled = [one for one in told if one.report.misled_by is not None]
    nothing = sum(one.report.outcome == "failed" and kind_of(one.report) == "undetermined" for one in told) - len(misled)
    tally.flows = len(told)
    words = tally.words()
    for number, what in ((len(misled), "led to a forged address"), (nothing, "inconclusive")):
        words += f"{', ' if ':' in words else ': '}{number:,} {what}" if number > 0 else ""
    lines = paragraph(words, desk.width, tone="strong")
    ended = "was ended, because its time was up" if outcome.status is None else f"ended with status {outcome.status}"
    if outcome.status is not None and outcome.status < 0:
        ended = f"was ended by signal {-outcome.status}"
    lines += paragraph(f"the command {ended}", desk.width)
    for problem in outcome.problems:
        lines += paragraph(safe(problem, 2000), desk.width, label="beware", hang=_NOTE, tone="bad")
    for note in notes:
        lines += paragraph(safe(note, 2000), desk.width, label="note", hang=_NOTE, tone="dim")
    if outcome.untold:
        lines += paragraph(f"{outcome.untold:,} packets were too many to be told of", desk.width, label="note", hang=_NOTE, tone="dim")
    return lines
