"""The common beginning of a flow, without its cost: packets of a plain opening in, and out only whether anything could come of them.

Nearly every flow opens as the textbook says and says nothing that any box looks for. For such flows the state of every box
follows from the packets, so it is worked out only when something else happens: until then the packets are kept and the first
payload is merely read. What this module lets pass, a run that walks every packet lets pass too.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from crenel.flow.key import CLASS_ACK, CLASS_LOAD, CLASS_SECOND, CLASS_SYN, CLASSES
from crenel.flow.table import FlowRecord
from crenel.instant import Instant
from crenel.wall.lanes import EXPECTED, SERVER_LOADS, SERVER_SYN_ACK, SERVER_SYN_ACK_LOAD, LaneSet
from crenel.wall.match import Entry
from crenel.wall.readers.reading import Answer
from crenel.wall.tcb import NONE, OPEN, OPENING
from crenel.wire.packet import Packet

if TYPE_CHECKING:
    from crenel.wall.lanes import ReaderSlot
    from crenel.wall.wall import Wall, Watch

_DATA = CLASS_ACK | CLASS_LOAD
_SYN_ACK = CLASS_SECOND | CLASS_SYN | CLASS_ACK
_LOW = (1 << 32) - 1
_SERVER_SYNS = sum(1 << packet_class for packet_class in range(CLASSES) if packet_class & CLASS_SECOND and packet_class & CLASS_SYN)
_Way: TypeAlias = tuple[
    Callable[[bytes, Sequence[int], bool], Answer] | None, Callable[[bytes, bool], Answer] | None, Callable[[bytes], Entry | None] | None
]

# Phases of a flow whose boxes' state is still implied by its packets.
NEW = 0
ASKED = 1
"""The client's SYN was seen."""
HEARD = 2
"""Its first payload was read, and no box has ground."""


class Plain(msgspec.Struct, frozen=True, eq=False):
    """Which packet classes matter in each phase of a plain opening."""

    asked: int
    heard_live: int
    heard_done: int
    speaks: int
    """Packets of the server with data that tell no box more than that it spoke."""


def plain_opening(lanes: LaneSet | None) -> Plain | None:
    """Return the interest of lanes that all follow a plain opening alike, None where their models differ on it."""
    if lanes is None:
        return Plain(0, 0, 0, 0)

    def only(state: int, packet_class: int, bits: int) -> str | None:
        plan = lanes.plan(state * CLASSES + packet_class, bits, None)
        if not plan:
            return ""
        rows = plan[0].rows
        certain = len(plan) == 1 and len(rows) == 1 and rows[0].p >= 1.0
        return f"{rows[0].do}{'+' if rows[0].go_on else ''}" if certain else None

    walked = (
        only(NONE, CLASS_SYN, 0), only(NONE, CLASS_SYN, EXPECTED), only(OPENING, _SYN_ACK, 0), only(OPENING, _SYN_ACK, EXPECTED),
        only(OPEN, _SYN_ACK, 0), only(OPENING, CLASS_ACK, EXPECTED), only(OPEN, CLASS_ACK, EXPECTED), only(OPENING, _DATA, EXPECTED),
        only(OPEN, _DATA, EXPECTED),
    )
    if walked != ("track", "track", "", "", "", "complete+", "", "complete+", "read"):
        return None
    watched = SERVER_LOADS | SERVER_SYN_ACK | SERVER_SYN_ACK_LOAD
    asked = lanes.mask(OPENING, live=True) | lanes.mask(OPEN, live=True) | watched
    speaks = SERVER_LOADS & ~(lanes.mask(OPEN, live=True) | _SERVER_SYNS)
    return Plain(asked, lanes.mask(OPEN, live=True) | watched, lanes.mask(OPEN, live=False) | watched, speaks)


class Openings:
    """Follows flows through plain openings. What it keeps is worked out from the wall alone, so all runs share it."""

    __slots__ = ("_firsts", "_wall")

    def __init__(self, wall: "Wall") -> None:
        self._wall = wall
        self._firsts: dict[LaneSet, tuple[tuple[_Way, ...], ...]] = {}

    def passes(self, record: FlowRecord, watch: "Watch", now: Instant, packet: Packet, packet_class: int) -> bool:
        """Say whether a TCP packet leaves the flow plain, with nothing for any box to act on; if so it is kept where it matters."""
        phase = record.phase
        plain = watch.plain
        if plain is None:
            return False
        if phase == NEW:
            if packet_class != CLASS_SYN:
                return False
            self.ask(record, watch, packet.seq)
            record.kept = [(now, False, packet)]
            return True
        if packet_class == _DATA:
            return self._data(record, watch.lanes, plain, now, packet)
        if phase == ASKED:
            if packet_class == _SYN_ACK and packet.ack == record.client_next and record.server_next < 0:
                record.server_next = (packet.seq + 1) & _LOW
            elif packet_class != CLASS_ACK or packet.seq != record.client_next:
                return not plain.asked >> packet_class & 1
            record.kept.append((now, bool(packet_class & CLASS_SECOND), packet))
            return True
        if plain.speaks >> packet_class & 1:
            if packet.seq == record.server_next:
                record.served = True
                record.interest &= ~plain.speaks
            return True
        return not record.interest >> packet_class & 1

    def ask(self, record: FlowRecord, watch: "Watch", seq: int) -> None:
        """Take the client's SYN, which is for the caller to keep."""
        record.phase = ASKED
        record.client_next = (seq + 1) & _LOW
        if watch.plain is not None:
            record.interest = watch.plain.asked

    def _data(self, record: FlowRecord, lanes: LaneSet | None, plain: Plain, now: Instant, packet: Packet) -> bool:
        if packet.seq != record.client_next:
            return False
        payload = packet.payload
        if record.phase == HEARD:
            if record.more:
                return False
            record.client_next = (packet.seq + len(payload)) & _LOW
            kept = record.kept
            if isinstance(kept[-1][2], int):
                kept[-1] = (now, False, record.client_next)
            else:
                kept.append((now, False, record.client_next))
            return True
        if not self.hear(record, lanes, plain, packet.ack, payload):
            return False
        record.kept.append((now, False, packet))
        return True

    def hear(self, record: FlowRecord, lanes: LaneSet | None, plain: Plain, ack: int, payload: bytes) -> bool:
        """Say whether the client's first payload, next in order, leaves the flow plain; its packet is for the caller to keep."""
        if record.server_next >= 0 and ack != record.server_next:
            return False
        if lanes is not None:
            more = False
            ends = (len(payload),)
            for read, read_apart, find in (self._firsts.get(lanes) or self._readers(lanes))[payload[0]]:
                if read is not None:
                    answer = read(payload, ends, False)
                    if read_apart is not None:
                        # A coin of the flow would part those who join segments from those who do not.
                        apart = read_apart(payload, True)
                        if (apart.found, apart.more) != (answer.found, answer.more):
                            return False
                elif read_apart is not None:
                    answer = read_apart(payload, True)
                else:
                    continue
                for found in answer.found:
                    if find is None or find(found.value) is not None:
                        return False
                if answer.more:
                    more = True
            record.more = more
            record.interest = plain.heard_live if more else plain.heard_done
        record.phase = HEARD
        record.client_next = (record.client_next + len(payload)) & _LOW
        return True

    def _readers(self, lanes: LaneSet) -> tuple[tuple[_Way, ...], ...]:
        """Return, for each first byte, how the readers of these lanes that do not give up at once are asked."""
        slots = self._wall.slots_of
        known = self._firsts[lanes] = tuple([tuple([_way(slot) for slot in slots(bits & lanes.readers)]) for bits in self._wall.begins])
        return known


def _way(slot: "ReaderSlot") -> _Way:
    """Return how a reader of first payloads is asked: joined with what follows, alone, or both; and what looks its values up."""
    return (
        slot.reader.read if slot.joins > 0.0 else None,
        slot.read_apart if slot.joins < 1.0 else None,
        slot.union.find if slot.union is not None else None,
    )
