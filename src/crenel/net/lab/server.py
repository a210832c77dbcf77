"""A command on the server's machine in, whether it listens yet and what it has printed out."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Literal

from crenel.errors import LabError
from crenel.net.lab.command import Command
from crenel.net.lab.namespaces import Namespaces
from crenel.net.path.path import End

_GLANCE = 0.005
"""Seconds between two looks at who listens (bench)."""
_SHOWN = 1000
"""Characters of a server's last words that an error quotes (bench)."""


class Server:
    """A program that runs in the lab until it is stopped or the lab is closed.

    Raises:
        LabError: there is no such program, or it cannot be run.
    """

    def __init__(self, namespaces: Namespaces, argv: Sequence[str], environ: Mapping[str, str], cwd: str) -> None:
        self.argv = tuple(argv)
        self._namespaces = namespaces
        self._output = os.memfd_create("crenel", os.MFD_CLOEXEC)
        self._command: Command | None = None
        self.stopped = False
        """Was it told to end?"""
        try:
            nothing = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
            try:
                self._command = namespaces.spawn(End.SERVER, argv, (nothing, self._output, self._output), environ, cwd, own_session=True)
            finally:
                os.close(nothing)
        except BaseException:
            self.close()
            raise

    @property
    def output(self) -> bytes:
        """What it has printed so far, errors included."""
        return os.pread(self._output, os.fstat(self._output).st_size, 0) if self._output >= 0 else b""

    @property
    def status(self) -> int | None:
        """Its exit status; None while it runs. Raises LabError once the lab is closed."""
        return None if self._command is None else self._command.poll()

    def wait_for(self, port: int, transport: Literal["tcp", "udp"], within: float) -> None:
        """Wait until a program of the server's machine listens on a port; nothing is sent to find out.

        Raises:
            LabError: the command ended, or nobody listens after so many seconds.
        """
        self._wait(lambda listeners: (transport, port) in listeners, f"on {transport} port {port}", within)

    def wait_for_any(self, before: AbstractSet[tuple[str, int]], within: float) -> None:
        """Wait until some program of the server's machine listens where none did before.

        Raises:
            LabError: the command ended, or nobody does after so many seconds.
        """
        self._wait(lambda listeners: bool(listeners - before), "on any port that was free", within)

    def _wait(self, is_up: Callable[[AbstractSet[tuple[str, int]]], bool], where: str, within: float) -> None:
        deadline = time.monotonic() + within
        while not is_up(self._namespaces.listeners(End.SERVER)):
            status = self.status
            if status is not None:
                raise LabError(f"{self.argv[0]} ended with status {status} before it listened {where}{self.last_words()}")
            if time.monotonic() > deadline:
                self.stop()
                raise LabError(f"{self.argv[0]} did not listen {where} within {within:g} seconds{self.last_words()}")
            time.sleep(_GLANCE)

    def stop(self) -> None:
        """Kill it and all of its session."""
        self.stopped = True
        if self._command is not None:
            self._command.end()

    def close(self) -> None:
        """Kill it, and forget what it printed."""
        if self._command is not None:
            self._command.close()
        if self._output >= 0:
            os.close(self._output)
            self._output = -1

    def last_words(self) -> str:
        """Return the end of what it printed, as the end of a sentence."""
        words = self.output.decode("utf-8", "replace").strip()[-_SHOWN:]
        return f": {words}" if words else "; it printed nothing"
