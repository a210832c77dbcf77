"""The trace of an exchange in, one journey for each packet out; packets that go the same way at the same time, or again, are taken together."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import msgspec

from crenel.net.trace import BEGINNINGS, ENDINGS, Event
from crenel.report.content import flag_words, packet_words
from crenel.wire.packet import FIN, RST, SYN, TCP, Packet

Stage = Literal["sent", "crossed", "ended"]


class Journey(msgspec.Struct, frozen=True, kw_only=True):
    """What became of packets that went the same way: when they were sent, whether they came past the wall, how they ended."""

    packets: tuple[Packet, ...]
    numbers: tuple[int, ...]
    sender: Literal["client", "server", "wall", "path"]
    toward: Literal["client", "server"]
    begun: int
    """Nanoseconds since the exchange began."""
    crossed: bool
    """Did the wall let them by, or make them?"""
    end: Event | None
    """How the first of them ended; None while it is on its way."""
    forged_by: str | None
    again: tuple[int, ...] = ()
    """Where these repeat earlier ones: when each was sent."""

    @property
    def words(self) -> str:
        """What they are."""
        words = packet_words(self.packets[: max(1, len(self.packets) // len(self.again))] if self.again else self.packets)
        if not self.again:
            return words
        if len(self.again) == 1:
            return f"{words}, again"
        return f"{words}, again {len(self.again)} times, the last at {self.again[-1] / 1e6:,.0f}"

    @property
    def bare(self) -> bool:
        """Do they only acknowledge?"""
        first = self.packets[0]
        return not first.payload and first.proto == TCP and flag_words(first) == "ACK"


def journeys(trace: Sequence[Event], wall: str) -> list[Journey]:
    """Return what became of each packet, in the order of sending; copies sent at once, and repetitions of one fate, are one journey.

    Args:
        trace: by time.
        wall: the name of the wall that stands in the middle.
    """
    singles = _singles(trace, wall)
    return _with_repetitions(_bursts(singles))


def _singles(trace: Iterable[Event], wall: str) -> list[Journey]:
    begun: dict[int, Event] = {}
    ended: dict[int, Event] = {}
    crossed: set[int] = set()
    for event in trace:
        if event.what in BEGINNINGS:
            begun.setdefault(event.number, event)
        elif event.what in ENDINGS:
            ended[event.number] = event
        if event.where == wall and event.what in {"passed", "injected"}:
            crossed.add(event.number)
    return [
        Journey(
            packets=(event.packet,), numbers=(number,), sender=event.sender, toward=event.toward, begun=event.time,
            crossed=number in crossed, end=ended.get(number), forged_by=event.injected_by,
        )
        for number, event in begun.items()
    ]  # fmt: skip


def _bursts(singles: Iterable[Journey]) -> list[Journey]:
    """Put together what was sent at once, is of one kind, and had one fate."""
    together: dict[object, Journey] = {}
    for one in singles:
        key = (one.sender, one.toward, one.begun, one.forged_by, _sort(one.packets[0]), _fate(one), one.end.time if one.end is not None else None)
        known = together.get(key)
        together[key] = one if known is None else _joined(known, one)
    return list(together.values())


def _with_repetitions(bursts: Iterable[Journey]) -> list[Journey]:
    """Put together what repeats an earlier packet later on, by what it repeats and how it ended; what is forged repeats nothing."""
    seen: dict[object, int] = {}
    found: dict[object, Journey] = {}
    for number, one in enumerate(bursts):
        known = [seen.get(identity) for identity in map(_identity, one.packets)]
        first = known[0]
        if one.forged_by is not None:
            found["once", number] = one
            continue
        if first is None or any(other != first for other in known):
            found["once", number] = one
            for identity in map(_identity, one.packets):
                seen.setdefault(identity, number)
            continue
        key = ("again", first, _fate(one))
        before = found.get(key)
        repeated = msgspec.structs.replace(one, again=(one.begun,))
        found[key] = repeated if before is None else msgspec.structs.replace(_joined(before, one), again=(*before.again, one.begun))
    return list(found.values())


def _joined(one: Journey, other: Journey) -> Journey:
    return msgspec.structs.replace(one, packets=one.packets + other.packets, numbers=one.numbers + other.numbers)


def _sort(packet: Packet) -> str:
    return "data" if packet.payload else f"{packet.proto} {flag_words(packet)}"


def _fate(one: Journey) -> tuple[bool, str, str, str | None]:
    end = one.end
    return (one.crossed, "", "", None) if end is None else (one.crossed, end.what, end.where, end.dropped_by)


def _identity(packet: Packet) -> object:
    """Return what makes a packet the same as an earlier one: its place in the stream over TCP, its bytes over UDP.

    What only acknowledges or resets takes no place: it is the same where all its numbers are.
    """
    place = packet.src, packet.sport, packet.dport, packet.seq, packet.flags & (SYN | FIN | RST), bytes(packet.payload)
    takes_place = packet.proto != TCP or packet.payload or packet.flags & (SYN | FIN)
    return place if takes_place else (*place, packet.ack)


def acted_on(effects: Mapping[int, Sequence[str]], one: Journey) -> list[str]:
    """Return the boxes that acted on any of the packets of a journey, each once."""
    return list(dict.fromkeys(box for number in one.numbers for box in effects.get(number, ())))
