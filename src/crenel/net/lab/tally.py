"""What a relay let by and what its path tells in, one trace with one numbering out; what is too much to keep is counted."""

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from crenel.flow.key import flow_key, reverse_key
from crenel.instant import Instant
from crenel.net.path.path import End, Path
from crenel.net.trace import Event, WallEffect
from crenel.wire.ip import parse_packet
from crenel.wire.packet import Packet

MOST_EVENTS = 200_000
"""Events that a path's trace keeps; later ones are counted (bench)."""
MOST_BYTES = 64_000_000
"""Bytes of packets let by untouched that are kept; later ones are counted (bench)."""
MOST_OF_FLOW = 256
"""Packets of one flow that are kept, so that a download does not use up what others need (bench)."""

_Name = Literal["client", "server"]
_NAMES: tuple[_Name, _Name] = ("client", "server")

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
    """A trace that stops growing: it keeps how things began, and whatever was forged or withheld, and counts the rest."""

    def __init__(self, counts: Counts, most: int = MOST_EVENTS, most_of_flow: int = MOST_OF_FLOW) -> None:
        super().__init__()
        self._counts = counts
        self._most = most
        self._most_of_flow = most_of_flow
        self._flows: Counter[bytes] = Counter()
        self._skipped: set[int] = set()

    def append(self, event: Event) -> None:
        """Keep an event where there is room."""
        what, number = event.what, event.number
        if what == "sent":
            packet = event.packet
            key = flow_key(packet.src, packet.dst, packet.sport, packet.dport)
            key = min(key, reverse_key(key))
            self._flows[key] += 1
            if self._flows[key] > self._most_of_flow:
                self._skipped.add(number)
                self._counts.untold += 1
                return
        elif number in self._skipped:
            if what == "passed":
                return
            self._skipped.discard(number)
            if what == "arrived":
                return
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
    links, names = path.route.links, [wall.name for wall in path.route.walls]
    for serial, (now, end, data) in enumerate(sights, 1):
        packet = parse_packet(data)
        if not isinstance(packet, Packet):
            continue
        ttl, time = packet.ttl, now - path.start
        from_client = end is End.CLIENT
        sender, other = _NAMES if from_client else (_NAMES[1], _NAMES[0])
        hops = [link.routers for link in (links if from_client else links[::-1])]
        yield Event(time, sender, other, packet, what="sent", where=sender, number=serial)
        for routers, name in zip(hops[:-1], names if from_client else names[::-1], strict=True):
            ttl -= routers
            yield Event(time, sender, other, msgspec.structs.replace(packet, ttl=ttl), what="passed", where=name, number=serial)
        yield Event(time, sender, other, msgspec.structs.replace(packet, ttl=ttl - hops[-1]), what="arrived", where=other, number=serial)
