"""A wall at work: packets with their time and side in, effects with their because out, and memory in between.

A packet costs one flow record. Boxes that see a connection alike share one strand of state; grounds found on a packet are
settled together, in the profile's order, once every strand has seen it.
"""

from crenel.coins import Coins
from crenel.flow.key import CLASS_LOAD, CLASS_SECOND, FLAG_CLASS, flow_key, reverse_key
from crenel.flow.table import FlowRecord, FlowTable
from crenel.instant import NANOSECONDS, Instant
from crenel.wall.box import Box
from crenel.wall.effects import Effect, Expired, Inject, Side
from crenel.wall.ground import Ground
from crenel.wall.lanes import LaneSet, ReaderSlot
from crenel.wall.readers.reading import Answer
from crenel.wall.residual import Memory
from crenel.wall.settle import Settler
from crenel.wall.state import FlowState
from crenel.wall.strand import ALL_CLASSES, Strand
from crenel.wall.tcb import OFF
from crenel.wall.walk import Told, Walker
from crenel.wall.wall import Wall, Watch
from crenel.wire.packet import ACK, SYN, TCP, UDP, Packet

KEPT_PACKETS = 256
"""Packets of one flow that are kept at most, so that an exact chance can be worked out where a state model tosses coins (bench)."""
_NOTHING: list[Effect] = []


class Run:
    """The memory of one wall: flows, residual entries, counters.

    In a forecast the traffic has already happened: a box that acts is noted and the flow goes on as it did, later grounds on it
    are reported as missed, and nothing injected is shown to other boxes.
    """

    def __init__(self, wall: Wall, coins: Coins, *, forecast: bool) -> None:
        self.wall = wall
        self.coins = coins
        self.forecast = forecast
        self.flows = FlowTable(wall.limits.flows)
        self.memory = Memory(wall.limits.residual_entries)
        self.told: list[Told] | None = None
        """Where the rules of state models are noted as they are carried out, if somebody put a list here before the first packet."""
        self.armed = self.memory.entries
        """Residual entries by key; while it is empty no packet needs a look-up."""
        self._openings = wall.openings
        self._key_makers = wall.key_makers
        self._settler = Settler(wall.boxes, coins, self.memory, forecast=forecast)
        self._serial = 0
        self._effects: list[Effect] = []
        self._walker = Walker(self)

    def see(self, now: Instant, side: Side, packet: Packet) -> list[Effect]:
        """Take one packet as it passes the wall's hop and return what the wall does; an empty list lets it pass untouched."""
        if packet.proto not in (TCP, UDP) or packet.frag_offset:
            return []
        key = flow_key(packet.src, packet.dst, packet.sport, packet.dport)
        table = self.flows.tcp if packet.proto == TCP else self.flows.udp
        record = table.get(key)
        if record is None:
            answers = packet.proto == TCP and packet.flags & (SYN | ACK) == SYN | ACK
            record = self.flows.open(reverse_key(key) if answers else key, packet.proto, packet.version, now, table)
            record.client_inside = (side == Side.INSIDE) != answers
        return self.see_flow(record, now, packet, second=record.key != key)

    def next_alarm(self) -> Instant | None:
        """Return when `ring` should next be called, None while nothing is remembered."""
        return self.memory.next_end()

    def ring(self, now: Instant) -> list[Effect]:
        """Let time pass without a packet; return the residual entries that ended."""
        return [Expired(self.wall.boxes[entry.box].id, entry.until) for entry in self.memory.expire(now)]

    def interest(self, flow: bytes) -> int:
        """Return the bit set of packet classes of a flow, by its key, that any box could react to or learn from."""
        mask = 0
        # A key does not say whether it is of TCP or of UDP: both may know a flow by it.
        for record in (self.flows.tcp.get(flow), self.flows.udp.get(flow)):
            if record is not None:
                mask |= ALL_CLASSES if self.armed and self.touched(record) else record.interest
        return mask or ALL_CLASSES

    def touched(self, record: FlowRecord) -> bool:
        """Say whether any residual entry speaks of this flow."""
        armed = self.armed
        for key in record.keys or self._keys(record):  # noqa: SIM110  a generator costs more than the look-ups
            if key in armed:
                return True
        return False

    def see_flow(self, record: FlowRecord, now: Instant, packet: Packet, *, second: bool) -> list[Effect]:
        """Take one packet of a known flow; `second` says that it comes from the flow's second end."""
        self._serial += 1
        packet_class = (CLASS_SECOND if second else 0) | (CLASS_LOAD if packet.payload else 0)
        tcp = record.transport == TCP
        if tcp:
            packet_class |= FLAG_CLASS[packet.flags & 255]
        else:
            record.fresh += 1
        remembered = bool(self.armed) and self.touched(record)
        state: FlowState = record.wall
        if state is None:
            watch: Watch = record.watch or self._watch(record)
            if record.phase >= 0 and not remembered:
                if tcp:
                    if self._openings.passes(record, watch, now, packet, packet_class):
                        record.last = now
                        return _NOTHING
                elif self._datagram_passes(record, watch, now, packet, second=second):
                    record.last = now
                    return _NOTHING
            state = self._begin(record, watch)
        elif tcp and not remembered and not record.interest >> packet_class & 1:
            record.last = now
            return _NOTHING
        if tcp and len(record.kept) < KEPT_PACKETS:
            record.kept.append((now, second, packet))
        return self._show(record, state, now, packet, packet_class, remembered=remembered)

    def _show(self, record: FlowRecord, state: FlowState, now: Instant, packet: Packet, packet_class: int, *, remembered: bool) -> list[Effect]:
        """Let every box that watches a flow have a packet, and settle what they find."""
        tcp, second = record.transport == TCP, bool(packet_class & CLASS_SECOND)
        effects: list[Effect] = []
        self._effects = effects
        grounds: list[Ground] = []
        if remembered and self._remembered(record, state, packet, packet_class, now):
            record.last = now
            return effects
        if state.pending:
            self._catch_up(record, state)
        if tcp:
            if state.strands:
                self._walker.walk(record, state, packet, packet_class, grounds)
            if state.watch.stateless and packet.payload:
                for slot in state.watch.stateless:
                    self._read_alone(slot, packet, grounds)
        else:
            self._read_datagram(record, packet, now, second=second, grounds=grounds)
        for box, classes in state.headers:
            if classes >> packet_class & 1:
                self._read_header(box, record, packet, second=second, grounds=grounds)
        if grounds:
            grounds.sort(key=_order)
            self._settle(record, state, grounds, now, second=second)
        record.last = now
        self.refresh(record, state)
        return effects

    def opens_plainly(self, record: FlowRecord, seq: int) -> bool:
        """Take the SYN of a new flow if nothing but its opening is to be noted; False: it has to be shown like any packet."""
        watch = self._watch(record)
        if record.phase < 0 or (self.armed and self.touched(record)):
            return False
        self._openings.ask(record, watch, seq)
        return True

    def hears_plainly(self, record: FlowRecord, ack: int, payload: bytes) -> bool:
        """Take what the client says first in a flow of which only the SYN was seen; False: its packets have to be shown like any."""
        watch: Watch = record.watch
        plain = watch.plain
        return plain is not None and not (self.armed and self.touched(record)) and self._openings.hear(record, watch.lanes, plain, ack, payload)

    def passes_plainly(self, record: FlowRecord, now: Instant, payload: bytes, *, second: bool) -> bool:
        """Take a datagram whose headers claim what is right and hold no options; False: it has to be shown like any."""
        watch: Watch = record.watch or self._watch(record)
        if record.phase < 0 or record.wall is not None or (self.armed and self.touched(record)):
            return False
        record.fresh += 1
        record.interest = ALL_CLASSES
        for slot in (self._back(record) if second else watch).datagrams:
            if slot.boxes[0].first_only is None or self._is_first(record, slot, now):
                for found in slot.read_bare(payload).found:
                    if slot.union is None or slot.union.find(found.value) is not None:
                        record.fresh -= 1
                        return False
        return True

    def skip_to(self, flow: bytes, client_next: int) -> None:
        """Take it that the client of a flow sent data up to this sequence number which no box reads."""
        record = self.flows.tcp.get(flow)
        if record is not None and record.wall is not None:
            if record.wall.pending:
                self._catch_up(record, record.wall)
            for strand in record.wall.strands:
                strand.expected = client_next
        elif record is not None:
            record.client_next = client_next
            record.kept.append((record.last, False, client_next))

    def _watch(self, record: FlowRecord) -> Watch:
        """Find out who watches a flow, and whether a plain opening of it can be followed at little cost."""
        watch = self.wall.watch(record.transport, record.version, record.dport, inside=record.client_inside, above=record.sport > record.dport)
        record.watch = watch
        asks = watch.headers and (watch.asks_always or record.second in watch.servers)
        if watch.plain is None or self.told is not None or (asks and any(self._concerns(record, box) for box, _ in watch.headers)):
            record.phase = -1
        return watch

    def _datagram_passes(self, record: FlowRecord, watch: Watch, now: Instant, packet: Packet, *, second: bool) -> bool:
        """Say whether a datagram holds nothing for any box to act on."""
        record.interest = ALL_CLASSES
        if not packet.payload:
            return True
        for slot in (self._back(record) if second else watch).datagrams:
            if self._is_first(record, slot, now):
                for found in self._read_payload(slot, packet).found:
                    if slot.union is None or slot.union.find(found.value) is not None:
                        return False
        return True

    def _concerns(self, record: FlowRecord, box: Box) -> bool:
        """Say whether a box that acts on headers could act on a flow."""
        return box.header is not None and box.header.concerns(record.second, record.dport, record.first, record.sport, box.names)

    def _keys(self, record: FlowRecord) -> tuple[bytes, ...]:
        """Return the keys under which residual memory could speak of a flow."""
        key = record.key
        record.keys = tuple([make(key) for make in self._key_makers[record.transport, record.version]]) or (b"",)
        return record.keys

    def refresh(self, record: FlowRecord, state: FlowState) -> None:
        """Work out anew which packet classes of a flow still matter."""
        if record.transport != TCP or state.pending:
            record.interest = ALL_CLASSES
            return
        mask = state.idle_interest
        for strand in state.strands:
            mask |= self._walker.mask(strand)
        record.interest = mask

    def _begin(self, record: FlowRecord, watch: Watch) -> FlowState:
        """Give a flow its state, with what followed from the packets of its plain opening."""
        record.scope = record.key + record.start.to_bytes(10, "big", signed=True)
        state = record.wall = FlowState(watch)
        if watch.headers and (watch.asks_always or record.second in watch.servers):
            state.headers = tuple([header for header in watch.headers if self._concerns(record, header[0])])
            for _, classes in state.headers:
                state.idle_interest |= classes
        if record.transport != TCP:
            return state
        lanes = watch.lanes
        if watch.choices:
            lanes = self._choose(record, state, watch)
        if lanes is not None:
            state.strands.append(Strand(lanes))
        nothing: list[Ground] = []
        for _, second, packet in record.kept:
            if isinstance(packet, int):
                self.skip_to(record.key, packet)
            else:
                packet_class = (CLASS_SECOND if second else 0) | (CLASS_LOAD if packet.payload else 0) | FLAG_CLASS[packet.flags & 255]
                self._walker.walk(record, state, packet, packet_class, nothing)
        if record.served:
            for strand in state.strands:
                strand.served = True
        return state

    def _back(self, record: FlowRecord) -> Watch:
        """Return who watches datagrams from the second end of a flow."""
        return self.wall.watch(UDP, record.version, record.sport, inside=not record.client_inside, above=record.dport > record.sport)

    def _choose(self, record: FlowRecord, state: FlowState, watch: Watch) -> LaneSet:
        chosen = list(watch.lanes.lanes) if watch.lanes is not None else []
        for box, options in watch.choices:
            left = 1.0
            for lane, share in options:
                if lane is options[-1][0] or self.coins.toss(box.id, record.first + record.second, f"device-{lane.number}", share / left):
                    chosen.append(lane)
                    break
                left -= share
        state.tossed = True
        return self.wall.lane_set(chosen)

    def _read_alone(self, slot: ReaderSlot, packet: Packet, grounds: list[Ground]) -> None:
        if self.wall.begins[packet.payload[0]] & slot.bit:
            answer = slot.read_apart(packet.payload, True)
            if answer.found:
                self._walker.match(slot.boxes, slot, answer.found, 0, packet, grounds)

    def _read_datagram(self, record: FlowRecord, packet: Packet, now: Instant, *, second: bool, grounds: list[Ground]) -> None:
        if not packet.payload:
            return
        watch: Watch = self._back(record) if second else record.watch
        for slot in watch.datagrams:
            if self._is_first(record, slot, now):
                answer = self._read_payload(slot, packet)
                if answer.found:
                    self._walker.match(slot.boxes, slot, answer.found, 0, packet, grounds)

    def _is_first(self, record: FlowRecord, slot: ReaderSlot, now: Instant) -> bool:
        """Say whether a datagram is early enough in its flow for boxes that read only the first ones."""
        first = slot.boxes[0].first_only
        if first is None:
            return True
        if record.fresh > 1 and now - record.last >= first.seconds * NANOSECONDS:
            record.fresh = 1
        return record.fresh <= first.datagrams

    def _read_payload(self, slot: ReaderSlot, packet: Packet) -> Answer:
        """Let a reader see a datagram, with what its headers claim where that matters to it."""
        return slot.read_packet(packet)

    def _read_header(self, box: Box, record: FlowRecord, packet: Packet, *, second: bool, grounds: list[Ground]) -> None:
        if box.header is None:
            return
        found, entry = box.header.read_header(packet, box.names, second=second, opened_inside=record.client_inside)
        if found is not None:
            grounds.append(Ground(box, found, entry, 0, packet))

    def _settle(self, record: FlowRecord, state: FlowState, grounds: list[Ground], now: Instant, *, second: bool) -> None:
        """Toss for every ground of one packet, and let the boxes act."""
        hour = self.wall.hour_at(now)
        done: Box | None = None
        for ground in grounds:
            box = ground.box
            p = box.hours[hour] * (ground.found.share if ground.found is not None else 1.0)
            if p <= state.missed.get(box.index, 0.0) or box is done:
                continue
            start = len(self._effects)
            if self._settler.settle(record, state, ground, p, now, self._serial, self._effects, second=second):
                done = box
                if not self.forecast:
                    state.pending.append((box, self._effects[start:]))

    def _catch_up(self, record: FlowRecord, state: FlowState) -> None:
        """Do what follows from boxes having acted: nobody can tell before the flow goes on, and many a flow ends there."""
        pending, state.pending = state.pending, []
        for box, effects in pending:
            self._after(record, state, box, effects)

    def _after(self, record: FlowRecord, state: FlowState, box: Box, effects: list[Effect]) -> None:
        """Let the box give this connection up, and show what it injected to the others."""
        kept: list[Strand] = []
        for strand in state.strands:
            rest, own = strand.lanes.without(box)
            if own is None:
                kept.append(strand)
                continue
            done = strand.copy(own)
            done.state, done.live = OFF, 0
            self._walker.mask(done)
            if rest is not None:
                kept.append(strand.copy(rest))
            kept.append(done)
        state.strands = kept
        if record.transport != TCP:
            return
        self.refresh(record, state)  # most views want to hear no more by now
        ignored: list[Ground] = []
        for effect in effects:
            if isinstance(effect, Inject):
                second = effect.packet.src != record.first or effect.packet.sport != record.sport
                packet_class = (CLASS_SECOND if second else 0) | (CLASS_LOAD if effect.packet.payload else 0) | FLAG_CLASS[effect.packet.flags & 255]
                self._walker.walk(record, state, effect.packet, packet_class, ignored, injector=box)

    def _remembered(self, record: FlowRecord, state: FlowState, packet: Packet, packet_class: int, now: Instant) -> bool:
        """Enforce residual memory on a packet; return True where the packet is withheld."""
        for entry in self.memory.expire(now):
            self._effects.append(Expired(self.wall.boxes[entry.box].id, entry.until))
        withheld = False
        for key in record.keys:
            for entry in tuple(self.armed.get(key, ())):
                hit = self._settler.enforce(record, state, entry, packet, packet_class, now, self._serial, self._effects)
                withheld = hit or withheld
        return withheld


def _order(ground: Ground) -> int:
    return ground.box.index
