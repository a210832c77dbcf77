"""How far the work is in, a bar on the terminal out: only where somebody watches, and only once it takes long."""

import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress

_PATIENCE = 0.7
"""Seconds of work before a bar is worth showing."""


class Bar:
    """A progress bar over several captures.

    Args:
        captures: how many there are.
    """

    def __init__(self, captures: int) -> None:
        self._captures = captures
        self._done = 0
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
        self._show(self._done + (done / size if size else 0.0))

    def next(self) -> None:
        """Take notice that a capture is done."""
        self._done += 1
        self._show(float(self._done))

    def hide(self) -> None:
        """Make room for other output."""
        if self._progress is not None and self._shown:
            self._progress.stop()
            self._shown = False

    def _show(self, done: float) -> None:
        if not self._watched or time.monotonic() - self._since < _PATIENCE:
            return
        if self._progress is None:
            self._progress = _progress(self._captures)
        if not self._shown:
            self._progress.start()
            self._shown = True
        self._progress.update(self._progress.task_ids[0], completed=done)


def _progress(captures: int) -> "Progress":
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("judging"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    progress = Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False, redirect_stderr=False)
    progress.add_task("judging", total=captures)
    return progress
