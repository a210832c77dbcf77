"""A machine in, what it lets this user do out, as JSON on standard output: every step is tried where a lab would take it."""

import json
import os
import sys
from collections.abc import Callable

from crenel.net.lab import calls
from crenel.net.lab.keeper import enter_namespaces, share
from crenel.net.lab.side import DEVICE
from crenel.net.lab.tun import DEVICE as TUN
from crenel.net.lab.tun import open_tun


def main() -> None:
    """Try each step, and write for each the reason why it failed, or an empty text."""
    found = {"tun": _try(_open_device), "root": _try(_make_namespaces), "user": _try(_make_user_namespace), "lab": _try(_make_side)}
    sys.stdout.write(json.dumps(found))


def _open_device() -> None:
    os.close(os.open(TUN, os.O_RDWR | os.O_NONBLOCK))


def _make_namespaces() -> None:
    calls.unshare(calls.CLONE_NEWNET | calls.CLONE_NEWNS | calls.CLONE_NEWPID)


def _make_user_namespace() -> None:
    calls.unshare(calls.CLONE_NEWUSER)
    # Some machines let everybody make one, and then give no right in it.
    calls.unshare(calls.CLONE_NEWNET | calls.CLONE_NEWNS | calls.CLONE_NEWPID)


def _make_side() -> None:
    enter_namespaces()
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        if status:
            raise OSError(0, "the first process of the namespaces ended")
        return
    share()
    calls.unshare(calls.CLONE_NEWNET)
    open_tun(DEVICE)


def _try(step: Callable[[], None]) -> str:
    """Return why a step fails, in a process of its own."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        try:
            step()
        except OSError as problem:
            os.write(writing, str(problem).encode())
            os._exit(1)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as file:
        reason = file.read().decode()
    _, status = os.waitpid(child, 0)
    return reason or ("" if not status else "it ended without a word")
