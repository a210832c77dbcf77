"""Captures and a number of processes in, what each capture came to out, in the order of the captures."""

import contextlib
import multiprocessing
import signal
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from typing import BinaryIO, NamedTuple

from crenel.cli.options import Judging
from crenel.cli.sinks import Lines
from crenel.errors import CaptureError
from crenel.net.replay.check import judge_capture
from crenel.net.trace import CaptureSummary, FlowReport
from crenel.wall.wall import Wall


class Apart(NamedTuple):
    """What another process made of a capture: its flows are lines of JSON in a file, which the receiver deletes."""

    capture: str
    lines: str | None
    summary: CaptureSummary | None
    at_risk: int
    error: str | None


_state: dict[str, object] = {}


def spread(captures: Sequence[str], judging: Judging, workers: int) -> Iterator[Apart]:
    """Judge captures in other processes and yield each in its turn.

    Args:
        captures: paths; none of them standard input, which belongs to the first process.
        judging: with its date resolved, so that every process takes the same.
        workers: most processes at once.
    """
    with tempfile.TemporaryDirectory(prefix="crenel-") as folder:
        # Started anew instead of forked: the same on every system, and no copy of open files.
        pool = ProcessPoolExecutor(min(workers, len(captures)), multiprocessing.get_context("spawn"), _prepare, (judging, folder))
        try:
            waiting: list[Future[Apart]] = [pool.submit(_judge, number, capture) for number, capture in enumerate(captures)]
            for future in waiting:
                yield future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            for child in multiprocessing.active_children():
                child.terminate()


def _prepare(judging: Judging, folder: str) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # an interrupted worker ends quietly; the first process tells of it
    _state.update(wall=judging.load(), judging=judging, folder=folder)


def _judge(number: int, capture: str) -> Apart:
    wall, judging = _state["wall"], _state["judging"]
    if not isinstance(wall, Wall) or not isinstance(judging, Judging):
        message = "the process was not prepared"
        raise TypeError(message)
    path = Path(str(_state["folder"]), str(number))
    at_risk = 0
    with path.open("wb") as file:
        lines = Lines(file)

        def take(flow: FlowReport) -> None:
            nonlocal at_risk
            at_risk += flow.at_risk
            lines.take(flow)

        try:
            summary = judge_capture(capture, wall, take, tolerate=judging.tolerate, inside=judging.inside)
        except CaptureError as error:
            return Apart(capture, None, None, 0, str(error))
        lines.end()
    return Apart(capture, str(path), summary, at_risk, None)


@contextlib.contextmanager
def opened(apart: Apart) -> Iterator[BinaryIO]:
    """Open the lines of a capture, and delete them afterwards."""
    path = Path(str(apart.lines))
    with path.open("rb") as file:
        yield file
    path.unlink()
