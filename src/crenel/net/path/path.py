"""Packets of two ends in with their times, the packets that arrive at either out, each when it is due; walls stand in between.

Whoever drives a path asks `next_due` and calls `pop` then: in virtual time at once, on a real clock when it is time. What is due at
the same moment comes in the order in which it was sent on. The path keeps a trace of all that happens to every packet.
"""

import enum
import heapq
from collections.abc import Callable
from typing import Final, Literal

import msgspec

from crenel.coins import Coins, Uniform
from crenel.flow.fragments import Defragmenter, FragmentLimits, is_fragment
from crenel.flow.key import flow_key, reverse_key
from crenel.flow.overlap import Overlap
from crenel.instant import NANOSECONDS, Instant
from crenel.net.path.bucket import Bucket, size_of
from crenel.net.path.middlebox import Passage, choose_client_filter, choose_strict_filter
from crenel.net.path.route import Link, Route
from crenel.net.path.router import answer_of, hop_address
from crenel.net.trace import Event, WallEffect, What
from crenel.wall.effects import Drop, Effect, Expired, Inject, Side, Throttle
from crenel.wall.run import Run
from crenel.wire.packet import Packet
from crenel.wire.verify import ip_checksum_valid, is_cut_short

PATH: Final = "path"
"""As which the path asks its coins."""


class End(enum.IntEnum):
    """One of the two ends of a path."""

    CLIENT = 0
    SERVER = 1

    @property
    def other(self) -> "End":
        """The opposite end."""
        return _OTHER[self]


_OTHER = (End.SERVER, End.CLIENT)
_SERVER = End.SERVER
_replace = msgspec.structs.replace
_OPPOSITE = {Side.INSIDE: Side.OUTSIDE, Side.OUTSIDE: Side.INSIDE}


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """A packet that has come to an end, as it is there."""

    at: Instant
    end: End
    packet: Packet
    number: int


_Name = Literal["client", "server"]
_NAMES: tuple[_Name, _Name] = ("client", "server")


class _Flight(msgspec.Struct, frozen=True, gc=False):
    """What stays the same of a packet on its way."""

    number: int
    sender: Literal["client", "server", "wall", "path"]
    toward: End
    injected_by: str | None = None


class Path:
    """What is on its way, and the memory of all that stands in it.

    Args:
        route: what lies between the ends.
        coins: decide which middleboxes stand there, losses and jitter, and what the walls do.
        start: the instant that the trace counts from.
        runs: the runs of the route's walls, to keep their memory; None: all walls start with empty memory.
        numbered: how many packets earlier paths of the same runs have numbered.

    Attributes:
        trace: an event for every packet at every place where it was seen.
        effects: what the walls did.
    """

    __slots__ = (
        "_buckets", "_busy", "_client_filter", "_coins", "_first_router", "_heap", "_joiners", "_last", "_number", "_serial", "_strict", "effects",
        "route", "runs", "start", "trace",
    )

    def __init__(
        self, route: Route, coins: Coins, start: Instant = Instant(0), runs: tuple[Run, ...] | None = None, numbered: int = 0  # noqa: B008
    ) -> None:
        self.route = route
        self.start = start
        self.runs = runs if runs is not None else tuple(wall.start(coins) for wall in route.walls)
        self.trace: list[Event] = []
        self.effects: list[WallEffect] = []
        self._coins = coins
        self._client_filter = choose_client_filter(route.client_middleboxes, coins)
        self._strict = choose_strict_filter(route.strict_share, coins)
        self._first_router = [1 + sum(link.routers for link in route.links[:number]) for number in range(len(route.links))]
        self._busy: dict[tuple[int, End], int] = {}
        """When a link with a rate has sent what it was given so far."""
        self._buckets: dict[tuple[int, bytes, End], tuple[Bucket, str]] = {}
        self._heap: list[tuple[Instant, int, Callable[[Instant, int, _Flight, Packet], Arrival | None], int, _Flight, Packet]] = []
        self._joiners: dict[int, Defragmenter] = {}
        """What each wall puts fragments together with; none where there were no fragments."""
        self._serial = 0
        self._number = numbered
        self._last = len(route.links) - 1

    def send(self, now: Instant, end: End, packet: Packet) -> None:
        """Take a packet that an end sends now."""
        flight = self._begin(now, _NAMES[end], end.other, packet, "sent", _NAMES[end])
        if packet.raw is not None or packet.ip_checksum is not None:
            if not ip_checksum_valid(packet):
                self._note(now, flight, packet, "dropped", self._first_hop(end), "its IP header checksum is wrong")
                return
            packet = msgspec.structs.replace(packet, raw=None, ip_checksum=None)
        if packet.total_length is not None and is_cut_short(packet):
            # Routers drop what is shorter than its header says (RFC 1812 section 5.2.2).
            self._note(now, flight, packet, "dropped", self._first_hop(end), "it is shorter than its IP header says")
            return
        if end is End.CLIENT:
            if self._client_filter is not None:
                self._filter(now, self._client_filter.id, self._client_filter.take(now, packet), flight, packet)
            else:
                self._cross(now, 0, flight, packet)
            return
        if self._strict is not None:
            self._strict.watch(packet)
        self._cross(now, self._last, flight, packet)

    def _first_hop(self, end: End) -> str:
        return f"hop {1 if end is End.CLIENT else max(self.route.hops - 1, 1)}"

    def next_due(self) -> Instant | None:
        """Return when something happens next; None while nothing is on its way."""
        return self._heap[0][0] if self._heap else None

    def pop(self) -> Arrival | None:
        """Let the next thing happen, whatever the clock says; return it if a packet arrives at an end.

        Raises IndexError while nothing is on its way.
        """
        due, _, happens, place, flight, packet = heapq.heappop(self._heap)
        return happens(due, place, flight, packet)

    def ring(self, now: Instant) -> None:
        """Let time pass for the walls without a packet, so that they note what ended."""
        for run in self.runs:
            alarm = run.next_alarm()
            if alarm is not None and alarm <= now:
                for effect in run.ring(now):
                    at = effect.at if isinstance(effect, Expired) else now
                    self.effects.append(WallEffect(at, run.wall.name, effect, 0))

    def _begin(
        self, now: Instant, sender: Literal["client", "server", "wall", "path"], toward: End, packet: Packet, what: What, where: str,
        *, reason: str | None = None, cause: int = 0, by: str | None = None,
    ) -> _Flight:
        """Count a packet that comes into being, and note it."""
        self._number += 1
        flight = _Flight(self._number, sender, toward, by)
        self.trace.append(Event(now - self.start, sender, _NAMES[toward], packet, by, None, what, where, self._number, reason, cause))
        return flight

    def _note(
        self, now: Instant, flight: _Flight, packet: Packet, what: What, where: str, reason: str | None = None, by: str | None = None
    ) -> None:
        self.trace.append(
            Event(now - self.start, flight.sender, _NAMES[flight.toward], packet, flight.injected_by, by, what, where, flight.number, reason)
        )

    def _push(
        self, due: Instant, happens: Callable[[Instant, int, _Flight, Packet], Arrival | None], place: int, flight: _Flight, packet: Packet
    ) -> None:
        self._serial += 1
        heapq.heappush(self._heap, (due, self._serial, happens, place, flight, packet))

    def _cross(self, now: Instant, number: int, flight: _Flight, packet: Packet) -> None:
        """Send a packet over a link, to whatever stands behind it in its direction."""
        link = self.route.links[number]
        due = now + link.delay
        routers = link.routers
        if link.rate is not None or link.jitter or link.loss:
            entry = self._enter(now, number, link, flight, packet)
            if entry is None:
                return
            due = entry
        if routers:
            if packet.ttl <= routers:
                self._push(Instant(due - link.delay + link.delay * packet.ttl // (routers + 1)), self._die, number, flight, packet)
                return
            packet = _replace(packet, ttl=packet.ttl - routers)
        behind = number if flight.toward == _SERVER else number - 1
        self._serial += 1
        happens = self._reach_end if behind == self._last or behind < 0 else self._reach_wall
        heapq.heappush(self._heap, (Instant(due), self._serial, happens, behind, flight, packet))

    def _enter(self, now: Instant, number: int, link: Link, flight: _Flight, packet: Packet) -> int | None:
        """Return when a packet comes out of a link that loses, delays or queues; None where it is lost."""
        scope = flight.number.to_bytes(8, "big")
        if self._coins.toss(PATH, scope, f"loss-{number}", link.loss):
            self._note(now, flight, packet, "lost", PATH, f"lost on link {number + 1}")
            return None
        due = now + link.delay
        if link.rate is not None:
            way = (number, flight.toward)
            free = max(now, self._busy.get(way, now)) + size_of(packet) * NANOSECONDS // link.rate
            self._busy[way] = free
            due = free + link.delay
        if link.jitter:
            due += self._coins.draw(PATH, scope, f"jitter-{number}", Uniform(0, link.jitter))
        return due

    def _die(self, now: Instant, number: int, flight: _Flight, packet: Packet) -> None:
        """Let a packet end at the router that takes its last TTL, and let that router say so."""
        link, first = self.route.links[number], self._first_router[number]
        passed = max(packet.ttl, 1)
        hop = first + passed - 1 if flight.toward is End.SERVER else first + link.routers - passed
        dead = msgspec.structs.replace(packet, ttl=0)
        self._note(now, flight, dead, "died", f"hop {hop}", "its TTL ran out")
        answer = answer_of(dead, hop_address(hop, packet.version)) if self.route.answers else None
        if answer is None:
            return
        back = self._begin(now, PATH, flight.toward.other, answer, "answered", f"hop {hop}", reason="time exceeded", cause=flight.number)
        spent = link.delay * passed // (link.routers + 1)
        behind = number - 1 if flight.toward is End.SERVER else number
        at_end = behind == self._last or behind < 0
        answer = msgspec.structs.replace(answer, ttl=answer.ttl - passed + 1)
        self._push(Instant(now + spent), self._reach_end if at_end else self._reach_wall, behind, back, answer)

    def _reach_wall(self, now: Instant, place: int, flight: _Flight, packet: Packet) -> None:
        """Show a packet to a wall, and let it go on unless the wall withholds it."""
        route = self.route
        wall = route.walls[place].name
        from_client = flight.toward is End.SERVER
        side = route.client_side if from_client else _OPPOSITE[route.client_side]
        if self._buckets and not self._admits(now, place, flight, packet):
            return
        shown = packet if not is_fragment(packet) else self._join(now, place, packet)
        effects = self.runs[place].see(now, side, shown) if shown is not None else []
        dropped = self._settle(now, place, wall, effects, flight, packet) if effects else None
        if dropped is not None:
            self._note(now, flight, packet, "dropped", wall, dropped.because.rule, dropped.because.middlebox)
            return
        self._note(now, flight, packet, "passed", wall)
        self._cross(now, place + 1 if from_client else place, flight, packet)

    def _join(self, now: Instant, place: int, packet: Packet) -> Packet | None:
        """Return the datagram that a fragment completes for a wall, as in a replay; None while it waits. The fragments go on by themselves."""
        joiner = self._joiners.get(place)
        if joiner is None:
            joiner = self._joiners[place] = Defragmenter(FragmentLimits(), Overlap.FIRST)
        return joiner.add(now, packet)

    def _settle(self, now: Instant, place: int, wall: str, effects: list[Effect], flight: _Flight, packet: Packet) -> Drop | None:
        """Let a wall's effects come about; return the one that withholds the packet."""
        dropped = None
        for effect in effects:
            self.effects.append(WallEffect(now, wall, effect, flight.number))
            if isinstance(effect, Inject):
                toward = End.CLIENT if effect.toward == self.route.client_side else End.SERVER
                # Its own number is given when it leaves; until then it carries that of its ground.
                pending = _Flight(flight.number, "wall", toward, effect.because.middlebox)
                self._push(Instant(now + effect.after), self._leave_wall, place, pending, effect.packet)
            elif isinstance(effect, Drop):
                dropped = dropped or effect
            elif isinstance(effect, Throttle):
                self._throttle(now, place, effect, packet)
        return dropped

    def _leave_wall(self, now: Instant, place: int, pending: _Flight, packet: Packet) -> None:
        wall, by = self.route.walls[place].name, pending.injected_by
        flight = self._begin(now, "wall", pending.toward, packet, "injected", wall, cause=pending.number, by=by)
        self._cross(now, place + 1 if pending.toward is End.SERVER else place, flight, packet)

    def _throttle(self, now: Instant, place: int, effect: Throttle, packet: Packet) -> None:
        for toward in End:
            if effect.toward is None or (effect.toward == self.route.client_side) == (toward is End.CLIENT):
                bucket = Bucket(effect.bytes_per_second, effect.burst, now)
                # A flow that is throttled already keeps the bucket that it has.
                self._buckets.setdefault((place, _flow(packet), toward), (bucket, effect.because.middlebox))

    def _admits(self, now: Instant, place: int, flight: _Flight, packet: Packet) -> bool:
        """Say whether a packet finds tokens where its flow is throttled."""
        found = self._buckets.get((place, _flow(packet), flight.toward))
        if found is None or found[0].admits(now, size_of(packet)):
            return True
        self._note(now, flight, packet, "dropped", self.route.walls[place].name, "it exceeds the rate to which the flow is held", found[1])
        return False

    def _reach_end(self, now: Instant, place: int, flight: _Flight, packet: Packet) -> Arrival | None:
        """Let a packet arrive, if what stands before the server lets it."""
        toward = flight.toward
        if toward is End.SERVER and self._strict is not None:
            passage = self._strict.take(now, packet)
            if passage.packet is None:
                self._note(now, flight, packet, "dropped", self._strict.id, passage.reason)
                return None
        self._note(now, flight, packet, "arrived", _NAMES[toward])
        return Arrival(now, toward, packet, flight.number)

    def _filter(self, now: Instant, box: str, passage: Passage, flight: _Flight, packet: Packet) -> None:
        """Let what the middlebox near the client makes of a packet come about."""
        if passage.packet is None:
            self._note(now, flight, packet, "held" if passage.held else "dropped", box, passage.reason)
            return
        if passage.joined:
            self._note(now, flight, packet, "held", box, "it completes a datagram")
            flight = self._begin(now, PATH, flight.toward, passage.packet, "joined", box, reason="put together from fragments", cause=flight.number)
        self._cross(now, 0, flight, passage.packet)


def _flow(packet: Packet) -> bytes:
    """Return the same key for both directions of a flow."""
    key = flow_key(packet.src, packet.dst, packet.sport, packet.dport)
    return min(key, reverse_key(key)) + bytes((packet.proto,))
