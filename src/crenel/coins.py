"""Chance with names: every random decision asks its coins by box, scope and name, so it can be repeated, scripted or enumerated."""

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, Protocol, TypeVar

T = TypeVar("T")


class Law(Protocol):
    """How a drawn integer is distributed."""

    def at(self, quantile: float) -> int:
        """Return the value at a quantile from 0 (inclusive) to 1 (exclusive)."""


class Uniform:
    """Whole numbers from `low` to `high`, both inclusive, equally likely."""

    __slots__ = ("high", "low")

    def __init__(self, low: int, high: int) -> None:
        self.low = low
        self.high = high

    def at(self, quantile: float) -> int:
        """Return the value at a quantile from 0 (inclusive) to 1 (exclusive)."""
        return min(self.low + int(quantile * (self.high - self.low + 1)), self.high)


class Quantiles:
    """Whole numbers on straight lines between measured quantiles: `points` are (quantile, value) pairs from 0 to 1, rising."""

    __slots__ = ("points",)

    def __init__(self, points: Sequence[tuple[float, float]]) -> None:
        self.points = tuple(points)

    def at(self, quantile: float) -> int:
        """Return the value at a quantile from 0 (inclusive) to 1 (exclusive)."""
        below, low = self.points[0]
        for above, high in self.points[1:]:
            if quantile < above:
                return round(low + (high - low) * (quantile - below) / (above - below))
            below, low = above, high
        return round(low)


class Coins(Protocol):
    """Where random decisions come from. `scope` identifies the event, the flow or the client and server pair."""

    def toss(self, box: str, scope: bytes, name: str, p: float) -> bool:
        """Return True with probability p."""

    def pick(self, box: str, scope: bytes, name: str, n: int) -> int:
        """Return a whole number from 0 to n - 1, equally likely."""

    def draw(self, box: str, scope: bytes, name: str, law: Law) -> int:
        """Return a number that follows the law."""


class KeyedCoins:
    """Coins whose outcomes are hashes of seed, trial, box, scope and name: the same whatever the order in which they are asked.

    Args:
        seed: any whole number; the same seed gives the same outcomes on any machine.
        trial: the number of the repetition, so that repetitions differ.
    """

    __slots__ = ("_key",)

    def __init__(self, seed: int, trial: int = 0) -> None:
        self._key = hashlib.blake2b(f"{seed}/{trial}".encode(), digest_size=32).digest()

    def _fraction(self, box: str, scope: bytes, name: str) -> float:
        label = f"{box}/{name}/".encode()
        digest = hashlib.blake2b(label + scope, digest_size=8, key=self._key).digest()
        return (int.from_bytes(digest, "big") >> 11) / (1 << 53)

    def toss(self, box: str, scope: bytes, name: str, p: float) -> bool:
        """Return True with probability p."""
        if p >= 1.0:
            return True
        return p > 0.0 and self._fraction(box, scope, name) < p

    def pick(self, box: str, scope: bytes, name: str, n: int) -> int:
        """Return a whole number from 0 to n - 1, equally likely."""
        return int(self._fraction(box, scope, name) * n)

    def draw(self, box: str, scope: bytes, name: str, law: Law) -> int:
        """Return a number that follows the law."""
        return law.at(self._fraction(box, scope, name))


class ScriptedCoins:
    """Coins that fall as told: `tosses` maps "box/name" or "name" to an outcome, others fall to `otherwise`; draws give the median.

    For tests: a probability of 0 or 1 is still certain, whatever the script says.
    """

    __slots__ = ("otherwise", "picks", "tosses")

    def __init__(self, tosses: Mapping[str, bool] | None = None, picks: Mapping[str, int] | None = None, *, otherwise: bool = True) -> None:
        self.tosses = dict(tosses or {})
        self.picks = dict(picks or {})
        self.otherwise = otherwise

    def toss(self, box: str, scope: bytes, name: str, p: float) -> bool:
        """Return the scripted outcome of a toss that is not certain."""
        if p <= 0.0 or p >= 1.0:
            return p >= 1.0
        return self.tosses.get(f"{box}/{name}", self.tosses.get(name, self.otherwise))

    def pick(self, box: str, scope: bytes, name: str, n: int) -> int:
        """Return the scripted number, 0 where there is none, never n or more."""
        return min(self.picks.get(f"{box}/{name}", self.picks.get(name, 0)), n - 1)

    def draw(self, box: str, scope: bytes, name: str, law: Law) -> int:
        """Return the median of the law."""
        return law.at(0.5)


class Fall(NamedTuple):
    """How one coin fell: True or False for a toss, a number for a pick."""

    box: str
    scope: bytes
    name: str
    outcome: bool | int

    @property
    def label(self) -> str:
        """What stands for the coin in a formula: its name within its box, whatever the scope."""
        return f"{self.box}/{self.name}"


class EnumeratingCoins:
    """The coins of one trial out of all possible ones: they fall as planned, then on the first side of whatever is asked further.

    The first side of a toss is True, that of a pick 0. A toss or a pick asked again in the trial by the same box, scope and
    name (and number of sides) falls the same way. A toss with probability 0 or 1 is no decision, nor is a pick out of one.
    A draw gives the median of its law; its label is noted in `held`.

    Args:
        plan: how the first coins asked are to fall, in the order in which they are asked; asking others raises RuntimeError.
    """

    __slots__ = ("_known", "_plan", "chances", "falls", "held", "sides")

    falls: list[Fall]
    """The decisions so far, in order."""
    chances: list[float]
    """The probability of each fall."""
    sides: list[int]
    """How many ways each coin could have fallen."""
    held: dict[str, None]
    """The labels of the draws held at their median, in the order in which they were first asked."""

    def __init__(self, plan: Sequence[Fall] = ()) -> None:
        self._plan = tuple(plan)
        self._known: dict[tuple[str, bytes, str, int], bool | int] = {}
        self.falls = []
        self.chances = []
        self.sides = []
        self.held = {}

    def toss(self, box: str, scope: bytes, name: str, p: float) -> bool:
        """Return True with probability p."""
        if p <= 0.0 or p >= 1.0:
            return p >= 1.0
        # A toss is kept apart from a pick of two by 0 as its number of sides.
        known = self._known.get((box, scope, name, 0))
        if known is None:
            known = self._known[box, scope, name, 0] = self._planned(box, scope, name, first=True)
            self._decide(Fall(box, scope, name, known), p if known else 1.0 - p, 2)
        return bool(known)

    def pick(self, box: str, scope: bytes, name: str, n: int) -> int:
        """Return a whole number from 0 to n - 1, equally likely."""
        if n <= 1:
            return 0
        known = self._known.get((box, scope, name, n))
        if known is None:
            known = self._known[box, scope, name, n] = self._planned(box, scope, name, first=0)
            self._decide(Fall(box, scope, name, known), 1.0 / n, n)
        return known

    def draw(self, box: str, scope: bytes, name: str, law: Law) -> int:
        """Return the median of the law."""
        self.held[f"{box}/{name}"] = None
        return law.at(0.5)

    def next_plan(self) -> tuple[Fall, ...] | None:
        """Return the plan of the trial that follows this finished one, depth first; None if this was the last."""
        for at in range(len(self.falls) - 1, -1, -1):
            fall = self.falls[at]
            if isinstance(fall.outcome, bool):
                if fall.outcome:
                    return (*self.falls[:at], fall._replace(outcome=False))
            elif fall.outcome + 1 < self.sides[at]:
                return (*self.falls[:at], fall._replace(outcome=fall.outcome + 1))
        return None

    def _planned(self, box: str, scope: bytes, name: str, *, first: bool | int) -> bool | int:
        at = len(self.falls)
        if at >= len(self._plan):
            return first
        plan = self._plan[at]
        if plan[:3] != (box, scope, name) or type(plan.outcome) is not type(first):
            message = f"the trial asked for {box}/{name} where it asked for {plan.label} before: it depends on more than its coins"
            raise RuntimeError(message)
        return plan.outcome

    def _decide(self, fall: Fall, chance: float, sides: int) -> None:
        self.falls.append(fall)
        self.chances.append(chance)
        self.sides.append(sides)


class Leaf(NamedTuple, Generic[T]):
    """One way in which all coins of a trial can fall, how probable it is, and what the trial then gives."""

    probability: float
    path: tuple[Fall, ...]
    result: T

    @property
    def monomial(self) -> tuple[tuple[str, bool | int], ...]:
        """The probability as a product: (label, outcome) of each coin, in order; a label comes twice where two scopes tossed it."""
        return tuple((fall.label, fall.outcome) for fall in self.path)


@dataclass(frozen=True, slots=True)
class Enumeration(Generic[T]):
    """All trials that differ, or the first of them up to a cap, in depth-first order: True before False, small numbers before large."""

    leaves: tuple[Leaf[T], ...]
    complete: bool
    """Whether there are no more leaves than these; if so their probabilities sum to 1."""
    coins: tuple[tuple[str, float], ...]
    """The label of every coin that decided anything with the probability of its first side, in the order in which they were met."""
    held: tuple[str, ...]
    """The labels of the draws that were held at their median."""

    def chance(self, wanted: Callable[[T], bool]) -> float:
        """Return the probability that the result is as wanted; a lower bound unless `complete`."""
        return math.fsum(leaf.probability for leaf in self.leaves if wanted(leaf.result))


def enumerate_trials(run: Callable[[Coins], T], *, cap: int = 4096) -> Enumeration[T]:
    """Run a trial once for each way in which its coins can fall, at most `cap` times (at least once), and return all results.

    `run` must depend on nothing but the coins it is given; RuntimeError says so where it visibly does not.
    """
    leaves: list[Leaf[T]] = []
    met: dict[tuple[str, float], None] = {}
    held: dict[str, None] = {}
    plan: tuple[Fall, ...] | None = ()
    while plan is not None and (not leaves or len(leaves) < cap):
        coins = EnumeratingCoins(plan)
        result = run(coins)
        leaves.append(Leaf(math.prod(coins.chances), tuple(coins.falls), result))
        # A coin met for the first time lies past the plan and has fallen on its first side.
        for fall, chance in zip(coins.falls[len(plan) :], coins.chances[len(plan) :], strict=True):
            met[fall.label, chance] = None
        held |= coins.held
        plan = coins.next_plan()
    return Enumeration(tuple(leaves), plan is None, tuple(met), tuple(held))
