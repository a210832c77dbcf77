"""A packet that carries a DNS message in, its fields out, or the payload with one of them set."""

import struct
from typing import Final

from crenel.errors import UsageError
from crenel.evade.fields import DNS_BITS, DNS_WORDS
from crenel.wire.dns import read_name
from crenel.wire.dns_build import encode_name
from crenel.wire.packet import TCP, UDP, Packet
from crenel.wire.result import Field

_PORTS: Final = frozenset((53, 5353))  # RFC 1035 section 4.2, RFC 6762: what Geneva takes for DNS
_HEADER: Final = 12
_WORD = struct.Struct(">H")
_A_IN: Final = b"\x00\x01\x00\x01"


def message_at(packet: Packet) -> int:
    """Return where in the payload the DNS message begins, behind the length where it stands in TCP; -1 where there is none."""
    if packet.sport not in _PORTS and packet.dport not in _PORTS:
        return -1
    if packet.proto not in (TCP, UDP) or not packet.has_transport():
        return -1
    at = 2 if packet.proto == TCP else 0
    return at if len(packet.payload) >= at + _HEADER else -1


def question_at(packet: Packet) -> tuple[Field, int] | None:
    """Return the first question's name as it stands in the message, and where in the payload its type stands; None without a question."""
    at = message_at(packet)
    if at < 0 or _WORD.unpack_from(packet.payload, at + 4)[0] == 0:
        return None
    name = read_name(packet.payload[at:], _HEADER)
    if not isinstance(name, Field):
        return None
    after = at + _HEADER + name.length
    return (name, after) if after + 4 <= len(packet.payload) else None


def read_header(packet: Packet, field: str) -> int:
    """Return a field of the header of a packet that has one."""
    at = message_at(packet)
    if field in DNS_WORDS:
        return int(_WORD.unpack_from(packet.payload, at + DNS_WORDS[field])[0])
    low, width = DNS_BITS[field]
    return int(_WORD.unpack_from(packet.payload, at + 2)[0]) >> low & (1 << width) - 1


def set_header(packet: Packet, field: str, value: int) -> bytes:
    """Return the payload with a field of the header set to a value that fits it."""
    payload, at = bytearray(packet.payload), message_at(packet)
    if field in DNS_WORDS:
        _WORD.pack_into(payload, at + DNS_WORDS[field], value)
    else:
        low, width = DNS_BITS[field]
        word = _WORD.unpack_from(payload, at + 2)[0]
        _WORD.pack_into(payload, at + 2, word & ~((1 << width) - 1 << low) | value << low)
    return bytes(payload)


def read_question(packet: Packet, field: str) -> int | str:
    """Return a field of the first question of a packet that has one; the name with its final dot."""
    found = question_at(packet)
    if found is None:
        return ""
    name, after = found
    if field == "qname":
        return name.value.rstrip(b".").decode("utf-8", "replace") + "."
    return int(_WORD.unpack_from(packet.payload, after + (2 if field == "qclass" else 0))[0])


def set_question(packet: Packet, field: str, value: int | str) -> bytes | None:
    """Return the payload with a field of the first question set; None where the value does not fit."""
    found = question_at(packet)
    if found is None:
        return packet.payload
    name, after = found
    payload = packet.payload
    if field == "qname":
        begin = after - name.length
        try:
            return payload[:begin] + encode_name(str(value).encode()) + payload[after:]
        except UsageError:
            return None
    at = after + (2 if field == "qclass" else 0)
    return payload[:at] + int(value).to_bytes(2, "big") + payload[at + 2 :]


def compress(packet: Packet) -> bytes | None:
    """Return the message of a UDP packet with its question written as two, of which the first points into the second; None without one.

    The first asks for the whole name, as its first label and a pointer to the second, which asks for the rest; both for A in IN.
    """
    found = question_at(packet)
    if found is None or packet.proto == TCP:
        return None
    name, after = found
    try:
        whole = encode_name(name.value)
    except UsageError:
        return None
    first, rest = whole[: whole[0] + 1], whole[whole[0] + 1 :] or b"\x00"
    pointer = _WORD.pack(0xC000 | _HEADER + len(first) + 2 + len(_A_IN))
    head = packet.payload[:4] + _WORD.pack(2) + packet.payload[6:_HEADER]
    return head + first + pointer + _A_IN + rest + _A_IN + packet.payload[after + 4 :]
