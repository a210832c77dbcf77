"""IP fragments flow in; whole packets come out once all their bytes are there, by the overlap policy and the limits asked for.

A `Packet` holds the first fragment of a datagram with its transport header taken apart, and the others as opaque bytes, so
two functions are arguments: one that gives back the IP payload of a fragment as it was on the wire, and one that reads a
whole IP payload again (`carried` and `read_whole` unless told otherwise, for instance to look on inside a tunnel). Between
them only offsets and bytes count, and nothing raises on traffic, however odd.
"""

from collections.abc import Callable

import msgspec

from crenel.flow.overlap import Overlap, Piece, lay, reach
from crenel.instant import Instant, seconds
from crenel.wire.extension import walk_extensions
from crenel.wire.ip import parse_packet, serialise, write_transport
from crenel.wire.packet import IP_MF, Packet
from crenel.wire.result import Unparseable

FragmentKey = tuple[bytes | int, ...]
"""What the fragments of one datagram share."""
Body = Callable[[Packet], bytes]
"""Gives the part of the IP payload that a fragment carries, as on the wire."""
Parse = Callable[[Packet, bytes], Packet]
"""Gives the whole packet from a packet with the IP header fields to use and the whole IP payload."""

_FRAGMENT_HEADER = 8
"""Bytes of the IPv6 fragment header (RFC 8200 section 4.5)."""
_LARGEST = 65535
"""Bytes: no offset and length in an IP datagram can reach further (RFC 791 section 3.1, RFC 8200 section 4.5)."""


def is_fragment(packet: Packet) -> bool:
    """Say whether a packet is a part of a datagram: it has an offset, or more fragments follow."""
    return packet.frag_offset != 0 or packet.ip_flags & IP_MF != 0


def fragment_key(packet: Packet) -> FragmentKey:
    """Return what identifies the datagram: addresses, identification and, for IPv4 only, the protocol (RFC 791 section 3.2, RFC 8200 section 4.5)."""
    if packet.version == 4:
        return packet.src, packet.dst, packet.proto, packet.ident
    return packet.src, packet.dst, packet.ident


def carried(packet: Packet) -> bytes:
    """Return what a fragment carries: all bytes after the IPv4 header or the IPv6 fragment header."""
    return packet.ip_options[_end_of_fragment_header(packet) :] + write_transport(packet) if packet.version == 6 else write_transport(packet)


def read_whole(header: Packet, body: bytes) -> Packet:
    """Return the packet with an IP header and a whole IP payload; an IPv6 packet keeps its fragment header, now saying "all of it"."""
    whole = parse_packet(serialise(msgspec.structs.replace(header, payload=body, headless=True)))
    return msgspec.structs.replace(header, payload=body) if isinstance(whole, Unparseable) else whole


def _end_of_fragment_header(packet: Packet) -> int:
    """Return how many bytes of the IPv6 extension headers stand before the part that was cut."""
    if packet.next_header is None:
        return len(packet.ip_options)
    at = walk_extensions(packet.ip_options, 0, len(packet.ip_options), packet.next_header).fragment_at
    return len(packet.ip_options) if at < 0 else at + _FRAGMENT_HEADER


class Fragment(msgspec.Struct, frozen=True, gc=False):
    """A part of an IP payload: whose, from which byte on, whether more follows it, and the bytes."""

    key: FragmentKey
    offset: int
    more: bool
    body: bytes


class FragmentLimits(msgspec.Struct, frozen=True, gc=False):
    """How much is held. The defaults bound the bench's memory; a middlebox model states its own."""

    datagrams: int = 1024
    """Incomplete datagrams; one more evicts the one that began first."""
    held_bytes: int = 4194304
    """Bytes of all incomplete datagrams; more evict those that began first."""
    pieces: int = 1024
    """Pieces of one datagram; a fragment that would need more is refused."""
    lifetime: int = seconds(30)
    """Nanoseconds from the first fragment that comes until an incomplete datagram is forgotten."""


class _Datagram:
    """What is held of one datagram."""

    __slots__ = ("deadline", "discarded", "end", "first", "held", "pieces")

    def __init__(self, deadline: int) -> None:
        self.deadline = deadline
        self.pieces: list[Piece] = []
        self.held = 0
        self.end: int | None = None
        self.first: Packet | None = None
        self.discarded = False


class Defragmenter:
    """The datagrams of which some fragments are still missing.

    Args:
        limits: what to hold, and how long.
        overlap: who supplies bytes that came twice; None: do not reassemble, fragments pass through as they are.
        body: gives the IP payload of a fragment as bytes.
        parse: reads a whole IP payload; the packet it gets is the fragment at offset 0 with "more fragments" cleared, lengths and
            checksums left to be right, no transport fields and no payload.
    """

    __slots__ = (
        "_body", "_datagrams", "_parse", "completed", "conflicts", "evicted", "expired", "held_bytes", "limits", "malformed", "overlap",
        "overlaps", "refused",
    )

    held_bytes: int
    """Bytes now held, over all datagrams."""
    completed: int
    """Datagrams put together."""
    expired: int
    """Datagrams forgotten for their age."""
    evicted: int
    """Datagrams forgotten for want of room."""
    malformed: int
    """Fragments that do not fit any datagram, or not this one: empty ones before the last, past 65,535 bytes, past its known end."""
    refused: int
    """Fragments that a limit or the policy left no place for."""
    overlaps: int
    """Fragments that covered bytes already held."""
    conflicts: int
    """Fragments that covered bytes already held with other bytes."""

    def __init__(self, limits: FragmentLimits, overlap: Overlap | None, *, body: Body = carried, parse: Parse = read_whole) -> None:
        self.limits = limits
        self.overlap = overlap
        self._body = body
        self._parse = parse
        # In the order of their first fragments, so that what expires or is evicted next stands in front.
        self._datagrams: dict[FragmentKey, _Datagram] = {}
        self.held_bytes = self.completed = self.expired = self.evicted = 0
        self.malformed = self.refused = self.overlaps = self.conflicts = 0

    def __len__(self) -> int:
        """Return how many incomplete datagrams are held."""
        return len(self._datagrams)

    def add(self, now: Instant, packet: Packet) -> Packet | None:
        """Take any packet; return it if it is no fragment, the whole packet that it completes, or None while more is missing."""
        if self.overlap is None or not is_fragment(packet):
            return packet
        fragment = Fragment(fragment_key(packet), packet.frag_offset, packet.ip_flags & IP_MF != 0, self._body(packet))
        done = self._take(now, fragment, packet if packet.frag_offset == 0 else None)
        if done is None or done.first is None:
            return None
        return self._parse(_unfragmented(done.first), _joined(done))

    def offer(self, now: Instant, fragment: Fragment) -> bytes | None:
        """Take one fragment as numbers and bytes; return the whole IP payload that it completes, or None."""
        done = self._take(now, fragment, None)
        return None if done is None else _joined(done)

    def expire(self, now: Instant) -> int:
        """Forget the datagrams whose time is over and return how many those were; `add` and `offer` do it too."""
        before = self.expired
        while self._datagrams:
            key, oldest = next(iter(self._datagrams.items()))
            if oldest.deadline > now:
                break
            self._forget(key)
            self.expired += 1
        return self.expired - before

    def _take(self, now: Instant, fragment: Fragment, first: Packet | None) -> _Datagram | None:
        """Add a fragment to its datagram and return that, no longer held, if it is now complete."""
        self.expire(now)
        if self.overlap is None:
            return None
        if not _possible(fragment):
            self.malformed += 1
            return None
        datagram = self._datagram(now, fragment.key)
        if datagram.discarded:
            self.refused += 1
        elif not _set_end(datagram, fragment):
            self.malformed += 1
        else:
            datagram.first = datagram.first or first
            if fragment.body:
                self._lay(datagram, fragment, self.overlap)
            if datagram.held == datagram.end:
                self._forget(fragment.key)
                self.completed += 1
                return datagram
        self._make_room()
        return None

    def _datagram(self, now: Instant, key: FragmentKey) -> _Datagram:
        known = self._datagrams.get(key)
        if known is not None:
            if known.deadline > now:
                return known
            # Reached only where time runs backwards in a capture, so that an older entry stands behind a younger one.
            self._forget(key)
            self.expired += 1
        fresh = self._datagrams[key] = _Datagram(now + self.limits.lifetime)
        return fresh

    def _lay(self, datagram: _Datagram, fragment: Fragment, overlap: Overlap) -> None:
        end = fragment.offset + len(fragment.body)
        laid = lay(datagram.pieces, Piece(fragment.offset, fragment.body, fragment.offset, end), overlap)
        self.overlaps += laid.overlapped
        self.conflicts += laid.conflict
        if laid.pieces is datagram.pieces or len(laid.pieces) > self.limits.pieces:
            self.refused += 1
            return
        if overlap is Overlap.DISCARD and laid.overlapped:
            # RFC 5722 section 4: the fragments still to come are dropped as well, so the entry stays until its time is over.
            self.refused += 1
            self.held_bytes -= datagram.held
            datagram.discarded, datagram.pieces, datagram.held, datagram.first = True, [], 0, None
            return
        held = sum(len(piece.data) for piece in laid.pieces) if laid.overlapped else datagram.held + len(fragment.body)
        self.held_bytes += held - datagram.held
        datagram.pieces, datagram.held = laid.pieces, held

    def _make_room(self) -> None:
        limits = self.limits
        while self._datagrams and (len(self._datagrams) > limits.datagrams or self.held_bytes > limits.held_bytes):
            self._forget(next(iter(self._datagrams)))
            self.evicted += 1

    def _forget(self, key: FragmentKey) -> None:
        self.held_bytes -= self._datagrams.pop(key).held


def _possible(fragment: Fragment) -> bool:
    """Say whether any datagram can contain the fragment."""
    if fragment.offset < 0 or fragment.offset + len(fragment.body) > _LARGEST:
        return False
    return bool(fragment.body) or (not fragment.more and fragment.offset > 0)


def _set_end(datagram: _Datagram, fragment: Fragment) -> bool:
    """Learn from the last fragment where the datagram ends; False if the fragment contradicts what is known or held."""
    end = fragment.offset + len(fragment.body)
    if fragment.more:
        return datagram.end is None or end <= datagram.end
    if datagram.end is None and (not datagram.pieces or reach(datagram.pieces[-1]) <= end):
        datagram.end = end
    return datagram.end == end


def _joined(datagram: _Datagram) -> bytes:
    return b"".join([piece.data for piece in datagram.pieces])


def _unfragmented(first: Packet) -> Packet:
    """Return the IP header fields of a first fragment as those of the whole datagram."""
    options = first.ip_options[: _end_of_fragment_header(first)] if first.version == 6 else first.ip_options
    return Packet(
        first.version, first.src, first.dst, first.proto, ttl=first.ttl, ident=first.ident, ip_flags=first.ip_flags & ~IP_MF,
        tos=first.tos, flow_label=first.flow_label, ip_options=options, header_words=first.header_words, next_header=first.next_header,
    )
