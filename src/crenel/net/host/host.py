"""Packets for one address in, each to the endpoint or socket it belongs to; what belongs nowhere is answered as Linux answers it."""

from collections.abc import Callable

from crenel.flow.fragments import Defragmenter, FragmentLimits
from crenel.flow.overlap import Overlap
from crenel.instant import Instant
from crenel.net.host.endpoint import Endpoint
from crenel.net.host.options import HostOptions
from crenel.net.host.segment import answer_reset, read_segment
from crenel.net.host.state import State
from crenel.net.host.udp import UdpSocket, is_readable
from crenel.wire.ip import parse_packet, serialise
from crenel.wire.packet import ICMP, ICMPV6, IP_MF, TCP, UDP, Packet
from crenel.wire.result import Unparseable

Isn = Callable[[bytes, int, int], int]
"""Initial sequence number for a peer, its port and the own port."""

_UNREACHABLE = {4: (ICMP, 3, 3), 6: (ICMPV6, 1, 4)}
"""Port unreachable: RFC 792 and RFC 4443 section 3.1."""
_ERRORS = {(ICMP, 3), (ICMP, 11), (ICMP, 12), (ICMPV6, 1), (ICMPV6, 3), (ICMPV6, 4)}
_ECHO = {(ICMP, 8): 0, (ICMPV6, 128): 129}
_QUOTED = {4: 548, 6: 1232}
"""How much of a packet an error quotes: up to 576 bytes in all (RFC 1812 section 4.3.2.3), or the least IPv6 MTU."""

_LEAST_WORDS = 5
"""Of an IPv4 header (RFC 791 section 3.1)."""


class Host:
    """Many endpoints behind one address.

    Args:
        address: 4 or 16 bytes.
        options: what the host is set to.
        isn: where initial sequence numbers come from.
    """

    __slots__ = ("_accepted", "_endpoints", "_fragments", "_isn", "_listeners", "_outbox", "_sockets", "address", "options")

    def __init__(self, address: bytes, options: HostOptions, isn: Isn) -> None:
        self.address = address
        self.options = options
        self._isn = isn
        self._endpoints: dict[tuple[bytes, int, int], Endpoint] = {}
        self._listeners: set[int] = set()
        self._sockets: dict[int, UdpSocket] = {}
        self._outbox: list[Packet] = []
        self._accepted: list[Endpoint] = []
        self._fragments: Defragmenter | None = None

    def listen(self, port: int) -> None:
        """Accept TCP connections on a port."""
        self._listeners.add(port)

    def bind(self, port: int) -> UdpSocket:
        """Return the UDP socket of a port."""
        if port not in self._sockets:
            self._sockets[port] = UdpSocket(self.address, port, ttl=self.options.ttl, ident=self.options.ident)
        return self._sockets[port]

    def connect(self, now: Instant, port: int, peer: bytes, peer_port: int) -> Endpoint:
        """Open a TCP connection from a port; the endpoint is returned before anything is answered."""
        endpoint = Endpoint(self.address, port, isn=self._isn(peer, peer_port, port), options=self.options, listening=False)
        self._endpoints[peer, peer_port, port] = endpoint
        endpoint.connect(now, peer, peer_port)
        return endpoint

    def accepted(self) -> list[Endpoint]:
        """Return the connections whose handshake with a listener is complete, once."""
        drained, self._accepted = self._accepted, []
        return drained

    def endpoints(self) -> list[Endpoint]:
        """Return all endpoints that are not closed."""
        return list(self._endpoints.values())

    def receive(self, now: Instant, packet: Packet) -> None:
        """Take a packet that came here; one for another address, or with an impossible header length, is dropped (ip_rcv).

        Fragments wait for the rest of their datagram (ip_defrag).
        """
        if packet.dst != self.address or (packet.header_words is not None and packet.header_words < _LEAST_WORDS):
            return
        if packet.frag_offset or packet.ip_flags & IP_MF:
            # Linux drops a datagram whose fragments overlap, and ignores a fragment that came before (inet_frag_queue_insert).
            self._fragments = self._fragments or Defragmenter(FragmentLimits(), Overlap.DISCARD)
            whole = self._fragments.add(now, packet)
            if whole is None:
                return
            packet = whole
        if packet.proto == TCP:
            self._receive_tcp(now, packet)
        elif packet.proto == UDP:
            self._receive_udp(now, packet)
        elif packet.proto in (ICMP, ICMPV6) and packet.has_transport():
            self._receive_icmp(packet)

    def _receive_tcp(self, now: Instant, packet: Packet) -> None:
        key = packet.src, packet.sport, packet.dport
        endpoint = self._endpoints.get(key)
        if endpoint is not None and endpoint.state is not State.CLOSED:
            before = endpoint.request
            endpoint.receive(now, packet)
            self._settle(key, endpoint, was_request=before)
            return
        if packet.dport in self._listeners:
            isn = self._isn(packet.src, packet.sport, packet.dport)
            endpoint = Endpoint(self.address, packet.dport, isn=isn, options=self.options, listening=True)
            endpoint.receive(now, packet)
            self._settle(key, endpoint, was_request=False)
            return
        segment = read_segment(packet)
        if segment is not None:
            answer = answer_reset(packet, segment, self.options.ttl)
            if answer is not None:
                self._outbox.append(answer)

    def _settle(self, key: tuple[bytes, int, int], endpoint: Endpoint, *, was_request: bool) -> None:
        """Keep an endpoint as long as it stands for a connection, and hand out what it still has to send."""
        if endpoint.state in (State.LISTEN, State.CLOSED):
            self._endpoints.pop(key, None)
            self._outbox += endpoint.packets()
        else:
            self._endpoints[key] = endpoint
            if was_request and not endpoint.request:
                self._accepted.append(endpoint)

    def _receive_udp(self, now: Instant, packet: Packet) -> None:
        socket = self._sockets.get(packet.dport)
        if socket is not None:
            socket.receive(now, packet)
        elif is_readable(packet):
            proto, icmp_type, icmp_code = _UNREACHABLE[packet.version]
            try:
                quoted = serialise(packet)[: _QUOTED[packet.version]]
            except ValueError:
                return  # it came from no wire
            self._put_icmp(packet.src, proto, icmp_type, icmp_code, quoted)

    def _receive_icmp(self, packet: Packet) -> None:
        kind = packet.proto, packet.icmp_type
        if kind in _ECHO:
            self._put_icmp(packet.src, packet.proto, _ECHO[kind], 0, packet.payload, packet.icmp_rest)
        elif kind in _ERRORS:
            quoted = parse_packet(packet.payload)
            if not isinstance(quoted, Unparseable):
                self._receive_error(quoted, packet.icmp_type, packet.icmp_code)

    def _receive_error(self, quoted: Packet, icmp_type: int, icmp_code: int) -> None:
        """Find whose packet an error quotes; of TCP eight bytes are enough: ports and sequence number (RFC 792)."""
        if quoted.proto not in (TCP, UDP) or quoted.frag_offset:
            return
        sport, dport, seq = quoted.sport, quoted.dport, quoted.seq
        if quoted.headless:
            if len(quoted.payload) < 8:
                return
            head = quoted.payload
            sport, dport, seq = int.from_bytes(head[:2], "big"), int.from_bytes(head[2:4], "big"), int.from_bytes(head[4:8], "big")
        if quoted.proto == UDP:
            socket = self._sockets.get(sport)
            if socket is not None and socket.peer == quoted.dst:
                socket.unreachable(icmp_type, icmp_code)
            return
        endpoint = self._endpoints.get((quoted.dst, dport, sport))
        if endpoint is not None:
            endpoint.unreachable(seq, icmp_type, icmp_code)

    def _put_icmp(self, peer: bytes, proto: int, icmp_type: int, icmp_code: int, payload: bytes, rest: int = 0) -> None:
        self._outbox.append(
            Packet(4 if len(self.address) == 4 else 6, self.address, peer, proto, payload=payload, ttl=self.options.ttl,
                   icmp_type=icmp_type, icmp_code=icmp_code, icmp_rest=rest)
        )  # fmt: skip

    def packets(self) -> list[Packet]:
        """Return what all endpoints and sockets want to send now, once."""
        drained, self._outbox = self._outbox, []
        ended = []
        for key, endpoint in self._endpoints.items():
            if endpoint.outbox:
                drained += endpoint.packets()
            if endpoint.state is State.CLOSED:
                ended.append(key)  # its application aborted it
        for key in ended:
            del self._endpoints[key]
        for socket in self._sockets.values():
            drained += socket.packets()
        return drained

    def next_timer(self) -> Instant | None:
        """Return when `fire` is due, or None."""
        first: Instant | None = None
        for endpoint in self._endpoints.values():
            timer = endpoint.next_timer()
            if timer is not None and (first is None or timer < first):
                first = timer
        return first

    def fire(self, now: Instant) -> None:
        """Fire the endpoints that are due."""
        for key, endpoint in list(self._endpoints.items()):
            endpoint.fire(now)
            self._settle(key, endpoint, was_request=False)
