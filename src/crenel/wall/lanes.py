"""Boxes that see a connection alike walk it together: sets of lanes with, for each state and packet, the rows that apply to which of them.

A lane is one box with the state model and the way of joining segments that it has for a flow. All lanes of a flow start as one
strand; they part only at a packet that their models treat differently, or where a coin of one box falls.
"""

from collections.abc import Callable, Iterable, Sequence

import msgspec

from crenel.flow.key import CLASS_ACK, CLASS_LOAD, CLASS_SECOND, CLASS_SYN, CLASSES
from crenel.wall.box import Box
from crenel.wall.match import NameList
from crenel.wall.readers import PayloadReader
from crenel.wall.readers.reading import Answer
from crenel.wall.tcb import OPEN, OPENING, RESYNC, STATES, CompiledTcb, Row
from crenel.wire.packet import Packet

EXPECTED = 1
"""Guard bit: the sequence number is the one that is expected next."""
ACK_ODD = 2
"""Guard bit: the acknowledgement number is not one that the box can explain."""
REPEATED = 4
"""Guard bit: not the first SYN/ACK of the server."""
TARGETED = 8
"""Guard bit: one of the packets that the box waits for in order to resynchronise."""

_GUARDS = {
    "seq-expected": (EXPECTED, EXPECTED),
    "seq-odd": (EXPECTED, 0),
    "ack-right": (ACK_ODD, 0),
    "ack-odd": (ACK_ODD, ACK_ODD),
    "repeated": (REPEATED, REPEATED),
    "targeted": (TARGETED, TARGETED),
}
TARGET_BITS = {"client": 1, "client-ack": 2, "client-data": 4, "server-syn-ack": 8}

SERVER_SYN_ACK = 1 << (CLASS_SECOND | CLASS_SYN | CLASS_ACK)
SERVER_SYN_ACK_LOAD = 1 << (CLASS_SECOND | CLASS_SYN | CLASS_ACK | CLASS_LOAD)
SERVER_LOADS = sum(1 << packet_class for packet_class in range(CLASSES) if packet_class & CLASS_SECOND and packet_class & CLASS_LOAD)
_READ_ONLY = frozenset({"read", "ignore"})


class ReaderSlot:
    """A reader with the boxes that use it, and all their names in one list so that most values cost one look-up."""

    __slots__ = ("bit", "boxes", "joins", "number", "read_apart", "read_bare", "read_packet", "reader", "union")

    def __init__(self, number: int, reader: PayloadReader, *, joins: float, boxes: Sequence[Box]) -> None:
        self.number = number
        self.bit = 1 << number
        self.reader = reader
        self.joins = joins
        """Probability, per client and server pair, that segments are joined before they are read."""
        self.boxes = tuple(boxes)
        apart: Callable[[bytes, bool], Answer] | None = getattr(reader, "read_apart", None)
        self.read_apart = apart if apart is not None else lambda segment, first: reader.read(segment, (len(segment),), False)
        """Read one segment alone; the second argument says whether it is the client's first."""
        whole: Callable[[Packet], Answer] | None = getattr(reader, "read_packet", None)
        self.read_packet = whole if whole is not None else lambda packet: reader.read(packet.payload, (len(packet.payload),), False)
        """Read one datagram, with its headers where the reader wants them."""
        bare: Callable[[bytes], Answer] | None = getattr(reader, "read_bare", None)
        self.read_bare = bare if bare is not None else lambda data: reader.read(data, (len(data),), False)
        """Read what a datagram carries whose IPv4 and UDP headers are as short as can be and claim what is right."""
        lists = [box.names for box in boxes if isinstance(box.names, NameList)]
        self.union = NameList.union(lists) if lists else None


class Lane(msgspec.Struct, frozen=True, eq=False):
    """One box with the model and the reader it has for a flow."""

    number: int
    box: Box
    tcb: CompiledTcb
    slot: ReaderSlot


class Part(msgspec.Struct, frozen=True, eq=False):
    """Lanes that treat a packet alike, and the rows that they try, all guards already met."""

    lanes: "LaneSet"
    rows: tuple[Row, ...]


Plan = tuple[Part, ...]


class LaneSet:
    """A set of lanes that share one view of a connection so far."""

    __slots__ = ("_cells", "_idle", "_live", "_subsets", "asks_ack", "lanes", "of_slot", "plans", "readers")

    def __init__(self, lanes: Sequence[Lane], subsets: "dict[tuple[int, ...], LaneSet]") -> None:
        self.lanes = tuple(lanes)
        self._subsets = subsets
        subsets[tuple(lane.number for lane in self.lanes)] = self
        self.readers = 0
        self.of_slot: dict[int, tuple[Box, ...]] = {}
        for lane in self.lanes:
            self.readers |= lane.slot.bit
            self.of_slot[lane.slot.number] = (*self.of_slot.get(lane.slot.number, ()), lane.box)
        self.plans: dict[int, Plan] = {}
        self._cells: dict[int, tuple[int, bool]] = {}
        self.asks_ack = any(
            "ack-odd" in row.when or "ack-right" in row.when for lane in self.lanes for row in lane.tcb.table.row if row.from_ == "client"
        )
        self._live = tuple(self._mask(state, live=True) for state in range(STATES))
        self._idle = tuple(self._mask(state, live=False) for state in range(STATES))

    def subset(self, lanes: Iterable[Lane]) -> "LaneSet":
        """Return the set of these lanes; the same lanes give the same object."""
        chosen = tuple(lanes)
        known = self._subsets.get(tuple(lane.number for lane in chosen))
        return known if known is not None else LaneSet(chosen, self._subsets)

    def without(self, box: Box) -> "tuple[LaneSet | None, LaneSet | None]":
        """Return the lanes of other boxes, and those of this one; None for an empty set."""
        rest = [lane for lane in self.lanes if lane.box is not box]
        own = [lane for lane in self.lanes if lane.box is box]
        return (self.subset(rest) if rest else None), (self.subset(own) if own else None)

    def mask(self, state: int, *, live: bool) -> int:
        """Return the packet classes that matter in a state, with the second end as the server."""
        return self._live[state] if live else self._idle[state]

    def _mask(self, state: int, *, live: bool) -> int:
        mask = 0
        for packet_class in range(CLASSES):
            for lane in self.lanes:
                rows = lane.tcb.rows[state * CLASSES + packet_class]
                if rows and (live or lane.tcb.asks_expected or any(row.do not in _READ_ONLY for row in rows)):
                    mask |= 1 << packet_class
                    break
        if self.asks_ack and state in (OPENING, OPEN, RESYNC):
            mask |= SERVER_SYN_ACK | SERVER_SYN_ACK_LOAD
        return mask

    def guards(self, cell: int) -> tuple[int, bool]:
        """Return the guard bits that any row of a cell asks for, and whether any asks for the cause of a resynchronisation."""
        known = self._cells.get(cell)
        if known is None:
            bits = 0
            asks_cause = False
            for lane in self.lanes:
                for row in lane.tcb.rows[cell]:
                    asks_cause = asks_cause or row.cause is not None
                    for guard in row.when:
                        bits |= _GUARDS[guard][0]
            known = self._cells[cell] = (bits, asks_cause)
        return known

    def plan(self, cell: int, bits: int, cause: str | None) -> Plan:
        """Return who does what with a packet of this cell under these guard bits; lanes that ignore it are left out where none acts."""
        groups: dict[tuple[object, ...], tuple[list[Lane], tuple[Row, ...]]] = {}
        for lane in self.lanes:
            rows = _rows_that_apply(lane.tcb.rows[cell], bits, cause)
            key = _likeness(lane, rows)
            groups.setdefault(key, ([], rows))[0].append(lane)
        if all(not rows for _, rows in groups.values()):
            return ()
        return tuple(Part(self.subset(lanes), rows) for lanes, rows in groups.values())


def _rows_that_apply(rows: tuple[Row, ...], bits: int, cause: str | None) -> tuple[Row, ...]:
    met = []
    for row in rows:
        if row.cause is not None and row.cause != cause:
            continue
        if all(bits & _GUARDS[guard][0] == _GUARDS[guard][1] for guard in row.when):
            met.append(row)
            if row.p >= 1.0:
                break
    return tuple(met)


def _likeness(lane: Lane, rows: tuple[Row, ...]) -> tuple[object, ...]:
    """Return what lanes must have in common to go on as one strand after these rows."""
    behaviour = tuple((row.do, row.to, row.targets, row.as_, row.go_on) for row in rows)
    if any(row.p < 1.0 for row in rows):
        return (*behaviour, tuple((row.coin, row.p, row.per) for row in rows), lane.number)
    if rows and rows[-1].do == "read":
        newer = lane.tcb.table.keeps_newer
        return (*behaviour, lane.tcb.table.ahead, newer, lane.number if 0.0 < newer < 1.0 else -1)
    return behaviour

