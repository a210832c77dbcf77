"""The first bytes of a packet in, the flow that it belongs to and how far it may still go out, without building a packet of it."""

import struct

from crenel.flow.key import CLASS_LOAD, FLAG_CLASS
from crenel.wire.checksum import ones_sum
from crenel.wire.packet import TCP, UDP

_HEAD_4 = struct.Struct("!xxHxxHBBxx12s").unpack_from
_HEAD_6 = struct.Struct("!4xHBB36s").unpack_from
_PLAIN = 0x45  # IPv4, five words (RFC 791 section 3.1)
_FRAGMENTED = 0x3FFF
_VERSION_6 = 6
_ALL_ONES = 0xFFFF
_WORDS = 0x50  # five words of TCP header

Head = tuple[bytes, int, int, int, int]
"""Key of the flow, transport, TTL, where the transport header begins, and for TCP the class of the packet by its flags and load."""


def read_head(data: bytes) -> Head | None:
    """Return what the first bytes say; None where the packet is other than plain: options, fragments, odd lengths, other transports."""
    size = len(data)
    if size >= 28 and data[0] == _PLAIN:
        total, fragment, ttl, proto, key = _HEAD_4(data)
        start = 20
        if fragment & _FRAGMENTED or total != size:
            return None
    elif size >= 48 and data[0] >> 4 == _VERSION_6:
        total, proto, ttl, key = _HEAD_6(data)
        start = 40
        if total + 40 != size:
            return None
    else:
        return None
    if proto == TCP and size >= start + 20:
        offset = data[start + 12]
        load = size - start - (offset >> 4) * 4
        if offset < _WORDS or load < 0:
            return None
        return key, proto, ttl, start, FLAG_CLASS[data[start + 13]] | CLASS_LOAD if load else FLAG_CLASS[data[start + 13]]
    if proto == UDP and data[start + 4] << 8 | data[start + 5] == size - start:
        return key, proto, ttl, start, 0
    return None


def is_header_sound(data: bytes) -> bool:
    """Say whether the checksum of a plain IPv4 header is right; IPv6 has none."""
    return data[0] != _PLAIN or ones_sum(data[:20]) == _ALL_ONES


def lower(data: bytes, hops: int) -> bytes | bytearray:
    """Return the packet as it is so many routers later; its TTL must be larger than their number.

    The header checksum is carried on (RFC 1624), so one that is wrong stays wrong.
    """
    if not hops:
        return data
    later = bytearray(data)
    if data[0] >> 4 == _VERSION_6:
        later[7] -= hops
        return later
    later[8] -= hops
    # The word that holds the TTL in its high byte falls by hops << 8, so the complement of the sum rises by as much.
    checksum = (data[10] << 8 | data[11]) + (hops << 8)
    checksum = (checksum & 0xFFFF) + (checksum >> 16)
    later[10], later[11] = checksum >> 8, checksum & 255
    return later


def stays_on_link(destination: bytes) -> bool:
    """Say whether no router passes on what is sent to an address: multicast, broadcast, link-local (RFC 3927 section 7, RFC 4291 section 2.5.6)."""
    if len(destination) == 4:
        return destination[0] >= 224 or destination[:2] == b"\xa9\xfe"
    return destination[0] == 0xFF or (destination[0] == 0xFE and destination[1] & 0xC0 == 0x80)
