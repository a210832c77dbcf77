"""Datagrams in, answers out from the very address to which each came: a socket bound to all addresses would choose one by itself."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Awaitable, Callable

Reply = Callable[[bytes], Awaitable[bytes | None]]
"""What is answered to a datagram."""

_LARGEST = 65535
_ROOM = socket.CMSG_SPACE(32)
_IP_PKTINFO = 8
_PKTINFO = struct.Struct("=i4s4s")  # struct in_pktinfo: interface, our address, the address in the header
_PKTINFO_6 = struct.Struct("=16si")
_AT_ONCE = 64
"""Datagrams that are read before others have their turn (bench)."""


class Datagrams:
    """Answers what comes to a socket until it is closed.

    Args:
        datagrams: bound, does not block, and tells the destination.
        reply: what is answered.
    """

    def __init__(self, datagrams: socket.socket, reply: Reply) -> None:
        self._socket = datagrams
        self._reply = reply
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(datagrams.fileno(), self._read)

    def close(self) -> None:
        """Answer no more, and close the socket."""
        self._loop.remove_reader(self._socket.fileno())
        self._socket.close()

    def _read(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                data, ancillary, _, sender = self._socket.recvmsg(_LARGEST, _ROOM)
            except BlockingIOError:
                return
            except OSError:
                continue  # an ICMP error of an earlier answer
            task = self._loop.create_task(self._answer(data, [_reversed(*each) for each in ancillary], sender))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _answer(self, data: bytes, ancillary: list[tuple[int, int, bytes]], sender: tuple[str, int]) -> None:
        said = await self._reply(data)
        if said is not None:
            with contextlib.suppress(OSError):  # a datagram may be lost
                self._socket.sendmsg([said], ancillary, 0, sender)


def _reversed(level: int, kind: int, data: bytes) -> tuple[int, int, bytes]:
    """Return what has an answer leave from the address to which a datagram came."""
    if (level, kind) == (socket.IPPROTO_IP, _IP_PKTINFO):
        _, _, destination = _PKTINFO.unpack_from(data)
        return level, kind, _PKTINFO.pack(0, destination, bytes(4))
    destination, _ = _PKTINFO_6.unpack_from(data)
    return socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, _PKTINFO_6.pack(destination, 0)
