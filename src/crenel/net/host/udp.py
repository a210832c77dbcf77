"""Datagrams in, their payloads out, and back: a UDP socket that knows its peer or takes whoever comes."""

from crenel.instant import Instant
from crenel.net.host.state import Data, HostEvent, Unreachable
from crenel.wire.packet import UDP, Packet, udp_packet
from crenel.wire.verify import ChecksumState, checksum_state

_HARD = {
    4: {3: frozenset({2, 3, 6, 7, 8, 9, 10, 13, 14, 15}), 12: frozenset(range(256))},
    6: {1: frozenset({1, 4, 5, 6}), 4: frozenset(range(256))},
}
"""By IP version and ICMP type, the codes that a socket hears of unless it asks for all (`icmp_err_convert`, `icmpv6_err_convert` in Linux);
that a TTL ran out is not among them."""


def is_readable(packet: Packet) -> bool:
    """Say whether a host hands the datagram to a socket: a length it can hold and a checksum that is valid or absent (__udp4_lib_rcv)."""
    if packet.proto != UDP or not packet.has_transport():
        return False
    if packet.udp_length is not None and not 8 <= packet.udp_length <= 8 + len(packet.payload):
        return False
    return packet.checksum is None or checksum_state(packet) in (ChecksumState.VALID, ChecksumState.ABSENT)


class UdpSocket:
    """One UDP socket; `peer` of None answers whoever sent the last datagram."""

    __slots__ = ("_connected", "_events", "_ident", "_outbox", "_ttl", "address", "peer", "peer_port", "port")

    def __init__(self, address: bytes, port: int, *, ttl: int = 64, ident: int = 1) -> None:
        self.address = address
        self.port = port
        self.peer: bytes | None = None
        self.peer_port = 0
        self._connected = False
        self._ttl = ttl
        self._ident = ident
        self._outbox: list[Packet] = []
        self._events: list[HostEvent] = []

    def connect(self, peer: bytes, peer_port: int) -> None:
        """Fix whom `send` sends to and from whom datagrams are taken."""
        self.peer = peer
        self.peer_port = peer_port
        self._connected = True

    def send(self, now: Instant, data: bytes) -> None:
        """Send one datagram; without a peer it goes nowhere."""
        if self.peer is not None:
            self._outbox.append(udp_packet(self.address, self.peer, self.port, self.peer_port, data, ttl=self._ttl, ident=self._ident))
            self._ident = (self._ident + 1) & 0xFFFF

    def receive(self, now: Instant, packet: Packet) -> None:
        """Take a datagram: each is one `Data` event, cut at the length that its header claims."""
        if not is_readable(packet):
            return
        if not self._connected:
            self.peer, self.peer_port = packet.src, packet.sport
        elif (packet.src, packet.sport) != (self.peer, self.peer_port):
            return
        payload = packet.payload if packet.udp_length is None else packet.payload[: packet.udp_length - 8]
        self._events.append(Data(payload))

    def unreachable(self, icmp_type: int, icmp_code: int) -> None:
        """Take an ICMP error about a datagram that this socket sent; one that may pass is not told (__udp4_lib_err)."""
        if icmp_code in _HARD[4 if len(self.address) == 4 else 6].get(icmp_type, ()):
            self._events.append(Unreachable(icmp_type, icmp_code))

    def packets(self) -> list[Packet]:
        """Return what is to be sent now, once."""
        drained, self._outbox = self._outbox, []
        return drained

    def events(self) -> list[HostEvent]:
        """Return what arrived, once."""
        drained, self._events = self._events, []
        return drained
