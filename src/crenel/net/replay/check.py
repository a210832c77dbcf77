"""Captures through a wall: paths in, a report for every flow and a summary for every capture out."""

import gc
import ipaddress
from collections.abc import Callable, Collection, Iterator, Sequence

import msgspec

from crenel.atlas.compile import About
from crenel.atlas.describe import encrypted_rule
from crenel.coins import KeyedCoins
from crenel.errors import CaptureError, UsageError
from crenel.flow.table import FlowRecord
from crenel.net.replay.judge import Judge
from crenel.net.replay.report import Reporter
from crenel.net.replay.source import read_source
from crenel.net.replay.watch import Watched, WatchingJudge
from crenel.net.replay.witness import Witnessed, WitnessJudge
from crenel.net.trace import CaptureSummary, FlowReport
from crenel.wall.wall import Wall
from crenel.wire.capture import open_capture
from crenel.wire.result import Unparseable


class CheckedCapture(msgspec.Struct):
    """The flows of one capture, in the order of their numbers, and what became of the capture."""

    flows: list[FlowReport]
    summary: CaptureSummary

    def __iter__(self) -> Iterator[FlowReport]:
        """Go through the flows."""
        return iter(self.flows)

    def __len__(self) -> int:
        """Return the number of flows."""
        return len(self.flows)


def check_capture(path: str, wall: Wall, *, tolerate: float = 0.0, inside: Sequence[str] = ()) -> CheckedCapture:
    """Judge every flow of a capture, starting from empty memory.

    Args:
        path: a pcap or pcapng file, also packed with gzip; `-` for standard input.
        wall: from `load_wall`; its seed decides what is drawn.
        tolerate: a flow is at risk where its chance is above this.
        inside: networks that stand behind the wall, such as `10.0.0.0/8`; none: whoever opens a flow does.

    Raises:
        CaptureError: the file cannot be read or is no capture.
        UsageError: a network is none.
    """
    flows: list[FlowReport] = []
    summary = judge_capture(path, wall, flows.append, tolerate=tolerate, inside=inside)
    return CheckedCapture(flows, summary)


def judge_capture(
    path: str,
    wall: Wall,
    take: Callable[[FlowReport], None],
    *,
    tolerate: float = 0.0,
    inside: Sequence[str] = (),
    tick: Callable[[int, int], None] | None = None,
    watch: Watched | None = None,
) -> CaptureSummary:
    """Judge a capture and hand over each flow's report as soon as the flow is over; return the summary.

    Only where a capture has more flows than the wall's table holds do reports come before its end, and then not all in order.
    Where the user interrupts it, the flows that are open are handed over before the interrupt goes on.

    Args:
        path: as for `check_capture`, and so are `wall`, `tolerate` and `inside`.
        take: is given each report.
        tick: is told now and then how many bytes of how many are done.
        watch: keeps the packets of one flow.

    Raises:
        CaptureError: the file cannot be read or is no capture.
        UsageError: a network is none.
    """
    behind = networks(inside)
    data, fault = read_source(path)
    reader = open_capture(data)
    if isinstance(reader, Unparseable):
        message = f"{path}: not a capture: {reader.because}"
        raise CaptureError(message)
    about = wall.about
    seed = about.seed if isinstance(about, About) else 0
    reporter = Reporter(wall, path, tolerate, encrypted_rule(), examples=isinstance(about, About) and about.example_boxes)

    def done(records: Sequence[FlowRecord]) -> None:
        for record in records:
            take(reporter.report(record))

    judge = Judge(wall, KeyedCoins(seed), behind, done) if watch is None else WatchingJudge(wall, KeyedCoins(seed), behind, done)
    if isinstance(judge, WatchingJudge) and watch is not None:
        judge.watched = watch
    collecting = gc.isenabled()
    gc.disable()  # flows make no cycles, and looking for some in a full table costs as much as the work itself
    try:
        judge.read(reader, None if tick is None else lambda at: tick(at, len(reader.buffer)))
    except KeyboardInterrupt:
        judge.finish()
        raise
    finally:
        if collecting:
            gc.enable()
    damaged = tuple(str(damage) for damage in reader.damage) + ((fault,) if fault is not None else ())
    lost = fault is not None or any(damage.loses for damage in reader.damage)
    return CaptureSummary(path, judge.packets, judge.flows, judge.undecoded, damaged, lost, judge.evictions)


def witness_flows(path: str, wall: Wall, wanted: Collection[int], *, inside: Sequence[str] = ()) -> dict[int, Witnessed]:
    """Read a capture again, and return the packets of some flows with what the wall would do to each.

    Args:
        path: as for `check_capture`, and so are `wall` and `inside`.
        wanted: the numbers of the flows.

    Raises:
        CaptureError: the file cannot be read, or is no capture any more.
        UsageError: a network is none.
    """
    reader = open_capture(read_source(path)[0])
    if isinstance(reader, Unparseable):
        message = f"{path}: not a capture: {reader.because}"
        raise CaptureError(message)
    about = wall.about
    judge = WitnessJudge(wall, KeyedCoins(about.seed if isinstance(about, About) else 0), networks(inside), wanted)
    judge.read(reader)
    return judge.witnessed


def networks(inside: Sequence[str]) -> Callable[[bytes], bool] | None:
    """Return a test whether an address stands behind the wall, or None where no network is given.

    Raises:
        UsageError: a text is not a network.
    """
    if not inside:
        return None
    try:
        parsed = [ipaddress.ip_network(text, strict=False) for text in inside]
    except ValueError as error:
        message = f"--inside: {error}"
        raise UsageError(message) from error
    known: dict[bytes, bool] = {}

    def test(address: bytes) -> bool:
        if address not in known:
            value = ipaddress.ip_address(address)
            known[address] = any(value.version == network.version and value in network for network in parsed)
        return known[address]

    return test
