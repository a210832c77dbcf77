"""One packet in, its header fields in words and its first bytes as hex out."""

from crenel.net.replay.report import show_address
from crenel.report.table import end_of
from crenel.wire.packet import ICMP, ICMPV6, IP_DF, IP_MF, TCP, UDP, Packet

_FLAGS = ("FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR")
_SHOWN_BYTES = 24
_TRANSPORTS = {TCP: "TCP", UDP: "UDP", ICMP: "ICMP", ICMPV6: "ICMPv6"}


def field_words(packet: Packet) -> str:
    """Return who sends what to whom, with the fields by which forged packets are told from others."""
    parts = [f"{_ends(packet)}, {_TRANSPORTS.get(packet.proto, f'IP protocol {packet.proto}')}"]
    if packet.proto == TCP and packet.has_transport():
        flags = "+".join(name for bit, name in enumerate(_FLAGS) if packet.flags >> bit & 1) or "no flags"
        parts.append(f"{flags}, seq {packet.seq}, ack {packet.ack}, window {packet.window}")
    bits = "".join(word for bit, word in ((IP_DF, ", DF"), (IP_MF, ", more fragments")) if packet.ip_flags & bit)
    offset = f", fragment at {packet.frag_offset}" if packet.frag_offset else ""
    hops = f"TTL {packet.ttl}, IP ID {packet.ident}" if packet.version == 4 else f"hop limit {packet.ttl}"
    parts.append(hops + bits + offset)
    return "; ".join(parts)


def byte_words(packet: Packet) -> str:
    """Return how many bytes a packet carries, and the first of them as hex; empty where it carries none."""
    size = len(packet.payload)
    if not size:
        return ""
    more = " …" if size > _SHOWN_BYTES else ""
    return f"{size:,} {'byte' if size == 1 else 'bytes'}: {bytes(packet.payload[:_SHOWN_BYTES]).hex(' ')}{more}"


def _ends(packet: Packet) -> str:
    source, destination = show_address(packet.src), show_address(packet.dst)
    if packet.proto not in {TCP, UDP} or not packet.has_transport():
        return f"{source} → {destination}"
    return f"{end_of(source, packet.sport)} → {end_of(destination, packet.dport)}"
