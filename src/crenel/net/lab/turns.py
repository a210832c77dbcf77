"""Coins in, the same coins asked by turn out: real kernels choose ports and moments by chance, which must not decide how a seed falls."""

from crenel.coins import Coins, Law


class Turns:
    """Coins for which a scope is not what it is called but when it was first asked for.

    The scope of a flow is its addresses, ports and moment, so that in a lab no two runs would fall alike. By its turn they do, as
    long as the flows over which a coin is tossed come in the same order.

    Args:
        coins: those that are asked in the end.
    """

    __slots__ = ("_coins", "_turns")

    def __init__(self, coins: Coins) -> None:
        self._coins = coins
        self._turns: dict[bytes, bytes] = {}

    def toss(self, box: str, scope: bytes, name: str, p: float) -> bool:
        """Return True with probability p."""
        return self._coins.toss(box, self._turn(scope), name, p)

    def pick(self, box: str, scope: bytes, name: str, n: int) -> int:
        """Return a whole number from 0 to n - 1, equally likely."""
        return self._coins.pick(box, self._turn(scope), name, n)

    def draw(self, box: str, scope: bytes, name: str, law: Law) -> int:
        """Return a number that follows the law."""
        return self._coins.draw(box, self._turn(scope), name, law)

    def _turn(self, scope: bytes) -> bytes:
        """Return the number of a scope; what is asked without one, such as what stands on the path, keeps none."""
        if not scope:
            return scope
        turn = self._turns.get(scope)
        if turn is None:
            turn = self._turns[scope] = len(self._turns).to_bytes(8, "big")
        return turn
