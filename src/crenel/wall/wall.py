"""A wall for one date: boxes in, dispatch tables out; immutable, shareable, without memory."""

import copy
import itertools
from array import array
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

import msgspec

from crenel.flow.key import CLASSES
from crenel.instant import NANOSECONDS
from crenel.wall.box import Box
from crenel.wall.lanes import Lane, LaneSet, ReaderSlot
from crenel.wall.match import AddressList
from crenel.wall.opening import Openings, Plain, plain_opening
from crenel.wall.readers import PayloadReader
from crenel.wall.residual import key_maker
from crenel.wire.packet import TCP, UDP

if TYPE_CHECKING:
    from crenel.coins import Coins
    from crenel.wall.run import Run


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much a run remembers at most."""

    flows: int
    residual_entries: int
    stream_bytes: int
    """Client bytes of one connection that are held unread."""




class Watch(msgspec.Struct, frozen=True, eq=False):
    """Who watches a kind of flow, decided once for all flows of that kind."""

    lanes: LaneSet | None
    """The boxes with a state model; None where there is none."""
    choices: tuple[tuple[Box, tuple[tuple[Lane, float], ...]], ...]
    """Boxes whose model a coin decides per pair of hosts, with their lanes and probabilities."""
    headers: tuple[tuple[Box, int], ...]
    """Boxes that act on headers alone, with the packet classes they look at."""
    stateless: tuple[ReaderSlot, ...]
    """Readers of single TCP segments, for boxes without a state model."""
    datagrams: tuple[ReaderSlot, ...]
    idle_interest: int
    """Packet classes that matter to readers of single segments, whatever the state."""
    servers: frozenset[bytes]
    """Server addresses for which a box that acts on headers has to be asked."""
    asks_always: bool
    """Whether such a box has to be asked for every flow."""
    plain: Plain | None
    """How a plain opening is followed at little cost; None where it cannot be."""


class Wall:
    """A profile compiled for one date. It holds no memory: `start` gives a run that does.

    Attributes:
        name: name of the profile.
        title: one line for people.
        boxes: the middleboxes in force, in the profile's order.
    """

    def __init__(
        self,
        name: str,
        title: str,
        boxes: Sequence[Box],
        *,
        limits: Limits,
        utc_offset: int,
        hour: int | None,
        about: object = None,
        elsewhere: "Callable[[str], Wall] | None" = None,
    ) -> None:
        self.name = name
        self.title = title
        self.boxes = tuple(boxes)
        self.limits = limits
        self.hour = hour
        """Hour of the day for every packet; None: each packet's own clock."""
        self.about = about
        """What the atlas knows of this wall: date, seed, assumptions, vantage."""
        self._elsewhere = elsewhere
        self._utc_offset = utc_offset
        self._slots: list[ReaderSlot] = []
        self._lanes: list[Lane] = []
        self._subsets: dict[tuple[int, ...], LaneSet] = {}
        self._watches: dict[int, Watch] = {}
        edges = sorted({edge for box in boxes for low, high in box.scope.ports for edge in (low, high + 1)})
        self._regions = array("H")
        """For each port, between which bounds of the boxes' scopes it lies."""
        for number, (low, high) in enumerate(itertools.pairwise([0, *edges, 1 << 16])):
            self._regions.extend(array("H", [number]) * (high - low))
        self._lane_choices = self._compile_lanes()
        self._bare_slots = self._compile_bare()
        self.begins = tuple(sum(slot.bit for slot in self._slots if _could_begin(slot.reader, byte)) for byte in range(256))
        """For each first byte of a stream, the readers that do not give up at once."""
        self._members: dict[int, tuple[ReaderSlot, ...]] = {}
        self.openings = Openings(self)
        """Follows plain openings; it remembers nothing of any flow."""
        self.key_makers = {
            (number, version): tuple(
                key_maker(parts, number, 4 if version == 4 else 16)
                for parts in dict.fromkeys(box.residual.parts for box in boxes if box.residual is not None and box.scope.transport == name)
            )
            for number, name in ((TCP, "tcp"), (UDP, "udp"))
            for version in (4, 6)
        }
        """By transport and IP version, how the keys of residual memory are made from a flow's key."""
        self._parts: dict[tuple[str, ...], Wall] = {}

    def alone(self, *boxes: Box) -> "Wall":
        """Return the same wall with some of its boxes only, for asking what they alone may come to."""
        key = tuple(box.id for box in boxes)
        known = self._parts.get(key)
        if known is None:
            own = []
            for index, box in enumerate(boxes):
                # A run finds its boxes by their place among those of its wall.
                one = copy.copy(box)
                one.index = index
                own.append(one)
            known = Wall(self.name, self.title, own, limits=self.limits, utc_offset=self._utc_offset, hour=self.hour, about=self.about)
            self._parts[key] = known
        return known

    def start(self, coins: "Coins", mode: Literal["live", "forecast"] = "live") -> "Run":
        """Return a run with empty memory; a forecast judges flows that already happened, so nothing that it injects changes them."""
        from crenel.wall.run import Run  # noqa: PLC0415  a run imports its wall

        return Run(self, coins, forecast=mode == "forecast")

    def seen_from(self, vantage: str | None) -> "Wall":
        """Return the same wall compiled for another vantage, by name or path; None, or a wall made without an atlas, gives this one."""
        return self if vantage is None or self._elsewhere is None else self._elsewhere(vantage)

    def hour_at(self, now: int) -> int:
        """Return the hour of the day, in the wall's own time, at an instant since 1970."""
        return self.hour if self.hour is not None else (now // (3600 * NANOSECONDS) + self._utc_offset) % 24

    def slots_of(self, bits: int) -> tuple[ReaderSlot, ...]:
        """Return the readers in a bit set."""
        known = self._members.get(bits)
        if known is None:
            known = self._members[bits] = tuple(slot for slot in self._slots if bits & slot.bit)
        return known

    def watch(self, transport: int, version: int, port: int, *, inside: bool, above: bool) -> Watch:
        """Return who watches flows (for UDP: packets) to this port, opened from inside or not, source port above or not."""
        key = self._regions[port] << 12 | transport << 4 | (version & 2) << 2 | inside << 1 | above
        known = self._watches.get(key)
        if known is None:
            covered = [box for box in self.boxes if box.scope.covers(transport, version, port, inside=inside, above=above)]
            known = self._watches[key] = self._watch_of(covered, transport)
        return known

    def lane_set(self, lanes: Sequence[Lane]) -> LaneSet:
        """Return the set of these lanes."""
        ordered = tuple(sorted(lanes, key=lambda lane: lane.number))
        known = self._subsets.get(tuple(lane.number for lane in ordered))
        return known if known is not None else LaneSet(ordered, self._subsets)

    def _watch_of(self, covered: list[Box], transport: int) -> Watch:
        fixed: list[Lane] = []
        choices = []
        for box in covered:
            options = self._lane_choices.get(box.index, ())
            if len(options) == 1:
                fixed.append(options[0][0])
            elif options:
                choices.append((box, options))
        bare = [slot for slot, boxes in self._bare_slots if any(box in covered for box in boxes)]
        headers = tuple((box, box.header.classes()) for box in covered if box.header is not None)
        idle = 0
        if bare:
            idle |= sum(1 << packet_class for packet_class in range(CLASSES) if packet_class & 16)
        servers, always = _servers([box for box, _ in headers])
        return Watch(
            self.lane_set(fixed) if fixed else None,
            tuple(choices),
            headers,
            tuple(bare) if transport == TCP else (),
            tuple(bare) if transport != TCP else (),
            idle,
            servers,
            always,
            None if choices or (bare and transport == TCP) else plain_opening(self.lane_set(fixed) if fixed else None),
        )

    def _slot(self, reader: PayloadReader, *, joins: float, boxes: Sequence[Box]) -> ReaderSlot:
        slot = ReaderSlot(len(self._slots), reader, joins=joins, boxes=boxes)
        self._slots.append(slot)
        return slot

    def _compile_lanes(self) -> dict[int, tuple[tuple[Lane, float], ...]]:
        """Give every box with a state model its lanes: one for each model that it may have."""
        users: dict[object, list[tuple[Box, PayloadReader]]] = {}
        for box in self.boxes:
            if box.tcb is not None and box.payload is not None:
                # Boxes share a reading only where no coin of one of them could part it.
                own = box.index if 0.0 < box.joins < 1.0 else -1
                users.setdefault((_likeness(box.reader), box.joins, own), []).append((box, box.payload))
        choices = {}
        for members in users.values():
            boxes = [box for box, _ in members]
            slot = self._slot(members[0][1], joins=boxes[0].joins, boxes=boxes)
            for box in boxes:
                models = [(box.tcb, 1.0)] if box.other is None else [(box.tcb, 1.0 - box.other[1]), box.other]
                options = []
                for tcb, share in models:
                    if tcb is not None and share > 0.0:
                        lane = Lane(len(self._lanes), box, tcb, slot)
                        self._lanes.append(lane)
                        options.append((lane, share))
                choices[box.index] = tuple(options)
        return choices

    def _compile_bare(self) -> list[tuple[ReaderSlot, tuple[Box, ...]]]:
        """Group the boxes without a state model that read payloads by their reader."""
        users: dict[object, list[tuple[Box, PayloadReader]]] = {}
        for box in self.boxes:
            if box.tcb is None and box.payload is not None:
                key = (_likeness(box.reader), box.scope, box.first_only)
                users.setdefault(key, []).append((box, box.payload))
        return [
            (self._slot(members[0][1], joins=0.0, boxes=[box for box, _ in members]), tuple(box for box, _ in members)) for members in users.values()
        ]


def _servers(boxes: Sequence[Box]) -> tuple[frozenset[bytes], bool]:
    """Return the server addresses that boxes act on, and whether that is not all that has to be asked."""
    servers: frozenset[bytes] = frozenset()
    always = False
    for box in boxes:
        if isinstance(box.names, AddressList) and getattr(box.reader, "side", None) == "server":
            single, networks = box.names.may_cover()
            servers |= single
            always = always or networks
        else:
            always = True
    return servers, always


def _likeness(reader: object) -> object:
    """Return all of a reader's parameters but the list it matches."""
    fields = getattr(reader, "__struct_fields__", ())
    return (type(reader).__name__, *(repr(getattr(reader, name)) for name in fields if name != "list"))


def _could_begin(reader: object, byte: int) -> bool:
    could = getattr(reader, "could_begin", None)
    return bool(could(byte)) if could is not None else True
