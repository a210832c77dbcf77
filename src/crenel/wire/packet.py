"""One IP packet as a record that can hold any packet, however wrong: header fields as claimed, payload as shared bytes."""

import msgspec

FIN = 0x01
SYN = 0x02
RST = 0x04
PSH = 0x08
ACK = 0x10
URG = 0x20
ECE = 0x40
CWR = 0x80

ICMP = 1
TCP = 6
UDP = 17
ICMPV6 = 58

IP_MF = 1
"""More fragments, in `Packet.ip_flags`."""
IP_DF = 2
"""Do not fragment, in `Packet.ip_flags`."""


class Packet(msgspec.Struct, frozen=True, gc=False):
    """An IPv4 or IPv6 packet with its transport header, every field as the sender claimed it.

    A length or checksum of None means "whatever is right", so a packet built without them serialises valid; any integer is
    written as it stands. Parsing records an integer only where the packet differs from what is right. `payload` is what
    follows the transport header by the claimed data offset; for a transport other than TCP, UDP and ICMP, and for a
    fragment that does not begin with the transport header, it is everything after the IP header.
    """

    version: int
    """4 or 6."""
    src: bytes
    """Source address, 4 or 16 bytes."""
    dst: bytes
    """Destination address, 4 or 16 bytes."""
    proto: int
    """Transport protocol: the IPv4 protocol field, or the last IPv6 next header."""
    sport: int = 0
    dport: int = 0
    seq: int = 0
    ack: int = 0
    flags: int = 0
    """TCP flag bits, FIN lowest (RFC 9293 section 3.1)."""
    window: int = 0
    payload: bytes = b""
    ttl: int = 64
    """IPv4 time to live or IPv6 hop limit."""
    ident: int = 0
    """IPv4 identification, or that of the IPv6 fragment header."""
    ip_flags: int = 0
    """IPv4 flags: IP_DF, IP_MF and the reserved bit 4. For an IPv6 fragment, IP_MF only."""
    frag_offset: int = 0
    """Fragment offset in bytes."""
    urgent: int = 0
    options: bytes = b""
    """TCP options, padded as sent."""
    data_offset: int | None = None
    """TCP data offset in 32-bit words as claimed; None: what `options` needs."""
    reserved: int = 0
    """The four TCP bits between data offset and flags."""
    checksum: int | None = None
    """Transport checksum; None: valid. Parsing keeps the number, right or wrong: `wire.verify` tells which it is."""
    udp_length: int | None = None
    """UDP length as claimed; None: what is right."""
    tos: int = 0
    """IPv4 type of service or IPv6 traffic class."""
    flow_label: int = 0
    ip_options: bytes = b""
    """IPv4 options, or the IPv6 extension headers between the fixed header and the transport, as sent."""
    header_words: int | None = None
    """IPv4 header length in 32-bit words as claimed; None: what `ip_options` needs."""
    total_length: int | None = None
    """IPv4 total length or IPv6 payload length as claimed; None: what is right."""
    ip_checksum: int | None = None
    """IPv4 header checksum; None: valid. Parsing keeps the number here too."""
    icmp_type: int = 0
    icmp_code: int = 0
    icmp_rest: int = 0
    """The four bytes after the ICMP checksum."""
    trailer: bytes = b""
    """Bytes of the link frame past the claimed end of the IP packet."""
    raw: bytes | None = None
    """The bytes it was parsed from, where it came off a wire."""
    next_header: int | None = None
    """Next header of the fixed IPv6 header as claimed; None: `proto`, or a fragment header's where one has to be written."""
    headless: bool = False
    """True where the transport header is not all there: its fields mean nothing, and `payload` is everything after the IP header."""

    def has_transport(self) -> bool:
        """Say whether the transport header fields mean anything (false for a later fragment)."""
        return self.frag_offset == 0 and not self.headless and self.proto in (TCP, UDP, ICMP, ICMPV6)


def tcp_packet(
    src: bytes,
    dst: bytes,
    sport: int,
    dport: int,
    *,
    seq: int = 0,
    ack: int = 0,
    flags: int = ACK,
    payload: bytes = b"",
    window: int = 64240,
    ttl: int = 64,
    ident: int = 0,
    ip_flags: int = IP_DF,
    options: bytes = b"",
) -> Packet:
    """Return a valid TCP packet; addresses are 4 or 16 bytes and decide the IP version."""
    return Packet(
        4 if len(src) == 4 else 6, src, dst, TCP, sport, dport, seq, ack, flags, window, payload, ttl, ident,
        ip_flags if len(src) == 4 else 0, options=options,
    )


def udp_packet(src: bytes, dst: bytes, sport: int, dport: int, payload: bytes, *, ttl: int = 64, ident: int = 0, ip_flags: int = 0) -> Packet:
    """Return a valid UDP packet; addresses are 4 or 16 bytes and decide the IP version."""
    return Packet(
        4 if len(src) == 4 else 6, src, dst, UDP, sport, dport, payload=payload, ttl=ttl, ident=ident,
        ip_flags=ip_flags if len(src) == 4 else 0,
    )
