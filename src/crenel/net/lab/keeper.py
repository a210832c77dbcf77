"""A plan on standard input, a lab out: the processes that hold its namespaces, and that end with the process they were made for.

The keeper stands outside and watches that process. Its child is the first process of the lab's own process namespace, so that the
kernel ends everything in it when the keeper ends that one. Two children of that hold a network namespace each: the sides.
This runs in an interpreter of its own without site packages: it imports the standard library and its neighbours only.
"""

import contextlib
import errno
import json
import os
import select
import signal
import socket
from typing import Any

from crenel.net.lab import calls
from crenel.net.lab.side import hold

_QUIET = (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM, signal.SIGTSTP, signal.SIGTTOU)
"""What a terminal sends to all at once is meant for the command, not for those that hold its namespaces."""
_NAMESPACES = calls.CLONE_NEWNS | calls.CLONE_NEWPID


def main() -> None:
    """Build the lab that the plan on standard input asks for, and stay until whoever asked is gone."""
    with open(0, "rb", closefd=False) as stdin:
        plan: dict[str, Any] = json.load(stdin)
    os.dup2(os.open(os.devnull, os.O_RDWR), 0)
    for number in _QUIET:
        signal.signal(number, signal.SIG_IGN)
    sides = [socket.socket(fileno=side["control"]) for side in plan["sides"]]
    lifeline = socket.socket(fileno=plan["lifeline"])
    for held in (*sides, lifeline):
        held.set_inheritable(False)  # commands get their streams and nothing else
    owner = os.pidfd_open(plan["owner"])
    if os.getppid() != plan["owner"]:
        return
    try:
        enter_namespaces()
    except OSError as problem:
        _complain(sides, f"no namespaces of the lab's own can be made: {problem}")
        return
    watched, holding = os.pipe()
    first = os.fork()
    if not first:
        os.close(holding)
        lifeline.close()
        _begin(plan, sides, watched)
    for side in sides:
        side.close()
    os.close(watched)
    _watch(owner, lifeline, first)


def enter_namespaces() -> None:
    """Leave the mounts for new ones, and the processes for the children; as an ordinary user inside a new user namespace.

    Raises OSError.
    """
    try:
        calls.unshare(_NAMESPACES)
    except PermissionError:
        user, group = os.geteuid(), os.getegid()
        calls.unshare(calls.CLONE_NEWUSER | _NAMESPACES)
        # The user is root inside: programs find ports, devices and routes as they would on a machine of their own.
        for name, text in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1")):
            with open(f"/proc/self/{name}", "w", encoding="ascii") as file:  # noqa: PTH123  pathlib takes a quarter of the start-up to import
                file.write(text)


def _watch(owner: int, lifeline: socket.socket, first: int) -> None:
    """Wait until the owner, its end of the lifeline or the lab's first process is gone; then end what is left."""
    inside = os.pidfd_open(first)
    poll = select.poll()
    for descriptor in (owner, lifeline.fileno(), inside):
        poll.register(descriptor, select.POLLIN)
    poll.poll()
    with contextlib.suppress(ProcessLookupError):
        os.kill(first, signal.SIGKILL)
    # The kernel lets go of the first process of a namespace only once all others in it are gone.
    os.waitpid(first, 0)


def _begin(plan: dict[str, Any], sides: list[socket.socket], watched: int) -> None:
    """Be the lab's first process: set up what both sides share, make them, and bury whoever dies; never return."""
    try:
        calls.die_with_parent(signal.SIGKILL)
        if select.select([watched], [], [], 0)[0]:
            os._exit(1)  # the keeper ended before that took effect
        notes = share()
        for number, side in enumerate(plan["sides"]):
            if not os.fork():
                for other, control in enumerate(sides):
                    if other != number:
                        control.close()
                hold(plan, side, sides[number], notes)
    except OSError as problem:
        _complain(sides, f"the lab could not be set up: {problem}")
        os._exit(1)
    for control in sides:
        control.close()
    while True:
        try:
            os.wait()
        except ChildProcessError:
            os._exit(0)  # both sides are gone


def share() -> list[str]:
    """Give the lab mounts and processes of its own; return what could not be had. Raises OSError."""
    notes = []
    calls.mount("none", "/", None, calls.MS_REC | calls.MS_PRIVATE)
    try:
        calls.mount("proc", "/proc", "proc", calls.MS_NOSUID | calls.MS_NODEV | calls.MS_NOEXEC)
    except OSError as problem:
        if problem.errno not in {errno.EPERM, errno.EACCES}:
            raise
        notes.append("/proc shows the processes outside: this machine lets no user mount it anew")
    return notes


def _complain(sides: list[socket.socket], problem: str) -> None:
    for side in sides:
        with contextlib.suppress(OSError):
            side.send(json.dumps({"problem": problem}).encode())
