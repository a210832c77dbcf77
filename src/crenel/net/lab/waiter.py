"""A command with its three streams in, its exit status out; whoever waits for it may close the report, which ends the command."""

import contextlib
import json
import os
import select
import signal
import socket
from typing import Any

_RESTORED = (
    signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM, signal.SIGTSTP, signal.SIGTTOU, signal.SIGCHLD, signal.SIGPIPE, signal.SIGXFSZ,
)  # fmt: skip
"""Set to what a program expects: the lab ignores some, and Python others."""


def attend(descriptors: list[int]) -> None:
    """Start the command that the first descriptor's file describes, with the last three as its streams; report on the second.

    Never returns: this is all that a process of its own does.
    """
    request, report = os.fdopen(descriptors[0], "rb"), socket.socket(fileno=descriptors[1])
    streams = descriptors[2:]
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    wanted: dict[str, Any] = json.load(request)
    request.close()
    problem, telling = os.pipe()
    child = os.fork()
    if not child:
        _become(wanted, streams, telling)
    os.close(telling)
    for stream in streams:
        os.close(stream)
    with contextlib.suppress(OSError):
        failure = os.read(problem, 4096)
        if failure:
            os.waitpid(child, 0)
            report.send(failure)
        else:
            report.send(b'{"started": true}')
            _wait(child, report, own_session=wanted["own_session"])
    os._exit(0)


def _wait(child: int, report: socket.socket, *, own_session: bool) -> None:
    process = os.pidfd_open(child)
    poll = select.poll()
    poll.register(process, select.POLLIN)
    poll.register(report, select.POLLIN)
    if process not in dict(poll.poll()):
        _end(child, own_session=own_session)
    _, status = os.waitpid(child, 0)
    if own_session:
        _end(child, own_session=True)  # what it left running in its session ends with it
    report.send(json.dumps({"status": os.waitstatus_to_exitcode(status)}).encode())


def _end(child: int, *, own_session: bool) -> None:
    with contextlib.suppress(ProcessLookupError):
        (os.killpg if own_session else os.kill)(child, signal.SIGKILL)


def _become(wanted: dict[str, Any], streams: list[int], telling: int) -> None:
    """Turn this process into the command, or tell why that cannot be."""
    place = wanted["argv"][0]
    try:
        # Out of the way first: a stream may have come as one of the numbers that it shall not get.
        for number, stream in enumerate([os.dup(stream) for stream in streams]):
            os.dup2(stream, number)
        if wanted["own_session"]:
            os.setsid()
        for number in _RESTORED:
            signal.signal(number, signal.SIG_DFL)
        place = wanted["cwd"]
        os.chdir(place)
        place = wanted["argv"][0]
        os.execvpe(place, wanted["argv"], wanted["env"])  # noqa: S606  to run what it is given is what the lab is for
    except OSError as problem:
        os.write(telling, json.dumps({"errno": problem.errno, "place": place, "problem": os.strerror(problem.errno or 0)}).encode())
    os._exit(127)
