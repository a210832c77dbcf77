"""How far the work is in, a bar on the terminal out: only where somebody watches, and only once it takes long."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress

_PATIENCE = 0.7
"""Seconds of work before a bar is worth showing."""


class Bar:
    """A progress bar over several captures.

    Args:
        captures: their paths; a larger file takes more of the bar.
    """

    def __init__(self, captures: Sequence[str]) -> None:
        self._sizes = [_size(capture) for capture in captures]
        self._place = 0
        self._watched = sys.stderr.isatty()
        self._since = time.monotonic()
        self._progress: Progress | None = None
        self._shown = False

    @property
    def watched(self) -> bool:
        """Does anybody see a bar at all?"""
        return self._watched

    def tick(self, done: int, size: int) -> None:
        """Take notice of how many bytes of the present capture are done."""
        if self._place < len(self._sizes):
            self._show(done / size if size else 0.0)

    def next(self) -> None:
        """Take notice that a capture is done."""
        self._place += 1
        self._show(0.0)

    def make_room(self) -> None:
        """Get out of the way of output that goes to the same terminal."""
        if sys.stdout.isatty():
            self.hide()

    def hide(self) -> None:
        """Go away until there is news."""
        if self._progress is not None and self._shown:
            self._progress.stop()
            self._shown = False

    def _show(self, part: float) -> None:
        """Show the bar: all captures before the present one, and a part of that."""
        if not self._watched or time.monotonic() - self._since < _PATIENCE:
            return
        if self._progress is None:
            self._progress = _progress(sum(self._sizes))
        if not self._shown:
            self._progress.start()
            self._shown = True
        done = sum(self._sizes[: self._place]) + (part * self._sizes[self._place] if part else 0.0)
        self._progress.update(self._progress.task_ids[0], completed=done)


def _size(capture: str) -> int:
    try:
        return 1 + Path(capture).stat().st_size
    except (OSError, ValueError):  # standard input, or what will be refused anyway
        return 1


def _progress(total: int) -> "Progress":
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("judging"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    progress = Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False, redirect_stderr=False)
    progress.add_task("judging", total=total)
    return progress
