"""Judged flows in, a report file out: the flows are gathered on their way, and those with ground are read a second time for their packets."""

import contextlib
import io
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from crenel import __version__
from crenel.cli.again import command_again
from crenel.cli.options import Judging
from crenel.cli.sinks import Sink
from crenel.cli.whole import write_whole
from crenel.net.replay.check import witness_flows
from crenel.net.replay.witness import Witnessed
from crenel.net.trace import CaptureSummary, FlowReport
from crenel.report.citing import known_sources
from crenel.report.html_check import Checked, Gathered, check_html
from crenel.report.result import RunHead
from crenel.wall.wall import Wall

if TYPE_CHECKING:
    from crenel.cli.checking import Checking


class Gathering:
    """A sink that hands everything on to another one, and gathers the flows for a report.

    Args:
        sink: where the flows go.
        wall: the wall that judges them.
        many: whether several captures were asked for.
    """

    def __init__(self, sink: Sink, wall: Wall, *, many: bool) -> None:
        self._sink = sink
        self.gathered = Gathered(wall, many=many)
        self._decode = msgspec.json.Decoder(FlowReport).decode

    def begin(self, capture: str) -> None:
        """Take notice that the flows of a capture follow."""
        self._sink.begin(capture)

    def take(self, flow: FlowReport) -> None:
        """Take one flow."""
        self.gathered.take(flow)
        self._sink.take(flow)

    def take_lines(self, lines: BinaryIO) -> None:
        """Take flows that another process has written."""
        for line in lines:
            self.gathered.take(self._decode(line))
        lines.seek(0)
        self._sink.take_lines(lines)

    def end(self) -> None:
        """Take notice that no more flows of this capture follow."""
        self._sink.end()

    def close(self, head: Callable[[], RunHead], captures: Sequence[CaptureSummary]) -> None:
        """Write what comes last."""
        self._sink.close(head, captures)


@contextlib.contextmanager
def read_twice(captures: Sequence[str]) -> Iterator[None]:
    """Keep standard input in a temporary file while this lasts, if it is among the captures, so that it can be read again."""
    if "-" not in captures:
        yield
        return
    before = sys.stdin
    with tempfile.TemporaryFile() as held:
        shutil.copyfileobj(before.buffer, held)
        held.seek(0)
        sys.stdin = io.TextIOWrapper(held, encoding="latin-1")
        try:
            yield
        finally:
            sys.stdin.detach()
            sys.stdin = before


def write_report(path: str, gathered: Gathered, checking: "Checking", judging: Judging, captures: Sequence[str]) -> None:
    """Write the report of a run.

    Args:
        path: where it goes.
        gathered: its flows.
        checking: the run, which is over.
        judging: its options, with the date resolved.
        captures: as they were given.

    Raises:
        CrenelError: it cannot be written, or a capture is gone.
    """
    wanted: dict[str, list[int]] = {}
    for flow in gathered.wanted():
        wanted.setdefault(flow.capture, []).append(flow.flow)
    witnessed: dict[tuple[str, int], Witnessed] = {}
    for capture, numbers in wanted.items():
        if capture == "-":
            sys.stdin.seek(0)
        found = witness_flows(capture, gathered.wall, numbers, inside=judging.inside)
        witnessed |= {(capture, number): one for number, one in found.items()}
    checked = Checked(
        gathered=gathered, captures=checking.captures, failed=tuple(failure.error for failure in checking.failed), witnessed=witnessed,
        sources=known_sources(judging.name()), again=command_again("check", captures, (), judging), crenel=__version__,
    )  # fmt: skip
    write_whole("--report", path, [check_html(checked).encode("utf-8", "backslashreplace")])
