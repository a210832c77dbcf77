"""Packets on their way past a middlebox in, what goes on instead and why something does not out: no wall, yet in its path."""

from collections.abc import Callable

import msgspec

from crenel.atlas.vantage import ClientMiddlebox
from crenel.coins import Coins
from crenel.flow.fragments import Defragmenter, FragmentLimits, is_fragment
from crenel.flow.key import flow_key, reverse_key
from crenel.flow.overlap import Overlap
from crenel.instant import Instant
from crenel.wire.packet import ACK, FIN, RST, SYN, TCP, URG, Packet
from crenel.wire.verify import ChecksumState, checksum_state

_HELD_FLOWS = 4096
"""Connections that a strict filter knows at most; the oldest make room (bench)."""
_SEQUENCE = 1 << 32
_FARTHEST = 1 << 30
"""No receive window is larger (RFC 7323 section 2.3), so nothing farther ahead can be meant for the connection."""

_MEANINGFUL = FIN | SYN | RST | ACK | URG
_PLAUSIBLE = frozenset({SYN, SYN | URG, SYN | ACK, RST, RST | ACK, FIN | ACK, FIN | ACK | URG, ACK, ACK | URG})
"""Combinations of flags that the connection tracking of Linux takes for valid, the push and congestion bits aside
(`tcp_valid_flags` in nf_conntrack_proto_tcp)."""


class Passage(msgspec.Struct, frozen=True):
    """What a middlebox does with one packet."""

    packet: Packet | None
    """What goes on; None: nothing does."""
    reason: str = ""
    """Why it does not, in words."""
    held: bool = False
    """It is kept until the rest of its datagram comes."""
    joined: bool = False
    """What goes on was put together from this and earlier ones."""


class ClientFilter:
    """The middlebox near a client, for what the client sends."""

    __slots__ = ("_drops", "_fragments", "_joiner", "id")

    def __init__(self, box: ClientMiddlebox) -> None:
        self.id = box.id
        self._fragments = box.fragments
        self._drops = tuple(_DROPS[name] for name in box.drops)
        # Which of two overlapping fragments such a box keeps was not measured; the bench lets the older one stand.
        self._joiner = Defragmenter(FragmentLimits(), Overlap.FIRST) if box.fragments == "reassemble" else None

    def take(self, now: Instant, packet: Packet) -> Passage:
        """Return what becomes of a packet of the client."""
        joined = False
        if is_fragment(packet):
            if self._fragments == "drop":
                return Passage(None, "it is a fragment")
            if self._joiner is not None:
                whole = self._joiner.add(now, packet)
                if whole is None:
                    return Passage(None, "it waits for the rest of its datagram", held=True)
                packet, joined = whole, True
        for drop in self._drops:
            reason = drop(packet)
            if reason:
                return Passage(None, reason)
        return Passage(packet, joined=joined)


def _fin(packet: Packet) -> str:
    return "it carries FIN" if packet.proto == TCP and packet.has_transport() and packet.flags & FIN else ""


def _no_flags(packet: Packet) -> str:
    return "it carries no TCP flag" if packet.proto == TCP and packet.has_transport() and not packet.flags else ""


def _bad_checksum(packet: Packet) -> str:
    wrong = packet.checksum is not None and checksum_state(packet) is ChecksumState.WRONG
    return "its checksum is wrong" if wrong else ""


_DROPS: dict[str, Callable[[Packet], str]] = {"fin": _fin, "no-flags": _no_flags, "bad-checksum": _bad_checksum}


class StrictFilter:
    """A filter before a server that follows connections and lets no odd flags and no reset out of state through to the server.

    A reset is in state if it bears the client's next sequence number and, where it acknowledges anything, the server's next one.
    """

    __slots__ = ("_next",)

    id = "strict-filter"

    def __init__(self) -> None:
        self._next: dict[bytes, tuple[int | None, int | None]] = {}
        """For each connection, as the client names it, the next sequence number of client and server."""

    def take(self, now: Instant, packet: Packet) -> Passage:
        """Return what becomes of a packet toward the server."""
        if packet.proto != TCP or not packet.has_transport():
            return Passage(packet)
        if packet.flags & _MEANINGFUL not in _PLAUSIBLE:
            return Passage(None, "its combination of TCP flags is odd")
        key = flow_key(packet.src, packet.dst, packet.sport, packet.dport)
        ours, theirs = self._next.get(key, (None, None))
        if packet.flags & RST:
            sound = packet.seq == ours and (not packet.flags & ACK or theirs is None or packet.ack == theirs)
            return Passage(packet) if sound else Passage(None, "a reset out of state")
        if not _bad_checksum(packet):
            self._learn(key, _later(ours, packet), theirs)
        return Passage(packet)

    def watch(self, packet: Packet) -> None:
        """Follow a packet of the server."""
        if packet.proto == TCP and packet.has_transport() and not packet.flags & RST:
            key = reverse_key(flow_key(packet.src, packet.dst, packet.sport, packet.dport))
            ours, theirs = self._next.get(key, (None, None))
            self._learn(key, ours, _later(theirs, packet))

    def _learn(self, key: bytes, ours: int | None, theirs: int | None) -> None:
        if key not in self._next and len(self._next) >= _HELD_FLOWS:
            del self._next[next(iter(self._next))]
        self._next[key] = (ours, theirs)


def _later(known: int | None, packet: Packet) -> int:
    """Return the sequence number after everything that one end has sent so far; a SYN begins anew."""
    end = (packet.seq + len(packet.payload) + (1 if packet.flags & SYN else 0) + (1 if packet.flags & FIN else 0)) % _SEQUENCE
    if known is None or packet.flags & SYN:
        return end
    return end if 0 < (end - known) % _SEQUENCE < _FARTHEST else known


def choose_client_filter(boxes: tuple[ClientMiddlebox, ...], coins: Coins) -> ClientFilter | None:
    """Draw the middlebox that stands near the client, by weight, with one coin of `path` for each but the last."""
    left = sum(box.weight for box in boxes)
    for box in boxes:
        # One toss after the other, so that an enumeration has one branch for each box and not for each unit of weight.
        if left and coins.toss("path", b"", f"client-middlebox-{box.id}", box.weight / left):
            return ClientFilter(box)
        left -= box.weight
    return None


def choose_strict_filter(share: float, coins: Coins) -> StrictFilter | None:
    """Draw whether a strict filter stands before the server, with the coin `strict-server` of `path`."""
    return StrictFilter() if coins.toss("path", b"", "strict-server", share) else None
