"""A plan in, two network namespaces out: their TUN devices, sockets and commands in them, until they are closed or this process ends."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from crenel.errors import LabError
from crenel.net.lab.calls import receive
from crenel.net.lab.command import Command, Streams
from crenel.net.lab.plan import Plan
from crenel.net.lab.side import LISTINGS, SOCKET, SPAWN
from crenel.net.path.path import End

_ROOT = Path(__file__).parents[3]
_KEEPER = "import sys; sys.path.insert(0, {root!r}); from crenel.net.lab.{module} import main; main()"
_READY = 10.0
"""Seconds that a side may take to be set up, and the keeper to end (bench): both take milliseconds."""
_MOST_DESCRIPTORS = 1 + len(LISTINGS)


def interpreter(module: str) -> list[str]:
    """Return the command line of a bare interpreter that runs a module of the lab."""
    return [sys.executable, "-I", "-S", "-c", _KEEPER.format(root=str(_ROOT), module=module)]


class Namespaces:
    """A client's and a server's namespace.

    Attributes:
        tuns: the descriptor of each side's TUN device, by end.
        notes: what this machine could not give the lab.

    Raises:
        LabError: the machine does not let this user make them.
    """

    def __init__(self, plan: Plan) -> None:
        self.notes: tuple[str, ...] = ()
        self._listings: list[list[int]] = []
        self._descriptors: list[int] = []
        self._lock = threading.Lock()
        controls = [socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in End]
        lifeline, held = socket.socketpair()
        self._lifeline = lifeline
        self._controls = [ours for ours, _ in controls]
        theirs = [held, *(their for _, their in controls)]
        sides = [plan.side(end) | {"control": controls[end][1].fileno()} for end in End]
        text = {"owner": os.getpid(), "lifeline": held.fileno(), "sides": sides, "mtu": plan.mtu, "queue": plan.queue}
        request = in_memory(text)
        try:
            self._keeper = subprocess.Popen(  # noqa: S603  the keeper is ours
                interpreter("keeper"), stdin=request, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, pass_fds=[one.fileno() for one in theirs]
            )
        finally:
            os.close(request)
            for one in theirs:
                one.close()
        try:
            self.tuns = tuple([self._welcome(end) for end in End])
        except BaseException:
            self.close()
            raise

    def _welcome(self, end: End) -> int:
        """Take what a side sends once it is set up."""
        control = self._controls[end]
        control.settimeout(_READY)
        try:
            message, descriptors = receive(control, _MOST_DESCRIPTORS)
        except TimeoutError:
            raise LabError(f"the {end.name.lower()}'s side of the lab was not set up within {_READY:.0f} seconds") from None
        self._descriptors += descriptors
        answer: dict[str, Any] = json.loads(message) if message else {"problem": "the lab ended while it was set up"}
        if "problem" in answer:
            raise LabError(f"no lab: {answer['problem']}; `crenel lab doctor` says what this machine lacks")
        self.notes = tuple(dict.fromkeys((*self.notes, *answer["notes"])))
        self._listings.append(descriptors[1:])
        return descriptors[0]

    def open_socket(self, end: End, family: int = socket.AF_INET, kind: int = socket.SOCK_STREAM) -> socket.socket:
        """Return a new socket of one side's kernel, whatever namespace this process is in.

        Raises:
            LabError: the side's kernel has no such socket, or the side is gone.
        """
        control = self._controls[end]
        with self._lock, _lost(end):
            control.send(b"%b %d %d" % (SOCKET, family, kind))
            message, descriptors = receive(control, 1)
        if not descriptors:
            raise LabError(json.loads(message)["problem"] if message else _gone(end))
        return socket.socket(fileno=descriptors[0])

    def spawn(self, end: End, argv: Sequence[str], streams: Streams, environ: Mapping[str, str], cwd: str, *, own_session: bool) -> Command:
        """Start a command on one side.

        Args:
            end: whose side.
            argv: the program and its arguments.
            streams: descriptors of its input, output and errors, which stay open here.
            environ: its variables.
            cwd: the folder that it starts in.
            own_session: apart from this terminal, so that all that it starts can be ended with it.

        Raises:
            LabError: there is no such program, it cannot be run, or the side is gone.
        """
        request = in_memory({"argv": list(argv), "env": dict(environ), "cwd": cwd, "own_session": own_session})
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            with self._lock, _lost(end):
                socket.send_fds(self._controls[end], [SPAWN], [request, theirs.fileno(), *streams])
        except LabError:
            ours.close()
            raise
        finally:
            os.close(request)
            theirs.close()
        return Command(argv, ours)

    def listeners(self, end: End) -> set[tuple[str, int]]:
        """Return the transports and ports on which programs of one side listen now."""
        found = set()
        for name, descriptor in zip(LISTINGS, self._listings[end], strict=True):
            for line in _read_whole(descriptor).splitlines()[1:]:
                _, local, _, state, *_ = line.split()
                # linux/net/tcp_states.h: 10 listens; of UDP, 7 is a socket that is bound and not connected.
                if state == (b"0A" if name.startswith("tcp") else b"07"):
                    found.add((name[:3], int(local.rpartition(b":")[2], 16)))
        return found

    def abandon(self) -> None:
        """Let the keeper end all that runs in the namespaces; what waits for it then hears so."""
        with contextlib.suppress(OSError):
            self._lifeline.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End all that runs in the namespaces, and the namespaces with it; may be called again."""
        for one in (self._lifeline, *self._controls):
            one.close()
        for descriptor in self._descriptors:
            os.close(descriptor)
        self._descriptors.clear()
        try:
            self._keeper.wait(_READY)
        except subprocess.TimeoutExpired:
            self._keeper.kill()
            self._keeper.wait()


def in_memory(value: object) -> int:
    """Return the descriptor of a file that holds a value as JSON and has no name."""
    descriptor = os.memfd_create("crenel", os.MFD_CLOEXEC)
    with os.fdopen(os.dup(descriptor), "wb") as file:
        file.write(json.dumps(value).encode())
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _read_whole(descriptor: int) -> bytes:
    """Return what a file of /proc says now."""
    parts: list[bytes] = []
    while part := os.pread(descriptor, 65536, sum(map(len, parts))):
        parts.append(part)
    return b"".join(parts)


@contextlib.contextmanager
def _lost(end: End) -> Iterator[None]:
    try:
        yield
    except OSError:
        raise LabError(_gone(end)) from None


def _gone(end: End) -> str:
    return f"the {end.name.lower()}'s side of the lab is gone"
