"""Lines of a report in, a terminal or a pipe out: colours where they can be seen, plain text elsewhere."""

import os
import shutil
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, TextIO

from crenel.report.layout import Line, Tone, plain

if TYPE_CHECKING:
    from rich.console import Console

_STYLES: dict[Tone, str] = {
    "": "",
    "bad": "bold red",
    "risk": "yellow",
    "good": "green",
    "unsure": "magenta",
    "dim": "dim",
    "strong": "bold",
    "mark": "bold red",
    "head": "bold cyan",
}


class Screen:
    """Standard output, or another stream. A pipe gets no colour, and lines as long as they are."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream if stream is not None else sys.stdout
        terminal = self._stream.isatty()
        self.width: int | None = shutil.get_terminal_size().columns if terminal else None
        """Columns; None in a pipe."""
        wanted = bool(os.environ.get("FORCE_COLOR")) or (terminal and os.environ.get("TERM") != "dumb")
        self._console = _console(self._stream) if wanted and not os.environ.get("NO_COLOR") else None

    def write(self, lines: Iterable[Line]) -> None:
        """Write lines."""
        if self._console is None:
            self._stream.write("".join(plain(line) + "\n" for line in lines))
            return
        from rich.text import Text

        for line in lines:
            text = Text(no_wrap=True, overflow="ignore", end="")
            for piece, tone in line:
                text.append(piece, _STYLES[tone])
            text.rstrip()
            self._console.print(text, soft_wrap=True)


def _console(stream: TextIO) -> "Console":
    from rich.console import Console

    return Console(file=stream, force_terminal=True, highlight=False, markup=False, emoji=False, legacy_windows=False)
