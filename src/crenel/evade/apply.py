"""A strategy in, made ready once; then each packet of one end in, and what is sent or delivered in its place out.

A prepared strategy holds no memory and may be shared. What one trial has to remember (gas, bytes added to streams, how often chance
was asked) stands in what `start` returns; it reads no clock, and its only other input are the coins.
"""

from collections.abc import Sequence
from typing import Final

from crenel.coins import Coins, Law
from crenel.evade.corrupt import Loads
from crenel.evade.growth import Growing, Streams
from crenel.evade.language import Strategy, Tree
from crenel.evade.steps import Outgoing, Step, compile_tree, grows
from crenel.evade.trigger import Matches, compile_trigger
from crenel.wire.packet import Packet

ASKER: Final = "strategy"
"""As which a strategy asks its coins, unless it is told otherwise."""

_Ready = tuple[int, Matches, int | None, Step]


class Prepared:
    """A strategy made ready to be applied: immutable, without memory.

    Args:
        strategy: what to do.
        loads: what stands for a corrupted payload.
    """

    __slots__ = ("grows", "inbound", "outbound", "strategy")

    def __init__(self, strategy: Strategy, loads: Loads = Loads.RELEASED) -> None:
        self.strategy = strategy
        self.outbound = _ready(strategy.outbound, 0, loads)
        self.inbound = _ready(strategy.inbound, len(strategy.outbound), loads)
        self.grows = any(grows(tree.action) for tree in strategy.outbound)

    def start(self, coins: Coins, asker: str = ASKER) -> "Applied":
        """Return the strategy at one end for one trial; two ends of a trial need two names to ask the coins by."""
        return Applied(self, coins, asker)


def prepare(strategy: Strategy, loads: Loads = Loads.RELEASED) -> Prepared:
    """Return the strategy made ready; do it once, and `start` it for each trial."""
    return Prepared(strategy, loads)


def _ready(trees: tuple[Tree, ...], first: int, loads: Loads) -> tuple[_Ready, ...]:
    return tuple(
        (number, compile_trigger(tree.trigger), tree.trigger.gas, compile_tree(tree.action, loads)) for number, tree in enumerate(trees, first)
    )


class Applied:
    """A strategy at one end during one trial.

    Attributes:
        prepared: the strategy.
        fired: how often each tree did something, the outbound ones first; all zero means that the trial tested nothing.
    """

    __slots__ = ("_asked", "_asker", "_coins", "_done", "_growing", "_seen", "_streams", "fired", "prepared")

    def __init__(self, prepared: Prepared, coins: Coins, asker: str = ASKER) -> None:
        trees = len(prepared.outbound) + len(prepared.inbound)
        self.prepared = prepared
        self.fired = [0] * trees
        self._coins = coins
        self._asker = asker
        self._asked = 0
        self._seen = [0] * trees
        self._streams = Streams() if prepared.grows else None
        self._growing: Growing | None = None
        self._done: set[object] = set()

    def outbound(self, packet: Packet) -> list[Outgoing]:
        """Return what is sent instead of a packet of this end's stack: in how many nanoseconds, and which packet, in order."""
        out: list[Outgoing] = []
        if self._streams is not None:
            self._grow_stream(self._streams, packet, out)
            return self._streams.move(packet, out)
        if self._run(self.prepared.outbound, packet, out):
            out.append((0, packet))
        return out

    def inbound(self, packet: Packet) -> list[Outgoing]:
        """Return the packet that this end's stack gets instead of one that has arrived, with 0 before it; nothing where it is dropped.

        Of several trees that match, the first one that does not drop the packet has its way.
        """
        out: list[Outgoing] = []
        if self._run(self.prepared.inbound, packet, out):
            out.append((0, packet))
        if self._streams is not None:
            return [(after, self._streams.move_back(one)) for after, one in out[:1]]
        return out[:1]

    def _grow_stream(self, streams: Streams, packet: Packet, out: list[Outgoing]) -> None:
        """Do as `outbound` says where bytes may be added: what was sent with some is sent with the same again, unless it grows anew."""
        grown = streams.growth_of(packet)
        growing = self._growing = Growing(packet)
        again = grown is not None and (grown.start, grown.size) != (packet.seq, len(packet.payload))
        if not again and self._run(self.prepared.outbound, packet, out):
            out.append((0, packet))
        if growing.added:
            streams.note(growing)
        elif grown is not None:
            out[:] = [(0, streams.filled(packet, grown))]

    def _run(self, forest: tuple[_Ready, ...], packet: Packet, out: list[Outgoing]) -> bool:
        """Send a packet through each tree that it sets off, and say whether it set off none."""
        idle = True
        for number, matches, gas, step in forest:
            if matches(packet) and (gas is None or self._burns(number, gas)):
                idle = False
                self.fired[number] += 1
                step(packet, 0, self, out)
        return idle

    def _burns(self, number: int, gas: int) -> bool:
        """Say whether a tree whose trigger fits fires: `gas` times, or where that is below 0 always after so many times."""
        seen = self._seen[number]
        self._seen[number] = seen + 1
        return seen < gas if gas >= 0 else seen >= -gas

    # What the actions ask and say.

    def toss(self, name: str, p: float) -> bool:
        """Return True with probability p."""
        return self._coins.toss(self._asker, self._scope(), name, p)

    def pick(self, name: str, n: int) -> int:
        """Return a whole number from 0 to n - 1, equally likely."""
        return self._coins.pick(self._asker, self._scope(), name, n)

    def draw(self, name: str, law: Law) -> int:
        """Return a number that follows the law."""
        return self._coins.draw(self._asker, self._scope(), name, law)

    def _scope(self) -> bytes:
        self._asked += 1
        return self._asked.to_bytes(4, "big")

    def first_time(self, what: object) -> bool:
        """Say whether this is asked for the first time in the trial."""
        first = what not in self._done
        self._done.add(what)
        return first

    @property
    def added(self) -> int:
        """How many bytes were added to the payload of the stack's packet so far."""
        return 0 if self._growing is None else self._growing.added

    def grow(self, packet: Packet, payload: bytes, inserted: Sequence[tuple[int, int]], urgent: int | None = None) -> None:
        """Note that a packet's payload becomes another, with how many new bytes at which places in it."""
        if self._growing is not None:
            self._growing.put(packet, payload, inserted, urgent)
