"""What went wrong in, one sentence on standard error and an exit status out."""

import contextlib
import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from enum import IntEnum

import click

from crenel.errors import CrenelError


class Status(IntEnum):
    """How a command ends."""

    SAFE = 0
    """Nothing is at risk."""
    AT_RISK = 1
    """Something is at risk or blocked."""
    NOTHING_JUDGED = 2
    """The user's input is at fault, and nothing could be judged."""
    PARTLY_JUDGED = 3
    """Some file was missing or cut, or holds records that could not be read."""
    BUG = 70
    """Crenel itself is at fault."""
    INTERRUPTED = 130
    PIPE_CLOSED = 141
    """Nobody reads on: as after a SIGPIPE."""


def say(text: str) -> None:
    """Print one sentence to standard error."""
    sys.stdout.flush()
    click.echo(f"crenel: {text}", err=True)


def guard(work: Callable[[], object]) -> int:
    """Do the work of a command and return its status; whatever goes wrong becomes one sentence."""
    try:
        status = work()
        sys.stdout.flush()
    except BrokenPipeError:
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the interpreter complains when it flushes
        return Status.PIPE_CLOSED
    except CrenelError as error:
        say(str(error))
        return Status.NOTHING_JUDGED
    except KeyboardInterrupt:
        say("interrupted")
        return Status.INTERRUPTED
    except (click.ClickException, click.exceptions.Exit, click.Abort):
        raise
    except Exception as error:  # noqa: BLE001  the one place where a bug becomes a sentence
        return report_bug(error)
    return status if isinstance(status, int) else Status.SAFE


def report_bug(error: Exception) -> int:
    """Save the traceback of a bug, and say where."""
    what = ": ".join(filter(None, (type(error).__name__, str(error).partition("\n")[0])))
    try:
        handle, path = tempfile.mkstemp(prefix="crenel-bug-", suffix=".txt")
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            traceback.print_exception(error, file=file)
    except OSError as problem:
        say(f"this is a bug in Crenel ({what}); please report it; its traceback could not be saved: {problem.strerror}")
    else:
        say(f"this is a bug in Crenel ({what}); please report it with the traceback saved in {path}")
    return Status.BUG
