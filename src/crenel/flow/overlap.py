"""What is held and what has newly come flow in; what is held then comes out: who supplies the bytes of a place that was sent twice.

A policy is applied byte by byte: where a new segment (or fragment) and a held one cover the same place, the two are
compared as they were sent, by where each begins and ends, and one of them supplies all bytes that both cover. Stacks that
trim what they hold and compare the remains can differ from this where three or more overlap.
"""

from bisect import bisect_right
from enum import Enum

import msgspec


class Overlap(Enum):
    """Which of two segments supplies the bytes that both cover, while the older one is still held out of order.

    The names are those of active mapping (Shankar and Paxson 2003), which found them in the stacks of their time.
    """

    FIRST = "first"
    """The older one, always."""
    LAST = "last"
    """The newer one, always."""
    BSD = "bsd"
    """The one that begins earlier; the older one if they begin together."""
    LINUX = "linux"
    """The one that begins earlier; the newer one if they begin together."""
    BSD_RIGHT = "bsd-right"
    """The one that begins later; the newer one if they begin together."""
    ENCLOSING = "enclosing"
    """The older one, unless the newer one both begins before and ends after it (Khattak et al. 2013 saw this for fragments)."""
    REFUSE = "refuse"
    """A newer segment that touches anything held or already given out is ignored whole (a report of 2010 has a box ignore the later packet)."""
    DISCARD = "discard"
    """Neither: both segments are dropped, and a fragmented datagram as a whole (RFC 5722 section 4); an exact copy is merely ignored."""


KEEP = {"older": Overlap.BSD, "newer": Overlap.LINUX}
"""Policies by which segment is kept of two out of order that begin together, where all others are read in the order in which they begin."""

# One word for each way the newer segment can begin, one letter for each way it can end, as against the older one:
# earlier, together, later. N: the newer segment supplies what both cover.
_WINNER = {
    Overlap.FIRST: "... ... ...",
    Overlap.LAST: "NNN NNN NNN",
    Overlap.BSD: "NNN ... ...",
    Overlap.LINUX: "NNN NNN ...",
    Overlap.BSD_RIGHT: "... NNN NNN",
    Overlap.ENCLOSING: "..N ... ...",
}


class Piece(msgspec.Struct, frozen=True, gc=False):
    """Bytes held for a place that nobody else fills: `at` is the offset of the first, `start` and `end` span the segment they came in."""

    at: int
    data: bytes
    start: int
    end: int


class Laid(msgspec.Struct, frozen=True):
    """What became of a newcomer: the pieces that now are held, whether it met other bytes, and whether it contradicted them."""

    pieces: list[Piece]
    overlapped: bool = False
    conflict: bool = False


def lay(held: list[Piece], new: Piece, overlap: Overlap) -> Laid:
    """Return what is held after a newcomer; `held`, whose pieces are disjoint and in order of place, is not changed.

    Where the newcomer brings nothing because the policy ignores it, `pieces` is `held` itself.
    """
    begin, end = new.at, new.at + len(new.data)
    if not held or begin >= reach(held[-1]):
        return Laid([*held, new])
    first = bisect_right(held, begin, key=reach)
    last = first
    while last < len(held) and held[last].at < end:
        last += 1
    if first == last:
        return Laid([*held[:first], new, *held[first:]])
    met = held[first:last]
    conflict = any(_common(new, piece) != _common(piece, new) for piece in met)
    if overlap is Overlap.REFUSE or (overlap is Overlap.DISCARD and met == [new]):
        return Laid(held, overlapped=True, conflict=conflict)
    if overlap is Overlap.DISCARD:
        return Laid(held[:first] + held[last:], overlapped=True, conflict=conflict)
    return Laid([*held[:first], *_settle(met, new, _WINNER[overlap]), *held[last:]], overlapped=True, conflict=conflict)


def _settle(met: list[Piece], new: Piece, winner: str) -> list[Piece]:
    """Return the pieces that stand where `new` met others."""
    settled: list[Piece] = []
    end = new.at + len(new.data)
    cursor = new.at
    for piece in met:
        if winner[4 * _order(new.start, piece.start) + _order(new.end, piece.end)] == "N":
            if piece.at < new.at:
                settled.append(part(piece, piece.at, new.at))
            if reach(piece) > end:
                settled += [part(new, cursor, end), part(piece, end, reach(piece))]
                return settled
        else:
            if cursor < piece.at:
                settled.append(part(new, cursor, piece.at))
            settled.append(piece)
            cursor = reach(piece)
    if cursor < end:
        settled.append(part(new, cursor, end))
    return settled


def _order(newer: int, older: int) -> int:
    return 0 if newer < older else 1 if newer == older else 2


def reach(piece: Piece) -> int:
    """Return the offset just after the last byte of a piece."""
    return piece.at + len(piece.data)


def part(piece: Piece, begin: int, end: int) -> Piece:
    """Return the bytes of a piece from offset `begin` up to `end`, which still know what they came in."""
    return Piece(begin, piece.data[begin - piece.at : end - piece.at], piece.start, piece.end)


def _common(piece: Piece, other: Piece) -> bytes:
    """Return the bytes of `piece` where `other` has bytes too."""
    return piece.data[max(other.at - piece.at, 0) : max(reach(other) - piece.at, 0)]
