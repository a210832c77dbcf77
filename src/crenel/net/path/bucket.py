"""Sizes of packets with their times in, which of them a throttled flow may still send out: a token bucket that polices."""

from crenel.instant import NANOSECONDS, Instant
from crenel.wire.packet import TCP, Packet


class Bucket:
    """Tokens for bytes; full at the start. A packet that finds too few is withheld and takes none.

    Throttling boxes whose workings were measured drop what exceeds the rate instead of queueing it, so nothing is delayed here.

    Args:
        bytes_per_second: how fast tokens come back.
        burst: how many bytes it holds at most.
        now: when it is set up.
    """

    __slots__ = ("_burst", "_level", "_rate", "_since")

    def __init__(self, bytes_per_second: int, burst: int, now: Instant) -> None:
        self._rate = bytes_per_second
        self._burst = burst * NANOSECONDS
        self._level = self._burst
        self._since = now

    def admits(self, now: Instant, size: int) -> bool:
        """Say whether a packet of so many bytes goes on now."""
        self._level = min(self._burst, self._level + (now - self._since) * self._rate)
        self._since = now
        if self._level < size * NANOSECONDS:
            return False
        self._level -= size * NANOSECONDS
        return True


def size_of(packet: Packet) -> int:
    """Return the bytes of an IP packet as they are on the wire, whatever its headers claim."""
    size = (20 if packet.version == 4 else 40) + len(packet.ip_options) + len(packet.payload)
    if not packet.has_transport():
        return size
    return size + (20 + len(packet.options) if packet.proto == TCP else 8)
