"""Judged flows in, standard output out: a table, lines of JSON, or one object."""

import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from typing import BinaryIO, Protocol

import msgspec

from crenel.cli.screen import Screen
from crenel.net.trace import CaptureSummary, FlowReport
from crenel.report.layout import line_of
from crenel.report.result import RunHead, writable
from crenel.report.table import FlowTable
from crenel.report.text import safe_path
from crenel.wall.wall import Wall

_BUFFER = 1 << 16
"""Bytes of JSON gathered before they are written."""
_ROWS = 2000
"""Rows gathered before they are written; the first ones decide how wide the columns are."""
_IN_MEMORY = 1 << 24
"""Bytes of JSON that wait in memory for a head that must come first; more wait on disk."""


class Sink(Protocol):
    """Where judged flows go."""

    def begin(self, capture: str) -> None:
        """Take notice that the flows of a capture follow."""

    def take(self, flow: FlowReport) -> None:
        """Take one flow."""

    def take_lines(self, lines: BinaryIO) -> None:
        """Take flows that another process has written, one JSON object a line."""

    def end(self) -> None:
        """Take notice that no more flows of this capture follow."""

    def close(self, head: Callable[[], RunHead], captures: Sequence[CaptureSummary]) -> None:
        """Write what comes last."""


class Lines:
    """Flows as lines of JSON, written as they come."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._buffer = bytearray()
        self._encode = msgspec.json.Encoder().encode_into

    def begin(self, capture: str) -> None:
        """Take notice that the flows of a capture follow."""

    def take(self, flow: FlowReport) -> None:
        """Write one flow."""
        buffer = self._buffer
        self._encode(writable(flow), buffer, -1)
        buffer += b"\n"
        if len(buffer) > _BUFFER:
            self._flush()

    def take_lines(self, lines: BinaryIO) -> None:
        """Write flows that are lines already."""
        self._flush()
        shutil.copyfileobj(lines, self._out)

    def end(self) -> None:
        """Write what is still held."""
        self._flush()
        self._out.flush()

    def close(self, head: Callable[[], RunHead], captures: Sequence[CaptureSummary]) -> None:
        """Write what is still held."""
        self.end()

    def _flush(self) -> None:
        self._out.write(self._buffer)
        self._buffer.clear()


class Headed:
    """Flows as JSON that must follow a head, which is known last: they wait in a file. One object, or a head line and lines."""

    def __init__(self, out: BinaryIO, *, whole: bool) -> None:
        self._out = out
        self._whole = whole
        self._spool: BinaryIO = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # type: ignore[assignment]  # noqa: SIM115  closed when it is written out
        self._lines = Lines(self._spool)
        self.begin, self.take, self.take_lines, self.end = self._lines.begin, self._lines.take, self._lines.take_lines, self._lines.end

    def close(self, head: Callable[[], RunHead], captures: Sequence[CaptureSummary]) -> None:
        """Write the head, and behind it the flows."""
        self._lines.end()
        self._spool.seek(0)
        encoded = msgspec.json.encode(head())
        with self._spool as flows:
            if not self._whole:
                self._out.write(encoded + b"\n")
                shutil.copyfileobj(flows, self._out)
                return
            self._out.write(encoded[:-1] + b',"flows":[')
            between = b"\n"
            for line in flows:
                self._out.write(between + line[:-1])
                between = b",\n"
            self._out.write(b"\n]}\n")


class Rows:
    """Flows as rows of a table."""

    def __init__(self, wall: Wall, *, many: bool, before: Callable[[], None]) -> None:
        self._screen = Screen()
        self._table = FlowTable(wall, self._screen.width, many=many)
        self._many = many
        self._before = before
        self._held: list[FlowReport] = []
        self._flows = 0
        self._heading: str | None = None
        self._decode = msgspec.json.Decoder(FlowReport).decode

    def begin(self, capture: str) -> None:
        """Take notice that the flows of a capture follow; where there are several, its name goes before the first."""
        self._flows = 0
        self._table.next_capture()
        self._heading = capture if self._many else None

    def take(self, flow: FlowReport) -> None:
        """Take one flow."""
        self._flows += 1
        self._held.append(flow)
        if len(self._held) >= _ROWS:
            self._flush()

    def take_lines(self, lines: BinaryIO) -> None:
        """Take flows that another process has written."""
        for line in lines:
            self.take(self._decode(line))

    def end(self) -> None:
        """Write what is still held."""
        self._flush()
        if self._many and not self._flows:
            self._before()
            self._write_heading()
            self._screen.write([line_of("      no flows", "dim")])

    def close(self, head: Callable[[], RunHead], captures: Sequence[CaptureSummary]) -> None:
        """Write the summary."""
        self._flush()
        if captures or self._table.tally.flows:
            self._before()
            self._screen.write(self._table.footer(captures))

    def _flush(self) -> None:
        if self._held:
            self._before()
            self._write_heading()
            self._screen.write(self._table.rows(self._held))
            self._held = []

    def _write_heading(self) -> None:
        if self._heading is not None:
            self._screen.write([line_of(safe_path(self._heading), "strong")])
            self._heading = None


def sink_for(output: str, wall: Wall, *, many: bool, before: Callable[[], None]) -> Sink:
    """Return where the flows of a run go: to a `table`, `json`, `jsonl`, or `jsonl-header`; `before` is called before a row is written."""
    if output == "table":
        return Rows(wall, many=many, before=before)
    out = sys.stdout.buffer
    return Lines(out) if output == "jsonl" else Headed(out, whole=output == "json")
