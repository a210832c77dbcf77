"""A lab's namespaces in, sockets of either side's kernel out, taken from a store so that hardly any trial waits for one."""

import contextlib
import os
import socket
from typing import Self

from crenel.errors import LabError
from crenel.net.lab.kernel_side import BATCH
from crenel.net.lab.namespaces import Namespaces, interpreter
from crenel.net.path.path import End

_RTO = 24_000
"""Microseconds after which a kernel at least sends again what was not acknowledged: what is lost here is lost for good, and was only
held up where this machine was busy with something else (bench)."""
_READY = 10.0


class Sockets:
    """The sockets of one side.

    Attributes:
        rto: microseconds after which its kernel at least sends something again.

    Args:
        namespaces: where.
        end: whose side.

    Raises:
        LabError: that side is gone.
    """

    def __init__(self, namespaces: Namespaces, end: End) -> None:
        self._end = end
        self._store: dict[tuple[int, int], list[int]] = {}
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        nothing = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        try:
            streams = (theirs.fileno(), nothing, nothing)
            self._command = namespaces.spawn(end, interpreter("kernel_side"), streams, {}, "/", own_session=True)
        except LabError:
            self._channel.close()
            raise
        finally:
            theirs.close()
            os.close(nothing)
        self._channel.settimeout(_READY)
        self._channel.send(b"%d" % _RTO)
        self.rto = int(self._hear() or _RTO)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def take(self, family: int, kind: int) -> socket.socket:
        """Return a socket that does not wait and that nobody has used.

        Raises:
            LabError: the side's kernel has no such socket, or the side is gone.
        """
        store = self._store.setdefault((family, kind), [])
        if not store:
            store += self._fetch(family, kind)
        made = socket.socket(family, kind, fileno=store.pop())
        made.settimeout(0)
        return made

    def _hear(self) -> bytes:
        try:
            return self._channel.recv(4096)
        except OSError:
            return b""

    def _fetch(self, family: int, kind: int) -> list[int]:
        try:
            self._channel.send(b"%d %d" % (family, kind))
            message, descriptors, _, _ = socket.recv_fds(self._channel, 4096, BATCH, socket.MSG_CMSG_CLOEXEC)
            if descriptors:
                self._hear()
        except OSError:
            message, descriptors = b"", []
        if not descriptors:
            said = message.decode() or "that side of the lab is gone"
            raise LabError(f"the {self._end.name.lower()}'s kernel gives no socket: {said}")
        return descriptors

    def close(self) -> None:
        """Give all back that was not taken."""
        self._channel.close()
        for store in self._store.values():
            while store:
                os.close(store.pop())
        # Where the side is gone, so is the command.
        with contextlib.suppress(LabError, OSError):
            self._command.end()
