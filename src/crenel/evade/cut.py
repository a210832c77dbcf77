"""A packet and where to cut it in, the pieces out in the order of the stream; what goes on the wire for a packet that contradicts itself."""

from collections.abc import Sequence
from typing import Final

import msgspec

from crenel.evade.language import Fragment, Position
from crenel.evade.position import Text, cuts_at
from crenel.evade.reading import bytes_of, is_tcp, is_udp
from crenel.wire.checksum import pseudo_header
from crenel.wire.ip import parse_packet, write_transport
from crenel.wire.packet import FIN, IP_DF, IP_MF, SYN, URG, Packet
from crenel.wire.quic import CRYPTO, Initial, LongHeader, crypto_bytes, open_initial, read_long_header
from crenel.wire.quic_build import build_crypto_frame, build_initial
from crenel.wire.tcp import write_tcp

_MASK = 0xFFFFFFFF
_PADDING = 0
_DATAGRAM: Final = 1200
"""Bytes of a datagram with a client Initial (RFC 9000 section 14.1)."""
_replace = msgspec.structs.replace


def segment_in_two(packet: Packet, at: int, overlap: int) -> tuple[Packet, Packet]:
    """Return what Geneva's TCP fragment makes of a packet: two segments, or the packet twice where it has no payload to cut."""
    payload = packet.payload
    if not payload or not is_tcp(packet):
        return packet, packet
    if at == -1 or at > len(payload) - 1:
        at = len(payload) // 2
    end = at + min(len(payload[at:]), overlap)
    first = _replace(packet, payload=payload[:end], data_offset=None, total_length=None, checksum=None, ip_checksum=None, raw=None)
    return first, _replace(first, payload=payload[at:], seq=packet.seq + at & _MASK)


def fragment_in_two(packet: Packet, eighths: int) -> tuple[Packet, Packet] | None:
    """Return what Geneva's IP fragment makes of a packet, or the packet twice where it is too small; None where it comes to nothing."""
    if not packet.payload:
        return packet, packet
    body = write_transport(packet)
    if eighths == -1 or eighths * 8 > len(body) or len(body) <= 8:
        eighths = len(body) // 16
    if eighths < 0:
        return None
    size = eighths * 8
    if not 0 < size < len(body):
        return packet, packet
    head = _fragment(packet, body[:size], packet.ip_flags | IP_MF, packet.frag_offset)
    # With more than two pieces, the others are joined to the second, and its flags become DF.
    flags = (IP_DF if packet.version == 4 else 0) if len(body) > 2 * size else packet.ip_flags
    tail = _fragment(packet, body[size:], flags, packet.frag_offset + size)
    return None if head is None or tail is None else (head, tail)


def _fragment(packet: Packet, body: bytes, flags: int, offset: int) -> Packet | None:
    raw = bytes_of(_replace(
        packet, payload=body, ip_flags=flags, frag_offset=offset, headless=True, options=b"", data_offset=None, total_length=None, ip_checksum=None,
        trailer=b"",
    ))  # fmt: skip
    parsed = None if raw is None else parse_packet(raw)
    return _replace(parsed, ip_checksum=None) if isinstance(parsed, Packet) else None


def cut_by_fragment(packet: Packet, fragment: Fragment) -> tuple[Packet, Packet] | None:
    """Return both pieces in the order in which they are sent."""
    pieces = segment_in_two(packet, fragment.at, fragment.overlap) if fragment.layer == "tcp" else fragment_in_two(packet, fragment.at)
    return pieces if pieces is None or fragment.in_order else (pieces[1], pieces[0])


def cut_packet(packet: Packet, positions: Sequence[Position]) -> list[Packet]:
    """Return the pieces of a TCP segment, or of the first hello in a QUIC Initial, cut at the positions; else the packet alone."""
    if is_tcp(packet):
        cuts = cuts_at(positions, Text(packet.payload)) if packet.payload else []
        return cut_segment(packet, cuts) if cuts else [packet]
    return _cut_initial(packet, positions) if is_udp(packet) else [packet]


def cut_segment(packet: Packet, cuts: Sequence[int]) -> list[Packet]:
    """Return the segments that carry the payload between rising offsets in it: SYN with the first, FIN with the last, URG up to its byte."""
    payload, flags = packet.payload, packet.flags
    after_syn = 1 if flags & SYN else 0
    pieces = []
    for start, stop in zip((0, *cuts), (*cuts, len(payload)), strict=True):
        kept = flags if stop == len(payload) else flags & ~FIN
        if start:
            kept &= ~SYN
        urgent = max(packet.urgent - start, 0)
        if kept & URG and not urgent:
            kept &= ~URG
        pieces.append(_replace(
            packet, payload=payload[start:stop], seq=packet.seq + start + (after_syn if start else 0) & _MASK, flags=kept,
            urgent=urgent if kept & URG else packet.urgent, data_offset=None, total_length=None, checksum=None, ip_checksum=None, raw=None,
        ))  # fmt: skip
    return pieces


def _cut_initial(packet: Packet, positions: Sequence[Position]) -> list[Packet]:
    """Return the datagrams of a client that writes its hello into several Initials, numbered from the first one's number on."""
    datagram = packet.payload
    # The first bit of a long header (RFC 8999 section 5.1): nothing else is worth decrypting.
    initial = open_initial(datagram) if datagram[:1] >= b"\x80" else None
    header = read_long_header(datagram)
    if not isinstance(initial, Initial) or not isinstance(header, LongHeader):
        return [packet]
    hello = crypto_bytes(initial.frames)
    cuts = cuts_at(positions, Text(hello, bare=True))
    if not cuts:
        return [packet]
    others = [initial.plaintext[frame.offset : frame.offset + frame.length] for frame in initial.frames if frame.kind not in (CRYPTO, _PADDING)]
    pieces = []
    for number, (start, stop) in enumerate(zip((0, *cuts), (*cuts, len(hello)), strict=True)):
        payload = build_initial(
            [*others, build_crypto_frame(start, hello[start:stop])],
            dcid=initial.dcid, scid=initial.scid, version=initial.version, token=initial.token,
            packet_number=initial.packet_number + number, number_size=initial.payload_at - header.body, pad_to=_DATAGRAM,
        )  # fmt: skip
        others = []
        if stop == len(hello):
            payload += datagram[initial.end :]
        pieces.append(_replace(packet, payload=payload, checksum=None, udp_length=None, total_length=None, ip_checksum=None, raw=None))
    return pieces


def as_sent(packet: Packet) -> Packet | None:
    """Return a packet whose claimed lengths are not its real ones as it is read on the way; None where it cannot be built.

    What lies behind a shorter IP length is cut off, and the TCP checksum, which was made over all of it, is wrong then; a data
    offset moves the line between options and payload. A length that cannot be true, beyond the end of the packet or inside its
    header, stays as it is claimed: it is for the first router to throw the packet away (RFC 1812 section 5.2.2).
    """
    if packet.total_length is not None or packet.header_words is not None:
        return _reread(packet)
    words = packet.data_offset
    if words is None or not is_tcp(packet):
        return packet
    behind = packet.options + packet.payload
    claimed = words * 4 - 20
    if claimed < 0:
        return _replace(packet, options=b"", payload=behind)
    fits = claimed <= len(behind)
    return _replace(packet, options=behind[:claimed], payload=behind[claimed:], data_offset=None if fits else words)


def _reread(packet: Packet) -> Packet | None:
    claimed = packet
    if packet.checksum is None and packet.total_length is not None and packet.version == 4 and is_tcp(packet):
        claimed = _replace(packet, checksum=_checksum_by_claim(packet, packet.total_length - 20 - len(packet.ip_options)))
    raw = bytes_of(claimed)
    parsed = None if raw is None else parse_packet(raw)
    if not isinstance(parsed, Packet):
        return None
    whole = packet.checksum is None and parsed.has_transport() and parsed.total_length is None and not parsed.trailer
    return _replace(parsed, ip_checksum=packet.ip_checksum, checksum=None if whole else parsed.checksum, trailer=b"")


def _checksum_by_claim(packet: Packet, length: int) -> int:
    """Return the checksum over all bytes there are, with the claimed length in the pseudo-header, as Geneva's packet library makes it."""
    return int.from_bytes(write_tcp(packet, pseudo_header(packet.src, packet.dst, packet.proto, length))[16:18], "big")
