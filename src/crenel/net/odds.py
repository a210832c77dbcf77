"""The packets of one flow in, how probable it is that each box of a wall acts on it, and that any does, out.

Two kinds of chance meet here. Whether a box acts on a ground it has is independent of every other box, so those chances multiply.
What a box holds of a connection, or which device a pair of hosts meets, decides whether there is a ground at all: those outcomes
are enumerated, and the products of each are added up.
"""

from collections.abc import Iterable, Sequence

import msgspec

from crenel.coins import Coins, Law, enumerate_trials
from crenel.instant import Instant
from crenel.wall.box import Box
from crenel.wall.effects import Because, Missed, Side
from crenel.wall.wall import Wall
from crenel.wire.packet import Packet

Shown = tuple[Instant, Side, Packet]
"""A packet as it passed the wall's hop."""

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
    left: dict[str, float] = {}
    for because in grounds:
        if because.residual is None:
            name, miss = because.middlebox, 1.0 - because.chance
            known = left.get(name, 1.0)
            # A box tosses once for a flow or a pair of hosts, however many grounds they give it.
            left[name] = known * miss if scopes[name] == "event" else min(known, miss)
    nobody = 1.0
    for miss in left.values():
        nobody *= miss
    return Odds(1.0 - nobody, {name: 1.0 - miss for name, miss in left.items()})


def exact_odds(wall: Wall, shown: Sequence[Shown]) -> Odds:
    """Return the odds of a flow over all outcomes of the coins, whatever a seeded run drew."""
    first: dict[str, tuple[int, Because]] = {}

    def trial(coins: Coins) -> Odds:
        run = wall.start(_Unmoved(coins), mode="forecast")
        grounds: list[Because] = []
        for number, (now, side, packet) in enumerate(shown):
            for effect in run.see(now, side, packet):
                if isinstance(effect, Missed) and effect.because.residual is None:
                    grounds.append(effect.because)
                    first.setdefault(effect.because.middlebox, (number, effect.because))
        return odds_of(wall.boxes, grounds)

    outcomes = enumerate_trials(trial)
    boxes = {name: 0.0 for box in wall.boxes if (name := box.id) in first}
    for leaf in outcomes.leaves:
        for name, chance in leaf.result.boxes.items():
            boxes[name] += leaf.probability * chance
    chance = sum(leaf.probability * leaf.result.chance for leaf in outcomes.leaves)
    return Odds(chance, boxes, tuple(first[name] for name in boxes))


class _Unmoved:
    """Coins by which no box ever acts on its ground, while everything else falls as the coins behind them say."""

    __slots__ = ("_coins",)

    def __init__(self, coins: Coins) -> None:
        self._coins = coins

    def toss(self, box: str, scope: bytes, name: str, p: float) -> bool:
        """Return True with probability p, and never for a toss by which a box acts."""
        return not (name == _ACT or name.startswith(f"{_ACT}-")) and self._coins.toss(box, scope, name, p)

    def pick(self, box: str, scope: bytes, name: str, n: int) -> int:
        """Return a whole number from 0 to n - 1, equally likely."""
        return self._coins.pick(box, scope, name, n)

    def draw(self, box: str, scope: bytes, name: str, law: Law) -> int:
        """Return a number that follows the law."""
        return self._coins.draw(box, scope, name, law)
