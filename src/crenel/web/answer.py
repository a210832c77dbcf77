"""What was asked for in, the answer as values out: an exchange or the flows of a capture judged by a wall, with its course over time."""

import datetime as dt
from collections.abc import Callable, Collection
from typing import NamedTuple

import msgspec

from crenel.coins import KeyedCoins
from crenel.errors import CaptureError, UsageError
from crenel.net.app.target import Target, read_target
from crenel.net.exchange import Exchange
from crenel.net.replay.check import judge_capture
from crenel.net.replay.notes import is_reserved
from crenel.net.replay.source import read_source
from crenel.net.replay.watch import Watched
from crenel.net.replay.witness import Witnessed, WitnessJudge
from crenel.net.sim.tries import payload_target, try_target
from crenel.net.trace import CaptureSummary, FlowReport
from crenel.report.account import Tried
from crenel.report.exchange import exchange_report, flow_of
from crenel.report.words import kind_of
from crenel.wall.wall import Wall
from crenel.web.asked import Asked
from crenel.web.course import Stretch, course_of
from crenel.web.gallery import Gallery, about
from crenel.web.shelf import Held, Shelf
from crenel.wire.capture import open_capture
from crenel.wire.result import Unparseable

LARGEST_PAYLOAD = 1 << 16
"""Bytes typed as hex."""
MOST_FLOWS = 200
"""Flows of a capture in the table; the one that is told of is always there."""
_MOST_PACKETS = 1500
"""A longer capture is not judged again for each day on which the wall changes: that would take seconds."""


class Flows(msgspec.Struct, frozen=True):
    """A capture that was judged."""

    held: Held
    flows: tuple[FlowReport, ...]
    """The first ones, and the one that is told of."""
    summary: CaptureSummary
    kinds: dict[str, int]
    """How many flows there are of each kind."""
    witnessed: Witnessed | None


class Answer(msgspec.Struct, frozen=True):
    """What one wall makes on one day of what was asked."""

    wall: Wall
    day: dt.date
    flow: FlowReport | None
    """The exchange as a flow, or the flow of a capture that is told of; None where a capture has none."""
    tried: Tried | None
    capture: Flows | None
    course: tuple[Stretch, ...] | None
    """None where it was not worked out."""


class Seen(NamedTuple):
    """A wall on a day, with the name under which the page offers it."""

    wall: Wall
    name: str
    day: dt.date


def answer_to(asked: Asked, wall: str, date: str, gallery: Gallery, shelf: Shelf) -> Answer:
    """Return the answer.

    Raises:
        CrenelError: something that was typed or brought is wrong.
    """
    day = gallery.day(wall, date)
    seed = _seed(asked.seed)
    loaded = gallery.wall(wall, day.isoformat(), seed, listed=bool(asked.listed))
    if asked.kind == "capture":
        return _captured(asked, Seen(loaded, wall, day), gallery, shelf.find(asked.held))
    target = _target(asked)
    exchange = try_target(target, loaded)
    report = exchange_report(exchange, target)

    flow = flow_of(report)

    def judge(other: Wall) -> FlowReport:
        return _again(flow, try_target(target, other))

    tried = Tried(exchange, report, target, None)
    return Answer(loaded, day, flow, tried, None, _course(asked, wall, gallery, judge))


def _again(flow: FlowReport, exchange: Exchange) -> FlowReport:
    """Return what another wall makes of the same flow, without its packets in words."""
    examples = flow.name is not None and about(exchange.wall).example_boxes and not is_reserved(flow.name)
    return msgspec.structs.replace(
        flow, verdict="undetermined" if exchange.outcome == "failed" else "blocked" if exchange.blocked else "pass", at_risk=exchange.at_risk,
        chance=exchange.chance, triggers=exchange.triggers, evidence=(), basis="example-list" if examples else None,
    )  # fmt: skip


def _course(asked: Asked, wall: str, gallery: Gallery, judge: Callable[[Wall], FlowReport | None]) -> tuple[Stretch, ...]:
    """Return how the answer changes; it is the same for every date and draw, so it is kept while these are moved."""
    last = gallery.last(wall)
    key = (wall, last, msgspec.structs.replace(asked, wall="", date="", seed="", beside="", wall2="", date2=""))
    found = gallery.courses.get(key)
    if found is None:

        def on(day: dt.date) -> Wall:
            return gallery.wall(wall, day.isoformat(), listed=bool(asked.listed))

        found = tuple(course_of(judge, on, gallery.changes(wall), last))
        gallery.courses.put(key, found)
    return found


def _seed(text: str) -> int:
    try:
        seed = int(text or "0")
    except ValueError:
        seed = -1
    if not 0 <= seed < 1 << 31:
        message = f"draw {text[:40]!r}: write a number from 0 on"
        raise UsageError(message)
    return seed


def _target(asked: Asked) -> Target:
    if asked.kind == "target":
        return read_target(asked.target.strip())
    try:
        payload = bytes.fromhex(asked.hex.replace(":", " "))
    except ValueError as error:
        message = "the bytes: write pairs of hexadecimal digits, such as 16 03 01"
        raise UsageError(message) from error
    if len(payload) > LARGEST_PAYLOAD:
        message = f"the bytes: {len(payload):,} are more than the {LARGEST_PAYLOAD:,} that this page takes; crenel try --payload takes more"
        raise UsageError(message)
    if not (asked.port.isascii() and asked.port.isdigit()):
        message = f"port {asked.port[:40]!r}: a destination port is a number from 1 to 65535"
        raise UsageError(message)
    target = payload_target(payload, asked.transport, int(asked.port))
    return msgspec.structs.replace(target, shown=f"{len(payload):,} bytes over {asked.transport} to port {int(asked.port)}")


def _captured(asked: Asked, seen: Seen, gallery: Gallery, held: Held) -> Answer:
    wall = seen.wall
    wanted = int(asked.flow) if asked.flow.isascii() and asked.flow.isdigit() and len(asked.flow) < 12 else 0
    kept: list[FlowReport] = []
    kinds: dict[str, int] = {}
    told: list[FlowReport] = []
    worst: list[FlowReport] = []

    def take(flow: FlowReport) -> None:
        kind = kind_of(flow)
        kinds[kind] = kinds.get(kind, 0) + 1
        if len(kept) < MOST_FLOWS:
            kept.append(flow)
        if flow.flow == wanted:
            told.append(flow)
        if not worst and (flow.chance > 0 or flow.residual):
            worst.append(flow)

    summary = judged(held, wall, take)
    flow = next(iter(told or worst or kept), None)
    if wanted and not told and summary.flows:
        message = f"{held.name}: there is no flow {wanted} among {summary.flows:,}"
        raise CaptureError(message)
    if flow is not None and flow not in kept:
        kept.append(flow)
    witnessed = witness(held, wall, (flow.flow,))[flow.flow] if flow is not None else None
    capture = Flows(held, tuple(kept), summary, kinds, witnessed)
    course = _course_of_flow(asked, seen.name, held, flow.flow, gallery) if flow is not None and summary.packets <= _MOST_PACKETS else None
    return Answer(wall, seen.day, flow, None, capture, course)


def judged(held: Held, wall: Wall, take: Callable[[FlowReport], None]) -> CaptureSummary:
    """Judge a capture; what is said of its file names it as its owner does.

    Raises:
        CaptureError: it is no capture.
    """

    def named(flow: FlowReport) -> None:
        take(msgspec.structs.replace(flow, capture=held.name))

    try:
        summary = judge_capture(held.path, wall, named)
    except CaptureError as error:
        raise CaptureError(str(error).replace(held.path, held.name)) from error
    damaged = tuple(damage.replace(held.path, held.name) for damage in (*summary.damaged, *filter(None, (held.fault,))))
    return msgspec.structs.replace(summary, capture=held.name, damaged=damaged)


def witness(held: Held, wall: Wall, numbers: Collection[int]) -> dict[int, Witnessed]:
    """Return the packets of some flows of a capture, with what a wall would do to each."""
    reader = open_capture(read_source(held.path)[0])
    judge = WitnessJudge(wall, KeyedCoins(about(wall).seed), None, numbers)
    if not isinstance(reader, Unparseable):
        judge.read(reader, None)
    return judge.witnessed


def _course_of_flow(asked: Asked, wall: str, held: Held, number: int, gallery: Gallery) -> tuple[Stretch, ...]:
    def judge(other: Wall) -> FlowReport | None:
        found: list[FlowReport] = []
        judged(held, other, lambda flow: found.append(flow) if flow.flow == number else None)
        return found[0] if found else None

    return _course(msgspec.structs.replace(asked, flow=str(number)), wall, gallery, judge)


def watched_of(flows: Flows) -> Watched:
    """Return the packets of the flow that is told of."""
    return flows.witnessed if flows.witnessed is not None else Watched(0)
