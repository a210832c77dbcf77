"""The packets of one flow in, how probable it is that each box of a wall acts on it, and that any does, out.

Two kinds of chance meet here: which state a box is in, and so whether it has any ground to act; and whether it then acts. Neither
depends on other boxes as long as none has acted. So each box is gone through by itself, and the chances of all are multiplied.
"""

import math
from collections.abc import Iterable, Sequence

import msgspec

from crenel.coins import Coins, KeyedCoins, Law, enumerate_trials
from crenel.flow.key import flow_key
from crenel.flow.table import FlowRecord
from crenel.instant import Instant
from crenel.wall.box import Box
from crenel.wall.effects import Because, Missed, Side
from crenel.wall.wall import Wall
from crenel.wire.packet import Packet

Shown = tuple[Instant, Side, Packet | int]
"""A packet as it passed the wall's hop; a number stands for client data that no box reads, up to that sequence number."""

MOST_OUTCOMES = 256
"""So many ways in which the coins of one box may fall are gone through."""

_NORMAL = 1.959963984540054
"""The quantile of the normal distribution for an interval of 95 %."""
_ACT = "act"
"""What a run calls the toss by which a box acts on a ground, alone or with a number behind a hyphen."""


class Odds(msgspec.Struct, frozen=True):
    """How probable it is that anything happens to a flow, from empty memory."""

    chance: float
    """That any box acts."""
    boxes: dict[str, float]
    """For each box with ground to act in any outcome: that it acts, provided that no other did before."""
    grounds: tuple[tuple[int, Because], ...] = ()
    """For each of these boxes its first ground, with the number of the packet, counted from 0, that gave it."""


def odds_of(boxes: Sequence[Box], grounds: Iterable[Because]) -> Odds:
    """Return the odds where these grounds are certain; residual ones do not count, as they lie outside the flow."""
    scopes = {box.id: box.coin_scope for box in boxes}
    chances: dict[str, float] = {}
    for because in grounds:
        if because.residual is None:
            name, known = because.middlebox, chances.get(because.middlebox)
            if known is None:
                chances[name] = because.chance
            elif scopes[name] == "event":
                chances[name] = any_of((known, because.chance))
            else:
                # A box tosses once for a flow or a pair of hosts, however many grounds they give it.
                chances[name] = max(known, because.chance)
    return Odds(any_of(chances.values()), chances)


def interval_of(successes: int, trials: int) -> tuple[float, float]:
    """Return the interval in which a probability lies with 95 % confidence (Wilson 1927), for at least one trial."""
    value, spread = successes / trials, _NORMAL * _NORMAL / trials
    middle = (value + spread / 2) / (1 + spread)
    reach = _NORMAL / (1 + spread) * math.sqrt(value * (1 - value) / trials + spread / (4 * trials))
    low = 0.0 if successes == 0 else max(0.0, middle - reach)
    high = 1.0 if successes == trials else min(1.0, middle + reach)
    return round(low, 12), round(high, 12)


def any_of(chances: Iterable[float]) -> float:
    """Return the probability that at least one of several independent things happens."""
    chances = tuple(chances)
    if len(chances) == 1:
        return chances[0]
    left = 1.0
    for chance in chances:
        left *= 1.0 - chance
    return _plain(1.0 - left)


def exact_odds(wall: Wall, shown: Sequence[Shown], *, served: bool = False) -> Odds:
    """Return the odds of a flow over all outcomes of the coins, whatever a seeded run drew.

    `served` says that the server answered with data, though none of its packets with data may be among those shown.
    Boxes do not depend on one another until one acts, so the outcomes of each are enumerated by themselves; where one has more than
    `MOST_OUTCOMES`, as many trials are sampled from a fixed seed.
    """
    grounds, tossed = _grounds_of(wall, shown, Aside(), served=served)
    chances = dict(odds_of(wall.boxes, [because for _, because in grounds]).boxes)
    first = {because.middlebox: (number, because) for number, because in reversed(grounds)}
    # What a model makes of packets after the last payload gives no box any ground.
    end = max((number + 1 for number, (_, _, packet) in enumerate(shown) if not isinstance(packet, int) and packet.payload), default=0)
    for box in [box for box in wall.boxes if tossed.get(box.id, end) < end]:
        found: list[tuple[int, Because]] = []
        chance = _chance_of(wall.alone(box), shown[:end], found, served=served)
        if found:
            first[box.id] = min(found, key=lambda ground: ground[0])
        if box.id in first:
            chances[box.id] = chance
    boxes = {box.id: chances[box.id] for box in wall.boxes if box.id in chances}
    return Odds(any_of(boxes.values()), boxes, tuple(first[name] for name in boxes))


def _chance_of(wall: Wall, shown: Sequence[Shown], found: list[tuple[int, Because]], *, served: bool) -> float:
    """Return the probability that the one box of a wall acts, and add every ground that it has in any outcome to `found`."""

    def trial(coins: Coins) -> float:
        grounds, _ = _grounds_of(wall, shown, Aside(coins), served=served)
        found.extend(grounds)
        return odds_of(wall.boxes, [because for _, because in grounds]).chance

    outcomes = enumerate_trials(trial, cap=MOST_OUTCOMES)
    if outcomes.complete:
        return _plain(math.fsum(leaf.probability * leaf.result for leaf in outcomes.leaves))
    return _plain(math.fsum(trial(KeyedCoins(0, number)) for number in range(MOST_OUTCOMES)) / MOST_OUTCOMES)


def _grounds_of(wall: Wall, shown: Sequence[Shown], coins: "Aside", *, served: bool) -> tuple[list[tuple[int, Because]], dict[str, int]]:
    """Show a flow to a wall that never acts; return the grounds, each with its packet, and on which packet a box first tossed."""
    run = wall.start(coins, mode="forecast")
    grounds: list[tuple[int, Because]] = []
    record: FlowRecord | None = None
    for number, (now, side, packet) in enumerate(shown):
        coins.number = number
        if isinstance(packet, int):
            if record is not None:
                run.skip_to(record.key, packet)
            continue
        effects = run.see(now, side, packet)
        grounds += [(number, effect.because) for effect in effects if isinstance(effect, Missed) and effect.because.residual is None]
        if record is None:
            record = run.flows.tcp.get(flow_key(packet.src, packet.dst, packet.sport, packet.dport))
            if record is not None:
                record.served = served
    return grounds, coins.tossed


def _plain(chance: float) -> float:
    """Take the noise of floating point from a probability, so that one half is printed as one half; nothing becomes impossible by it."""
    return round(chance, 12) or chance


class Aside:
    """Coins by which no box acts: all others fall as the coins behind them say, or on one side where there are none; draws give the median."""

    __slots__ = ("_coins", "number", "tossed")

    def __init__(self, coins: Coins | None = None) -> None:
        self._coins = coins
        self.number = 0
        self.tossed: dict[str, int] = {}
        """For each box whose ground depends on chance, the number of the packet on which it first tossed."""

    def toss(self, box: str, scope: bytes, name: str, p: float) -> bool:
        """Return True with probability p, and never for a toss by which a box acts."""
        if name == _ACT or name.startswith(f"{_ACT}-"):
            return False
        if self._coins is not None:
            return self._coins.toss(box, scope, name, p)
        self.tossed.setdefault(box, self.number)
        return p >= 1.0

    def pick(self, box: str, scope: bytes, name: str, n: int) -> int:
        """Return a whole number from 0 to n - 1, equally likely."""
        return self._coins.pick(box, scope, name, n) if self._coins is not None else 0

    def draw(self, box: str, scope: bytes, name: str, law: Law) -> int:
        """Return the median of the law."""
        return law.at(0.5)
