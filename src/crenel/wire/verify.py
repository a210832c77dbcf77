"""A parsed packet in, which of its checksums are valid out; or the same packet with the valid ones left for `serialise` to write."""

import enum

import msgspec

from crenel.wire.checksum import ones_sum, pseudo_header
from crenel.wire.ip import ip_header_4, transport_size, transport_sum, write_transport
from crenel.wire.packet import ICMP, IP_MF, UDP, Packet

_ONES = 0xFFFF


class ChecksumState(enum.Enum):
    """What a transport checksum turns out to be."""

    VALID = "valid"
    WRONG = "wrong"
    ABSENT = "absent"
    """UDP over IPv4 with zero in the field: the sender computed none (RFC 768)."""
    OFFLOADED = "offloaded"
    """The sum of the pseudo-header alone: captured on the sending host, before its network card completed it."""
    UNKNOWN = "unknown"
    """No transport header, a fragment, or a packet of which a part was not captured."""


def checksum_state(packet: Packet) -> ChecksumState:
    """Return what the transport checksum of the packet is; None in the field counts as valid."""
    claimed = packet.checksum
    if not packet.has_transport():
        return ChecksumState.UNKNOWN
    if claimed is None:
        return ChecksumState.VALID
    if claimed == 0 and packet.proto == UDP and packet.version == 4:
        return ChecksumState.ABSENT
    if packet.ip_flags & IP_MF:
        return ChecksumState.UNKNOWN
    # The two zeros of one's complement are the same number to a receiver.
    if (_right_checksum(packet) - claimed) % _ONES == 0:
        return ChecksumState.VALID
    if packet.proto != ICMP and claimed in _partial_sums(packet):
        return ChecksumState.OFFLOADED
    return ChecksumState.UNKNOWN if is_cut_short(packet) else ChecksumState.WRONG


def ip_checksum_valid(packet: Packet) -> bool:
    """Say whether the IPv4 header checksum is valid; always true of IPv6, which has none."""
    return packet.ip_checksum is None or (_right_ip_checksum(packet) - packet.ip_checksum) % _ONES == 0


def settle_checksums(packet: Packet) -> Packet:
    """Return the packet with None for every checksum that `serialise` would write as it stands; the bytes stay the same."""
    changes: dict[str, None] = {}
    if packet.checksum is not None and packet.has_transport() and packet.checksum == _right_checksum(packet):
        changes["checksum"] = None
    if packet.ip_checksum is not None and packet.ip_checksum == _right_ip_checksum(packet):
        changes["ip_checksum"] = None
    return msgspec.structs.replace(packet, **changes) if changes else packet


def is_cut_short(packet: Packet) -> bool:
    """Say whether the IP header claims more bytes than there are."""
    there = len(packet.ip_options) + transport_size(packet) + (20 if packet.version == 4 else 0)
    return packet.total_length is not None and packet.total_length > there


_CHECKSUM_AT = {6: 16, 17: 6, 1: 2, 58: 2}


def _right_checksum(packet: Packet) -> int:
    at = _CHECKSUM_AT[packet.proto]
    return int.from_bytes(write_transport(msgspec.structs.replace(packet, checksum=None))[at : at + 2], "big")


def _right_ip_checksum(packet: Packet) -> int:
    return int.from_bytes(ip_header_4(msgspec.structs.replace(packet, ip_checksum=None), transport_size(packet))[10:12], "big")


def _partial_sums(packet: Packet) -> tuple[int, int]:
    """Return the pseudo-header's sum with the length in it, as for one segment, and without, as some drivers want it for many."""
    return ones_sum(b"", transport_sum(packet)), ones_sum(b"", pseudo_header(packet.src, packet.dst, packet.proto, 0))
