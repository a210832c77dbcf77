"""Arguments of the command line in, what it printed and how it ended out: within this process, or as a process of its own."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from click.testing import CliRunner

from crenel.cli import app

ROOT = Path(__file__).parents[2]
DAY = ("--as-of", "2025-01-15")


class Ran(NamedTuple):
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """The lines on standard output."""
        return self.out.splitlines()


def run(*arguments: str, stdin: bytes = b"") -> Ran:
    """Run a command in this process; a bug is raised."""
    result = CliRunner().invoke(app, arguments, input=stdin)
    return Ran(result.exit_code, result.stdout_bytes.decode(), result.stderr_bytes.decode())


def run_apart(*arguments: str, environment: dict[str, str] | None = None, cwd: Path = ROOT, stdin: bytes = b"") -> Ran:
    """Run a command as a process of its own."""
    done = subprocess.run(
        command(*arguments), input=stdin, capture_output=True, cwd=cwd, check=False, timeout=60, env={**os.environ, **(environment or {})}
    )
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


def command(*arguments: str) -> Sequence[str]:
    """Return the words that run Crenel with these arguments."""
    return (sys.executable, "-m", "crenel", *arguments)
