"""The bytes of an IPv4 or IPv6 packet in, a `Packet` out, and back into the same bytes; nothing is repaired on either way."""

from struct import Struct, error

from crenel.wire import icmp, tcp, udp
from crenel.wire.buffer import Buffer
from crenel.wire.checksum import internet_checksum, pseudo_header
from crenel.wire.extension import FRAGMENT, NO_NEXT_HEADER, fragment_header, set_fragment, walk_extensions
from crenel.wire.packet import ICMP, ICMPV6, IP_MF, TCP, UDP, Packet
from crenel.wire.result import Unparseable
from crenel.wire.segment import Segment, no_transport

_HEADER_4 = Struct("!BBHHHBBH4s4s")
_HEADER_6 = Struct("!IHBB16s16s")
_DESTINATION_OPTIONS = 60
_ICMP = frozenset((ICMP, ICMPV6))


def parse_packet(data: Buffer, start: int = 0, end: int | None = None, *, keep_raw: bool = False) -> Packet | Unparseable:
    """Return the IP packet that begins at `start`, all its fields as claimed; bytes up to `end` belong to its frame.

    Checksums are kept as the numbers they are, right or wrong, because checking them costs as much as everything else:
    `crenel.wire.verify` tells which are valid. With `keep_raw` the packet's `raw` holds the bytes from `start` to `end`.
    Unparseable means that the version is neither 4 nor 6 or that the fixed IP header is not all there.
    """
    if end is None:
        end = len(data)
    raw = bytes(data[start:end]) if keep_raw else None
    if end - start < 20:
        return Unparseable("the IP header is cut" if start < end else "no byte of an IP packet")
    version = data[start] >> 4
    if version == 4:
        return _parse_4(data, start, end, raw)
    if version != 6:
        return Unparseable(f"IP version {version}")
    return _parse_6(data, start, end, raw) if end - start >= 40 else Unparseable("the IPv6 header is cut")


def _parse_4(data: Buffer, start: int, end: int, raw: bytes | None) -> Packet:
    first, tos, total, ident, fragment, ttl, proto, ip_checksum, src, dst = _HEADER_4.unpack_from(data, start)
    available, claimed = end - start, (first & 15) * 4
    header = 20
    if claimed > header:
        header = min(claimed, available)
    # A total length of zero is what segmentation offload leaves, and one shorter than the header means nothing: take all there is.
    believed = header <= total <= available
    stop = start + total if believed else end
    offset = (fragment & 0x1FFF) << 3
    segment = _read_transport(proto, offset, data, start + header, stop)
    sport, dport, seq, ack, flags, window, payload, urgent, options, words, reserved, checksum, length, kind, code, rest, headless = segment
    return Packet(
        4, src, dst, proto, sport, dport, seq, ack, flags, window, payload, ttl, ident, fragment >> 13, offset, urgent, options, words,
        reserved, checksum, length, tos, 0, bytes(data[start + 20 : start + header]), None if claimed == header else first & 15,
        None if believed else total, ip_checksum, kind, code, rest, bytes(data[stop:end]), raw, None, headless,
    )  # fmt: skip


def _parse_6(data: Buffer, start: int, end: int, raw: bytes | None) -> Packet:
    first, total, next_header, ttl, src, dst = _HEADER_6.unpack_from(data, start)
    headers, available = start + 40, end - start - 40
    # A length of zero is a jumbogram or segmentation offload (as with IPv4), but behind "no next header" it is the truth.
    believed = total <= available and (total > 0 or available == 0 or next_header == NO_NEXT_HEADER)
    stop = headers + total if believed else end
    proto, body, _, offset, more, ident = walk_extensions(data, headers, stop, next_header)
    segment = _read_transport(proto, offset, data, body, stop)
    sport, dport, seq, ack, flags, window, payload, urgent, options, words, reserved, checksum, length, kind, code, rest, headless = segment
    return Packet(
        6, src, dst, proto, sport, dport, seq, ack, flags, window, payload, ttl, ident, more, offset, urgent, options, words,
        reserved, checksum, length, first >> 20 & 0xFF, first & 0xFFFFF, bytes(data[headers:body]), None, None if believed else total,
        None, kind, code, rest, bytes(data[stop:end]), raw, next_header if body > headers else None, headless,
    )  # fmt: skip


def _read_transport(proto: int, frag_offset: int, data: Buffer, start: int, end: int) -> Segment:
    if frag_offset == 0:
        size = end - start
        if proto == TCP and size >= 20:
            return tcp.read_tcp(data, start, end)
        if proto == UDP and size >= 8:
            return udp.read_udp(data, start, end)
        if proto in _ICMP and size >= 8:
            return icmp.read_icmp(data, start, end)
    return no_transport(bytes(data[start:end]), headless=frag_offset == 0 and proto in _WRITERS)


def serialise(packet: Packet) -> bytes:
    """Return the packet as bytes: every field as it stands, and what is right where a length or checksum is None.

    Raises ValueError where a field does not fit its place in the header; sequence and acknowledgement numbers wrap instead.
    """
    if not _fits(packet):
        raise ValueError("a field of the packet does not fit its bits in the header")
    try:
        return _write_4(packet) if packet.version == 4 else _write_6(packet)
    except (error, OverflowError) as problem:
        raise ValueError(f"a field of the packet does not fit its bytes in the header: {problem}") from None


def _fits(packet: Packet) -> bool:
    """Say whether the fields that share bytes with others fit, and the addresses; `struct` sees to the rest."""
    size = 4 if packet.version == 4 else 16
    return (
        len(packet.src) == size
        and len(packet.dst) == size
        and 0 <= packet.flags <= 0xFF
        and 0 <= packet.reserved <= 15
        and 0 <= (packet.data_offset or 0) <= 15
        and 0 <= (packet.header_words or 0) <= 15
        and 0 <= packet.frag_offset <= 0xFFFF
        and 0 <= packet.ip_flags <= 7
        and 0 <= packet.tos <= 0xFF
        and 0 <= packet.flow_label <= 0xFFFFF
    )


def _write_4(packet: Packet) -> bytes:
    body = write_transport(packet)
    return b"".join((ip_header_4(packet, len(body)), packet.ip_options, body, packet.trailer))


def ip_header_4(packet: Packet, size: int) -> bytes:
    """Return the fixed IPv4 header of a packet that has `size` bytes behind its header and options."""
    options = packet.ip_options
    words = (len(options) + 23) // 4 if packet.header_words is None else packet.header_words
    total = 20 + len(options) + size
    if packet.total_length is not None:
        total = packet.total_length
    elif total > 0xFFFF:
        # Longer than the field can say: zero, as segmentation offload leaves it.
        total = 0
    fragment = packet.ip_flags << 13 | packet.frag_offset >> 3
    before = 4 << 4 | words, packet.tos, total, packet.ident, fragment, packet.ttl, packet.proto
    checksum = packet.ip_checksum
    if checksum is None:
        checksum = internet_checksum(_HEADER_4.pack(*before, 0, packet.src, packet.dst) + options)
    return _HEADER_4.pack(*before, checksum, packet.src, packet.dst)


def _write_6(packet: Packet) -> bytes:
    first, headers = _extensions(packet)
    body = write_transport(packet)
    length = len(headers) + len(body)
    if packet.total_length is not None:
        length = packet.total_length
    elif length > 0xFFFF:
        length = 0
    start = 6 << 28 | packet.tos << 20 | packet.flow_label
    return b"".join((_HEADER_6.pack(start, length, first, packet.ttl, packet.src, packet.dst), headers, body, packet.trailer))


def _extensions(packet: Packet) -> tuple[int, bytes]:
    """Return the type of the first header after the fixed one, and all extension headers, the fragment header set as the fields say."""
    more = packet.ip_flags & IP_MF
    if packet.ip_options:
        # Bytes without a type can only be meant as options for the destination.
        first = _DESTINATION_OPTIONS if packet.next_header is None else packet.next_header
        chain = walk_extensions(packet.ip_options, 0, len(packet.ip_options), first)
        if chain.fragment_at < 0:
            return first, packet.ip_options
        return first, set_fragment(packet.ip_options, chain.fragment_at, packet.frag_offset, more, packet.ident)
    if packet.next_header is None and (packet.frag_offset or more):
        return FRAGMENT, fragment_header(packet.proto, packet.frag_offset, more, packet.ident)
    return packet.proto if packet.next_header is None else packet.next_header, b""


def transport_size(packet: Packet) -> int:
    """Return the bytes that stand behind the IP header when the packet is written."""
    size = len(packet.payload)
    if not packet.has_transport():
        return size
    return size + (20 + len(packet.options) if packet.proto == TCP else 8)


def transport_sum(packet: Packet) -> int:
    """Return the sum of the packet's pseudo-header, over the bytes that its transport checksum covers; 0 for ICMP over IPv4."""
    proto = packet.proto
    if proto == ICMP:
        return 0
    return pseudo_header(packet.src, packet.dst, proto, udp.covered(packet) if proto == UDP else transport_size(packet))


_WRITERS = {TCP: tcp.write_tcp, UDP: udp.write_udp, ICMP: icmp.write_icmp, ICMPV6: icmp.write_icmp}


def write_transport(packet: Packet) -> bytes:
    """Return the bytes behind the IP header: transport header and payload, or the payload alone where there is no header."""
    if not packet.has_transport():
        return packet.payload
    return _WRITERS[packet.proto](packet, transport_sum(packet))
