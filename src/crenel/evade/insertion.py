"""What a rewriter sends in, the same without what only a wall should see out, where the path loses just that."""

from collections.abc import Sequence

from crenel.coins import Coins
from crenel.net.ground import Rewriter
from crenel.net.path.path import PATH
from crenel.wire.packet import FIN, PSH, SYN, TCP, Packet

_WHOLE = 1 << 32
_PUSHED = ~PSH


class Inserting:
    """A rewriter on a path that in some trials carries nothing that was meant for the wall alone.

    Args:
        rewriter: what the end does.
        coins: decide, once a trial and not before it matters.
        loss: the probability of such a trial.
    """

    __slots__ = ("_coins", "_loss", "_lost", "_rewriter", "inbound")

    def __init__(self, rewriter: Rewriter, coins: Coins, loss: float) -> None:
        self._rewriter = rewriter
        self._coins = coins
        self._loss = loss
        self._lost: bool | None = None
        self.inbound = rewriter.inbound

    def outbound(self, packet: Packet) -> Sequence[tuple[int, Packet]]:
        """Take a packet that the stack sends; return what goes out instead."""
        sent = self._rewriter.outbound(packet)
        if len(sent) < 2 or self._lost is False:
            return sent
        kept = [(after, one) for after, one in sent if serves(one, packet)]
        if not kept or len(kept) == len(sent):
            return sent
        if self._lost is None:
            self._lost = self._coins.toss(PATH, b"", "insertion-loss", self._loss)
        return kept if self._lost else sent


def serves(sent: Packet, meant: Packet) -> bool:
    """Say whether a packet brings its receiver something of another one: the same headers and a part of the same bytes."""
    if sent is meant or meant.proto != TCP or sent.frag_offset or sent.proto != TCP:
        return True
    if sent.ttl != meant.ttl or sent.checksum is not None or (sent.flags ^ meant.flags) & _PUSHED & ~FIN or sent.ack != meant.ack:
        return False
    if sent.flags & SYN or not meant.payload:
        return sent.seq == meant.seq and sent.payload == meant.payload and sent.options == meant.options
    start = (sent.seq - meant.seq) % _WHOLE
    return bool(sent.payload) and meant.payload[start : start + len(sent.payload)] == sent.payload
