"""Services and their ports in, listening sockets out, before anything slow is loaded; a program of the user's is left the place it wants.

Only the standard library is imported here: whoever connects is queued by the kernel until the rest of the server is there.
"""

import contextlib
import errno
import socket
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

SERVICES: dict[str, tuple[int, tuple[str, ...]]] = {
    "echo": (7, ("tcp", "udp")),
    "discard": (9, ("tcp", "udp")),
    "ftp": (21, ("tcp",)),
    "smtp": (25, ("tcp",)),
    "dns": (53, ("tcp", "udp")),
    "http": (80, ("tcp",)),
    "https": (443, ("tcp", "udp")),
    "submission": (587, ("tcp",)),
    "dot": (853, ("tcp",)),
}
"""To each service its port and its transports, as IANA registers them."""

_KINDS = {"tcp": (socket.SOCK_STREAM, socket.IPPROTO_TCP), "udp": (socket.SOCK_DGRAM, socket.IPPROTO_UDP)}
"""The protocol is named because asyncio switches Nagle's algorithm off only where it is; else answers would wait 40 ms for an acknowledgement."""
BACKLOG = 1024
_BUFFER = 1 << 21
"""Bytes that a datagram socket may hold (bench): a burst is kept while Python is busy, as far as the kernel allows."""
_IP_PKTINFO = 8  # linux/in.h; Python has no name for it everywhere


class Claim(NamedTuple):
    """A place that a program of the user's listens at; without an address, all of the port."""

    transport: str
    address: str | None
    port: int


class Opened(NamedTuple):
    """A socket that listens."""

    service: str
    transport: str
    socket: socket.socket


class Listening:
    """The sockets of all services: each listens at all addresses where that is free, and else at those that names lead to.

    A wildcard and a program's own address on the same port exclude one another, so where a program claims one address of a port, the
    service is opened at each of the other addresses as somebody learns of it.

    Args:
        wildcards: the addresses that stand for all, one for each version of IP.
        ports: other ports than usual, by service; 0: any that is free.
        claims: where programs of the user's will listen.

    Raises:
        OSError: a port is taken.
    """

    def __init__(self, wildcards: Sequence[str], ports: Mapping[str, int], claims: Iterable[Claim]) -> None:
        self.ports = {service: ports.get(service, port) for service, (port, _) in SERVICES.items()}
        self.lacks_6 = False
        self._claims = set(claims)
        self._opened: list[Opened] = []
        self.narrow: set[tuple[str, str]] = set()
        """Services and transports that are opened address by address."""
        try:
            for service, (_, transports) in SERVICES.items():
                for transport in transports:
                    self._begin(service, transport, wildcards)
        except BaseException:
            self.close()
            raise

    def _begin(self, service: str, transport: str, wildcards: Sequence[str]) -> None:
        port = self.ports[service]
        claimed = [claim.address for claim in self._claims if port and (claim.transport, claim.port) == (transport, port)]
        if None in claimed:
            return
        if claimed:
            self.narrow.add((service, transport))
            return
        for wildcard in wildcards:
            try:
                self._open(service, transport, wildcard)
            except OSError as problem:
                if ":" not in wildcard or problem.errno not in {errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL}:
                    raise
                self.lacks_6 = True

    def of(self, service: str, transport: str) -> list[socket.socket]:
        """Return the sockets of a service."""
        return [opened.socket for opened in self._opened if (opened.service, opened.transport) == (service, transport)]

    def everything(self) -> list[Opened]:
        """Return all sockets that are open now."""
        return list(self._opened)

    def reach(self, addresses: Iterable[str], leave: Iterable[str] = ()) -> list[Opened]:
        """Open what is opened address by address at more of them; return that. Some services may be left to others."""
        found = []
        for address in addresses:
            for service, transport in sorted(self.narrow):
                if service not in leave and self.may(service, transport, address):
                    # An address that is not this machine's own cannot be listened at, and nobody gets here through it.
                    with contextlib.suppress(OSError):
                        found.append(self._open(service, transport, address))
        return found

    def may(self, service: str, transport: str, address: str) -> bool:
        """Say whether a service that is opened address by address may be opened at this one."""
        return (service, transport) in self.narrow and Claim(transport, address, self.ports[service]) not in self._claims

    def release(self, transport: str, port: int) -> list[Opened]:
        """Forget all that listens at a port, and say what that was; whoever holds the sockets is to close them."""
        gone = [opened for opened in self._opened if opened.transport == transport and self.ports[opened.service] == port]
        self._opened = [opened for opened in self._opened if opened not in gone]
        self.narrow = {(service, kind) for service, kind in self.narrow if kind != transport or self.ports[service] != port}
        return gone

    def close(self) -> None:
        """Close every socket."""
        for opened in self._opened:
            opened.socket.close()
        self._opened.clear()

    def _open(self, service: str, transport: str, address: str) -> Opened:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        made = socket.socket(family, *_KINDS[transport])
        try:
            if family == socket.AF_INET6:
                made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            if transport == "tcp":
                made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            else:
                tell_destination(made)
                made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
            made.bind((address, self.ports[service]))
            if transport == "tcp":
                made.listen(BACKLOG)
        except OSError:
            made.close()
            raise
        made.setblocking(False)
        self.ports[service] = made.getsockname()[1]
        opened = Opened(service, transport, made)
        self._opened.append(opened)
        return opened


def tell_destination(datagrams: socket.socket) -> None:
    """Have the kernel say to which address each datagram came, so that the answer comes from there."""
    if datagrams.family == socket.AF_INET6:
        datagrams.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
    else:
        datagrams.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
