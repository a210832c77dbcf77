"""The common beginning of a flow, without its cost: packets of a plain opening in, and out only whether anything could come of them.

Nearly every flow opens as the textbook says and says nothing that any box looks for. For such flows the state of every box
follows from the packets, so it is worked out only when something else happens: until then the packets are kept and the first
payload is merely read. What this module lets pass, a run that walks every packet lets pass too.
"""

from typing import TYPE_CHECKING

import msgspec

from crenel.flow.key import CLASS_ACK, CLASS_LOAD, CLASS_SECOND, CLASS_SYN, CLASSES
from crenel.flow.table import FlowRecord
from crenel.instant import Instant
from crenel.wall.lanes import EXPECTED, SERVER_LOADS, SERVER_SYN_ACK, SERVER_SYN_ACK_LOAD, LaneSet
from crenel.wall.tcb import NONE, OPEN, OPENING
from crenel.wire.packet import Packet

if TYPE_CHECKING:
    from crenel.wall.lanes import ReaderSlot
    from crenel.wall.wall import Wall, Watch

_DATA = CLASS_ACK | CLASS_LOAD
_SYN_ACK = CLASS_SECOND | CLASS_SYN | CLASS_ACK
_LOW = (1 << 32) - 1

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


def plain_opening(lanes: LaneSet | None) -> Plain | None:
    """Return the interest of lanes that all follow a plain opening alike, None where their models differ on it."""
    if lanes is None:
        return Plain(0, 0, 0)

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
    return Plain(asked, lanes.mask(OPEN, live=True) | watched, lanes.mask(OPEN, live=False) | watched)


class Openings:
    """Follows flows through plain openings for one run."""

    __slots__ = ("_begins", "_wall")

    def __init__(self, wall: "Wall") -> None:
        self._wall = wall
        self._begins = wall.begins

    def passes(self, record: FlowRecord, watch: "Watch", now: Instant, packet: Packet, packet_class: int) -> bool:
        """Say whether a TCP packet leaves the flow plain, with nothing for any box to act on; if so it is kept where it matters."""
        phase = record.phase
        plain = watch.plain
        if plain is None:
            return False
        if phase == NEW:
            if packet_class != CLASS_SYN:
                return False
            self.ask(record, watch, now, packet)
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
        if packet_class & CLASS_SECOND and packet_class & CLASS_LOAD and not packet_class & CLASS_SYN:
            record.served = True
            record.interest &= ~SERVER_LOADS
            return True
        return not record.interest >> packet_class & 1

    def ask(self, record: FlowRecord, watch: "Watch", now: Instant, packet: Packet) -> None:
        """Take the client's SYN."""
        record.phase = ASKED
        record.client_next = (packet.seq + 1) & _LOW
        record.kept = [(now, False, packet)]
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
        if record.server_next >= 0 and packet.ack != record.server_next:
            return False
        if lanes is not None:
            live = self._begins[payload[0]] & lanes.readers
            more = False
            for slot in self._wall.slots_of(live):
                answer = self._read(slot, payload)
                if answer is None:
                    return False
                more = more or answer
            record.more = more
            record.interest = plain.heard_live if more else plain.heard_done
        record.phase = HEARD
        record.client_next = (packet.seq + len(payload)) & _LOW
        record.kept.append((now, False, packet))
        return True

    def _read(self, slot: "ReaderSlot", payload: bytes) -> bool | None:
        """Return whether a reader waits for more of a stream that begins so, None where a box may have ground or a coin would fall."""
        if slot.joins > 0.0:
            answer = slot.reader.read(payload, (len(payload),), False)
            if slot.joins < 1.0:
                apart = slot.read_apart(payload, True)
                if (apart.found, apart.more) != (answer.found, answer.more):
                    return None
        else:
            answer = slot.read_apart(payload, True)
        for found in answer.found:
            if slot.union is None or slot.union.find(found.value) is not None:
                return None
        return answer.more
