"""The user's server programs in, whether each listens where it should out, with its last words where it does not."""

import asyncio
import contextlib
import os
import signal
import socket
import struct
import subprocess
from collections.abc import Iterable

from crenel.net.lab.internet.scenario import Listen, Program

_GLANCE = 0.005
"""Seconds between two looks at who listens (bench)."""
_SHOWN = 1000
"""Characters of a program's last words that are quoted (bench)."""
_STATES = {"tcp": "0A", "udp": "07"}  # linux/net/tcp_states.h: 10 listens; of UDP, 7 is a socket that is bound and not connected

Place = tuple[str, str, int]
"""Transport, address and port."""


class Running:
    """A program that was started. Raises OSError where it cannot be run."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._output = os.memfd_create("crenel", os.MFD_CLOEXEC)
        try:
            self._process = subprocess.Popen(  # noqa: S603  to run what it is given is what a scenario is for
                program.command, stdin=subprocess.DEVNULL, stdout=self._output, stderr=self._output, cwd=program.folder,
                env=dict(os.environ) | program.environment, start_new_session=True,
            )  # fmt: skip
        except OSError:
            os.close(self._output)
            raise

    async def come_up(self) -> str | None:
        """Wait until it listens at all of its places; return a sentence where it does not within its time, or ends."""
        name, listens = self.program.name, self.program.listens()
        loop = asyncio.get_running_loop()
        ends = loop.time() + self.program.within
        while missing := [text for text, listen in zip(self.program.listen, listens, strict=True) if not listens_there(listen, listeners())]:
            if self._process.poll() is not None:
                return f"{self.ended}, before it listened on {missing[0]}{self._last_words()}"
            if loop.time() > ends:
                self.end()
                return f"the server program {name} did not listen on {missing[0]} within {self.program.within:g} seconds{self._last_words()}"
            await asyncio.sleep(_GLANCE)
        return None

    @property
    def problem(self) -> str | None:
        """A sentence where it ended by itself."""
        return None if self._process.poll() is None else self.ended + self._last_words()

    @property
    def ended(self) -> str:
        """How it ended."""
        return f"the server program {self.program.name} ended with status {self._process.returncode}"

    def end(self) -> None:
        """Kill it and all of its session."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def _last_words(self) -> str:
        size = os.fstat(self._output).st_size
        words = os.pread(self._output, 4 * _SHOWN, max(0, size - 4 * _SHOWN)).decode("utf-8", "replace").strip()[-_SHOWN:]
        return f": {words}" if words else "; it printed nothing"


def start(program: Program) -> Running | str:
    """Start a program; return a sentence where that cannot be."""
    try:
        return Running(program)
    except OSError as problem:
        place = problem.filename if isinstance(problem.filename, str) else program.command[0]
        return f"the server program {program.name} cannot be run: {place}: {problem.strerror}"


def listens_there(listen: Listen, found: Iterable[Place]) -> bool:
    """Say whether somebody listens at a place, or at all addresses of its port."""
    wanted = None if listen.address is None else listen.address
    return any(
        (transport, port) == (listen.transport, listen.port) and (wanted is None or address in {wanted, "0.0.0.0", "::"})  # noqa: S104  compared
        for transport, address, port in found
    )


def listeners() -> list[Place]:
    """Return where programs of this network namespace listen now."""
    found = []
    for table in ("tcp", "tcp6", "udp", "udp6"):
        with contextlib.suppress(FileNotFoundError), open(f"/proc/self/net/{table}", encoding="ascii") as file:  # noqa: PTH123
            found += [read_listener(line, table[:3]) for line in file.readlines()[1:] if line.split()[3] == _STATES[table[:3]]]
    return found


def read_listener(line: str, transport: str) -> Place:
    """Return the place in a line of such a table: words as this machine's processor has them, in hexadecimal digits."""
    digits, _, port = line.split()[1].partition(":")
    packed = b"".join(struct.pack("=I", int(digits[start : start + 8], 16)) for start in range(0, len(digits), 8))
    return transport, socket.inet_ntop(socket.AF_INET if len(packed) == 4 else socket.AF_INET6, packed), int(port, 16)
