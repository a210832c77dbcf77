"""A way to start a process on the server's machine in, a small internet there out, until it is closed or the lab is."""

import json
import os
import select
import socket
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec

from crenel.errors import LabError
from crenel.net.lab.command import Streams
from crenel.net.lab.internet.setup import Setup

_ROOT = Path(__file__).parents[4]
_BEGIN = "import sys; sys.path[:0] = {paths!r}; from crenel.net.lab.internet.entry import main; main()"
_LISTENS = 10.0
"""Seconds that it may take to listen (bench): it takes some 20 ms."""
_OBEYS = 10.0
"""Seconds that an answer may take, beside those that the user's programs are given (bench)."""
_SHOWN = 1000
"""Characters of its last words that an error quotes (bench)."""


class Process(Protocol):
    """A process that was started."""

    def poll(self) -> int | None:
        """Return its exit status; None while it runs."""

    def end(self) -> None:
        """Kill it."""

    def close(self) -> None:
        """Ask no more about it; if it still runs, it is killed."""


Spawn = Callable[[Sequence[str], Streams], Process]
"""Starts a command with these descriptors as its input, output and errors, which stay open here. Raises LabError."""


class Internet:
    """A resolver, web servers and others that know every name, and the server programs of a scenario.

    Args:
        spawn: starts a process on the server's machine.
        setup: what is served.

    Raises:
        LabError: it cannot be started.
    """

    def __init__(self, spawn: Spawn, setup: Setup) -> None:
        self._programs = setup.programs
        self._speaks_new_http = setup.caddy is not None
        self._heard = b""
        self.ports: Mapping[str, int] = {}
        """The port of each service, once it listens."""
        self._lacks_6 = False
        self._output = os.memfd_create("crenel", os.MFD_CLOEXEC)
        self._control, theirs = socket.socketpair()
        self._process: Process | None = None
        try:
            self._process = spawn(command(), (theirs.fileno(), self._output, self._output))
            self._tell(msgspec.to_builtins(setup))
        except BaseException:
            self.close()
            raise
        finally:
            theirs.close()

    def listen(self) -> None:
        """Wait until it listens: whoever connects from then on is served. Raises LabError."""
        if not self.ports:
            answer = self._receive(_LISTENS)
            self.ports, self._lacks_6 = answer["listening"], answer["lacks_6"]

    def come_up(self) -> None:
        """Wait until the user's programs listen too. Raises LabError, which ends with what a program printed where one does not."""
        self.listen()
        self._receive(_OBEYS + max((program.within for program in self._programs), default=0.0))

    def release(self, transport: str, port: int) -> None:
        """Leave a port to a program that is about to listen there. Raises LabError."""
        self._tell({"release": [transport, port]})
        self._receive(_OBEYS)

    def problems(self) -> tuple[str, ...]:
        """Return a sentence for each of the user's programs that ended by itself, and for what else does not run. Raises LabError."""
        self._tell({"report": True})
        return tuple(self._receive(_OBEYS)["report"])

    @property
    def notes(self) -> tuple[str, ...]:
        """What this machine could not give it, in sentences."""
        web = () if self._speaks_new_http else ("the lab's web servers speak no HTTP/2 and HTTP/3: there is no Caddy; pip install 'crenel[lab]'",)
        return (*web, *(("the lab's servers have no IPv6",) if self._lacks_6 else ()))

    def close(self) -> None:
        """End it with all that it started; may be called again."""
        self._control.close()
        if self._process is not None:
            self._process.close()
        if self._output >= 0:
            os.close(self._output)
            self._output = -1

    def _tell(self, message: object) -> None:
        try:
            self._control.sendall(json.dumps(message).encode() + b"\n")
        except OSError:
            raise LabError(f"the lab's internet is gone{self._last_words()}") from None

    def _receive(self, within: float) -> dict[str, Any]:
        deadline = time.monotonic() + within
        while b"\n" not in self._heard:
            if not select.select([self._control], [], [], max(0.0, deadline - time.monotonic()))[0]:
                raise LabError(f"the lab's internet did not answer within {within:g} seconds{self._last_words()}")
            try:
                part = self._control.recv(65536)
            except OSError:
                part = b""
            if not part:
                raise LabError(f"the lab's internet is gone{self._last_words()}")
            self._heard += part
        line, _, self._heard = self._heard.partition(b"\n")
        answer: dict[str, Any] = json.loads(line)
        if "problem" in answer:
            raise LabError(answer["problem"])
        return answer

    def _last_words(self) -> str:
        if self._output < 0:
            return ""
        size = os.fstat(self._output).st_size
        words = os.pread(self._output, 4 * _SHOWN, max(0, size - 4 * _SHOWN)).decode("utf-8", "replace").strip()[-_SHOWN:]
        return f": {words}" if words else ""


def command() -> list[str]:
    """Return the command line of the server process: an interpreter that loads the library only once it listens."""
    paths = [str(_ROOT), *(path for path in sys.path if path and path != str(_ROOT))]
    return [sys.executable, "-I", "-S", "-c", _BEGIN.format(paths=paths)]
