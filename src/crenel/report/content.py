"""Packets that were sent together in, what they are in a few words out: flags, a name that is asked for, an address that is answered."""

from collections.abc import Sequence

from crenel.net.replay.report import show_address
from crenel.report.layout import GLUE
from crenel.report.text import counted, listed, safe
from crenel.wire.dns import AAAA, A, Message, Query, read_message, read_query, read_tcp_messages
from crenel.wire.http import looks_like_response
from crenel.wire.packet import ACK, FIN, ICMP, ICMPV6, PSH, RST, SYN, TCP, UDP, URG, Packet
from crenel.wire.quic import LongHeader, read_long_header
from crenel.wire.result import Field
from crenel.wire.sniff import Reading, read_datagram, read_stream
from crenel.wire.tls import read_server_name
from crenel.wire.tls_record import looks_like_tls

_FLAGS = ((SYN, "SYN"), (FIN, "FIN"), (RST, "RST"), (ACK, "ACK"), (URG, "URG"))
_RECORDS = {20: "encrypted data", 21: "TLS alert", 23: "encrypted data"}
"""Types of TLS records (RFC 8446 section 5.1); a change of keys goes before encrypted data."""
_HANDSHAKE = 22
_HELLOS = {1: "ClientHello", 2: "ServerHello"}
_KINDS = {A: "A", 2: "NS", 5: "CNAME", 6: "SOA", 12: "PTR", 15: "MX", 16: "TXT", AAAA: "AAAA", 255: "ANY"}
_LONGEST_LINE = 60
"""Characters of a line that are shown; a name is shown whole."""
_SHOWN_NAMES = 2


def flag_words(packet: Packet) -> str:
    """Return the flags of a TCP packet that say what it is for, as `SYN/ACK`; empty where it has none."""
    return "/".join(word for bit, word in _FLAGS if packet.flags & bit)


def packet_words(packets: Sequence[Packet]) -> str:
    """Return what packets of one sender are, which were sent at once: several of one kind with their number.

    Args:
        packets: at least one; either all with payload, or all without and with the same flags.
    """
    first = packets[0]
    if first.proto in {ICMP, ICMPV6}:
        return _times("ICMP time exceeded", packets)
    if not first.has_transport() or first.proto not in {TCP, UDP}:
        return _times("IP fragment", packets)
    if not first.payload:
        return _times(_bare(first), packets)
    size = sum(len(packet.payload) for packet in packets)
    what = _stream(packets) if first.proto == TCP else _datagrams(packets)
    unit = "segments" if first.proto == TCP else "datagrams"
    pieces = f" in {len(packets):,} {unit}" if len(packets) > 1 else ""
    fin = " and FIN" if any(packet.flags & FIN for packet in packets) else ""
    return f"{what}, {size:,}{GLUE}B{pieces}{fin}"


def _bare(packet: Packet) -> str:
    if packet.proto == UDP:
        return "an empty datagram"
    return flag_words(packet) or ("PSH" if packet.flags & PSH else "no flags")


def _times(words: str, packets: Sequence[Packet]) -> str:
    return words if len(packets) == 1 else f"{words} ×{len(packets)}"


def _stream(packets: Sequence[Packet]) -> str:
    data = b"".join(bytes(packet.payload) for packet in packets)
    if packets[0].flags & SYN:
        return f"{flag_words(packets[0])} with data"
    if len(data) > 5 and looks_like_tls(data[:5]):
        return _tls(data)
    if looks_like_response(data[:16]) and b" " in data[:16]:
        return "HTTP " + _line(data.partition(b" ")[2])
    reading = read_stream(data)
    if reading.protocol == "http" and b"\n" in data:
        return _request(data, reading)
    messages = read_tcp_messages(data).messages if reading.protocol == "dns" else ()
    if messages and isinstance(messages[0].message, Message):
        return _dns(messages[0].message)
    line = data.partition(b"\n")[0].rstrip(b"\r")
    # Protocols that speak in lines say what they want in the first one.
    return f"“{_line(line)}”" if b"\n" in data and _is_text(line) else "data"


def _tls(data: bytes) -> str:
    if data[0] != _HANDSHAKE:
        return _RECORDS.get(data[0], "TLS")
    hello = _HELLOS.get(data[5], "TLS handshake")
    name = read_server_name(data) if data[5] == 1 else None
    return f"{hello} {_name(name.value)}" if isinstance(name, Field) and name.value else hello


def _request(data: bytes, reading: Reading) -> str:
    line = data.lstrip(b"\r\n").partition(b"\n")[0].rstrip(b"\r")
    words = line.rsplit(b" ", 1)[0] if b" HTTP/" in line else line
    return _line(words) + (f", Host {_names(reading)}" if reading.names else "")


def _datagrams(packets: Sequence[Packet]) -> str:
    payload = bytes(packets[0].payload)
    reading: Reading | None = None
    for packet in packets:
        reading = read_datagram(bytes(packet.payload), reading)
    if reading is None or reading.protocol != "quic":
        message = read_message(payload)
        query = read_query(payload)
        if isinstance(message, Message) and reading is not None and reading.protocol == "dns":
            return _dns(message)
        return _query(query) if isinstance(query, Query) and reading is not None and reading.protocol == "dns" else "data"
    header = read_long_header(payload)
    kind = "QUIC Initial" if isinstance(header, LongHeader) and header.is_initial else "QUIC"
    return f"{kind}, ClientHello {_names(reading)}" if reading.names else kind


def _dns(message: Message) -> str:
    if not message.is_response:
        kinds = [f"{_kind(question.kind)} {_name(question.name.value)}" for question in message.questions[:_SHOWN_NAMES]]
        return f"DNS query {listed(kinds)}" if kinds else "DNS query"
    shown = [_record(record.kind, record.data.value) for record in message.answers]
    return f"DNS answer {listed(shown[:_SHOWN_NAMES])}" if shown else f"DNS answer without address (code {message.rcode})"


def _query(query: Query) -> str:
    return f"DNS query {_kind(query.kind)} {_name(query.name.value)}"


def _record(kind: int, data: bytes) -> str:
    address = show_address(data) if (kind, len(data)) in {(A, 4), (AAAA, 16)} else ""
    return f"{_kind(kind)} {address}".rstrip()


def _kind(kind: int) -> str:
    return _KINDS.get(kind, f"type {kind}")


def _names(reading: Reading) -> str:
    more = f" and {counted(len(reading.names) - _SHOWN_NAMES, 'more', 'more')}" if len(reading.names) > _SHOWN_NAMES else ""
    return ", ".join(_name(name) for name in reading.names[:_SHOWN_NAMES]) + more


def _name(name: bytes) -> str:
    return safe(name.decode("utf-8", "backslashreplace").rstrip("."))


def _is_text(line: bytes) -> bool:
    return bool(line) and all(0x20 <= byte < 0x7F for byte in line)


def _line(line: bytes) -> str:
    text = line.partition(b"\n")[0].rstrip(b"\r").decode("utf-8", "backslashreplace")
    return safe(text if len(text) <= _LONGEST_LINE else text[: _LONGEST_LINE - 1] + "…")
