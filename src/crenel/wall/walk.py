"""How strands follow a connection: a packet's class and the rows of the boxes' models in, changed strands and grounds out."""

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from crenel.flow.key import CLASS_ACK, CLASS_LOAD, CLASS_SECOND, CLASS_SYN
from crenel.flow.overlap import KEEP
from crenel.flow.reassembly import Stream, StreamLimits
from crenel.flow.table import FlowRecord
from crenel.wall.box import Box
from crenel.wall.ground import Ground
from crenel.wall.lanes import ACK_ODD, EXPECTED, REPEATED, SERVER_LOADS, TARGET_BITS, TARGETED, LaneSet, Part, ReaderSlot
from crenel.wall.match import NameList
from crenel.wall.strand import ALL_CLASSES, Strand
from crenel.wall.tcb import NONE, OFF, OPEN, OPENING, RESYNC, Row
from crenel.wire.packet import SYN, Packet

if TYPE_CHECKING:
    from crenel.wall.readers.reading import Answer, Found
    from crenel.wall.run import Run
    from crenel.wall.state import FlowState

_LOW = (1 << 32) - 1
_SYN_ACK = CLASS_SYN | CLASS_ACK
_GO_ON_AT_MOST = 4
"""How often one packet may be judged again: a table that goes on in a circle stops here."""


class Told(NamedTuple):
    """A rule that was carried out: by which boxes, of which state model, on which packet."""

    boxes: tuple[str, ...]
    tcb: str
    row: Row
    packet: Packet


class Walker:
    """Carries the strands of a run's flows from packet to packet."""

    __slots__ = ("_begins", "_limit", "_run", "_wall")

    def __init__(self, run: "Run") -> None:
        self._run = run
        self._wall = run.wall
        self._begins = run.wall.begins
        self._limit = run.wall.limits.stream_bytes

    def walk(
        self, record: FlowRecord, state: "FlowState", packet: Packet, packet_class: int, grounds: list[Ground], injector: Box | None = None
    ) -> None:
        """Show a packet to every strand of a flow; `injector` is the box that must not see what it sent itself."""
        for strand in tuple(state.strands):
            if not strand.mask >> packet_class & 1:
                continue
            if injector is not None:
                if all(lane.box is injector or not lane.box.sees_injected for lane in strand.lanes.lanes):
                    continue
                blind = [lane for lane in strand.lanes.lanes if lane.box is injector or not lane.box.sees_injected]
                if blind:
                    seeing = self._part_off(state, strand, blind)
                    self._step(record, state, seeing, packet, packet_class, grounds, 0)
                    continue
            self._step(record, state, strand, packet, packet_class, grounds, 0)

    def mask(self, strand: Strand) -> int:
        """Return the packet classes that matter to a strand, in terms of the flow's ends, and keep them until it changes."""
        if strand.mask != ALL_CLASSES:
            return strand.mask
        mask = strand.lanes.mask(strand.state, live=bool(strand.live))
        if strand.lanes.asks_ack and not strand.served and strand.state in (OPENING, OPEN, RESYNC):
            mask |= SERVER_LOADS
        if strand.client and strand.state not in (NONE, OFF):
            mask = (mask >> CLASS_SECOND) | ((mask & _LOW) << CLASS_SECOND)
        elif strand.state in (NONE, OFF):
            mask |= (mask & _LOW) << CLASS_SECOND
        strand.mask = mask
        return mask

    def match(self, boxes: Sequence[Box], slot: ReaderSlot, found: "Sequence[Found]", base: int, packet: Packet, grounds: list[Ground]) -> None:
        """Turn what a reader found into grounds for the boxes whose lists or rules it meets."""
        for one in found:
            if slot.union is None:
                grounds.extend(Ground(box, one, None, base, packet) for box in boxes)
            elif slot.union.find(one.value) is not None:
                for box in boxes:
                    entry = box.names.find(one.value) if isinstance(box.names, NameList) else None
                    if entry is not None:
                        grounds.append(Ground(box, one, entry, base, packet))

    def _part_off(self, state: "FlowState", strand: Strand, blind: Sequence[object]) -> Strand:
        """Split a strand in two and return the part without the blind lanes."""
        seeing = strand.copy(strand.lanes.subset(lane for lane in strand.lanes.lanes if lane not in blind))
        rest = strand.copy(strand.lanes.subset(lane for lane in strand.lanes.lanes if lane in blind))
        at = state.strands.index(strand)
        state.strands[at : at + 1] = [rest, seeing]
        return seeing

    def _step(
        self, record: FlowRecord, state: "FlowState", strand: Strand, packet: Packet, packet_class: int, grounds: list[Ground], depth: int
    ) -> None:
        now_in = strand.state
        roles = now_in not in (NONE, OFF)
        relative = packet_class ^ (strand.client << 5) if roles else packet_class & ~CLASS_SECOND
        from_server = relative & CLASS_SECOND
        lanes: LaneSet = strand.lanes
        cell = now_in * 64 + relative
        asked, asks_cause = lanes.guards(cell)
        bits = self._guards(strand, packet, relative) & asked if asked else 0
        cause = strand.cause if asks_cause else None
        key = cell << 4 | bits if cause is None else hash((cell, bits, cause)) | 1 << 62
        plan = lanes.plans.get(key)
        if plan is None:
            plan = lanes.plans[key] = lanes.plan(cell, bits, cause)
        if from_server and roles and depth == 0:
            self._note_server(strand, packet, relative)
        if not plan:
            return
        if len(plan) == 1:
            self._carry_out(record, state, strand, plan[0], packet, packet_class, grounds, depth)
            return
        parts = [strand.copy(part.lanes) for part in plan]
        at = state.strands.index(strand)
        state.strands[at : at + 1] = parts
        for part, own in zip(plan, parts, strict=True):
            self._carry_out(record, state, own, part, packet, packet_class, grounds, depth)

    def _guards(self, strand: Strand, packet: Packet, relative: int) -> int:
        bits = EXPECTED if packet.seq == strand.expected else 0
        if relative & CLASS_SECOND:
            if packet.ack != (strand.isn + 1) & _LOW:
                bits |= ACK_ODD
            if strand.syn_acks:
                bits |= REPEATED
        elif strand.ack_is_odd(packet.ack):
            bits |= ACK_ODD
        if strand.state == RESYNC and strand.targets & _target_bits(relative):
            bits |= TARGETED
        return bits

    def _note_server(self, strand: Strand, packet: Packet, relative: int) -> None:
        """Remember what the client will have to acknowledge, as long as that is known."""
        if relative & _SYN_ACK == _SYN_ACK:
            strand.syn_acks += 1
            if strand.server_next < 0:
                strand.server_next = (packet.seq + 1) & _LOW
        elif relative & CLASS_LOAD and strand.server_next >= 0 and packet.seq == strand.server_next:
            strand.served = True
            strand.mask = ALL_CLASSES

    def _carry_out(  # noqa: PLR0917  the walk hands itself on whole
        self, record: FlowRecord, state: "FlowState", strand: Strand, part: Part, packet: Packet, packet_class: int, grounds: list[Ground], depth: int
    ) -> None:
        strand.mask = ALL_CLASSES
        for row in part.rows:
            if row.p < 1.0 and not self._falls(record, state, strand, row):
                continue
            if self._run.told is not None:
                lanes = strand.lanes.lanes
                self._run.told.append(Told(tuple(lane.box.id for lane in lanes), lanes[0].tcb.name, row, packet))
            self._do(record, state, strand, row, packet, packet_class, grounds)
            if row.go_on and depth < _GO_ON_AT_MOST:
                self._step(record, state, strand, packet, packet_class, grounds, depth + 1)
            return

    def _falls(self, record: FlowRecord, state: "FlowState", strand: Strand, row: Row) -> bool:
        box = strand.lanes.lanes[0].box
        scope = record.first + record.second if row.per == "pair" else record.scope
        name = row.coin or row.do
        if row.per == "event":
            state.events += 1
            name = f"{name}-{state.events}"
        state.tossed = True
        return self._run.coins.toss(box.id, scope, name, row.p)

    def _do(
        self, record: FlowRecord, state: "FlowState", strand: Strand, row: Row, packet: Packet, packet_class: int, grounds: list[Ground]
    ) -> None:
        what = row.do
        if what == "read":
            self._read(record, state, strand, packet, grounds)
        elif what == "track":
            strand.open(packet_class >> 5 & 1, packet.seq, (packet.seq + 1) & _LOW)
        elif what == "complete":
            strand.complete(packet.seq)
        elif what == "sync":
            to = {"ack": packet.ack, "isn+1": strand.isn + 1}.get(row.to or "seq", packet.seq)
            strand.sync(to)
        elif what == "resync":
            strand.wait(sum(TARGET_BITS[target] for target in row.targets), row.as_)
        elif what == "off":
            strand.state, strand.live = OFF, 0
            strand.forget_stream()
        elif what == "skip":
            strand.expected = (packet.seq + len(packet.payload)) & _LOW
            if strand.late is not None:
                ready = strand.late.skip_to(strand.expected)
                strand.expected = strand.late.next_seq
                self._take(record, state, strand, ready, packet, grounds)
        elif what == "reverse":
            strand.open(1 - (packet_class >> 5 & 1), (packet.ack - 1) & _LOW, packet.ack)
            strand.server_next, strand.syn_acks = (packet.seq + 1) & _LOW, 1

    def _read(self, record: FlowRecord, state: "FlowState", strand: Strand, packet: Packet, grounds: list[Ground]) -> None:
        """Take a data packet of the client: join it to the stream and let the readers see what is new."""
        new = packet.payload
        # A SYN takes one sequence number, so what it carries begins behind it (RFC 9293 section 3.4).
        seq = (packet.seq + 1) & _LOW if packet.flags & SYN else packet.seq
        if strand.late is None and seq == strand.expected:
            strand.expected = (seq + len(new)) & _LOW
            self._take(record, state, strand, new, packet, grounds)
            return
        # What had waited behind a gap is read as the segments that it came in: some readers look at their boundaries.
        for piece in self._join(record, state, strand, seq, new):
            self._take(record, state, strand, piece, packet, grounds)

    def _take(self, record: FlowRecord, state: "FlowState", strand: Strand, new: bytes, packet: Packet, grounds: list[Ground]) -> None:
        """Put the next bytes of the client behind those that are held, and let the readers see them."""
        if not new or not strand.live:
            return
        first = not strand.begun
        if first:
            strand.begun = True
            strand.live &= self._begins[new[0]]
            if not strand.live:
                strand.base += len(new)
                return
        strand.buffer = strand.buffer + new if strand.buffer else new
        strand.ends.append(len(strand.buffer))
        self._hear(record, state, strand, new, packet, grounds, first=first)

    def _join(self, record: FlowRecord, state: "FlowState", strand: Strand, seq: int, payload: bytes) -> list[bytes]:
        """Take a segment that is out of order, or comes while others are held; return the segments that are now next."""
        stream = strand.late
        if stream is None:
            table = strand.lanes.lanes[0].tcb.table
            newer = table.keeps_newer >= 1.0
            if 0.0 < table.keeps_newer < 1.0:
                state.tossed = True
                newer = self._run.coins.toss(strand.lanes.lanes[0].box.id, record.first + record.second, "keeps-newer", table.keeps_newer)
            limits = StreamLimits(ahead=table.ahead)
            stream = strand.late = Stream(strand.expected, limits, KEEP["newer" if newer else "older"])
        known, before = len(stream.ends), stream.total
        new = stream.add(seq, payload)
        strand.expected = stream.next_seq
        edges = [end - before for end in stream.ends[known:]]
        return [new[start:end] for start, end in itertools.pairwise([0, *edges[:-1], len(new)])]

    def _hear(
        self, record: FlowRecord, state: "FlowState", strand: Strand, new: bytes, packet: Packet, grounds: list[Ground], *, first: bool
    ) -> None:
        """Let every live reader see the stream, or the new segment alone where its boxes do not join segments."""
        lowest = strand.base + len(strand.buffer)
        for slot in self._wall.slots_of(strand.live):
            if slot.joins >= 1.0:
                answer, done = self._read_joined(strand, slot)
            elif slot.joins <= 0.0:
                answer, done = self._read_apart(strand, slot, new, first=first)
            else:
                answer, done = self._read_either(record, state, strand, slot, new, first=first)
            if answer.found:
                self.match(strand.lanes.of_slot[slot.number], slot, answer.found, done, packet, grounds)
            if not answer.more:
                strand.live &= ~slot.bit
            elif slot.joins > 0.0:
                if answer.consumed:
                    taken = strand.taken = strand.taken or {}
                    taken[slot.number] = done + answer.consumed
                lowest = min(lowest, done + answer.consumed)
        self._trim(strand, lowest)

    def _read_joined(self, strand: Strand, slot: ReaderSlot) -> "tuple[Answer, int]":
        """Read the stream from where this reader has come to; return the answer and that place."""
        if strand.taken is None:
            return slot.reader.read(strand.buffer, strand.ends, strand.odd), strand.base
        done = strand.taken.get(slot.number, strand.base)
        skip = done - strand.base
        return slot.reader.read(strand.buffer[skip:], [end - skip for end in strand.ends if end > skip], strand.odd), done

    def _read_apart(self, strand: Strand, slot: ReaderSlot, new: bytes, *, first: bool) -> "tuple[Answer, int]":
        """Read the new segment alone."""
        done = strand.base + len(strand.buffer) - len(new)
        return slot.read_apart(new, first), done

    def _read_either(
        self, record: FlowRecord, state: "FlowState", strand: Strand, slot: ReaderSlot, new: bytes, *, first: bool
    ) -> "tuple[Answer, int]":
        """Read both ways; only where they differ does the coin of the pair decide."""
        joined, apart = self._read_joined(strand, slot), self._read_apart(strand, slot, new, first=first)
        if (joined[0].found, joined[0].more) == (apart[0].found, apart[0].more):
            return joined
        state.tossed = True
        joins = self._run.coins.toss(slot.boxes[0].id, record.first + record.second, "joins", slot.joins)
        return joined if joins else apart

    def _trim(self, strand: Strand, lowest: int) -> None:
        """Let go of bytes that no reader needs; a reader whose stream grows past the limit is given up."""
        if not strand.live:
            lowest = strand.base + len(strand.buffer)
        cut = lowest - strand.base
        if cut > 0:
            strand.buffer = strand.buffer[cut:]
            strand.base = lowest
            strand.ends = [end - cut for end in strand.ends if end > cut]
        if len(strand.buffer) > self._limit:
            strand.live = 0
            strand.base += len(strand.buffer)
            strand.buffer, strand.ends = b"", []


def _target_bits(relative: int) -> int:
    """Return which of the resynchronisation targets a packet is."""
    if relative & CLASS_SECOND:
        return TARGET_BITS["server-syn-ack"] if relative & _SYN_ACK == _SYN_ACK else 0
    bits = TARGET_BITS["client"]
    if relative & CLASS_ACK:
        bits |= TARGET_BITS["client-ack"]
    if relative & CLASS_LOAD:
        bits |= TARGET_BITS["client-data"]
    return bits
