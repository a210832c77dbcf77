"""UDP datagrams: a packet's transport fields into bytes, and the payload that a host would deliver (RFC 768)."""

from struct import Struct

from crenel.wire.buffer import Buffer
from crenel.wire.checksum import internet_checksum
from crenel.wire.packet import Packet
from crenel.wire.segment import Segment

HEADER = Struct("!HHHH")
"""Ports, length, checksum."""


def read_udp(data: Buffer, start: int, end: int) -> Segment:
    """Return the fields of the datagram from `start` to `end`, which are at least 8 bytes apart.

    The payload reaches to `end`, whatever the UDP length says; `delivered` cuts it.
    """
    sport, dport, length, checksum = HEADER.unpack_from(data, start)
    payload = bytes(data[start + 8 : end])
    claimed = None if length == end - start else length
    return sport, dport, 0, 0, 0, 0, payload, 0, b"", None, 0, checksum, claimed, 0, 0, 0, False


def delivered(packet: Packet) -> bytes:
    """Return the payload as far as the UDP length reaches, which may be less than the IP packet holds."""
    length = packet.udp_length
    return packet.payload if length is None or length < 8 else packet.payload[: length - 8]


def covered(packet: Packet) -> int:
    """Return how many bytes of header and payload the checksum covers: the UDP length where it is possible, else all."""
    actual = 8 + len(packet.payload)
    length = packet.udp_length
    return actual if length is None or not 8 <= length <= actual else length


def write_udp(packet: Packet, pseudo: int) -> bytes:
    """Return the datagram, with a valid checksum where the packet states none; `pseudo` is the sum of the pseudo-header."""
    actual = 8 + len(packet.payload)
    # Longer than the field can say: zero, as RFC 2675 section 4 has it for jumbograms.
    length = (actual if actual <= 0xFFFF else 0) if packet.udp_length is None else packet.udp_length
    checksum = packet.checksum
    if checksum is None:
        head = HEADER.pack(packet.sport, packet.dport, length, 0)
        # A sum of zero is sent as its other form, since zero in the field means that there is no checksum.
        checksum = internet_checksum((head + packet.payload)[: covered(packet)], pseudo) or 0xFFFF
    return HEADER.pack(packet.sport, packet.dport, length, checksum) + packet.payload
