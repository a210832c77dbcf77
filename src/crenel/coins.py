"""Chance with names: every random decision asks its coins by box, scope and name, so it can be repeated, scripted or enumerated."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Protocol


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
