"""What a relay let by and what its path tells in, one trace with one numbering out; what is too much to keep is counted."""

import heapq
from collections.abc import Iterable, Iterator

import msgspec

from crenel.instant import Instant
from crenel.net.path.path import End, Path
from crenel.net.trace import Event, WallEffect
from crenel.wire.ip import parse_packet
from crenel.wire.packet import Packet

MOST_EVENTS = 500_000
"""Events that a path's trace keeps; later ones are counted (bench)."""
MOST_PACKETS = 200_000
"""Packets let by untouched that are kept; later ones are counted (bench)."""
MOST_OF_FLOW = 256
"""The same for one flow, so that a download does not use up what others need (bench)."""

Sight = tuple[Instant, End, bytes]
"""A packet that nothing happened to: when it came, from whom, its bytes."""


class Counts(msgspec.Struct):
    """What a relay has done so far."""

    packets: int = 0
    """Packets that came from either end."""
    bytes: int = 0
    untold: int = 0
    """Packets or events that are in no trace, because there were too many."""
    unreadable: int = 0
    """Packets that were no IP."""
    on_link: int = 0
    """Packets to addresses that no router passes on."""
    unwritable: int = 0
    """Packets that an end's kernel would not take, because no wire could carry them or its device is down."""


class Kept(list[Event]):
    """A trace that stops growing: it keeps how things began, and counts the rest."""

    def __init__(self, counts: Counts, most: int = MOST_EVENTS) -> None:
        super().__init__()
        self._counts = counts
        self._most = most

    def append(self, event: Event) -> None:
        """Keep an event where there is room."""
        if len(self) < self._most:
            super().append(event)
        else:
            self._counts.untold += 1


def tell(path: Path, sights: Iterable[Sight]) -> tuple[tuple[Event, ...], tuple[WallEffect, ...]]:
    """Return the trace and the effects of a path and of what was let by beside it, numbered together by time."""
    told = tuple(path.trace)
    numbers: dict[tuple[bool, int], int] = {}

    def number(*, beside: bool, own: int) -> int:
        return numbers.setdefault((beside, own), len(numbers) + 1) if own else 0

    ordered = heapq.merge(((event, False) for event in told), ((event, True) for event in _beside(path, sights)), key=_time)
    trace = tuple([
        msgspec.structs.replace(event, number=number(beside=beside, own=event.number), cause=number(beside=beside, own=event.cause))
        for event, beside in ordered
    ])  # fmt: skip
    effects = tuple([msgspec.structs.replace(effect, packet=number(beside=False, own=effect.packet)) for effect in tuple(path.effects)])
    return trace, effects


def _time(entry: tuple[Event, bool]) -> int:
    return entry[0].time


def _beside(path: Path, sights: Iterable[Sight]) -> Iterator[Event]:
    """Yield the events of packets that went from one end to the other at once."""
    links, walls = path.route.links, path.route.walls
    for serial, (now, end, data) in enumerate(sights, 1):
        packet = parse_packet(data)
        if not isinstance(packet, Packet):
            continue
        sender, other = ("client", "server") if end is End.CLIENT else ("server", "client")
        ttl, time = packet.ttl, now - path.start
        places = [(link, wall.name) for link, wall in zip(links, walls, strict=False)]
        if end is End.SERVER:
            places = [(link, wall.name) for link, wall in zip(links[:0:-1], walls[::-1], strict=True)]
        yield Event(time, sender, other, packet, what="sent", where=sender, number=serial)
        for link, name in places:
            ttl -= link.routers
            yield Event(time, sender, other, msgspec.structs.replace(packet, ttl=ttl), what="passed", where=name, number=serial)
        ttl = packet.ttl - sum(link.routers for link in links)
        yield Event(time, sender, other, msgspec.structs.replace(packet, ttl=ttl), what="arrived", where=other, number=serial)
