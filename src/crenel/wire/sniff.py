"""The first bytes of a TCP flow's client, or a UDP datagram, in; what protocol they are and which host names they ask for, out.

Ports are not looked at. Whether bytes that are none of these are fully encrypted traffic is decided elsewhere.
"""

import re
import struct
from typing import Final, Literal

import msgspec

from crenel.wire import ftp, smtp
from crenel.wire.command import is_ready_line
from crenel.wire.dns import read_message, read_name, read_plain_name
from crenel.wire.http import METHODS, host_name, looks_like_response, read_host, read_simple_request, walk_requests
from crenel.wire.quic import CRYPTO, Frame, Initial, LongHeader, crypto_bytes, open_initial, read_long_header
from crenel.wire.quic_keys import parameters
from crenel.wire.result import Field, Incomplete, Unparseable
from crenel.wire.tls import find_server_name, read_server_name
from crenel.wire.tls_record import HANDSHAKE, MAX_HELLO, looks_like_sslv2_hello, looks_like_tls

Protocol = Literal["tls", "http", "dns", "quic", "smtp", "ftp", "unknown"]


class Reading(msgspec.Struct, frozen=True, gc=False):
    """What was recognised, and the names asked for in the order read, each once: as sent, a port and brackets dropped."""

    protocol: Protocol
    names: tuple[bytes, ...] = ()
    more: bool = False
    """Whether later bytes of the same first message could tell another protocol or a (further) name."""
    crypto: tuple[Frame, ...] = ()
    """QUIC: the CRYPTO frames so far, for the next datagram's reading."""
    dcid: bytes = b""
    """QUIC: the connection ID whose keys opened them."""


_UNKNOWN: Final = Reading("unknown")
_UNKNOWN_YET: Final = Reading("unknown", more=True)
_TLS: Final = Reading("tls")
_TLS_YET: Final = Reading("tls", more=True)
_HTTP: Final = Reading("http")
_HTTP_YET: Final = Reading("http", more=True)
_QUIC: Final = Reading("quic")
"""An Initial of a version whose keys are not known: its header accounts for every byte of the datagram."""
_SMTP: Final = Reading("smtp")
_FTP: Final = Reading("ftp")
_END: Final = Unparseable("the end of the datagram")
_CUT: Final = Incomplete("no handshake bytes yet")

_HEADER = struct.Struct(">6H").unpack_from
# Handshake message types (RFC 8446 section 4, RFC 5246 section 7.4, RFC 5077, RFC 6066).
_HANDSHAKE_TYPES: Final = frozenset((0, 1, 2, 4, 5, 8, 11, 12, 13, 14, 15, 16, 20, 21, 22, 23, 24))
# IN, CH, HS, NONE, ANY (RFC 6895 section 3.2); mDNS uses the top bit for its own ends (RFC 6762 sections 5.4, 10.2).
_CLASSES: Final = frozenset(bit | klass for bit in (0, 0x8000) for klass in (1, 3, 4, 254, 255))
_NO_WORD: Final = re.compile(rb"[A-Za-z][!#$%&'*+\-.^_`|~0-9A-Za-z]{0,31}+[^!#$%&'*+\-.^_`|~0-9A-Za-z \t\r\n/:]")
"""A first word that ends in a byte after which no method, command or status line goes on."""
_OTHER_MAIL: Final = (b"+", b"*")
"""How the greetings of POP3 (RFC 1939 section 4) and IMAP (RFC 9051 section 7.1) begin."""
_MAX_NESTING: Final = 4
"""Protocols inside one another in one stream, as TLS after an HTTP CONNECT through a proxy."""


def read_stream(stream: bytes, server: bytes = b"") -> Reading:
    """Recognise the first bytes that a TCP client sent, or the first that were captured of a flow already running.

    `server` is what its peer said first, where that is known: it tells FTP from POP3, whose first commands look the same.
    """
    return _read_stream(stream, server, 0)


def _read_stream(stream: bytes, server: bytes, depth: int) -> Reading:
    if len(stream) < 3:
        return _UNKNOWN_YET
    first = stream[0]
    if first == HANDSHAKE:
        return _read_tls(stream)
    if 65 <= first < 91 or 97 <= first < 123 or first in (10, 13):
        reading = _read_text(stream, server, depth)
        return reading if reading is not _UNKNOWN else _read_dns_stream(stream)
    if 20 <= first < 25 and looks_like_tls(stream[:5]):
        return _TLS
    if first & 0x80 and looks_like_sslv2_hello(stream[:5]):
        return _TLS
    if first == 50 and is_ready_line(stream) and (smtp.looks_like_greeting(stream) or ftp.looks_like_greeting(stream)):
        return _SMTP if smtp.looks_like_greeting(stream) else _FTP
    return _read_dns_stream(stream)


def read_datagram(payload: bytes, before: Reading | None = None) -> Reading:
    """Recognise a UDP datagram; `before` is the reading of the flow's earlier ones, for a QUIC hello that several carry."""
    header = read_long_header(payload) if payload[:1] >= b"\xc0" else _END
    if isinstance(header, LongHeader) and parameters(header.version) is not None:
        return _read_quic(payload, header, before)
    reading = _read_dns(payload, len(payload))
    if reading is not None:
        return reading
    if before is not None and before.protocol == "quic":
        return before
    if isinstance(header, LongHeader) and header.is_initial and header.end == len(payload):
        return _QUIC
    return _UNKNOWN


def _read_tls(stream: bytes) -> Reading:
    name = read_server_name(stream)
    if isinstance(name, Field):
        return Reading("tls", (name.value,)) if name.value else _TLS
    if name is None:
        return _TLS
    if isinstance(name, Incomplete):
        return _TLS_YET
    # No hello that can be read: a broken one, or a record in the middle of a handshake, where the message may be encrypted.
    if len(stream) > 5 and looks_like_tls(stream[:5]):
        end = 5 + (stream[3] << 8 | stream[4])
        if stream[5] in _HANDSHAKE_TYPES or end == len(stream) or looks_like_tls(stream[end : end + 5]):
            return _TLS
    return _read_dns_stream(stream)


def _read_text(stream: bytes, server: bytes, depth: int) -> Reading:
    simple = read_simple_request(stream)
    if simple is not None and simple.method in METHODS and stream.find(b" HTTP/", simple.host_at) < 0:
        return Reading("http", (host_name(simple.host),))
    if server[:3] != b"220" and _NO_WORD.match(stream) is not None:
        return _UNKNOWN
    space = stream.find(b" ", 0, 33)
    if space > 0 and stream[:space] in METHODS:
        host = read_host(stream)
        if isinstance(host, Field):
            # One origin-form request in sight: nothing more to look for.
            if stream.startswith(b"/", space + 1) and stream.find(b" HTTP/", host.offset) < 0:
                return Reading("http", (host_name(host.value),)) if host.value else _HTTP
            return _read_requests(stream, depth, host)
        if not isinstance(host, Unparseable):
            return _read_requests(stream, depth, None) if host is None else _HTTP_YET
    elif looks_like_response(stream[:8]):
        return _HTTP
    elif smtp.looks_like_greeting(server) or (smtp.looks_like_commands(stream[:64]) and not ftp.looks_like_greeting(server)):
        return _read_commands("smtp", smtp.read_commands(stream).end, stream)
    elif ftp.looks_like_greeting(server) or (ftp.looks_like_commands(stream[:256]) and server[:1] not in _OTHER_MAIL):
        return _read_commands("ftp", ftp.read_commands(stream).end, stream)
    return _read_requests(stream, depth, None)


def _read_requests(stream: bytes, depth: int, host: Field | None) -> Reading:
    """Read all requests in sight and, behind a CONNECT, what goes through the proxy; `host` was read from a head that may be cut."""
    walk = walk_requests(stream)
    fields = [field for request in walk.requests for field in (request.target_host, request.host) if field is not None]
    names = [host_name(field.value) for field in fields or ([] if host is None else [host])]
    if not walk.requests:
        if host is not None:
            # A target that names a host may be followed by a Host header that names another.
            return Reading("http", _each_once(names), stream.find(b"\n") > host.offset)
        return _UNKNOWN_YET if isinstance(walk.stopped, Incomplete) else _UNKNOWN
    more = False
    if walk.requests[-1].method.value == b"CONNECT" and depth < _MAX_NESTING:
        inner = _read_stream(stream[walk.end :], b"", depth + 1)
        names.extend(inner.names)
        more = inner.more
    return Reading("http", _each_once(names), more)


def _read_commands(protocol: Literal["smtp", "ftp"], end: int, stream: bytes) -> Reading:
    """Look for a hello where the commands end: TLS follows STARTTLS and AUTH."""
    name = read_server_name(stream, end) if end < len(stream) else None
    return Reading(protocol, (name.value,) if isinstance(name, Field) else (), b"\n" not in stream)


def _read_dns_stream(stream: bytes) -> Reading:
    """Read length-prefixed DNS messages; the first decides whether it is DNS, even if it is not all there."""
    if len(stream) >= 14 and not _may_be_dns(stream, 2, stream[0] << 8 | stream[1]):
        return _UNKNOWN
    names: list[bytes] = []
    position = 0
    while position + 14 <= len(stream):
        length = stream[position] << 8 | stream[position + 1]
        reading = _read_dns(stream[position + 2 : position + 2 + length], length)
        if reading is None:
            break
        if reading is _UNKNOWN_YET:
            return Reading("dns", _each_once(names)) if names else reading
        names.extend(reading.names)
        position += 2 + length
    if position == 0:
        return _UNKNOWN_YET if len(stream) < 14 else _UNKNOWN
    return Reading("dns", _each_once(names))


def _may_be_dns(stream: bytes, at: int, length: int) -> bool:
    """Say whether the header at `at` fits a message of that length."""
    _, flags, questions, answers, authorities, additionals = _HEADER(stream, at)
    # A question takes five bytes at least, a record eleven (RFC 1035 section 4.1); bit 0x40 is zero in every message.
    return not flags & 0x40 and 12 + 5 * questions + 11 * (answers + authorities + additionals) <= length


def _read_dns(payload: bytes, length: int) -> Reading | None:
    """Recognise a DNS message, claimed to have that length, by counts that can fit it and a first question or record of a known class."""
    if len(payload) < 12 or not _may_be_dns(payload, 0, length):
        return None
    if payload[4:6] == b"\x00\x01":
        plain = read_plain_name(payload)
        if plain is not None:
            return Reading("dns", (plain.value,)) if plain.klass in _CLASSES else None
        name = read_name(payload, 12)
        if isinstance(name, Field) and 16 + name.length <= len(payload):
            klass = payload[14 + name.length] << 8 | payload[15 + name.length]
            return Reading("dns", (name.value,)) if klass in _CLASSES else None
        return _UNKNOWN_YET if len(payload) < length else None
    message = read_message(payload)
    if isinstance(message, Unparseable) or len(payload) < length:
        return None
    if message.questions:
        known = message.questions[0].klass in _CLASSES
        return Reading("dns", _each_once([question.name.value for question in message.questions])) if known else None
    if message.broken is not None or not message.answers or message.answers[0].klass not in _CLASSES:
        return None
    return Reading("dns", _each_once([record.name for record in message.answers]))


def _read_quic(payload: bytes, header: LongHeader, before: Reading | None) -> Reading:
    """Add the CRYPTO frames of a datagram's Initials to those of the datagrams before and look for the hello in them."""
    frames: list[Frame] = []
    dcid = b""
    if before is not None and before.protocol == "quic":
        if not before.more:
            return before
        frames.extend(before.crypto)
        dcid = before.dcid
    following: LongHeader | Unparseable = header
    while isinstance(following, LongHeader):
        header = following
        if header.is_initial:
            initial = open_initial(payload, header.offset)
            if dcid and not isinstance(initial, Initial):
                initial = open_initial(payload, header.offset, original_dcid=dcid)
            elif isinstance(initial, Initial):
                dcid = dcid or header.dcid
            if isinstance(initial, Initial):
                frames.extend(frame for frame in initial.frames if frame.kind == CRYPTO)
        following = read_long_header(payload, header.end) if header.end < len(payload) else _END
    hello = crypto_bytes(frames)
    name = find_server_name(hello, 0, 4 + int.from_bytes(hello[1:4], "big")) if len(hello) >= 4 else _CUT
    if isinstance(name, Field):
        return Reading("quic", (name.value,))
    more = isinstance(name, Incomplete) and bool(dcid) and sum(len(frame.data) for frame in frames) <= MAX_HELLO
    return Reading("quic", more=more, crypto=tuple(frames) if more else (), dcid=dcid if more else b"")


def _each_once(names: list[bytes]) -> tuple[bytes, ...]:
    return tuple(dict.fromkeys(name for name in names if name))
