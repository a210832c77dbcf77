"""Packets for one end in, its kernel's packets and what its sockets tell out: a real stack in the place of a simulated host.

Writing to a TUN device returns when the kernel has dealt with the packet, so what the stack answers can be read at once and nothing has to
be waited for, but for what a kernel sends again because it was not acknowledged.
"""

import contextlib
import errno
import os
import select
import socket
import struct
import time
from typing import NamedTuple

import msgspec

from crenel.errors import LabError
from crenel.instant import NANOSECONDS, Instant
from crenel.net.host.state import Data, HostEvent, Opened, PeerClosed, Refused, Reset, TimedOut, Unreachable
from crenel.net.lab.kernel_numbers import Flow, Numbers
from crenel.net.lab.kernel_side import CHALLENGES
from crenel.net.lab.kernel_sockets import Sockets
from crenel.net.path.path import End
from crenel.wire.ip import parse_packet, serialise
from crenel.wire.packet import RST, Packet, tcp_packet
from crenel.wire.result import Unparseable

MOST_WAITS = 3
"""How often in a trial a stack may send something again (bench): each time takes twice as long, in real time too."""
_HANDSHAKE, _LATER = NANOSECONDS, 3 * NANOSECONDS // 10
"""Nanoseconds of virtual time until then: RFC 6298 section 2.1, and Linux's least for a path without jitter."""
_PROBE = 0.4
"""Seconds within which a kernel probes a window that has no room: twice the least for that timer, which cannot be set."""
_MILLISECOND = NANOSECONDS // 1000
_LONGEST = 65536
_ABORT = struct.pack("ii", 1, 0)
_OPEN = (errno.EALREADY, errno.EINPROGRESS)
_ENDED: dict[int, HostEvent] = {
    errno.ECONNRESET: Reset(), errno.EPIPE: Reset(), errno.ECONNREFUSED: Refused(), errno.ETIMEDOUT: TimedOut(),
}  # fmt: skip
_replace = msgspec.structs.replace
_UNREACHABLE = Unreachable(0, 0)
"""Sockets do not tell type and code."""


class Connection:
    """A TCP socket of one end.

    Args:
        own: the socket; for a connection of ours it has begun to connect.
        address: whom it connects to; None: it was accepted.
        port: the client's port, as the network sees it.
    """

    __slots__ = ("_address", "_socket", "_unsent", "closed", "ended", "port", "stirred", "written")

    def __init__(self, own: socket.socket, address: tuple[str, int] | None, port: int) -> None:
        self._socket = own
        self._address = address
        self._unsent = b""
        self.port = port
        self.stirred = address is None
        self.written = 0
        """How many bytes the kernel was given."""
        self.ended = False
        """Did it break off?"""
        self.closed = False

    @property
    def events_(self) -> bool:
        """May there be news?"""
        return self.stirred

    def hurry(self) -> None:
        """Have the kernel acknowledge at once; called before a packet is handed over."""
        self.stirred = True
        if not (self.ended or self.closed):
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

    def events(self) -> list[HostEvent]:
        """Return what the application learns, once."""
        self.stirred = False
        if self.ended or self.closed:
            return []
        found: list[HostEvent] = []
        if self._address is not None:
            problem = self._socket.connect_ex(self._address)
            if problem in _OPEN:
                return []
            if problem not in {0, errno.EISCONN}:
                return [self._break(problem)]
            self._address = None
            found.append(Opened())
        self._read(found)
        if self._unsent:
            self._flush()
        return found

    def _read(self, found: list[HostEvent]) -> None:
        parts = []
        try:
            while data := self._socket.recv(_LONGEST):
                parts.append(data)
            over: HostEvent | None = PeerClosed()
        except BlockingIOError:
            over = None
        except OSError as problem:
            over = self._break(problem.errno or 0)
        if parts:
            found.append(Data(b"".join(parts)))
            if over is None:
                # The credit for prompt acknowledgements may be used up: ask for this one.
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        if over is not None:
            found.append(over)

    def _break(self, problem: int) -> HostEvent:
        self.ended = True
        return _ENDED.get(problem, _UNREACHABLE)

    def send(self, now: Instant, data: bytes) -> None:
        """Send bytes; what the kernel does not take yet waits."""
        if not (self.ended or self.closed):
            self._unsent += data
            self._flush()

    def _flush(self) -> None:
        try:
            taken = self._socket.send(self._unsent)
            self.written += taken
            self._unsent = self._unsent[taken:]
        except BlockingIOError:
            return
        except OSError:
            self._unsent = b""  # why is told where it reads

    def close(self, now: Instant) -> None:
        """Finish sending and read no more."""
        if not self.closed:
            self.closed = True
            self._socket.close()

    def abort(self) -> None:
        """Leave nothing behind."""
        if not self.closed:
            self.closed = True
            with contextlib.suppress(OSError):
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
            self._socket.close()


class Datagrams:
    """A UDP socket of one end; `peer` and `peer_port` are those of whoever sent the last datagram."""

    __slots__ = ("_address", "_connected", "_socket", "peer", "peer_port")

    def __init__(self, own: socket.socket) -> None:
        self._socket = own
        self._address: tuple[str, int] | None = None
        self._connected = False
        self.peer: bytes | None = None
        self.peer_port = 0

    def connect(self, peer: bytes, peer_port: int) -> None:
        """Fix whom `send` sends to and from whom datagrams are taken."""
        self._connected = True
        self._socket.connect((_text(peer), peer_port))

    def send(self, now: Instant, data: bytes) -> None:
        """Send one datagram; without a peer it goes nowhere."""
        with contextlib.suppress(OSError):  # an error that came before is told where it reads
            if self._connected:
                self._socket.send(data)
            elif self._address is not None:
                self._socket.sendto(data, self._address)

    def events(self) -> list[HostEvent]:
        """Return what arrived, once."""
        found: list[HostEvent] = []
        try:
            while True:
                data, address = self._socket.recvfrom(_LONGEST)
                self._address = address
                self.peer, self.peer_port = _packed(address[0]), address[1]
                found.append(Data(data))
        except BlockingIOError:
            pass
        except OSError:
            found.append(_UNREACHABLE)
        return found

    def close(self) -> None:
        """Let go of the port."""
        self._socket.close()


class _Waiting(NamedTuple):
    """A connection that waits for an acknowledgement."""

    flow: Flow
    written: int
    """How many bytes it was given to send."""
    opening: bool
    """Of its SYN."""


class KernelStack:
    """One end's kernel during one trial.

    Args:
        end: which end.
        address: 4 or 16 bytes.
        tun: the descriptor of its TUN device.
        sockets: where its sockets come from.
        listeners: those that are open already, by port; they stay open.
        numbers: those of the trial.
        start: when the trial begins.
    """

    def __init__(
        self, end: End, address: bytes, tun: int, sockets: Sockets, listeners: dict[int, socket.socket], numbers: Numbers, start: Instant
    ) -> None:
        self.address = address
        self.end = end
        self._tun = tun
        self._sockets = sockets
        self._listeners = listeners
        self._numbers = numbers
        self._family = socket.AF_INET if len(address) == 4 else socket.AF_INET6
        self._connections: list[Connection] = []
        self._datagrams: dict[int, Datagrams] = {}
        self._listener: socket.socket | None = None
        self._again: list[bytes] = []
        self._start = start
        self._now = start
        self._last = start
        self._waits = self._openings = 0

    def connect(self, now: Instant, port: int, peer: bytes, peer_port: int) -> Connection:
        """Open a TCP connection from a port; it is returned before anything is answered."""
        self._now = self._last = now
        own = self._sockets.take(self._family, socket.SOCK_STREAM)
        address = (_text(peer), peer_port)
        connection = Connection(own, address, port)
        self._connections.append(connection)
        try:
            own.bind((_text(self.address), self._numbers.use(port)))
        except OSError as problem:
            raise LabError(f"the client's port {port} cannot be had in the lab: {problem.strerror}") from None
        own.connect_ex(address)
        return connection

    def listen(self, port: int) -> None:
        """Accept TCP connections on a port."""
        listener = self._listeners.get(port)
        if listener is None:
            listener = self._sockets.take(self._family, socket.SOCK_STREAM)
            listener.bind((_text(self.address), port))
            listener.listen(128)
            self._listeners[port] = listener
        self._listener = listener

    def bind(self, port: int) -> Datagrams:
        """Return the UDP socket of a port."""
        if port not in self._datagrams:
            own = self._sockets.take(self._family, socket.SOCK_DGRAM)
            own.bind((_text(self.address), port if self.end else self._numbers.use(port)))
            self._datagrams[port] = Datagrams(own)
        return self._datagrams[port]

    def accepted(self) -> list[Connection]:
        """Return the connections whose handshake with a listener is complete, once."""
        found: list[Connection] = []
        # Without a flow that has none yet there is no connection to look for.
        while self._listener is not None and len(self._connections) + len(found) < len(self._numbers.flows):
            try:
                own, address = self._listener.accept()
            except BlockingIOError:
                break
            except OSError:
                continue  # it was reset before it was accepted
            own.setblocking(False)
            found.append(Connection(own, None, self._numbers.port_of(address[1])))
        self._connections += found
        return found

    def receive(self, now: Instant, packet: Packet) -> None:
        """Take a packet that was addressed to this host."""
        self._now = now
        try:
            data = serialise(packet)
        except ValueError:
            return  # no wire could have carried it
        for connection in self._connections:
            connection.hurry()
        with contextlib.suppress(OSError):  # the kernel takes nothing that is no IP packet
            os.write(self._tun, self._numbers.to_stack(self.end, data))

    def packets(self) -> list[Packet]:
        """Return what is to be sent now, each packet once."""
        found: list[Packet] = []
        try:
            while self._again:
                self._take(self._again.pop(), found)
            while True:
                self._take(os.read(self._tun, _LONGEST), found)
        except BlockingIOError:
            pass
        if found:
            self._last = self._now
        return found

    def _take(self, data: bytes, found: list[Packet]) -> None:
        """Read a packet of the stack, unless it is left over from an earlier trial."""
        told = self._numbers.from_stack(self.end, data, (self._now - self._start) // _MILLISECOND)
        packet = parse_packet(told) if told is not None else None
        if packet is not None and not isinstance(packet, Unparseable):
            # A stack's checksums are right: strategies are to see a packet that nobody has changed yet.
            found.append(_replace(packet, checksum=None, ip_checksum=None))

    def _waiting(self) -> _Waiting | None:
        """Return a connection that has something to send again; None where none has, or after too many times."""
        if max(self._waits, self._openings) >= MOST_WAITS:
            return None
        flows = self._numbers.flows
        for connection in self._connections:
            # What a client has closed it no longer cares for; of a server that is the rest of its answer.
            if connection.ended or (connection.closed and self.end is End.CLIENT):
                continue
            flow = flows.get(connection.port)
            if flow is not None and flow.unheard(self.end, connection.written):
                return _Waiting(flow, connection.written, opening=flow.acked[self.end] is None)
        if self._listener is not None and len(self._connections) < len(flows):
            accepted = {connection.port for connection in self._connections}
            for port, flow in flows.items():
                if port not in accepted and not flow.broken[self.end] and flow.first[self.end] is not None:
                    return _Waiting(flow, 0, opening=True)
        return None

    def next_timer(self) -> Instant | None:
        """Return when `fire` wants to be called, in virtual time; None while no timer runs."""
        waiting = self._waiting()
        if waiting is None:
            return None
        if waiting.opening:
            return Instant(self._start + waiting.flow.opened[self.end] * _MILLISECOND + (_HANDSHAKE << self._openings))
        return Instant(self._last + (_LATER << self._waits))

    def fire(self, now: Instant) -> None:
        """Let the kernel send again what was not acknowledged, if that is due."""
        due, waiting = self.next_timer(), self._waiting()
        if due is None or waiting is None or due > now:
            return
        self._now = self._last = now
        opening = waiting.flow.opening[self.end]
        if waiting.opening and opening is not None:
            # A kernel's timer for a handshake is a second and cannot be set. The same SYN is sent in its place; of a listener, it is
            # shown to the kernel once more, which then sends its answer again as its timer would have.
            self._openings += 1
            if self.end is End.CLIENT:
                self._again.append(opening)
            else:
                time.sleep(1.5e-3 * CHALLENGES)  # otherwise it may have answered something else too lately
                os.write(self._tun, opening)
        else:
            longest = _PROBE if waiting.flow.is_shut(self.end, waiting.written) else 2e-6 * self._sockets.rto * (1 << self._waits)
            select.select([self._tun], [], [], longest)
            self._waits += 1

    def close(self, peer: bytes, peer_port: int) -> None:
        """End all connections of the trial, and those that the kernel holds for closed sockets; what is still to be sent is not."""
        for port, flow in self._numbers.flows.items():
            heard = flow.heard[self.end]
            if heard is not None:
                real = self._numbers.use(port)
                ports = (peer_port, real) if self.end is End.CLIENT else (real, peer_port)
                os.write(self._tun, serialise(tcp_packet(peer, self.address, *ports, seq=heard, flags=RST)))
        for connection in self._connections:
            connection.abort()
        for datagrams in self._datagrams.values():
            datagrams.close()
        with contextlib.suppress(BlockingIOError):
            while True:
                os.read(self._tun, _LONGEST)


def _text(address: bytes) -> str:
    return socket.inet_ntop(socket.AF_INET if len(address) == 4 else socket.AF_INET6, address)


def _packed(address: str) -> bytes:
    return socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)
