"""TCP segments of one direction flow in, in whatever order; the bytes of the stream come out, by the overlap policy asked for.

Who reassembles decides what the stream says, so the policy, the limits and what to do when they are reached are arguments:
an honest reader and every model of a middlebox use the same class with other settings. Nothing here raises on traffic.

What is settled for every policy: a byte that has been given out as part of the stream stays as it is, whatever is sent
later for the same place. A policy speaks only of bytes still held out of order.
"""

from __future__ import annotations

from bisect import bisect_right
from enum import Enum

import msgspec

from crenel.flow.overlap import Overlap, Piece, lay, part, reach

__all__ = ["Dropped", "Full", "Overlap", "Piece", "Stream", "StreamLimits", "diff"]

_MASK = 0xFFFFFFFF
_HALF = 0x80000000


def diff(a: int, b: int) -> int:
    """Return how far sequence number a lies after b: from -2**31 to 2**31 - 1 (RFC 9293 section 3.4: arithmetic modulo 2**32)."""
    return ((a - b + _HALF) & _MASK) - _HALF


class Full(Enum):
    """What gives way when more would be held out of order than the limits allow."""

    NEWCOMER = "newcomer"
    """The segment that has just come is refused."""
    FARTHEST = "farthest"
    """What lies farthest ahead is evicted, the newcomer itself if it is that."""


class StreamLimits(msgspec.Struct, frozen=True, gc=False):
    """How much of a stream is remembered. The defaults bound the bench's memory; a middlebox model states its own."""

    ahead: int = 65535
    """A segment that begins more than this many bytes after the next expected one is ignored (the largest unscaled window)."""
    held_bytes: int = 262144
    """Bytes held out of order."""
    held_pieces: int = 256
    """Pieces held out of order: segments, or what overlaps have left of them."""
    kept_bytes: int = 65536
    """Bytes of the stream kept in `chunks`; later ones are given out and counted, not kept."""
    full: Full = Full.FARTHEST


class Dropped(msgspec.Struct, frozen=True, gc=False):
    """Segments that brought nothing, counted by reason; `evicted` counts pieces that had been held."""

    retransmitted: int = 0
    """Every place that it covers had been filled before, whether or not its bytes then replaced the held ones."""
    keepalive: int = 0
    """At most one byte, just before the next expected one (RFC 9293 section 3.8.4)."""
    far: int = 0
    """It began farther ahead than the limit."""
    refused: int = 0
    """The limits, or a policy that takes newcomers whole or not at all, left no place for it."""
    evicted: int = 0


_NOTHING_DROPPED = Dropped()


class Stream:
    """One direction of a TCP connection, put in order.

    Args:
        next_seq: sequence number of the first byte of the stream (initial sequence number + 1 after a SYN).
        limits: what to remember.
        overlap: who supplies bytes that were sent twice while out of order.
    """

    __slots__ = (
        "anchor", "chunks", "conflict", "dropped", "ends", "held_bytes", "limits", "next_seq", "out_of_order", "overlap", "overlapped", "total",
    )

    next_seq: int
    """Sequence number of the next byte expected."""
    out_of_order: list[Piece]
    """What is held, disjoint and in order; `at`, `start` and `end` are stream offsets, so they do not wrap."""
    held_bytes: int
    """Bytes in `out_of_order`."""
    chunks: list[bytes]
    """The stream as kept, one entry for each run of bytes that came in one segment."""
    ends: list[int]
    """Where each chunk ends, as offset in the stream: the segment boundaries."""
    total: int
    """Bytes given out since the start, kept or not."""
    overlapped: bool
    """Some byte came twice (keep-alives apart)."""
    conflict: bool
    """Two copies of a byte differed, as far as the older one was still known: the policy decided what the stream says."""
    dropped: Dropped
    anchor: int
    """Stream offset since which offsets and sequence numbers go in step (moved by `skip_to`)."""

    def __init__(self, next_seq: int, limits: StreamLimits, overlap: Overlap) -> None:
        self.next_seq = next_seq & _MASK
        self.limits = limits
        self.overlap = overlap
        self.out_of_order = []
        self.held_bytes = 0
        self.chunks = []
        self.ends = []
        self.total = 0
        self.overlapped = False
        self.conflict = False
        self.dropped = _NOTHING_DROPPED
        self.anchor = 0

    def add(self, seq: int, payload: bytes) -> bytes:
        """Take a segment's payload and return the bytes that are now next in the stream, b"" if none."""
        if seq == self.next_seq and not self.out_of_order:
            length = len(payload)
            if length:
                self.next_seq = (seq + length) & _MASK
                self.total = total = self.total + length
                if total <= self.limits.kept_bytes:
                    self.chunks.append(payload)
                    self.ends.append(total)
                else:
                    self._keep_head(payload, total - length)
            return payload
        if not payload:
            if seq & _MASK == (self.next_seq - 1) & _MASK:
                self._drop(keepalive=1)
            return b""
        return self._sort(seq, payload)

    def data(self) -> bytes:
        """Return the stream from its start, as far as it is kept."""
        return b"".join(self.chunks)

    def copy(self) -> Stream:
        """Return an independent stream in the same state."""
        twin = Stream.__new__(Stream)
        twin.next_seq = self.next_seq
        twin.limits = self.limits
        twin.overlap = self.overlap
        twin.out_of_order = self.out_of_order[:]
        twin.held_bytes = self.held_bytes
        twin.chunks = self.chunks[:]
        twin.ends = self.ends[:]
        twin.total = self.total
        twin.overlapped = self.overlapped
        twin.conflict = self.conflict
        twin.dropped = self.dropped
        twin.anchor = self.anchor
        return twin

    def resync(self, seq: int) -> None:
        """Begin a new stream at `seq` and forget the old one; the counters in `dropped` run on."""
        self.next_seq = seq & _MASK
        self.out_of_order = []
        self.held_bytes = 0
        self.chunks = []
        self.ends = []
        self.total = 0
        self.overlapped = False
        self.conflict = False
        self.anchor = 0

    def skip_to(self, seq: int) -> bytes:
        """Expect `seq` next, as if nothing were missing before it, and return what is then in order.

        Held bytes that come to lie before `seq` are forgotten; bytes given out and kept stay.
        """
        step = diff(seq, self.next_seq)
        self.next_seq = seq & _MASK
        self.anchor = self.total
        held = [Piece(piece.at - step, piece.data, piece.start - step, piece.end - step) for piece in self.out_of_order]
        return self._give([piece if piece.at >= self.total else part(piece, self.total, reach(piece)) for piece in held if reach(piece) > self.total])

    def _sort(self, seq: int, payload: bytes) -> bytes:
        """Do what `add` does for a payload that is not simply the next one."""
        rel = diff(seq, self.next_seq)
        if rel > self.limits.ahead:
            self._drop(far=1)
            return b""
        start = self.total + rel
        end = start + len(payload)
        if rel < 0:
            if rel == -1 and end == self.total:
                self._drop(keepalive=1)
                return b""
            self._meet_past(start, payload)
            if end <= self.total:
                self._drop(retransmitted=1)
                return b""
            payload = payload[-rel:]
        return self._place(Piece(max(start, self.total), payload, start, end))

    def _place(self, new: Piece) -> bytes:
        laid = lay(self.out_of_order, new, self.overlap)
        if laid.overlapped:
            self.overlapped = True
            self.conflict = self.conflict or laid.conflict
        if self.overlap is Overlap.REFUSE and (laid.overlapped or new.start < new.at):
            self._drop(refused=1)
            return b""
        if self.overlap is Overlap.DISCARD and laid.overlapped:
            self._drop(refused=1, evicted=len(self.out_of_order) - len(laid.pieces))
            self.out_of_order = laid.pieces
            self.held_bytes = sum(len(piece.data) for piece in laid.pieces)
            return b""
        if new.at == self.total:
            return self._give(laid.pieces)
        self._hold(laid.pieces)
        return b""

    def _hold(self, pieces: list[Piece]) -> None:
        """Hold pieces that all lie ahead, within the limits."""
        limits = self.limits
        size = sum(len(piece.data) for piece in pieces)
        if size == self.held_bytes:
            self._drop(retransmitted=1)
        if size > limits.held_bytes or len(pieces) > limits.held_pieces:
            if limits.full is Full.NEWCOMER:
                self._drop(refused=1)
                return
            before = len(pieces)
            while pieces and (size > limits.held_bytes or len(pieces) > limits.held_pieces):
                size -= len(pieces.pop().data)
            self._drop(evicted=before - len(pieces))
        self.out_of_order = pieces
        self.held_bytes = size

    def _give(self, pieces: list[Piece]) -> bytes:
        """Give out the pieces that are next in the stream and hold the others."""
        total = self.total
        ready: list[bytes] = []
        for piece in pieces:
            if piece.at != total:
                break
            ready.append(piece.data)
            self._keep_head(piece.data, total)
            total += len(piece.data)
        self.next_seq = (self.next_seq + total - self.total) & _MASK
        self.total = total
        self.out_of_order = pieces[len(ready) :]
        self.held_bytes = sum(len(piece.data) for piece in self.out_of_order)
        return b"".join(ready)

    def _keep_head(self, payload: bytes, offset: int) -> None:
        """Keep what the limit on the stream still allows of a payload that stands at `offset`."""
        room = self.limits.kept_bytes - offset
        if room > 0:
            self.chunks.append(payload[:room])
            self.ends.append(offset + min(room, len(payload)))

    def _meet_past(self, start: int, payload: bytes) -> None:
        """Note that a payload covers bytes given out before, and whether it contradicts those that are kept."""
        self.overlapped = True
        if start < self.anchor:
            payload = payload[self.anchor - start :]
            start = self.anchor
        chunk = bisect_right(self.ends, start)
        while not self.conflict and chunk < len(self.ends):
            kept = self.chunks[chunk]
            begin = self.ends[chunk] - len(kept)
            if begin >= start + len(payload):
                return
            again = payload[max(begin - start, 0) : self.ends[chunk] - start]
            since = max(start - begin, 0)
            self.conflict = kept[since : since + len(again)] != again
            chunk += 1

    def _drop(self, *, retransmitted: int = 0, keepalive: int = 0, far: int = 0, refused: int = 0, evicted: int = 0) -> None:
        was = self.dropped
        self.dropped = Dropped(
            was.retransmitted + retransmitted, was.keepalive + keepalive, was.far + far, was.refused + refused, was.evicted + evicted,
        )
