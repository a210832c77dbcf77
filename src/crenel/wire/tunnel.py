"""An IP packet in, what it carries out, where that is again a packet or frame: IP in IP, 6in4, GRE, EtherIP, MPLS, through AH."""

from collections.abc import Callable
from struct import Struct
from typing import TypeAlias

from crenel.wire.buffer import Buffer
from crenel.wire.extension import AUTHENTICATION, walk_extensions
from crenel.wire.result import Unparseable

_TWO = Struct("!H").unpack_from

IPV4 = 0x0800
IPV6 = 0x86DD
BRIDGED = 0x6558
"""Ethernet types; BRIDGED is Ethernet itself inside something else."""

Step: TypeAlias = tuple[int, int, int] | Unparseable
"""The Ethernet type of what stands next, where it starts and where it ends; or why nothing can be found there."""

Layer: TypeAlias = Callable[[Buffer, int, int], Step]
"""A decoder of one layer: buffer, start and end in, the step to the next layer out."""

FRAGMENT_BODY = -1
"""Stands for the transport of a packet that is a fragment, so that nobody looks into it."""


def ip_by_version(buffer: Buffer, position: int, end: int) -> Step:
    """Tell IPv4 from IPv6 by the first four bits, where no type field does."""
    if position >= end:
        return Unparseable("nothing follows where an IP packet should")
    version = buffer[position] >> 4
    if version == 4:
        return IPV4, position, end
    if version == 6:
        return IPV6, position, end
    return Unparseable(f"IP version {version}")


def carried(kind: int, buffer: Buffer, position: int, end: int) -> tuple[int, int, int] | Unparseable:
    """Return transport protocol, start and end of what the IP packet at `position` carries, or why there is no IP packet."""
    return _carried_4(buffer, position, end) if kind == IPV4 else _carried_6(buffer, position, end)


def _carried_4(buffer: Buffer, position: int, end: int) -> tuple[int, int, int] | Unparseable:
    if end - position < 20:
        return Unparseable("the IPv4 header is cut")
    first = buffer[position]
    if first >> 4 != 4:
        return Unparseable(f"IP version {first >> 4} where 4 is announced")
    total: int = _TWO(buffer, position + 2)[0]
    proto, body = buffer[position + 9], position + max(20, (first & 15) * 4)
    if body - position <= total < end - position:
        end = position + total
    if _TWO(buffer, position + 6)[0] & 0x3FFF:
        return FRAGMENT_BODY, body, end
    if proto == AUTHENTICATION:
        proto, body, *_ = walk_extensions(buffer, body, end, proto)
    return proto, body, end


def _carried_6(buffer: Buffer, position: int, end: int) -> tuple[int, int, int] | Unparseable:
    if end - position < 40:
        return Unparseable("the IPv6 header is cut")
    if buffer[position] >> 4 != 6:
        return Unparseable(f"IP version {buffer[position] >> 4} where 6 is announced")
    length: int = _TWO(buffer, position + 4)[0]
    if 0 < length < end - position - 40:
        end = position + 40 + length
    chain = walk_extensions(buffer, position + 40, end, buffer[position + 6])
    if chain.offset or chain.more:
        return FRAGMENT_BODY, chain.position, end
    return chain.proto, chain.position, end


_CHECKSUM, _ROUTING, _KEY, _SEQUENCE, _ACKNOWLEDGEMENT, _VERSION = 0x8000, 0x4000, 0x2000, 0x1000, 0x0080, 0x0007
_ERSPAN_2, _ERSPAN_3 = 0x88BE, 0x22EB


def _gre(buffer: Buffer, position: int, end: int) -> Step:
    """RFC 2784 with the key and sequence number of RFC 2890, and PPTP's version 1 (RFC 2637 section 4.1)."""
    if end - position < 4:
        return Unparseable("the GRE header is cut")
    flags: int = _TWO(buffer, position)[0]
    kind: int = _TWO(buffer, position + 2)[0]
    if flags & _ROUTING or flags & _VERSION > 1:
        return Unparseable("GRE with source routes or of an unknown version is not decoded")
    body = position + 4
    for flag in (_CHECKSUM, _KEY, _SEQUENCE):
        if flags & flag:
            body += 4
    if flags & _VERSION and flags & _ACKNOWLEDGEMENT:
        body += 4
    if kind == _ERSPAN_2:
        # Type I has neither sequence number nor header of its own, type II has both.
        return BRIDGED, body + 8 if flags & _SEQUENCE else body, end
    if kind == _ERSPAN_3:
        # The last bit of its twelve bytes announces eight more.
        return BRIDGED, body + (20 if body + 12 <= end and buffer[body + 11] & 1 else 12), end
    return kind, body, end


def _ether_ip(buffer: Buffer, position: int, end: int) -> Step:
    """RFC 3378: a two-byte header."""
    return BRIDGED, position + 2, end


def _mpls_in_ip(buffer: Buffer, position: int, end: int) -> Step:
    """RFC 4023 section 3."""
    return 0x8847, position, end


TUNNELS: dict[int, Layer] = {4: ip_by_version, 41: ip_by_version, 47: _gre, 94: ip_by_version, 97: _ether_ip, 137: _mpls_in_ip}
"""Transport protocol numbers that carry packets or frames."""
