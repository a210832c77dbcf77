"""How a number of a forged packet is come by: fixed, drawn, copied, counted or on a line with another field."""

import itertools
from collections.abc import Callable, MutableMapping

import msgspec

from crenel.coins import Coins, Law, Quantiles, Uniform


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A law for one field; exactly one way of coming by the number is given."""

    fixed: int | None = None
    between: tuple[int, int] | None = None
    """Drawn, each whole number equally likely, both ends included."""
    quantiles: tuple[tuple[float, float], ...] | None = None
    """Drawn, on straight lines between measured (quantile, value) points."""
    mirror: bool = False
    """Copied from the packet that was the ground."""
    counter: tuple[int, int, int] | None = None
    """Counted by the box: first value drawn between the first two numbers, then up by the third with every packet, modulo the range."""
    line: tuple[float, float, int] | None = None
    """Intercept, slope per unit of the window of the same packet, and the half width of the band around the line."""
    step: int = 0
    """Added once more with every further copy."""

    def __post_init__(self) -> None:
        """Refuse a law that says nothing or two things."""
        ways = [self.fixed, self.between, self.quantiles, self.counter, self.line, self.mirror or None]
        if sum(way is not None for way in ways) != 1:
            message = "a law gives exactly one of fixed, between, quantiles, mirror, counter, line"
            raise ValueError(message)
        bounds = self.between or self.counter or (0, 0)
        if bounds[0] > bounds[1]:
            message = f"a law from {bounds[0]} to {bounds[1]} is empty"
            raise ValueError(message)
        if self.quantiles is not None and not _is_law(self.quantiles):
            message = "quantiles rise from 0 to 1, and their values do not fall"
            raise ValueError(message)
        if self.line is not None and self.line[2] < 0:
            message = "the band around a line has a half width of 0 or more"
            raise ValueError(message)

    def varies(self) -> bool:
        """Say whether the copies of one packet differ."""
        return bool(self.step) or self.counter is not None

    def law(self) -> Law | None:
        """Return the distribution of a drawn number, None where nothing is drawn."""
        if self.between is not None:
            return Uniform(*self.between)
        if self.quantiles is not None:
            return Quantiles(self.quantiles)
        return None


def _is_law(points: tuple[tuple[float, float], ...]) -> bool:
    """Say whether points rise from quantile 0 to quantile 1 and their values do not fall."""
    rising = all(below < above and low <= high for (below, low), (above, high) in itertools.pairwise(points))
    return rising and len(points) > 1 and points[0][0] == 0.0 and points[-1][0] == 1.0


def compile_rule(rule: Rule, box: str, name: str, modulus: int) -> Callable[[Coins, bytes, MutableMapping[str, int], int, int, int], int]:
    """Return a function of coins, scope, the box's counters, the mirrored value, the window and the number of the copy."""
    law = rule.law()
    step = rule.step
    if rule.fixed is not None:
        value = rule.fixed
        return lambda coins, scope, counters, mirrored, window, copy: (value + copy * step) % modulus
    if law is not None:
        drawn = law
        return lambda coins, scope, counters, mirrored, window, copy: (coins.draw(box, scope, name, drawn) + copy * step) % modulus
    if rule.mirror:
        return lambda coins, scope, counters, mirrored, window, copy: (mirrored + copy * step) % modulus
    if rule.line is not None:
        intercept, slope, band = rule.line
        spread = Uniform(-band, band)
        return lambda coins, scope, counters, mirrored, window, copy: (
            round(intercept + slope * window) + coins.draw(box, scope, name, spread) + copy * step
        ) % modulus
    return _counted(rule, box, name, modulus)


def _counted(rule: Rule, box: str, name: str, modulus: int) -> Callable[[Coins, bytes, MutableMapping[str, int], int, int, int], int]:
    low, high, up = rule.counter or (0, 0, 0)
    first = Uniform(low, high)

    def count(coins: Coins, scope: bytes, counters: MutableMapping[str, int], mirrored: int, window: int, copy: int) -> int:
        if name not in counters:
            counters[name] = coins.draw(box, b"", name, first)
        else:
            counters[name] = low + (counters[name] + up - low) % (high - low + 1)
        return (counters[name] + copy * rule.step) % modulus

    return count
