"""TLS client bytes in, a ClientHello out: read over any number of TCP segments and TLS records, each field with its place in the stream.

The honest reader: it follows RFC 8446 and, for the older forms, RFC 5246, and looks at neither port nor who asks. What a wall
reads wrongly is modelled elsewhere, on the same walkers. A hello to test or simulate with comes from `wire.tls_build`.
"""

import struct
from typing import Final

import msgspec

from crenel.wire.memo import remember_last
from crenel.wire.result import Field, Incomplete, Unparseable
from crenel.wire.tls_record import CLIENT_HELLO, CUT_HELLO, HANDSHAKE, MAX_FRAGMENT, Message, check_hello_header, gather_hello, looks_like_sslv2_hello

SERVER_NAME: Final = 0
SUPPORTED_GROUPS: Final = 10
ALPN: Final = 16
SUPPORTED_VERSIONS: Final = 43
KEY_SHARE: Final = 51
QUIC_TRANSPORT_PARAMETERS: Final = 57
ESNI: Final = 0xFFCE
"""encrypted_server_name, draft-ietf-tls-esni-00 to -06."""
ECH: Final = 0xFE0D
"""encrypted_client_hello, draft-ietf-tls-esni-13 onwards."""
ECH_DRAFT_FF02: Final = 0xFF02
ECH_DRAFT_FF03: Final = 0xFF03
ECH_DRAFT_FF04: Final = 0xFF04
"""encrypted_client_hello and its helpers in draft-ietf-tls-esni-07 and -08."""
ECH_TYPES: Final = frozenset((ECH, ECH_DRAFT_FF02, ECH_DRAFT_FF03, ECH_DRAFT_FF04))

_READ: Final = ECH_TYPES | {SERVER_NAME, ALPN, SUPPORTED_VERSIONS, ESNI}

_PAIR = struct.Struct(">HH").unpack_from
_WORD = struct.Struct(">H").unpack_from
# Record header, handshake header, version and random skipped, session id length: 44 bytes.
_OPENING = struct.Struct(">BBxHBBH34xB").unpack_from
_NAME_HEAD = struct.Struct(">HBH").unpack_from

_MAX_PLAINTEXT: Final = 1 << 14
"""RFC 8446 section 5.1."""

_NOT_RECORD: Final = Unparseable("not a TLS record: its content type or major version is none of TLS")
_OVERRUN: Final = Unparseable("a field of the ClientHello runs past its end")
_BAD_NAME: Final = Unparseable("the server_name extension contradicts its own lengths")


class Extension(msgspec.Struct, frozen=True, gc=False):
    """One hello extension: `offset` of its type in the stream, `length` of its data (which begins four bytes on)."""

    kind: int
    offset: int
    length: int


class ClientHello(msgspec.Struct, frozen=True, gc=False):
    """A whole ClientHello; offsets count from the beginning of the stream that was given.

    A field cut over two records has the offset of its first byte and the length of its own bytes, record headers not counted.
    """

    legacy_version: int
    random: bytes
    session_id: bytes
    cipher_suites: tuple[int, ...]
    extensions: tuple[Extension, ...]
    offset: int
    """Where the record, or the bare handshake message, begins."""
    length: int
    """From there to the end of the hello, record headers included."""
    records: int
    """Over how many records it is spread; 0 for a bare handshake message."""
    sni: Field | None = None
    """The first host_name of the server_name extension."""
    alpn: tuple[bytes, ...] = ()
    supported_versions: tuple[int, ...] = ()
    esni: Field | None = None
    """The whole 0xffce extension, its type and length included: its presence is what tells."""
    ech: Field | None = None
    """The first whole extension of ECH_TYPES, its type and length included."""
    sslv2: bool = False
    """Framed as SSL 2.0 (RFC 5246 appendix E.2), which has no extensions; `random` is then the challenge."""


class PlainHello(msgspec.Struct, frozen=True, gc=False):
    """What one straight walk tells of a hello: its name, and whether all of it is there in one record of up to 2^14 bytes."""

    name: Field
    whole: bool


def read_client_hello(stream: bytes, start: int = 0) -> ClientHello | Incomplete | Unparseable:
    """Read the ClientHello that begins at `start`, over as many records as it is spread; other record types between them end it."""
    if start < len(stream) and stream[start] & 0x80:
        return _read_sslv2(stream, start)
    message = gather_hello(stream, start)
    if not isinstance(message, Message):
        return message
    if message.end > len(message.buffer):
        return CUT_HELLO
    if message.buffer is stream:
        return _parse(stream, message.begin, message.end, start, records=1)
    hello = _parse(message.buffer, message.begin, message.end, start, records=len(message.marks))
    if isinstance(hello, Unparseable):
        return hello
    return _moved(hello, message, offset=start, length=message.place(message.end - 1) + 1 - start)


def parse_client_hello(handshake: bytes, base_offset: int = 0) -> ClientHello | Incomplete | Unparseable:
    """Read a ClientHello that stands without record layer, as in QUIC CRYPTO data; `base_offset` is added to every offset."""
    fault = check_hello_header(handshake, 0)
    if fault is not None:
        return fault
    end = 4 + int.from_bytes(handshake[1:4], "big")
    if end > len(handshake):
        return CUT_HELLO
    hello = _parse(handshake, 0, end, 0, records=0)
    if base_offset == 0 or isinstance(hello, Unparseable):
        return hello
    return _moved(hello, Message(handshake, 0, end, [0], [base_offset]), offset=base_offset, length=end)


@remember_last
def read_plain_hello(stream: bytes) -> PlainHello | None:
    """Walk straight to the name of a hello whose record, at the very beginning, holds it; None says only that it is not so plain."""
    return _walk_straight(stream, 0)


def _walk_straight(stream: bytes, start: int) -> PlainHello | None:
    try:
        kind, major, record_length, message, high, length, session = _OPENING(stream, start)
        if kind != HANDSHAKE or major != 3 or message != CLIENT_HELLO or high or session > 32 or record_length > MAX_FRAGMENT:
            return None
        position = start + 44 + session
        position += 2 + _WORD(stream, position)[0]
        position += 3 + stream[position]
        end = position + _WORD(stream, position - 2)[0]
        if end != start + 9 + length:
            return None
        extension, size = _PAIR(stream, position)
        while extension:
            position += size + 4
            extension, size = _PAIR(stream, position)
        listed, name_type, named = _NAME_HEAD(stream, position + 4)
    except (struct.error, IndexError):
        return None
    at, here, after = position + 9, len(stream), start + 5 + record_length
    if position >= end or listed + 2 != size or size != named + 5 or name_type or at + named > after or at + named > here:
        return None
    return PlainHello(Field(stream[at : at + named], at, named), at + named <= end <= after <= here and record_length <= _MAX_PLAINTEXT)


def read_server_name(stream: bytes, start: int = 0) -> Field | Incomplete | Unparseable | None:
    """Read only the SNI of the hello at `start`, as soon as its bytes are there; None for a whole hello that names no host.

    The short way for every flow: what follows the name is not looked at, so it may still be missing or broken.
    """
    plain = _walk_straight(stream, start) if start else read_plain_hello(stream)
    if plain is not None:
        return plain.name
    gathered = gather_hello(stream, start)
    if not isinstance(gathered, Message):
        return gathered
    found = find_server_name(gathered.buffer, gathered.begin, gathered.end)
    return Field(found.value, gathered.place(found.offset), found.length) if isinstance(found, Field) else found


def find_server_name(buffer: bytes, begin: int, end: int) -> Field | Incomplete | Unparseable | None:
    """Walk from the handshake header at `begin` to the SNI; the message claims to reach `end`, the buffer may stop before."""
    fault = check_hello_header(buffer, begin)
    if fault is not None:
        return fault
    try:
        if buffer[begin + 38] > 32:
            return _OVERRUN
        position = begin + 39 + buffer[begin + 38]
        position += 2 + _WORD(buffer, position)[0]
        position += 1 + buffer[position]
        if position == end:
            return None
        if position + 2 + _WORD(buffer, position)[0] != end:
            return _OVERRUN
        position += 2
        while position < end:
            kind, length = _PAIR(buffer, position)
            position += 4
            if position + length > end:
                return _OVERRUN
            if kind == SERVER_NAME:
                return _host_name(buffer, Extension(kind, position - 4, length))
            position += length
    except (struct.error, IndexError):
        return _OVERRUN if len(buffer) >= end else CUT_HELLO
    return None if len(buffer) >= end else CUT_HELLO


def _parse(buffer: bytes, begin: int, end: int, start: int, *, records: int) -> ClientHello | Unparseable:
    """Read a hello that is wholly there, its message header at `begin`; nothing past `end` is looked at, offsets are the buffer's."""
    try:
        session = buffer[begin + 38]
        suites_at = begin + 41 + session
        suites = _WORD(buffer, suites_at - 2)[0]
        position = suites_at + suites
        position += 1 + buffer[position]
    except (struct.error, IndexError):
        return _OVERRUN
    if position > end or session > 32 or suites % 2:
        return _OVERRUN
    extensions = _walk_extensions(buffer, position, end)
    if extensions is None:
        return _OVERRUN
    first: dict[int, Extension] = {}
    for each in extensions:
        if each.kind in _READ:
            first.setdefault(each.kind, each)
    sni = _host_name(buffer, first[SERVER_NAME]) if SERVER_NAME in first else None
    if isinstance(sni, Unparseable | Incomplete):
        return _BAD_NAME
    return ClientHello(
        _WORD(buffer, begin + 4)[0], buffer[begin + 6 : begin + 38], buffer[begin + 39 : begin + 39 + session],
        struct.unpack_from(f">{suites // 2}H", buffer, suites_at), tuple(extensions), start, end - start, records,
        sni,
        _names_of_protocols(buffer, first[ALPN]) if ALPN in first else (),
        _versions(buffer, first[SUPPORTED_VERSIONS]) if SUPPORTED_VERSIONS in first else (),
        _whole(buffer, first[ESNI]) if ESNI in first else None,
        next((_whole(buffer, each) for kind, each in first.items() if kind in ECH_TYPES), None),
    )


def _walk_extensions(buffer: bytes, position: int, end: int) -> list[Extension] | None:
    """List the extensions of a hello from the end of its compression methods to its own; None where they do not fit."""
    found: list[Extension] = []
    if position == end:
        return found
    if position + 2 > end or position + 2 + _WORD(buffer, position)[0] != end:
        return None
    position += 2
    while position + 4 <= end:
        kind, length = _PAIR(buffer, position)
        found.append(Extension(kind, position, length))
        position += 4 + length
    return found if position == end else None


def _host_name(buffer: bytes, extension: Extension) -> Field | Incomplete | Unparseable | None:
    """Read the first host_name of a ServerNameList (RFC 6066 section 3), whose extension may be cut by the end of the buffer."""
    position, end = extension.offset + 6, extension.offset + 4 + extension.length
    if extension.length < 2:
        return _BAD_NAME
    if len(buffer) < position:
        return CUT_HELLO
    if position + _WORD(buffer, position - 2)[0] != end:
        return _BAD_NAME
    while position < end:
        if len(buffer) < position + 3 <= end:
            return CUT_HELLO
        if position + 3 > end:
            return _BAD_NAME
        kind, length = buffer[position], _WORD(buffer, position + 1)[0]
        position += 3
        if position + length > end:
            return _BAD_NAME
        if kind == 0:
            return Field(buffer[position : position + length], position, length) if position + length <= len(buffer) else CUT_HELLO
        position += length
    return None


def _names_of_protocols(buffer: bytes, extension: Extension) -> tuple[bytes, ...]:
    """Read the ALPN list (RFC 7301 section 3.1), as far as it holds together."""
    position, end = extension.offset + 6, extension.offset + 4 + extension.length
    found = []
    while position < end and position + 1 + buffer[position] <= end:
        found.append(buffer[position + 1 : position + 1 + buffer[position]])
        position += 1 + buffer[position]
    return tuple(found)


def _versions(buffer: bytes, extension: Extension) -> tuple[int, ...]:
    count = max(0, extension.length - 1) // 2
    versions: tuple[int, ...] = struct.unpack_from(f">{count}H", buffer, extension.offset + 5) if count else ()
    return versions


def _whole(buffer: bytes, extension: Extension) -> Field:
    length = extension.length + 4
    return Field(buffer[extension.offset : extension.offset + length], extension.offset, length)


def _moved(hello: ClientHello, message: Message, *, offset: int, length: int) -> ClientHello:
    """Return the hello with every place in it translated from the message's buffer to the stream."""
    place = message.place

    def move(field: Field | None) -> Field | None:
        return None if field is None else Field(field.value, place(field.offset), field.length)

    return msgspec.structs.replace(
        hello, offset=offset, length=length, sni=move(hello.sni), esni=move(hello.esni), ech=move(hello.ech),
        extensions=tuple(Extension(each.kind, place(each.offset), each.length) for each in hello.extensions),
    )


def _read_sslv2(stream: bytes, start: int) -> ClientHello | Incomplete | Unparseable:
    """Read a hello in SSLv2 framing (RFC 5246 appendix E.2), where cipher specs are three bytes; those of TLS begin with 0."""
    head = stream[start : start + 11]
    if not looks_like_sslv2_hello(head + b"\x80\x00\x01\x03\x00"[len(head) :]):
        return _NOT_RECORD
    if len(head) < 11:
        return CUT_HELLO
    version, suites, session, challenge = struct.unpack_from(">HHHH", head, 3)
    length = (head[0] & 0x7F) << 8 | head[1]
    if length != 9 + suites + session + challenge or suites % 3:
        return _OVERRUN
    if len(stream) < start + 2 + length:
        return CUT_HELLO
    specs = stream[start + 11 : start + 11 + suites]
    at = start + 11 + suites
    return ClientHello(
        version, stream[at + session : at + session + challenge], stream[at : at + session],
        tuple(specs[i + 1] << 8 | specs[i + 2] for i in range(0, suites, 3) if not specs[i]), (), start, 2 + length, 1, sslv2=True,
    )
