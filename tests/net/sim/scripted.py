"""What an end is to say in, a host that says it out: packets at the start, after each arrival, and at set times."""

from collections.abc import Iterable, Mapping, Sequence

from crenel.instant import NANOSECONDS, Instant
from crenel.net.path.route import Route
from crenel.wire.packet import ACK, FIN, PSH, SYN, Packet, tcp_packet, udp_packet

CLIENT, SERVER = bytes((192, 0, 2, 2)), bytes((198, 51, 100, 2))
SPORT = 50_000
START = Instant(1_000_000_000 * NANOSECONDS)


class Scripted:
    """Says what it is told to, whatever it hears.

    Args:
        steps: what is sent at the start, then after the first arrival, after the second, and so on.
        later: what is sent at set times.
    """

    def __init__(self, steps: Sequence[Iterable[Packet]] = (), later: Mapping[Instant, Iterable[Packet]] | None = None) -> None:
        self._steps = [list(step) for step in steps]
        self._later = sorted((at, list(packets)) for at, packets in (later or {}).items())
        self._ready = self._steps.pop(0) if self._steps else []
        self.heard: list[tuple[Instant, Packet]] = []

    def receive(self, now: Instant, packet: Packet) -> None:
        self.heard.append((now, packet))
        if self._steps:
            self._ready += self._steps.pop(0)

    def packets(self) -> list[Packet]:
        ready, self._ready = self._ready, []
        return ready

    def next_timer(self) -> Instant | None:
        return self._later[0][0] if self._later else None

    def fire(self, now: Instant) -> None:
        while self._later and self._later[0][0] <= now:
            self._ready += self._later.pop(0)[1]


class Echo:
    """Answers every packet with the same one turned round."""

    def __init__(self) -> None:
        self.heard: list[tuple[Instant, Packet]] = []
        self._ready: list[Packet] = []

    def receive(self, now: Instant, packet: Packet) -> None:
        self.heard.append((now, packet))
        self._ready.append(udp_packet(packet.dst, packet.src, packet.dport, packet.sport, packet.payload))

    def packets(self) -> list[Packet]:
        ready, self._ready = self._ready, []
        return ready

    def next_timer(self) -> Instant | None:
        return None

    def fire(self, now: Instant) -> None:
        raise AssertionError("it has no timer")


def ours(flags: int, seq: int, ack: int = 0, payload: bytes = b"", *, port: int = 80, sport: int = SPORT, ttl: int = 64) -> Packet:
    """Return a TCP packet of the client."""
    return tcp_packet(CLIENT, SERVER, sport, port, seq=seq, ack=ack, flags=flags, payload=payload, ttl=ttl)


def theirs(flags: int, seq: int, ack: int = 0, payload: bytes = b"", *, port: int = 80, sport: int = SPORT, ttl: int = 64) -> Packet:
    """Return a TCP packet of the server."""
    return tcp_packet(SERVER, CLIENT, port, sport, seq=seq, ack=ack, flags=flags, payload=payload, ttl=ttl)


def conversation(request: bytes, answer: bytes = b"", *, port: int = 80, sport: int = SPORT) -> tuple[list[list[Packet]], list[list[Packet]]]:
    """Return the steps of client and server for a TCP connection of eleven packets, without retransmission."""
    end, over = 1001 + len(request), 5001 + len(answer)

    def our(flags: int, seq: int, ack: int = 0, payload: bytes = b"") -> Packet:
        return ours(flags, seq, ack, payload, port=port, sport=sport)

    def their(flags: int, seq: int, ack: int = 0, payload: bytes = b"") -> Packet:
        return theirs(flags, seq, ack, payload, port=port, sport=sport)

    client = [
        [our(SYN, 1000)],
        [our(ACK, 1001, 5001), our(PSH | ACK, 1001, 5001, request)],
        [],
        [our(ACK, end, over)],
        [our(ACK, end, over + 1), our(FIN | ACK, end, over + 1)],
    ]
    server = [
        [],
        [their(SYN | ACK, 5000, 1001)],
        [],
        [their(ACK, 5001, end), their(PSH | ACK, 5001, end, answer)],
        [their(FIN | ACK, over, end)],
        [],
        [their(ACK, over + 1, end + 1)],
    ]
    return client, server


def bare(route: Route) -> Route:
    """Return a route of which only links and walls are left."""
    return Route(route.links, route.walls, route.client_side)

