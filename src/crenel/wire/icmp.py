"""ICMP and ICMPv6 messages: a packet's transport fields into bytes (RFC 792, RFC 4443 section 2.1)."""

from struct import Struct

from crenel.wire.buffer import Buffer
from crenel.wire.checksum import internet_checksum
from crenel.wire.packet import Packet
from crenel.wire.segment import Segment

HEADER = Struct("!BBHI")
"""Type, code, checksum, and four bytes whose meaning the type decides."""


def read_icmp(data: Buffer, start: int, end: int) -> Segment:
    """Return the fields of the message from `start` to `end`, which are at least 8 bytes apart."""
    kind, code, checksum, rest = HEADER.unpack_from(data, start)
    return 0, 0, 0, 0, 0, 0, bytes(data[start + 8 : end]), 0, b"", None, 0, checksum, None, kind, code, rest, False


def write_icmp(packet: Packet, pseudo: int) -> bytes:
    """Return the message, with a valid checksum where the packet states none; `pseudo` is zero for ICMP over IPv4."""
    checksum = packet.checksum
    if checksum is None:
        head = HEADER.pack(packet.icmp_type, packet.icmp_code, 0, packet.icmp_rest)
        checksum = internet_checksum(head + packet.payload, pseudo)
    return HEADER.pack(packet.icmp_type, packet.icmp_code, checksum, packet.icmp_rest) + packet.payload
