"""The pages of the documentation in, their commands and examples run in a folder of their own out, with what each really printed.

Run as a program it writes into the pages what their commands print now:

    python tests/docs/pages.py
"""

import contextlib
import fcntl
import io
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
COLUMNS, COLUMNS_OF_README = 88, 100
"""Widths of the terminals in which examples are shown: what fits on a built page, and on the front page of the repository."""

_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"# ([\w.-]+\.(?:toml|txt|py))(?P<more>, going on)?\n")
_LEFT_OUT = "…"


class Block(NamedTuple):
    """A fenced block of a page: its language, its text and where the text stands in the page."""

    language: str
    text: str
    start: int
    line: int


class Command(NamedTuple):
    """A command of a console block, the output that the page shows below it, and where that stands in the page."""

    command: str
    shown: str
    start: int
    line: int


def pages() -> list[Path]:
    """Return the pages with examples: the README, that of the examples, and all of the documentation."""
    documentation = sorted(path for path in (ROOT / "docs").rglob("*.md") if "_build" not in path.parts)
    return [ROOT / "README.md", ROOT / "examples" / "README.md", *documentation]


def blocks(page: str) -> Iterator[Block]:
    """Yield the fenced blocks of a page."""
    for fence in _FENCE.finditer(page):
        yield Block(fence[1], fence[2], fence.start(2), page.count("\n", 0, fence.start(2)) + 1)


def commands(block: Block) -> Iterator[Command]:
    """Yield the commands of a console block, each with what is shown below it."""
    for piece in re.finditer(r"^\$ (.*\n(?:(?<=\\\n)> .*\n)*)((?:(?!\$ ).*\n)*)", block.text, re.MULTILINE):
        line = block.line + block.text.count("\n", 0, piece.start())
        yield Command(piece[1].replace("\\\n> ", "").strip(), piece[2], block.start + piece.start(2), line)


class Desk:
    """A folder with the example captures, in which the examples of one page are run one after the other."""

    def __init__(self, folder: Path, columns: int = COLUMNS) -> None:
        self._folder = folder
        self._columns = columns
        self._names: dict[str, object] = {}
        self.status = 0
        shutil.copytree(ROOT / "examples", folder / "examples")
        tools = folder / ".tools"
        tools.mkdir()
        (tools / "crenel").write_text(f'#!/bin/sh\nexec "{sys.executable}" -W error -m crenel "$@"\n')
        (tools / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" -W error "$@"\n')
        for tool in tools.iterdir():
            tool.chmod(0o755)
        path = os.pathsep.join([str(tools), os.environ.get("PATH", "")])
        kept = {name: value for name, value in os.environ.items() if name not in {"FORCE_COLOR", "COLUMNS", "LINES"}}
        self._environment = kept | {"PATH": path, "PYTHONPATH": str(ROOT / "src"), "NO_COLOR": "1", "TERM": "xterm", "LC_ALL": "C.UTF-8"}

    def keep(self, block: Block) -> bool:
        """Write a block that begins with the name of a file into that file; say whether it was one."""
        named = _FILE.match(block.text)
        if named is None:
            return False
        with (self._folder / named[1]).open("a" if named["more"] else "w", encoding="utf-8") as file:
            file.write(block.text)
        return True

    def run(self, command: str) -> str:
        """Run a command as on a terminal and return what it prints; `echo $?` speaks of the command before."""
        if command == "echo $?":
            return f"{self.status}\n"
        ours, theirs = pty.openpty()
        modes = termios.tcgetattr(theirs)
        modes[1] &= ~termios.OPOST
        termios.tcsetattr(theirs, termios.TCSANOW, modes)
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, self._columns, 0, 0))
        with subprocess.Popen(
            ["sh", "-c", command], cwd=self._folder, env=self._environment, stdin=subprocess.DEVNULL, stdout=theirs, stderr=subprocess.PIPE
        ) as process:
            os.close(theirs)
            printed = b""
            with contextlib.suppress(OSError):  # a terminal whose last writer has gone
                while piece := os.read(ours, 1 << 16):
                    printed += piece
            told = process.stderr.read() if process.stderr is not None else b""
        os.close(ours)
        self.status = process.returncode
        # A person sees both; what goes to standard error comes last here, since only whole sentences do.
        return "".join(f"{line.rstrip()}\n" for line in (printed + told).decode().splitlines())

    def execute(self, block: Block) -> str:
        """Run a block of Python, in one namespace for all of a page, and return what it prints."""
        said = io.StringIO()
        here = Path.cwd()
        os.chdir(self._folder)
        try:
            with contextlib.redirect_stdout(said):
                exec(compile("\n" * block.line + block.text, "example", "exec"), self._names)  # noqa: S102  the examples are ours
        finally:
            os.chdir(here)
        return said.getvalue()


def columns(path: Path) -> int:
    """Return the width of the terminal in which the examples of a page are shown."""
    return COLUMNS_OF_README if path.name == "README.md" else COLUMNS


def agrees(shown: str, printed: str) -> bool:
    """Say whether shown output is what was printed, where a line `…` stands for any lines left out."""
    pattern = "".join(r"(?:.*\n)+?" if line.strip() == _LEFT_OUT else re.escape(line) + "\n" for line in shown.splitlines())
    return re.fullmatch(pattern, printed) is not None


def shortened(shown: str, printed: str) -> str:
    """Return printed output with as many lines left out as were before."""
    lines, new = shown.splitlines(), printed.splitlines()
    gaps = [number for number, line in enumerate(lines) if line.strip() == _LEFT_OUT]
    if not gaps:
        return printed
    tail = len(lines) - 1 - gaps[-1]
    return "".join(f"{line}\n" for line in [*new[: gaps[0]], lines[gaps[0]], *new[len(new) - tail :]])


def refresh(path: Path, folder: Path) -> int:
    """Write into a page what its commands print now; return how many outputs changed."""
    page = path.read_text("utf-8")
    desk = Desk(folder, columns(path))
    edits: list[tuple[int, int, str]] = []
    for block in blocks(page):
        if desk.keep(block):
            continue
        if block.language == "console":
            for one in commands(block):
                if not ours(one.command):
                    continue
                printed = desk.run(one.command)
                if "this is a bug in Crenel" in printed:
                    sys.exit(f"{path.relative_to(ROOT)}:{one.line}: {printed}")
                if one.shown and not agrees(one.shown, printed):
                    edits.append((one.start, one.start + len(one.shown), shortened(one.shown, printed)))
    for start, stop, text in reversed(edits):
        page = page[:start] + text + page[stop:]
    path.write_text(page, "utf-8")
    return len(edits)


def ours(command: str) -> bool:
    """Say whether a command is one that the tests run: Crenel, what reads its output, and its exit status."""
    return command.split(maxsplit=1)[0] in {"crenel", "python", "cat"} or command == "echo $?"


def main() -> None:
    """Refresh the pages named on the command line, or all."""
    for path in [Path(name).resolve() for name in sys.argv[1:]] or pages():
        with tempfile.TemporaryDirectory() as folder:
            changed = refresh(path, Path(folder))
        if changed:
            print(f"{path.relative_to(ROOT)}: {changed} outputs changed")


if __name__ == "__main__":
    main()
