"""TCP segments: bytes into the transport fields of a packet, and back into the same bytes (RFC 9293 section 3.1)."""

from struct import Struct

from crenel.wire.buffer import Buffer
from crenel.wire.checksum import internet_checksum
from crenel.wire.packet import Packet
from crenel.wire.segment import Segment

HEADER = Struct("!HHIIHHHH")
"""Ports, sequence and acknowledgement number; offset, reserved bits and flags; window, checksum, urgent pointer."""


def read_tcp(data: Buffer, start: int, end: int) -> Segment:
    """Return the fields of the segment from `start` to `end`, which are at least 20 bytes apart.

    A data offset inside the fixed header leaves no options; one beyond the segment makes all that is left options.
    """
    sport, dport, seq, ack, bits, window, checksum, urgent = HEADER.unpack_from(data, start)
    fixed, claimed = start + 20, start + (bits >> 12) * 4
    body = fixed
    if claimed > body:
        body = min(claimed, end)
    return (
        sport, dport, seq, ack, bits & 0xFF, window, bytes(data[body:end]), urgent, bytes(data[fixed:body]),
        None if claimed == body else bits >> 12, bits >> 8 & 15, checksum, None, 0, 0, 0, False,
    )  # fmt: skip


def write_tcp(packet: Packet, pseudo: int) -> bytes:
    """Return the segment, with a valid checksum where the packet states none; `pseudo` is the sum of the pseudo-header."""
    words = (len(packet.options) + 23) // 4 if packet.data_offset is None else packet.data_offset
    bits = words << 12 | packet.reserved << 8 | packet.flags
    ports_and_numbers = packet.sport, packet.dport, packet.seq & 0xFFFFFFFF, packet.ack & 0xFFFFFFFF
    rest = packet.options + packet.payload
    checksum = packet.checksum
    if checksum is None:
        checksum = internet_checksum(HEADER.pack(*ports_and_numbers, bits, packet.window, 0, packet.urgent) + rest, pseudo)
    return HEADER.pack(*ports_and_numbers, bits, packet.window, checksum, packet.urgent) + rest
