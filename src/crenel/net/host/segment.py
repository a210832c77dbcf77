"""A packet in, the segment that a host's TCP sees in it out, or nothing where it is dropped before any connection looks at it."""

import msgspec

from crenel.net.host.options import is_unkeyed_signature
from crenel.net.host.sequence import MASK
from crenel.wire.packet import ACK, FIN, IP_DF, IP_MF, RST, SYN, TCP, Packet
from crenel.wire.verify import ChecksumState, checksum_state


class Segment(msgspec.Struct, frozen=True, gc=False):
    """A TCP segment with a valid checksum; `end` is the sequence number behind it, SYN and FIN counted."""

    flags: int
    seq: int
    end: int
    ack: int
    window: int
    payload: bytes
    options: bytes
    urgent: int


def read_segment(packet: Packet) -> Segment | None:
    """Return the segment, or None where tcp_v4_rcv drops it: a data offset under 5 or beyond it, a wrong checksum."""
    if packet.proto != TCP or packet.headless or packet.frag_offset or packet.ip_flags & IP_MF:
        return None
    options, payload, words = packet.options, packet.payload, packet.data_offset
    if words is not None or len(options) & 3:
        if words is None:
            words = (len(options) + 23) // 4
        rest = options + payload
        size = words * 4 - 20
        if size < 0 or size > len(rest):
            return None
        options, payload = rest[:size], rest[size:]
    if packet.checksum is not None and checksum_state(packet) is not ChecksumState.VALID:
        return None
    flags, seq = packet.flags, packet.seq & MASK
    end = (seq + len(payload) + (flags & FIN) + (flags >> 1 & 1)) & MASK
    return Segment(flags, seq, end, packet.ack & MASK, packet.window & 0xFFFF, payload, options, packet.urgent)


def is_signed(segment: Segment, *, checks: bool = True) -> bool:
    """Say whether the segment carries a signature for which there is no key; a host drops it wherever a socket would get it."""
    return len(segment.options) >= 18 and is_unkeyed_signature(segment.options, checks=checks)


def answer_reset(packet: Packet, segment: Segment, ttl: int) -> Packet | None:
    """Return the RST for a segment that belongs nowhere, None for a RST or a signed one (RFC 9293 section 3.10.7.1, tcp_v4_send_reset)."""
    flags = segment.flags
    if flags & RST or is_signed(segment):
        return None
    if flags & ACK:
        seq, ack, bits = segment.ack, 0, RST
    else:
        seq, ack, bits = 0, segment.end, RST | ACK
    return Packet(
        packet.version, packet.dst, packet.src, TCP, packet.dport, packet.sport, seq, ack, bits, 0, b"", ttl, 0, IP_DF if packet.version == 4 else 0
    )


def is_plain_syn(segment: Segment) -> bool:
    """Say whether of SYN, ACK and RST only SYN is set; Linux does not look at FIN here."""
    return segment.flags & (SYN | ACK | RST) == SYN
