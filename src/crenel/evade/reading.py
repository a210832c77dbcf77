"""A packet and the name of a field in, its value as Geneva compares it out: a number, or text."""

import ipaddress
from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Final

from crenel.evade.dns import message_at, question_at, read_header, read_question
from crenel.evade.escape import quote
from crenel.evade.fields import DNS_BITS, DNS_WORDS, IP_FLAG_NAMES, OPTION_BITS, TCP_OPTIONS
from crenel.evade.options import option_body
from crenel.wire.ip import ip_header_4, serialise, transport_size, write_transport
from crenel.wire.packet import TCP, UDP, Packet

Reader = Callable[[Packet], int | str]


def is_tcp(packet: Packet) -> bool:
    """Say whether a packet has a TCP header."""
    return packet.proto == TCP and packet.frag_offset == 0 and not packet.headless


def is_udp(packet: Packet) -> bool:
    """Say whether a packet has a UDP header."""
    return packet.proto == UDP and packet.frag_offset == 0 and not packet.headless


PRESENT: Final[Mapping[str, Callable[[Packet], bool]]] = {
    "IP": lambda packet: True,
    "TCP": is_tcp,
    "UDP": is_udp,
    "DNS": lambda packet: message_at(packet) >= 0,
    "DNSQR": lambda packet: question_at(packet) is not None,
}
"""By protocol, whether a packet has it."""


def transport_checksum(packet: Packet) -> int:
    """Return the TCP or UDP checksum that stands, or would stand, in the packet."""
    if packet.checksum is not None:
        return packet.checksum
    at = 16 if packet.proto == TCP else 6
    return int.from_bytes(write_transport(packet)[at : at + 2], "big")


def udp_length(packet: Packet) -> int:
    """Return the UDP length that stands, or would stand, in the packet."""
    return packet.udp_length if packet.udp_length is not None else 8 + len(packet.payload)


def total_length(packet: Packet) -> int:
    """Return the length that stands, or would stand, in the IP header."""
    if packet.total_length is not None:
        return packet.total_length
    return len(packet.ip_options) + transport_size(packet) + (20 if packet.version == 4 else 0)


def _ip_checksum(packet: Packet) -> int:
    if packet.ip_checksum is not None or packet.version != 4:
        return packet.ip_checksum or 0
    return int.from_bytes(ip_header_4(packet, transport_size(packet))[10:12], "big")


def _header_words(packet: Packet) -> int:
    return packet.header_words if packet.header_words is not None else 5 + len(packet.ip_options) // 4


def _data_offset(packet: Packet) -> int:
    return packet.data_offset if packet.data_offset is not None else 5 + (len(packet.options) + 3) // 4


def _flag_names(packet: Packet) -> str:
    return "+".join(name for bit, name in enumerate(IP_FLAG_NAMES) if packet.ip_flags >> bit & 1)


def _option(name: str) -> Reader:
    """Return what reads one option: empty where it is absent or holds nothing."""
    kind, number = TCP_OPTIONS[name], name in OPTION_BITS

    def read(packet: Packet) -> int | str:
        body = option_body(packet.options, kind)
        if not body:
            return ""
        if number:
            # Of a pair, as in a timestamp, the first counts.
            return int.from_bytes(body[: (OPTION_BITS[name] + 7) // 8], "big")
        return body.hex()

    return read


def _header(field: str) -> Reader:
    return lambda packet: read_header(packet, field)


def _question(field: str) -> Reader:
    return lambda packet: read_question(packet, field)


def _load(packet: Packet) -> str:
    return quote(packet.payload)


def _never(packet: Packet) -> str:
    # Geneva finds an object here, which equals no text.
    return "\0"


READERS: Final[Mapping[tuple[str, str], Reader]] = {
    ("IP", "version"): attrgetter("version"), ("IP", "ihl"): _header_words, ("IP", "tos"): attrgetter("tos"), ("IP", "len"): total_length,
    ("IP", "id"): attrgetter("ident"), ("IP", "flags"): _flag_names, ("IP", "frag"): lambda packet: packet.frag_offset >> 3,
    ("IP", "ttl"): attrgetter("ttl"), ("IP", "proto"): attrgetter("proto"), ("IP", "chksum"): _ip_checksum,
    ("IP", "src"): lambda packet: str(ipaddress.ip_address(packet.src)), ("IP", "dst"): lambda packet: str(ipaddress.ip_address(packet.dst)),
    ("IP", "load"): _load,
    ("TCP", "sport"): attrgetter("sport"), ("TCP", "dport"): attrgetter("dport"), ("TCP", "seq"): attrgetter("seq"),
    ("TCP", "ack"): attrgetter("ack"), ("TCP", "dataofs"): _data_offset, ("TCP", "reserved"): lambda packet: packet.reserved >> 1,
    ("TCP", "flags"): lambda packet: (packet.reserved & 1) << 8 | packet.flags, ("TCP", "window"): attrgetter("window"),
    ("TCP", "chksum"): transport_checksum, ("TCP", "urgptr"): attrgetter("urgent"), ("TCP", "load"): _load,
    ("UDP", "sport"): attrgetter("sport"), ("UDP", "dport"): attrgetter("dport"), ("UDP", "chksum"): transport_checksum,
    ("UDP", "len"): udp_length, ("UDP", "load"): _load,
    ("DNS", "qd"): _never,
    **{("TCP", f"options-{name}"): _option(name) for name in TCP_OPTIONS},
    **{("DNS", field): _header(field) for field in (*DNS_WORDS, *DNS_BITS)},
    **{("DNSQR", field): _question(field) for field in ("qname", "qtype", "qclass")},
}
"""What reads each field of a packet that has its protocol."""


def bytes_of(packet: Packet) -> bytes | None:
    """Return the packet as bytes, or None where a field does not fit its place."""
    try:
        return serialise(packet)
    except ValueError:
        return None
