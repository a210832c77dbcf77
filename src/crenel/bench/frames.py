"""Two endpoints and a payload in, one record of a classic pcap file out: Ethernet, IPv4, TCP or UDP, lengths and checksums valid."""

import struct
from typing import NamedTuple

from crenel.wire.checksum import ones_sum
from crenel.wire.packet import SYN, TCP, UDP

START = 1_736_913_600
"""Seconds since 1970 of tick 0: any fixed moment will do, so long as every run has the same."""

FILE_HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 1)
"""Little-endian, microseconds, link type Ethernet, no packet cut."""

_TICKS = 1_000_000
_ETHERNET = bytes.fromhex("02000000000102000000000a0800")
_SYN_OPTIONS = bytes.fromhex("020405b40402010303070101")  # maximum segment 1460, SACK permitted, window scale 7, padded
_RECORD = struct.Struct("<IIII")
_TCP = struct.Struct(">14sHHHHBBHIIHHIIHHHH")
_UDP = struct.Struct(">14sHHHHBBHIIHHHH")
_DONT_FRAGMENT = 0x4000
_TTL = 64
_WINDOW = 64_240


class End(NamedTuple):
    """One end of a conversation: an IPv4 address as a 32-bit number, and a port."""

    address: int
    port: int


class Segment(NamedTuple):
    """What one TCP packet says."""

    flags: int
    seq: int
    ack: int = 0
    payload: bytes = b""


def tcp_record(tick: int, source: End, target: End, segment: Segment) -> bytes:
    """Return a TCP packet at `tick` microseconds after START; a packet with SYN carries the usual options."""
    flags, seq, ack, payload = segment
    options = _SYN_OPTIONS if flags & SYN else b""
    words = 5 + len(options) // 4
    length = 20 + 4 * words + len(payload)
    offset_flags = words << 12 | flags
    # 2**16 is 1 modulo 0xffff, so a field of any width can be added as one whole number.
    total = source.address + target.address + TCP + length - 20 + source.port + target.port + seq + ack + offset_flags + _WINDOW
    checksum = 0xFFFF - ones_sum(options + payload, total)
    frame = _TCP.pack(
        _ETHERNET, 0x4500, length, tick & 0xFFFF, _DONT_FRAGMENT, _TTL, TCP, _ip_checksum(length, tick & 0xFFFF, TCP, source, target),
        source.address, target.address, source.port, target.port, seq, ack, offset_flags, _WINDOW, checksum, 0,
    )
    return _record(tick, frame + options + payload)


def udp_record(tick: int, source: End, target: End, payload: bytes) -> bytes:
    """Return a UDP packet at `tick` microseconds after START."""
    length = 8 + len(payload)
    checksum = 0xFFFF - ones_sum(payload, source.address + target.address + UDP + 2 * length + source.port + target.port)
    frame = _UDP.pack(
        _ETHERNET, 0x4500, 20 + length, tick & 0xFFFF, _DONT_FRAGMENT, _TTL, UDP, _ip_checksum(20 + length, tick & 0xFFFF, UDP, source, target),
        source.address, target.address, source.port, target.port, length, checksum or 0xFFFF,  # zero would mean none (RFC 768)
    )
    return _record(tick, frame + payload)


def _ip_checksum(length: int, ident: int, proto: int, source: End, target: End) -> int:
    return 0xFFFF - (0x4500 + length + ident + _DONT_FRAGMENT + (_TTL << 8 | proto) + source.address + target.address) % 0xFFFF


def _record(tick: int, frame: bytes) -> bytes:
    seconds, microseconds = divmod(tick, _TICKS)
    return _RECORD.pack(START + seconds, microseconds, len(frame), len(frame)) + frame
