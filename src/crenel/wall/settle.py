"""Grounds to act in, what the boxes then do out: tosses, injections, drops, and memory set or enforced."""

from collections.abc import Sequence

from crenel.coins import Coins
from crenel.flow.key import CLASS_SECOND
from crenel.flow.table import FlowRecord
from crenel.instant import NANOSECONDS, Instant
from crenel.wall.box import Box
from crenel.wall.effects import Armed, Because, Drop, Effect, Inject, Missed, Side, Throttle
from crenel.wall.ground import Ground, because_of
from crenel.wall.reaction import Forger
from crenel.wall.residual import Entry, Memory, residual_key
from crenel.wall.state import FlowState
from crenel.wire.packet import Packet


class Settler:
    """Lets the boxes of one run act.

    Args:
        boxes: the wall's boxes, by their index.
        coins: decide what happens.
        memory: the run's residual memory.
        forecast: the traffic has already happened: a flow on which a box acted is only reported on from its next packet on.
    """

    __slots__ = ("_boxes", "_coins", "_counters", "_forecast", "_memory")

    def __init__(self, boxes: Sequence[Box], coins: Coins, memory: Memory, *, forecast: bool) -> None:
        self._boxes = boxes
        self._coins = coins
        self._memory = memory
        self._forecast = forecast
        self._counters: dict[int, dict[str, int]] = {}

    def settle(
        self, record: FlowRecord, state: FlowState, ground: Ground, p: float, now: Instant, serial: int, effects: list[Effect], *, second: bool
    ) -> bool:
        """Toss for a ground whose probability is p, on the packet with this serial number; return whether the box acts."""
        box = ground.box
        because = because_of(ground, p)
        over = self._forecast and state.acted is not None and state.acted_on != serial
        if over or not self._acts(record, state, box, p):
            effects.append(Missed(because))
            return False
        if state.acted is None:
            state.acted, state.acted_on = box, serial
        self._act(record, ground, because, now, effects, second=second)
        return True

    def enforce(  # noqa: PLR0917  all that an enforcement depends on
        self, record: FlowRecord, state: FlowState, entry: Entry, packet: Packet, packet_class: int, now: Instant, serial: int, effects: list[Effect]
    ) -> bool:
        """Let a residual entry hit a packet if it does; return whether the packet is withheld."""
        box = self._boxes[entry.box]
        residual = box.residual
        if residual is None or not box.residual_mask >> packet_class & 1 or now < entry.since:
            return False
        if self._forecast and state.acted is not None:
            return False
        if residual.refresh:
            self._memory.renew(entry, Instant(now + round(residual.seconds * NANOSECONDS)))
        p = residual.chances[min(entry.count, len(residual.chances)) - 1]
        because = because_of(Ground(box, None, None, 0, packet), p, residual=entry, now=now)
        if not self._coins.toss(box.id, record.scope, "residual", p):
            if -1 - box.index not in state.missed:
                state.missed[-1 - box.index] = p
                effects.append(Missed(because))
            return False
        if state.acted is None:
            state.acted, state.acted_on = box, serial
        if residual.does == "drop":
            effects.append(Drop(because))
            return not self._forecast
        scope = record.scope + now.to_bytes(10, "big", signed=True)
        self._inject(record, box, box.residual_forgers, packet, because, scope, effects, second=bool(packet_class & CLASS_SECOND))
        return False

    def _acts(self, record: FlowRecord, state: FlowState, box: Box, p: float) -> bool:
        if box.coin_scope == "event":
            state.events += 1
            return self._coins.toss(box.id, record.scope, f"act-{state.events}", p)
        scope = record.scope if box.coin_scope == "flow" else record.first + record.second
        missed = state.missed.get(box.index, 0.0)
        # What fell to "miss" for a ground that fewer of a box's parsers see may still fall to "act" for one that more of them see.
        left = (p - missed) / (1.0 - missed)
        acted = self._coins.toss(box.id, scope, f"act-{p:g}" if missed else "act", left)
        if not acted:
            state.missed[box.index] = p
        return acted

    def _act(self, record: FlowRecord, ground: Ground, because: Because, now: Instant, effects: list[Effect], *, second: bool) -> None:
        box = ground.box
        scope = record.scope + now.to_bytes(10, "big", signed=True)
        reaction = box.reaction
        if reaction.withhold:
            effects.append(Drop(because))
        if reaction.throttle is not None:
            bucket = reaction.throttle
            toward = None if bucket.toward == "both" else side_of_end(record, second=bucket.toward == "server")
            effects.append(Throttle(bucket.bytes_per_second, bucket.burst, toward, because))
        if box.answerer is not None and ground.found is not None and ground.found.query is not None:
            counters = self._counters.setdefault(box.index, {})
            forged, delay = box.answerer.forge(ground.packet, ground.found.query, self._coins, scope, record.scope, counters)
            effects.append(Inject(forged, side_of_end(record, second=second), delay, because))
        self._inject(record, box, box.forgers, ground.packet, because, scope, effects, second=second)
        if box.residual is not None:
            self._arm(record, box, because, now, scope, effects)

    def _inject(
        self, record: FlowRecord, box: Box, forgers: tuple[Forger, ...], packet: Packet, because: Because, scope: bytes, effects: list[Effect],
        *, second: bool,
    ) -> None:
        counters = self._counters.setdefault(box.index, {})
        if forgers and forgers[0].share is not None:
            forgers = self._one_of(box, forgers, scope)
        for forger in forgers:
            for forged, to_client, delay in forger.forge(packet, self._coins, scope, counters, from_client=not second):
                effects.append(Inject(forged, side_of_end(record, second=not to_client), delay, because))

    def _one_of(self, box: Box, forgers: tuple[Forger, ...], scope: bytes) -> tuple[Forger, ...]:
        left = sum(forger.share or 0.0 for forger in forgers)
        for number, forger in enumerate(forgers):
            share = forger.share or 0.0
            if self._coins.toss(box.id, scope, f"which-{number}", share / left if left > share else 1.0):
                return (forger,)
            left -= share
        return forgers[-1:]

    def _arm(self, record: FlowRecord, box: Box, because: Because, now: Instant, scope: bytes, effects: list[Effect]) -> None:
        residual = box.residual
        if residual is None or residual.seconds <= 0:
            return
        onset = 1_000_000 * box.residual_onset(self._coins, scope, self._counters.setdefault(box.index, {}), 0, 0, 0)
        until = Instant(now + round(residual.seconds * NANOSECONDS))
        self._memory.arm(box.index, residual_key(residual.parts, record), Instant(now + onset), until, record.number)
        effects.append(Armed(until, because))


def side_of_end(record: FlowRecord, *, second: bool) -> Side:
    """Return the side of the wall on which one end of a flow stands."""
    return Side.INSIDE if record.client_inside != second else Side.OUTSIDE
