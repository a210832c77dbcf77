"""A wall at work: packets with their time and side in, effects with their because out, and memory in between.

A packet costs one flow record. Boxes that see a connection alike share one strand of state; grounds found on a packet are
settled together, in the profile's order, once every strand has seen it.
"""

from crenel.coins import Coins
from crenel.flow.key import CLASS_LOAD, CLASS_SECOND, FLAG_CLASS, flow_key, reverse_key
from crenel.flow.table import FlowRecord, FlowTable
from crenel.instant import NANOSECONDS, Instant
from crenel.wall.box import Box
from crenel.wall.effects import Armed, Because, Drop, Effect, Expired, Inject, Missed, Side, Throttle
from crenel.wall.ground import Ground, because_of
from crenel.wall.lanes import LaneSet, ReaderSlot
from crenel.wall.opening import Openings
from crenel.wall.reaction import Forger
from crenel.wall.readers.reading import Answer
from crenel.wall.residual import Entry, Memory, key_maker, residual_key
from crenel.wall.strand import Strand
from crenel.wall.tcb import OFF
from crenel.wall.walk import Walker
from crenel.wall.wall import Wall, Watch
from crenel.wire.packet import ACK, SYN, TCP, UDP, Packet

ALL_CLASSES = (1 << 64) - 1
KEPT_PACKETS = 256
"""Packets of one flow that are kept at most, so that an exact chance can be worked out where a state model tosses coins (bench)."""
_NOTHING: list[Effect] = []


class FlowState:
    """What a run keeps of one flow."""

    __slots__ = ("acted", "acted_on", "events", "headers", "idle_interest", "missed", "strands", "tossed", "watch")

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        """Who watches packets from the first end."""
        self.headers: tuple[tuple[Box, int], ...] = ()
        """Boxes that act on headers and could act on this flow, with the packet classes they look at."""
        self.idle_interest = watch.idle_interest
        """Packet classes that matter whatever the state."""
        self.strands: list[Strand] = []
        self.acted: Box | None = None
        """The first box that acted."""
        self.acted_on = -1
        """Serial number, within the run, of the packet on which it did."""
        self.missed: dict[int, float] = {}
        """For boxes whose coin for this flow or pair has fallen to "miss", the probability with which it could have fallen otherwise."""
        self.events = 0
        self.tossed = False
        """A coin other than that of acting has fallen, so the other outcome is worth knowing."""


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
        self.armed = self.memory.entries
        """Residual entries by key; while it is empty no packet needs a look-up."""
        self._openings = Openings(wall)
        self._key_makers = {
            (number, version): tuple(
                key_maker(parts, number, 4 if version == 4 else 16)
                for parts in dict.fromkeys(box.residual.parts for box in wall.boxes if box.residual is not None and box.scope.transport == name)
            )
            for number, name in ((TCP, "tcp"), (UDP, "udp"))
            for version in (4, 6)
        }
        self._counters: dict[int, dict[str, int]] = {}
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

    def opens_plainly(self, record: FlowRecord, now: Instant, packet: Packet) -> bool:
        """Take the SYN of a new flow if nothing but its opening is to be noted; False: it has to be shown like any packet."""
        watch = self._watch(record)
        if record.phase < 0 or (self.armed and self.touched(record)):
            return False
        self._openings.ask(record, watch, now, packet)
        return True

    def skip_to(self, flow: bytes, client_next: int) -> None:
        """Take it that the client of a flow sent data up to this sequence number which no box reads."""
        record = self.flows.tcp.get(flow)
        if record is not None and record.wall is not None:
            for strand in record.wall.strands:
                strand.expected = client_next
        elif record is not None:
            record.client_next = client_next
            record.kept.append((record.last, False, client_next))

    def _watch(self, record: FlowRecord) -> Watch:
        """Find out who watches a flow, and whether a plain opening of it can be followed at little cost."""
        watch = self.wall.watch(record.transport, record.version, record.dport, inside=record.client_inside, above=record.sport > record.dport)
        record.watch = watch
        asks = watch.asks_always or record.second in watch.servers
        if watch.plain is None or (asks and any(self._concerns(record, box) for box, _ in watch.headers)):
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
        if record.transport != TCP:
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
            because = because_of(ground, p)
            if (self.forecast and state.acted is not None and state.acted_on != self._serial) or not self._acts(record, state, box, p):
                self._effects.append(Missed(because))
                continue
            if state.acted is None:
                state.acted, state.acted_on = box, self._serial
            done = box
            self._act(record, state, ground, because, now, second=second)

    def _acts(self, record: FlowRecord, state: FlowState, box: Box, p: float) -> bool:
        if box.coin_scope == "event":
            state.events += 1
            return self.coins.toss(box.id, record.scope, f"act-{state.events}", p)
        scope = record.scope if box.coin_scope == "flow" else record.first + record.second
        missed = state.missed.get(box.index, 0.0)
        # What fell to "miss" for a ground that fewer of a box's parsers see may still fall to "act" for one that more of them see.
        left = (p - missed) / (1.0 - missed)
        acted = self.coins.toss(box.id, scope, f"act-{p:g}" if missed else "act", left)
        if not acted:
            state.missed[box.index] = p
        return acted

    def _act(self, record: FlowRecord, state: FlowState, ground: Ground, because: Because, now: Instant, *, second: bool) -> None:
        box = ground.box
        scope = record.scope + now.to_bytes(10, "big", signed=True)
        reaction = box.reaction
        start = len(self._effects)
        if reaction.withhold:
            self._effects.append(Drop(because))
        if reaction.throttle is not None:
            bucket = reaction.throttle
            toward = None if bucket.toward == "both" else self._side(record, second=bucket.toward == "server")
            self._effects.append(Throttle(bucket.bytes_per_second, bucket.burst, toward, because))
        if box.answerer is not None and ground.found is not None and ground.found.query is not None:
            counters = self._counters.setdefault(box.index, {})
            forged, delay = box.answerer.forge(ground.packet, ground.found.query, self.coins, scope, record.scope, counters)
            self._effects.append(Inject(forged, self._side(record, second=second), delay, because))
        self._inject(record, box, box.forgers, ground.packet, because, scope, second=second)
        if box.residual is not None:
            self._arm(record, box, because, now, scope)
        if not self.forecast:
            self._after(record, state, box, self._effects[start:])

    def _inject(
        self, record: FlowRecord, box: Box, forgers: tuple[Forger, ...], packet: Packet, because: Because, scope: bytes, *, second: bool
    ) -> None:
        counters = self._counters.setdefault(box.index, {})
        if forgers and forgers[0].share is not None:
            forgers = self._one_of(box, forgers, scope)
        for forger in forgers:
            for forged, to_client, delay in forger.forge(packet, self.coins, scope, counters, from_client=not second):
                self._effects.append(Inject(forged, self._side(record, second=not to_client), delay, because))

    def _one_of(self, box: Box, forgers: tuple[Forger, ...], scope: bytes) -> tuple[Forger, ...]:
        left = sum(forger.share or 0.0 for forger in forgers)
        for number, forger in enumerate(forgers):
            share = forger.share or 0.0
            if self.coins.toss(box.id, scope, f"which-{number}", share / left if left > share else 1.0):
                return (forger,)
            left -= share
        return forgers[-1:]

    def _side(self, record: FlowRecord, *, second: bool) -> Side:
        """Return the side of the wall on which one end of a flow stands."""
        return Side.INSIDE if record.client_inside != second else Side.OUTSIDE

    def _arm(self, record: FlowRecord, box: Box, because: Because, now: Instant, scope: bytes) -> None:
        residual = box.residual
        if residual is None or residual.seconds <= 0:
            return
        onset = 1_000_000 * box.residual_onset(self.coins, scope, self._counters.setdefault(box.index, {}), 0, 0, 0)
        until = Instant(now + round(residual.seconds * NANOSECONDS))
        self.memory.arm(box.index, residual_key(residual.parts, record), Instant(now + onset), until, record.number)
        self._effects.append(Armed(until, because))

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
            if rest is not None:
                kept.append(strand.copy(rest))
            kept.append(done)
        state.strands = kept
        if record.transport != TCP:
            return
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
                withheld = self._enforce(record, state, entry, packet, packet_class, now) or withheld
        return withheld

    def _enforce(self, record: FlowRecord, state: FlowState, entry: Entry, packet: Packet, packet_class: int, now: Instant) -> bool:
        box = self.wall.boxes[entry.box]
        residual = box.residual
        if residual is None or not box.residual_mask >> packet_class & 1 or now < entry.since:
            return False
        if self.forecast and state.acted is not None:
            return False
        if residual.refresh:
            self.memory.renew(entry, Instant(now + round(residual.seconds * NANOSECONDS)))
        p = residual.chances[min(entry.count, len(residual.chances)) - 1]
        because = because_of(Ground(box, None, None, 0, packet), p, residual=entry)
        if not self.coins.toss(box.id, record.scope, "residual", p):
            if -1 - box.index not in state.missed:
                state.missed[-1 - box.index] = p
                self._effects.append(Missed(because))
            return False
        if state.acted is None:
            state.acted, state.acted_on = box, self._serial
        if residual.does == "drop":
            self._effects.append(Drop(because))
            return not self.forecast
        scope = record.scope + now.to_bytes(10, "big", signed=True)
        self._inject(record, box, box.residual_forgers, packet, because, scope, second=bool(packet_class & CLASS_SECOND))
        return False


def _order(ground: Ground) -> int:
    return ground.box.index
