"""A report socket in, what became of a command in a lab out: whether it started, what it printed, how it ended."""

import contextlib
import json
import os
import select
import selectors
import signal
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Self

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

    def close(self) -> None:
        """Ask no more about the command; if it still runs, it is killed."""
        self._report.close()

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

    Raises LabError where the lab ends before the command.
    """
    with _Conversation(command, stdin, streams) as conversation:
        return conversation.hold(timeout)


class _Conversation:
    """What goes to and fro between this process and a command."""

    def __init__(self, command: Command, stdin: bytes, streams: Streams) -> None:
        self._command = command
        self._unsent = stdin
        self._feeding, self._out, self._err = streams
        self._heard: dict[int, list[bytes]] = {self._out: [], self._err: []}
        self._selector = selectors.DefaultSelector()
        self._open = set(streams)
        for descriptor in streams:
            os.set_blocking(descriptor, False)
            self._selector.register(descriptor, selectors.EVENT_WRITE if descriptor == self._feeding else selectors.EVENT_READ)
        self._selector.register(command, selectors.EVENT_READ)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for descriptor in tuple(self._open):
            self._close(descriptor)
        self._selector.close()
        self._command.end()

    def hold(self, timeout: float | None) -> Completed:
        """Go on until the command has ended and said all, or the time is up."""
        deadline = None if timeout is None else time.monotonic() + timeout
        status: int | None = None
        running = True
        while running or self._open & self._heard.keys():
            ready = self._selector.select(None if deadline is None else max(0.0, deadline - time.monotonic()))
            if not ready and deadline is not None and time.monotonic() >= deadline:
                break
            for key, _ in ready:
                if key.fileobj is self._command:
                    self._selector.unregister(self._command)
                    status, running = self._command.wait(), False
                    last = time.monotonic() + _LINGERS
                    deadline = last if deadline is None else min(deadline, last)
                elif key.fd in self._open:
                    self._move(key.fd)
        return Completed(b"".join(self._heard[self._out]), b"".join(self._heard[self._err]), status)

    def _move(self, descriptor: int) -> None:
        if descriptor == self._feeding:
            self._unsent = _feed(descriptor, self._unsent)
            done = not self._unsent
        else:
            chunk = os.read(descriptor, _CHUNK)
            self._heard[descriptor].append(chunk)
            done = not chunk
        if done:
            self._close(descriptor)

    def _close(self, descriptor: int) -> None:
        self._selector.unregister(descriptor)
        os.close(descriptor)
        self._open.discard(descriptor)


def _feed(descriptor: int, data: bytes) -> bytes:
    """Write what fits now; return what is left, nothing where nobody reads it."""
    try:
        return data[os.write(descriptor, data[:_CHUNK]) :] if data else b""
    except BlockingIOError:
        return data
    except BrokenPipeError:
        return b""


@contextlib.contextmanager
def lent_terminal() -> Iterator[None]:
    """Take the terminal back afterwards, if this process has one: a shell in a process namespace cannot hand it back to those outside."""
    try:
        before = os.tcgetpgrp(0)
    except OSError:
        before = -1
    try:
        yield
    finally:
        if before == os.getpgrp():
            kept = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})  # it would stop whoever takes the terminal from behind
            with contextlib.suppress(OSError):
                os.tcsetpgrp(0, before)
            signal.pthread_sigmask(signal.SIG_SETMASK, kept)
