"""Plain functions in, rewriters and tactics out, for tests that change what an end sends or hears."""

from collections.abc import Callable, Sequence

from crenel.coins import Coins
from crenel.wire.packet import Packet

Change = Callable[[Packet], Sequence[tuple[int, Packet]]]


def untouched(packet: Packet) -> Sequence[tuple[int, Packet]]:
    """Return the packet as it is, at once."""
    return [(0, packet)]


class Rewriting:
    """A rewriter made of two functions without memory."""

    def __init__(self, outbound: Change = untouched, inbound: Change = untouched) -> None:
        self.outbound = outbound
        self.inbound = inbound

    def __call__(self, coins: Coins) -> "Rewriting":
        """Stand for the tactic too."""
        return self
