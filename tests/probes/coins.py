"""Coins that fall as told and keep a record of all that was asked of them: every chance of a conversation, whether or not it shows."""

from crenel.coins import Law


class ToldCoins:
    """Tosses fall on one side, draws give one quantile of their law; what was asked is kept.

    Args:
        yes: whether tosses other than that of acting come up; that one always does.
        quantile: what draws give.
        acting: whether boxes act.
    """

    __slots__ = ("_acting", "_quantile", "_yes", "asked", "picked")

    def __init__(self, *, yes: bool = True, quantile: float = 0.5, acting: bool = True) -> None:
        self._yes = yes
        self._quantile = quantile
        self._acting = acting
        self.asked: list[tuple[str, bytes, str, float]] = []
        self.picked = 0

    def toss(self, box: str, scope: bytes, name: str, p: float) -> bool:
        """Return the side told, unless it is certain."""
        self.asked.append((box, scope, name, p))
        if p <= 0.0 or p >= 1.0:
            return p >= 1.0
        return self._acting if name.startswith(("act", "residual")) else self._yes

    def pick(self, box: str, scope: bytes, name: str, n: int) -> int:
        """Return one number after the other."""
        self.asked.append((box, scope, name, float(n)))
        self.picked += 1
        return (self.picked - 1) % n

    def draw(self, box: str, scope: bytes, name: str, law: Law) -> int:
        """Return the quantile told."""
        return law.at(self._quantile)
