"""A fragment in, the bytes that it contributes to its datagram out; all those bytes in, the whole packet out."""

import msgspec

from crenel.wire.extension import split_at_fragment
from crenel.wire.ip import parse_packet, serialise, write_transport
from crenel.wire.packet import IP_MF, Packet


def fragment_body(packet: Packet) -> bytes:
    """Return what stands behind the IPv4 header, or behind the IPv6 fragment header, as on the wire."""
    if packet.version == 4 or not packet.ip_options:
        return write_transport(packet)
    return split_at_fragment(packet.ip_options, packet.next_header)[2] + write_transport(packet)


def reassembled(first: Packet, body: bytes) -> Packet:
    """Return the packet with the IP header of `first`, no longer a fragment, that carries `body`, which is read anew.

    Its lengths are right and its header checksum valid, for nobody sent that header; the transport's are as claimed. Of an
    IPv6 header chain the fragment header is left out.
    """
    proto, next_header, options = first.proto, first.next_header, first.ip_options
    if first.version == 6 and options:
        next_header, options, _ = split_at_fragment(options, next_header)
        proto = next_header
    whole = Packet(
        first.version, first.src, first.dst, proto, payload=body, ttl=first.ttl, ident=first.ident if first.version == 4 else 0,
        ip_flags=first.ip_flags & ~IP_MF if first.version == 4 else 0, tos=first.tos, flow_label=first.flow_label, ip_options=options,
        header_words=first.header_words, next_header=next_header, headless=True,
    )  # fmt: skip
    parsed = parse_packet(serialise(whole))
    if not isinstance(parsed, Packet):
        # Not reached: the header was written just now.
        return whole
    return msgspec.structs.replace(parsed, ip_checksum=None, total_length=None)
