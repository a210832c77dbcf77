"""Segments to which a strategy added bytes in, sequence and acknowledgement numbers that agree on both sides out.

The sending stack does not know of the added bytes. So what it sends after them is moved by as many, what it sends again is filled
up with them, and acknowledgements are moved back before it sees them: it and its peer each see a stream without contradiction.
"""

from collections.abc import Sequence

import msgspec

from crenel.evade.options import option_body, with_option
from crenel.wire.packet import ACK, TCP, URG, Packet

_MASK = 0xFFFFFFFF
_SACK = 5
_replace = msgspec.structs.replace


class Growing:
    """The payload of one packet of the stack while a strategy works on it."""

    def __init__(self, packet: Packet) -> None:
        self.packet = packet
        self.stream = packet.payload
        self.inserted: list[tuple[int, int]] = []
        self.urgent: int | None = None

    @property
    def added(self) -> int:
        """How many bytes were added."""
        return len(self.stream) - len(self.packet.payload)

    def put(self, packet: Packet, payload: bytes, inserted: Sequence[tuple[int, int]], urgent: int | None) -> None:
        """Put another payload into the stream in place of a packet's; `inserted` is where in it how many bytes are new, in order.

        What is no part of the stream, such as a fake packet, and what was put there before by another branch changes nothing.
        """
        at = packet.seq - self.packet.seq & _MASK
        end = at + len(packet.payload)
        if self.stream[at : at + len(payload)] == payload or self.stream[at:end] != packet.payload:
            return
        self.stream = self.stream[:at] + payload + self.stream[end:]
        for place, count in inserted:
            self.inserted = [(known + count if known >= at + place else known, size) for known, size in self.inserted]
            self.inserted.append((at + place, count))
        if urgent is not None:
            self.urgent = at + urgent


class Growth(msgspec.Struct, frozen=True):
    """A segment that grew: where it starts and how long it was for its stack, its bytes as sent, and where in these how many are new."""

    start: int
    size: int
    stream: bytes
    inserted: tuple[tuple[int, int], ...]
    urgent: int | None

    @property
    def added(self) -> int:
        """How many bytes were added in all."""
        return len(self.stream) - self.size

    def place_of(self, offset: int) -> int:
        """Return where in the bytes as sent those begin that belong to what the stack has at an offset."""
        if offset >= self.size:
            return offset + self.added
        for place, count in self.inserted:
            if place < offset:
                offset += count
        return max(offset, 0)

    def offset_of(self, place: int) -> int:
        """Return what the stack has at a place in the bytes as sent."""
        return place - sum(min(count, max(place - start, 0)) for start, count in self.inserted)


def _signed(difference: int) -> int:
    return (difference + 0x80000000 & _MASK) - 0x80000000


class Streams:
    """The segments that grew, by flow, in the order of the stream."""

    def __init__(self) -> None:
        self._flows: dict[tuple[bytes, int, bytes, int], list[Growth]] = {}

    def note(self, growing: Growing) -> None:
        """Remember that bytes were added to a packet, sent for the first time or again."""
        packet = growing.packet
        grown = Growth(packet.seq, len(packet.payload), growing.stream, tuple(sorted(growing.inserted)), growing.urgent)
        flow = self._flows.setdefault((packet.src, packet.sport, packet.dst, packet.dport), [])
        others = [known for known in flow if not _overlap(known, packet)]
        first = others[0].start if others else grown.start
        flow[:] = sorted((*others, grown), key=lambda one: _signed(one.start - first))

    def growth_of(self, packet: Packet) -> Growth | None:
        """Return the segment that grew of which a packet of the stack has bytes, if there is one."""
        if packet.proto != TCP or not packet.payload:
            return None
        flow = self._flows.get((packet.src, packet.sport, packet.dst, packet.dport), ())
        return next((known for known in flow if _overlap(known, packet)), None)

    def filled(self, packet: Packet, grown: Growth) -> Packet:
        """Return a packet of the stack with the bytes that were added where it has some of a segment that grew."""
        offset = _signed(packet.seq - grown.start)
        end = offset + len(packet.payload)
        place = grown.place_of(max(offset, 0))
        stop = grown.place_of(end) if end < grown.size else len(grown.stream)
        before = packet.payload[: max(-offset, 0)]
        payload = before + grown.stream[place:stop] + packet.payload[grown.size - offset :]
        urgent = 0 if grown.urgent is None else max(grown.urgent + 1 - place + len(before), 0)
        return _replace(
            packet, payload=payload, flags=packet.flags | (URG if urgent else 0), urgent=urgent or packet.urgent, checksum=None, ip_checksum=None,
            raw=None,
        )  # fmt: skip

    def move(self, packet: Packet, sent: list[tuple[int, Packet]]) -> list[tuple[int, Packet]]:
        """Return what is sent for a packet of the stack with all sequence numbers moved by what was added before it."""
        flow = self._flows.get((packet.src, packet.sport, packet.dst, packet.dport))
        if not flow or packet.proto != TCP:
            return sent
        added = 0
        for known in flow:
            offset = _signed(packet.seq - known.start)
            added += known.place_of(offset) - offset if offset > 0 else 0
        return [(after, _moved(one, added, packet.checksum)) for after, one in sent] if added else sent

    def move_back(self, packet: Packet) -> Packet:
        """Return an arriving packet with what it acknowledges as the stack numbers it."""
        flow = self._flows.get((packet.dst, packet.dport, packet.src, packet.sport))
        if not flow or packet.proto != TCP or not packet.flags & ACK:
            return packet
        options = packet.options
        blocks = option_body(options, _SACK)
        if blocks:
            edges = (int.from_bytes(blocks[at : at + 4], "big") for at in range(0, len(blocks), 4))
            options = with_option(options, _SACK, b"".join(_moved_back(flow, edge).to_bytes(4, "big") for edge in edges)) or options
        return _replace(packet, ack=_moved_back(flow, packet.ack), options=options, checksum=None, raw=None)


def _overlap(known: Growth, packet: Packet) -> bool:
    offset = _signed(packet.seq - known.start)
    return -len(packet.payload) < offset < known.size


def _moved(packet: Packet, added: int, checksum: int | None) -> Packet:
    """Return a packet with its sequence number moved; a checksum that is still the stack's own is computed anew."""
    if packet.proto != TCP:
        return packet
    kept = None if packet.checksum == checksum else packet.checksum
    return _replace(packet, seq=packet.seq + added & _MASK, checksum=kept, raw=None)


def _moved_back(flow: list[Growth], ack: int) -> int:
    before = 0
    for known in flow:
        place = _signed(ack - known.start - before)
        if place <= 0:
            break
        before += place - known.offset_of(place)
    return ack - before & _MASK
