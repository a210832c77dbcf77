"""Packets of a path without delay in, those that no wall acts on out again at once; the others are for the path to carry.

Most packets of a flow can make no box act or learn: those are not even built. The rest is shown to the wall, and only what the wall
answers goes the long way through the path, which tells of it and lets the answers come about.
"""

import msgspec

from crenel.coins import Coins
from crenel.flow.key import CLASS_SECOND, reverse_key
from crenel.flow.table import FlowRecord
from crenel.instant import Instant
from crenel.net.lab.heads import is_header_sound, lower, read_head
from crenel.net.lab.tally import MOST_BYTES, MOST_OF_FLOW, Counts, Sight
from crenel.net.path.middlebox import choose_client_filter
from crenel.net.path.path import End, Path
from crenel.net.path.route import Route
from crenel.wall.effects import Effect, Side, Throttle
from crenel.wall.run import Run
from crenel.wire.ip import parse_packet
from crenel.wire.packet import TCP, Packet
from crenel.wire.result import Unparseable

_replace = msgspec.structs.replace


class Answered(Run):
    """A run that may be told its next answer, because the packet was shown to it before."""

    def __init__(self, run: Run) -> None:
        super().__init__(run.wall, run.coins, forecast=False)
        self.run = run
        self.memory, self.armed, self.flows = run.memory, run.armed, run.flows
        self.answer: list[Effect] | None = None

    def see(self, now: Instant, side: Side, packet: Packet) -> list[Effect]:
        """Take one packet as it passes the wall's hop and return what the wall does."""
        answer, self.answer = self.answer, None
        return self.run.see(now, side, packet) if answer is None else answer


def is_direct(route: Route, coins: Coins) -> bool:
    """Say whether a route has one wall and does nothing to packets but count their TTL and put fragments together."""
    if len(route.walls) != 1 or any(link.delay or link.jitter or link.loss or link.rate is not None for link in route.links):
        return False
    near = choose_client_filter(route.client_middleboxes, coins)
    drops = near is not None and any(box.id == near.id and box.drops for box in route.client_middleboxes)
    return not drops


class Shortcut:
    """Lets packets by that no wall acts on.

    Attributes:
        path: carries the others.
        sights: what was let by, as far as it is kept.
    """

    def __init__(self, route: Route, coins: Coins, start: Instant, run: Run, counts: Counts) -> None:
        self._run = run
        self._answered = Answered(run)
        self.path = Path(route, coins, start, (self._answered,))
        # The filter before the server follows connections, so it has to see what the path does not carry, too.
        self._strict = self.path._strict  # noqa: SLF001  one filter, whichever way a packet goes
        self.sights: list[Sight] = []
        self._counts = counts
        self._room = MOST_BYTES
        flows = self._run.flows
        self._tcp, self._udp, self._armed = flows.tcp, flows.udp, self._run.armed
        self._hops = sum(link.routers for link in route.links)
        self._hops_to_wall = (route.links[0].routers, route.links[1].routers)
        self._sides = (route.client_side, Side.OUTSIDE if route.client_side is Side.INSIDE else Side.INSIDE)
        self._throttled: set[bytes] = set()
        """Keys of flows that the path has to admit packet by packet."""

    def take(self, now: Instant, end: End, data: bytes) -> bytes | bytearray | None:
        """Return a packet as it arrives where the wall need not be shown it; None where it has to be."""
        head = read_head(data)
        if head is None:
            return None
        key, proto, ttl, start, packet_class = head
        hops = self._hops
        if ttl <= hops or (self._throttled and key in self._throttled):
            return None
        if proto == TCP:
            record = self._tcp.get(key)
            if record is None:
                return None
            if record.key != key:
                packet_class |= CLASS_SECOND
            if record.interest >> packet_class & 1 or (self._armed and self._run.touched(record)):
                return None
        else:
            record = self._udp.get(key)
            if record is None or not self._run.passes_plainly(record, now, data[start + 8 :], second=record.key != key):
                return None
        if self._strict is not None:
            packet = parse_packet(data)
            if isinstance(packet, Unparseable) or not self._is_let_in(now, end, packet):
                return None
        record.last = now
        self._keep(record, now, end, data)
        return lower(data, hops) if hops else data

    def show(self, now: Instant, end: End, packet: Packet, data: bytes) -> bytes | bytearray | None:
        """Show a packet to the wall; return it as it arrives, or None where the path carries it on."""
        run, head = self._run, read_head(data)
        if head is None or head[2] <= self._hops or head[0] in self._throttled or not is_header_sound(data):
            self.path.send(now, end, packet)
            return None
        key, proto, ttl, _, _ = head
        effects = run.see(now, self._sides[end], _replace(packet, ttl=ttl - self._hops_to_wall[end], ip_checksum=None))
        if effects or not self._is_let_in(now, end, packet):
            if any(isinstance(effect, Throttle) for effect in effects):
                self._throttled |= {key, reverse_key(key)}
            self._answered.answer = effects
            self.path.send(now, end, packet)
            return None
        record = (self._tcp if proto == TCP else self._udp).get(key)
        if record is not None:
            self._keep(record, now, end, data)
        return lower(data, self._hops)

    def _is_let_in(self, now: Instant, end: End, packet: Packet) -> bool:
        """Say whether the filter before the server, where one stands, has nothing against a packet; let it follow the connection."""
        if self._strict is None:
            return True
        if end is End.SERVER:
            self._strict.watch(packet)
            return True
        return self._strict.take(now, packet).packet is not None

    def _keep(self, record: FlowRecord, now: Instant, end: End, data: bytes) -> None:
        """Note a packet that was let by, unless too many are noted already."""
        if record.packets < MOST_OF_FLOW and self._room > 0:
            record.packets += 1
            self._room -= len(data)
            self.sights.append((now, end, data))
        else:
            self._counts.untold += 1
