"""A packet that ran out of TTL in, what the router says about it out (RFC 792, RFC 1812 section 4.3, RFC 4443 section 3.3)."""

from crenel.wire.ip import serialise
from crenel.wire.packet import ICMP, ICMPV6, Packet

_SHARED = bytes((100, 64))  # addresses between carrier and customer, which routers on a path show (RFC 6598)
_DOCUMENTED = bytes.fromhex("20010db8ffff00000000000000000000")  # RFC 3849
_TTL = 64
_LEAST_MTU = 1280
"""Bytes that an ICMPv6 error may have (RFC 4443 section 2.4)."""
_QUOTED = 8
"""Bytes behind the IPv4 header that an ICMP error quotes at least (RFC 792)."""
_ICMP_ERRORS = frozenset({3, 4, 5, 11, 12})


def hop_address(hop: int, version: int) -> bytes:
    """Return the address of the router at a hop, counted from the client; the bench invents it from reserved ones."""
    return _SHARED + hop.to_bytes(2, "big") if version == 4 else _DOCUMENTED[:14] + hop.to_bytes(2, "big")


def answer_of(packet: Packet, router: bytes) -> Packet | None:
    """Return the time-exceeded message about a packet, to its claimed sender; None where none may be sent.

    Nothing is said about another ICMP error or about a fragment other than the first (RFC 1122 section 3.2.2).
    """
    if packet.frag_offset or _is_error(packet):
        return None
    try:
        quoted = serialise(packet)
    except ValueError:
        return None  # no wire could have carried it, so there is nothing to quote
    if packet.version == 4:
        quoted = quoted[: 20 + len(packet.ip_options) + _QUOTED]
        return Packet(4, router, packet.src, ICMP, payload=quoted, ttl=_TTL, icmp_type=11)
    # 48: the IPv6 and the ICMPv6 header in front of what is quoted.
    return Packet(6, router, packet.src, ICMPV6, payload=quoted[: _LEAST_MTU - 48], ttl=_TTL, icmp_type=3)


def _is_error(packet: Packet) -> bool:
    if packet.proto == ICMPV6:
        return packet.icmp_type < 128
    return packet.proto == ICMP and packet.icmp_type in _ICMP_ERRORS
