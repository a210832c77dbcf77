"""A report socket in, what became of a command in a lab out: whether it started, what it printed, how it ended."""

import json
import os
import select
import selectors
import socket
import time
from collections.abc import Mapping, Sequence

import msgspec

from crenel.errors import LabError

Streams = tuple[int, int, int]
"""Descriptors of input, output and errors."""
_STARTS = 10.0
"""Seconds that it may take to start a program (bench)."""
_LINGERS = 0.2
"""Seconds for which output is read after a command ended, where something that it left behind still holds the stream (bench)."""
_CHUNK = 65536


class Completed(msgspec.Struct, frozen=True):
    """What a command came to."""

    stdout: bytes
    stderr: bytes
    status: int | None
    """Its exit status; of a signal, the number below zero; None: it had not ended in time and was ended."""


class Command:
    """A command that runs in a lab.

    Raises:
        LabError: there is no such program, or it cannot be run.
    """

    def __init__(self, argv: Sequence[str], report: socket.socket) -> None:
        self.argv = tuple(argv)
        self._report = report
        self._status: int | None = None
        report.settimeout(_STARTS)
        answer = self._receive()
        if "started" not in answer:
            report.close()
            raise LabError(_failure(self.argv, answer))

    def fileno(self) -> int:
        """Return the descriptor that can be read once the command has ended; -1 when that is known."""
        return self._report.fileno()

    def poll(self) -> int | None:
        """Return the exit status; None while the command runs. Raises LabError where it can no longer be known."""
        if self._status is None and self._report.fileno() >= 0 and select.select([self._report], [], [], 0)[0]:
            return self.wait()
        return self._status

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit status once the command has ended.

        Raises:
            TimeoutError: it has not after so many seconds.
            LabError: the lab ended first.
        """
        if self._status is None:
            self._report.settimeout(timeout)
            answer = self._receive()
            self._report.close()
            if "status" not in answer:
                raise LabError(f"{self.argv[0]}: the lab ended before the command")
            self._status = int(answer["status"])
        return self._status

    def end(self) -> None:
        """Kill the command and all of its session, if it still runs."""
        if self._status is None and self._report.fileno() >= 0:
            self._report.shutdown(socket.SHUT_WR)
            self.wait(_STARTS)

    def _receive(self) -> Mapping[str, int | str]:
        try:
            message = self._report.recv(_CHUNK)
        except ConnectionError:
            message = b""
        answer: Mapping[str, int | str] = json.loads(message) if message else {"problem": "the lab ended"}
        return answer


def _failure(argv: Sequence[str], answer: Mapping[str, int | str]) -> str:
    place, problem = answer.get("place", argv[0]), answer["problem"]
    return f"{place}: it cannot be run in the lab: {problem}"


def communicate(command: Command, stdin: bytes, streams: Streams, timeout: float | None) -> Completed:
    """Feed a command and read what it prints until it ends.

    Args:
        command: what runs.
        stdin: what it is fed.
        streams: our ends of its streams; they are closed.
        timeout: seconds after which it is ended; None: never.
    """
    feeding, *reading = streams
    for descriptor in streams:
        os.set_blocking(descriptor, False)
    output: dict[int, list[bytes]] = {descriptor: [] for descriptor in reading}
    deadline = None if timeout is None else time.monotonic() + timeout
    status: int | None = None
    open_ends = set(streams)
    with selectors.DefaultSelector() as selector:
        selector.register(command, selectors.EVENT_READ)
        selector.register(feeding, selectors.EVENT_WRITE)
        for descriptor in reading:
            selector.register(descriptor, selectors.EVENT_READ)

        def close(descriptor: int) -> None:
            selector.unregister(descriptor)
            os.close(descriptor)
            open_ends.discard(descriptor)

        running = True
        try:
            while running or open_ends & set(reading):
                left = None if deadline is None else max(0.0, deadline - time.monotonic())
                ready = selector.select(left)
                if not ready and deadline is not None and time.monotonic() >= deadline:
                    break
                for key, _ in ready:
                    if key.fd == feeding:
                        stdin = _feed(feeding, stdin)
                        if not stdin:
                            close(feeding)
                    elif key.fd in output:
                        chunk = os.read(key.fd, _CHUNK)
                        output[key.fd].append(chunk)
                        if not chunk:
                            close(key.fd)
                    else:
                        selector.unregister(key.fileobj)
                        status, running = command.wait(), False
                        last = time.monotonic() + _LINGERS
                        deadline = last if deadline is None else min(deadline, last)
        finally:
            for descriptor in tuple(open_ends):
                close(descriptor)
            command.end()
    stdout, stderr = (b"".join(output[descriptor]) for descriptor in reading)
    return Completed(stdout, stderr, status)


def _feed(descriptor: int, data: bytes) -> bytes:
    """Write what fits now; return what is left, nothing where nobody reads it."""
    try:
        return data[os.write(descriptor, data[:_CHUNK]) :] if data else b""
    except BlockingIOError:
        return data
    except BrokenPipeError:
        return b""
