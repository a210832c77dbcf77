"""What an action asks when it wants a random value; whoever answers names the event to the coins."""

import hashlib
from typing import Protocol

from crenel.coins import Law, Uniform

_SEEDS = Uniform(0, (1 << 64) - 1)


class Draws(Protocol):
    """Chance for one strategy: every question is a new event."""

    def toss(self, name: str, p: float) -> bool:
        """Return True with probability p."""

    def pick(self, name: str, n: int) -> int:
        """Return a whole number from 0 to n - 1, equally likely."""

    def draw(self, name: str, law: Law) -> int:
        """Return a number that follows the law."""


def draw_bytes(draws: Draws, name: str, size: int) -> bytes:
    """Return so many random bytes, which follow from one draw."""
    return hashlib.shake_128(draws.draw(name, _SEEDS).to_bytes(8, "big")).digest(size)
