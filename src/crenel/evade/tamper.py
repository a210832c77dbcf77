"""A tamper in, a function from packets to packets out: None where no packet could be built with that value, so that nothing is sent.

Each tamper leaves the IP checksum and the TCP checksum to be computed anew, unless it sets them. UDP checksum and length stay what
they were, right or wrong, as does the IP length where a name of another size is put into a question.
"""

import ipaddress
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import msgspec

from crenel.evade.corrupt import Loads, draw_value
from crenel.evade.dns import compress, set_header, set_question
from crenel.evade.draws import Draws
from crenel.evade.escape import unquote
from crenel.evade.fields import BITS, DNS_BITS, OPTION_BITS, TCP_OPTIONS, flags_of, ip_flags_of, number_of
from crenel.evade.language import Tamper
from crenel.evade.options import with_option
from crenel.evade.reading import PRESENT, READERS, bytes_of, total_length, transport_checksum, udp_length
from crenel.wire.http import build_request
from crenel.wire.ip import parse_packet, write_transport
from crenel.wire.packet import TCP, UDP, Packet

Value = int | str
Change = Callable[[Packet, Draws], Packet | None]
Setter = Callable[[Packet, Value], Packet | None]

_replace = msgspec.structs.replace
_OPAQUE: Final = {
    "sport": 0, "dport": 0, "seq": 0, "ack": 0, "flags": 0, "window": 0, "urgent": 0, "options": b"", "data_offset": None, "reserved": 0,
    "checksum": None, "udp_length": None,
}
"""The transport fields of a packet that has none."""
_PLAIN: Final = {
    ("IP", "ihl"): "header_words", ("IP", "tos"): "tos", ("IP", "len"): "total_length", ("IP", "id"): "ident", ("IP", "ttl"): "ttl",
    ("IP", "chksum"): "ip_checksum",
    ("TCP", "sport"): "sport", ("TCP", "dport"): "dport", ("TCP", "seq"): "seq", ("TCP", "ack"): "ack", ("TCP", "dataofs"): "data_offset",
    ("TCP", "window"): "window", ("TCP", "chksum"): "checksum", ("TCP", "urgptr"): "urgent",
    ("UDP", "sport"): "sport", ("UDP", "dport"): "dport", ("UDP", "chksum"): "checksum", ("UDP", "len"): "udp_length",
}
"""The fields that are one attribute of a packet."""
_OF_IPV4: Final = frozenset(("ihl", "len", "id", "flags", "frag", "chksum"))
"""Fields of the IPv4 header that IPv6 has not, or means otherwise: tampers of them leave IPv6 packets alone."""

# What Geneva expands; the texts are ours, for the names in its own are somebody's.
_WORDS: Final = {
    b"__DNS_REQUEST__": (
        b"\x00\x39\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00\x07allowed\x07example\x00\x00\x01\x00\x01"
        b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x01\x2c\x00\x04\xc6\x12\x00\x01"
    ),
    b"__HTTP_REQUEST__": build_request(b"allowed.example", headers=()),
}


def compile_tamper(tamper: Tamper, loads: Loads) -> Change:
    """Return what the tamper does to a packet; one without the protocol comes back as it is."""
    proto, field, present = tamper.proto, tamper.field, PRESENT[tamper.proto]
    if tamper.mode == "compress":
        return lambda packet, draws: _compress(packet)
    if field == "qd":
        return lambda packet, draws: packet
    setter = _setter(proto, field)

    def corrupt(packet: Packet, draws: Draws) -> Packet | None:
        return setter(packet, draw_value(proto, field, draws, loads)) if present(packet) else packet

    def add(packet: Packet, draws: Draws) -> Packet | None:
        if not present(packet):
            return packet
        old = ip_flags_of(str(read(packet))) if (proto, field) == ("IP", "flags") else read(packet)
        return setter(packet, old + number) if isinstance(old, int) else packet

    def replace(packet: Packet, draws: Draws) -> Packet | None:
        return setter(packet, value) if present(packet) else packet

    if tamper.mode == "corrupt":
        return corrupt
    if tamper.mode == "add":
        read, number = READERS[proto, field], int(tamper.value)
        return add
    number_or_none = None if field == "load" or _is_hex(field) else number_of(tamper.value)
    value: Value = tamper.value if number_or_none is None else number_or_none
    return replace


def takes(proto: str, field: str, value: str) -> bool:
    """Say whether a field can hold a value, so that a packet with it can be built."""
    number = number_of(value)
    option = field.removeprefix("options-")
    if (proto, field) == ("IP", "flags"):
        number = ip_flags_of(value)
    if (proto, field) == ("TCP", "flags"):
        number = flags_of(value)
    if field in {"src", "dst"}:
        return _address(value, 4) is not None or _address(value, 16) is not None
    bits = BITS[proto].get(field) or OPTION_BITS.get(option)
    if bits is None:
        return True
    if option != field and not value:
        return True
    return number is not None and 0 <= number < 1 << bits


def _is_hex(field: str) -> bool:
    option = field.removeprefix("options-")
    return option != field and option not in OPTION_BITS


def _setter(proto: str, field: str) -> Setter:
    if field.startswith("options-"):
        return partial(_set_option, field.removeprefix("options-"))
    if (proto, field) in _PLAIN:
        return _plain(proto, field, _PLAIN[proto, field])
    if proto == "DNS":
        return partial(_set_header, field)
    if proto == "DNSQR":
        return partial(_set_question, field)
    return _SETTERS[proto, field]


def cleared(packet: Packet) -> dict[str, Any]:
    """Return the changes that come with each tamper: bytes that no longer hold, checksums to be computed."""
    if packet.proto == TCP:
        return {"checksum": None, "ip_checksum": None, "raw": None}
    return {"ip_checksum": None, "raw": None}


def _plain(proto: str, field: str, attribute: str) -> Setter:
    limit = 1 << BITS[proto][field]
    four_only = proto == "IP" and field in _OF_IPV4
    tcp = {"checksum": None, "ip_checksum": None, "raw": None}

    def set_value(packet: Packet, value: Value) -> Packet | None:
        if not isinstance(value, int) or not 0 <= value < limit:
            return None
        if packet.proto == TCP:
            if four_only and packet.version != 4:
                return _replace(packet, **tcp)
            return _replace(packet, **{**tcp, attribute: value})
        if four_only and packet.version != 4:
            return packet
        changes = stale(packet) if proto == "UDP" else {}
        return _replace(packet, **{**changes, **cleared(packet), attribute: value})

    return set_value


def stale(packet: Packet) -> dict[str, Any]:
    """Return the UDP checksum and length of a packet as they stand, to be kept whatever changes."""
    if packet.proto != UDP or not packet.has_transport():
        return {}
    return {"checksum": transport_checksum(packet), "udp_length": packet.udp_length}


def _set_flags(packet: Packet, value: Value) -> Packet | None:
    bits = value if isinstance(value, int) else flags_of(value)
    if bits is None or not 0 <= bits < 0x200:
        return None
    return _replace(packet, flags=bits & 0xFF, reserved=packet.reserved & 0xE | bits >> 8, checksum=None, ip_checksum=None, raw=None)


def _set_reserved(packet: Packet, value: Value) -> Packet | None:
    if not isinstance(value, int) or not 0 <= value < 8:
        return None
    return _replace(packet, reserved=value << 1 | packet.reserved & 1, checksum=None, ip_checksum=None, raw=None)


def _load_bytes(value: Value) -> bytes:
    load = unquote(str(value))
    for word, meant in _WORDS.items():
        load = load.replace(word, meant)
    return load


def _set_tcp_load(packet: Packet, value: Value) -> Packet | None:
    return _replace(packet, payload=_load_bytes(value), total_length=None, checksum=None, ip_checksum=None, raw=None)


def _set_udp_load(packet: Packet, value: Value) -> Packet | None:
    load = _load_bytes(value)
    length = udp_length(packet)
    kept = None if length == 8 + len(load) else length
    return _replace(packet, payload=load, checksum=transport_checksum(packet), udp_length=kept, total_length=None, ip_checksum=None, raw=None)


def _set_option(option: str, packet: Packet, value: Value) -> Packet | None:
    kind = TCP_OPTIONS[option]
    bits = OPTION_BITS.get(option)
    if bits is None:
        try:
            body = bytes.fromhex(str(value)) if option not in {"eol", "nop", "sack"} else b""
        except ValueError:
            return None
    else:
        number = value if isinstance(value, int) else 0 if not value else -1
        if not 0 <= number < 1 << bits:
            return None
        # A timestamp and an alternate checksum have a second part, which is zero.
        body = number.to_bytes(bits // 8, "big") + bytes({"timestamp": 4, "altchksum": 2}.get(option, 0))
    options = with_option(packet.options, kind, body)
    if options is None:
        return None
    return _replace(packet, options=options, data_offset=None, total_length=None, checksum=None, ip_checksum=None, raw=None)


def _set_version(packet: Packet, value: Value) -> Packet | None:
    # Another version in the same header is read by no router.
    return _replace(packet, **cleared(packet)) if value == packet.version else None


def _set_ip_flags(packet: Packet, value: Value) -> Packet | None:
    bits = value if isinstance(value, int) else ip_flags_of(value)
    if bits is None or not 0 <= bits < 8:
        return None
    return _replace(packet, ip_flags=bits, **cleared(packet)) if packet.version == 4 else packet


def _set_frag(packet: Packet, value: Value) -> Packet | None:
    if not isinstance(value, int) or not 0 <= value < 1 << 13:
        return None
    if packet.version != 4:
        return packet
    packet = _replace(packet, **cleared(packet))
    if not value and packet.frag_offset:
        return _with_body(packet, packet.proto, packet.payload)
    if not value or not packet.has_transport():
        return _replace(packet, frag_offset=value << 3)
    # What was a transport header is to every reader the middle of a payload.
    return _replace(packet, payload=write_transport(packet), frag_offset=value << 3, **_OPAQUE)


def _set_proto(packet: Packet, value: Value) -> Packet | None:
    if not isinstance(value, int) or not 0 <= value <= 0xFF:
        return None
    if value == packet.proto:
        return _replace(packet, **cleared(packet))
    return _with_body(packet, value, write_transport(_replace(packet, **cleared(packet))))


def _set_ip_load(packet: Packet, value: Value) -> Packet | None:
    return _with_body(_replace(packet, total_length=None), packet.proto, _load_bytes(value))


def _with_body(packet: Packet, proto: int, body: bytes) -> Packet | None:
    """Return the packet with another protocol and other bytes behind its IP header, read anew as that protocol."""
    if packet.version != 4 and packet.ip_options:
        return packet  # the last of the extension headers names the protocol
    raw = bytes_of(_replace(
        packet, **_OPAQUE, proto=proto, payload=body, headless=True, frag_offset=0, ip_checksum=None, total_length=None, next_header=None,
    ))  # fmt: skip
    parsed = None if raw is None else parse_packet(raw)
    return _replace(parsed, ip_checksum=None, total_length=packet.total_length) if isinstance(parsed, Packet) else None


def _address(value: str, size: int) -> bytes | None:
    try:
        packed = ipaddress.ip_address(value).packed
    except ValueError:
        return None
    return packed if len(packed) == size else None


def _set_address(attribute: str, packet: Packet, value: Value) -> Packet | None:
    packed = _address(str(value), len(packet.src))
    if packed is None:
        return None
    return _replace(packet, **{**stale(packet), **cleared(packet), attribute: packed})


_SETTERS: Final[dict[tuple[str, str], Setter]] = {
    ("IP", "version"): _set_version,
    ("IP", "flags"): _set_ip_flags,
    ("IP", "frag"): _set_frag,
    ("IP", "proto"): _set_proto,
    ("IP", "src"): partial(_set_address, "src"),
    ("IP", "dst"): partial(_set_address, "dst"),
    ("IP", "load"): _set_ip_load,
    ("TCP", "flags"): _set_flags,
    ("TCP", "reserved"): _set_reserved,
    ("TCP", "load"): _set_tcp_load,
    ("UDP", "load"): _set_udp_load,
}


def _set_header(field: str, packet: Packet, value: Value) -> Packet | None:
    bits = DNS_BITS[field][1] if field in DNS_BITS else 16
    if not isinstance(value, int) or not 0 <= value < 1 << bits:
        return None
    return _replace(packet, payload=set_header(packet, field, value), **{**stale(packet), **cleared(packet)})


def _set_question(field: str, packet: Packet, value: Value) -> Packet | None:
    if field != "qname" and not (isinstance(value, int) and 0 <= value <= 0xFFFF):
        return None
    payload = set_question(packet, field, value)
    if payload is None:
        return None
    changes = {**stale(packet), **cleared(packet)}
    if len(payload) != len(packet.payload):
        # Neither length is computed anew, in UDP nor in IP.
        changes["total_length"] = total_length(packet)
        if packet.proto == UDP:
            changes["udp_length"] = udp_length(packet)
    return _replace(packet, payload=payload, **changes)


def _compress(packet: Packet) -> Packet:
    message = compress(packet)
    if message is None:
        return packet
    return _replace(packet, payload=message, checksum=None, udp_length=None, total_length=None, ip_checksum=None, raw=None)
