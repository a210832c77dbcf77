"""A plain frame where it stands in a capture in, its packet out: Ethernet, and an IPv4 header of five words that is no fragment's.

Also what was put together of fragments, and may be a tunnel.
"""

import struct

from crenel.flow.fragments import read_whole
from crenel.net.replay.source import Source
from crenel.wire.ip import parse_packet, serialise
from crenel.wire.link import innermost
from crenel.wire.packet import TCP, UDP, Packet
from crenel.wire.result import Unparseable

_TCP_FIELDS = struct.Struct("!4xHHB3x8xHHIIBBH").unpack_from


def tcp_at(buffer: Source, body: int, payload: bytes | None = None) -> Packet:
    """Return the TCP packet of an Ethernet frame whose IPv4 header has five words; `payload` where it was cut out already."""
    ip = body + 14
    total = buffer[ip + 2] << 8 | buffer[ip + 3]
    ident, fragment, ttl, sport, dport, seq, ack, offset, flags, window = _TCP_FIELDS(buffer, ip)
    start = ip + 20 + (offset >> 4) * 4
    return Packet(
        4, buffer[ip + 12 : ip + 16], buffer[ip + 16 : ip + 20], TCP, sport, dport, seq, ack, flags, window,
        buffer[start : ip + total] if payload is None else payload, ttl, ident,
        fragment >> 13, options=buffer[ip + 40 : start],
    )


def udp_at(buffer: Source, body: int) -> Packet:
    """Return the UDP packet of an Ethernet frame whose IPv4 header has five words."""
    ip = body + 14
    total = buffer[ip + 2] << 8 | buffer[ip + 3]
    sport = buffer[ip + 20] << 8 | buffer[ip + 21]
    dport = buffer[ip + 22] << 8 | buffer[ip + 23]
    claimed = buffer[ip + 24] << 8 | buffer[ip + 25]
    return Packet(
        4, buffer[ip + 12 : ip + 16], buffer[ip + 16 : ip + 20], UDP, sport, dport, payload=buffer[ip + 28 : ip + total], ttl=buffer[ip + 8],
        ident=buffer[ip + 4] << 8 | buffer[ip + 5], ip_flags=buffer[ip + 6] >> 5, udp_length=None if claimed == total - 20 else claimed,
    )


def read_innermost(header: Packet, body: bytes) -> Packet:
    """Read a reassembled datagram, looking inside it where it is a tunnel."""
    packet = read_whole(header, body)
    if packet.proto in (TCP, UDP):
        return packet
    raw = serialise(packet)
    span = innermost(raw, 0, len(raw))
    inner = span if isinstance(span, Unparseable) else parse_packet(raw, *span)
    return packet if isinstance(inner, Unparseable) else inner
