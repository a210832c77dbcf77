"""A TCP stream in, the server name or an extension of its ClientHello out, as far as a wall's TLS boxes follow it."""

import functools
import re
import struct
from collections.abc import Callable, Sequence
from typing import Final, Literal

import msgspec

from crenel.wall.readers.reading import NOT_MINE, WAIT, Answer, Found
from crenel.wire.tls import read_plain_hello

Needs = Literal["record", "name"]
"""What must have arrived before a box acts: all records of the hello, or only the bytes up to the end of what it looks for."""

_CHANGE_CIPHER_SPEC: Final = 20
_HANDSHAKE: Final = 22
_APPLICATION_DATA: Final = 23
_CLIENT_HELLO: Final = 1
_CLIENT_KEY_EXCHANGE: Final = 16
_MAX_RECORD: Final = (1 << 14) + 256
"""Longest record body: RFC 5246 section 6.2.3 allows 2,048 bytes over, RFC 8446 section 5.2 only 256, and a hello is never encrypted."""
_RECORD_HEADER: Final = 5
_HELLO_FIXED: Final = 38
"""Handshake header, version and random, before the session id (RFC 8446 section 4.1.2)."""

_PAIR = struct.Struct(">HH").unpack_from
_WORD = struct.Struct(">H").unpack_from


class _Hello(msgspec.Struct, frozen=True, gc=False):
    """A ClientHello message: its bytes lie in `data` from `start` to `end`; a prefix of them may be there."""

    data: bytes
    start: int
    end: int
    pieces: tuple[tuple[int, int], ...] = ()
    """Where it was joined from several records: (place in `data`, place in the stream)."""
    after: int = 0
    """Stream offset behind its last record."""

    def place(self, at: int) -> int:
        """Return the stream offset of a place in `data`."""
        for here, there in reversed(self.pieces):
            if at >= here:
                return at - here + there
        return at


def _find_hello(stream: bytes, records: int, needs: Needs) -> _Hello | Answer:
    """Return the ClientHello that a stream opens with, from at most `records` records; NOT_MINE or WAIT where there is none (yet)."""
    have = len(stream)
    if have < _RECORD_HEADER + 4:
        return WAIT if b"\x16\x03".startswith(stream[:2]) or stream[:2] == b"\x16\x03" else NOT_MINE
    if stream[0] != _HANDSHAKE or stream[1] != 3 or stream[5] != _CLIENT_HELLO:
        return NOT_MINE
    size = _WORD(stream, 3)[0]
    length = 4 + int.from_bytes(stream[6:9], "big")
    if length > size or size < 4:
        return _join_records(stream, records, needs) if records > 1 else NOT_MINE
    if size > _MAX_RECORD:
        return NOT_MINE
    after = _RECORD_HEADER + size
    if needs == "record" and have < after:
        return WAIT
    return _Hello(stream, _RECORD_HEADER, _RECORD_HEADER + length, (), after)


def _opens_short(ends: Sequence[int], shortest: int) -> bool:
    return bool(ends) and ends[0] < shortest


def _join_records(stream: bytes, records: int, needs: Needs) -> _Hello | Answer:
    """Join a hello that goes over several records."""
    data = b""
    length = _MAX_RECORD
    pieces: list[tuple[int, int]] = []
    at = 0
    for _ in range(records):
        if len(stream) < at + _RECORD_HEADER:
            break
        kind, major, size = stream[at], stream[at + 1], _WORD(stream, at + 3)[0]
        if kind != _HANDSHAKE or major != 3 or not 0 < size <= _MAX_RECORD:
            return NOT_MINE
        at += _RECORD_HEADER
        pieces.append((len(data), at))
        data += stream[at : at + size]
        at += size
        if len(data) >= 4:
            length = 4 + int.from_bytes(data[1:4], "big")
            if len(data) >= length:
                return _Hello(data, 0, length, tuple(pieces), at)
        if at > len(stream):
            break
    else:
        return NOT_MINE
    return _Hello(data, 0, length, tuple(pieces), at) if needs == "name" and len(data) >= 4 else WAIT


def _find_extension(hello: _Hello, number: int) -> tuple[int, int] | Answer:
    """Return where an extension's data begins and ends in `hello.data`; NOT_MINE where there is none, WAIT where it may still come."""
    data, end = hello.data, hello.end
    have = min(len(data), end)
    try:
        at = hello.start + _HELLO_FIXED
        at += 1 + data[at]
        at += 2 + _WORD(data, at)[0]
        at += 1 + data[at]
        if at + 2 > end:
            return NOT_MINE
        total = _WORD(data, at)[0]
        at += 2
        if at + total > end:
            return NOT_MINE
        end = at + total
        while at + 4 <= end:
            kind, size = _PAIR(data, at)
            at += 4
            if kind == number:
                return (at, at + size) if at + size <= end else NOT_MINE
            at += size
    except (IndexError, struct.error):
        # Only a hello of which a part is there, or one whose lengths lead out of it, reads past the buffer.
        return WAIT if have < hello.end else NOT_MINE
    return NOT_MINE


def _find_name(hello: _Hello, reads: str) -> Found | Answer:
    """Return the host name of a hello's server_name extension (RFC 6066 section 3), in lower case."""
    place = _find_extension(hello, 0)
    if isinstance(place, Answer):
        return place
    at, end = place
    data = hello.data
    if end > len(data):
        return WAIT
    if end - at < 5:
        return NOT_MINE
    length = _WORD(data, at + 3)[0]
    if data[at + 2] != 0 or length == 0 or at + 5 + length > end:
        return NOT_MINE
    return Found(reads, data[at + 5 : at + 5 + length].lower(), hello.place(at + 5), length)


def read_name(message: bytes, reads: str) -> Found | None:
    """Return the server name of a bare ClientHello message (no record layer, as in QUIC), or None; offsets count from its first byte."""
    if len(message) < 4 or message[0] != _CLIENT_HELLO:
        return None
    end = 4 + int.from_bytes(message[1:4], "big")
    if end > len(message):
        return None
    found = _find_name(_Hello(message, 0, end), reads)
    return found if isinstance(found, Found) else None


class TlsSni(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="reads", tag="tls.sni"):
    """The server name of a ClientHello, in lower case (BACKUP21, SP25, NIERE23).

    The hello must open the stream and fit into the first `records` TLS records: 1 models every box measured up to April 2024,
    which any record boundary inside the hello blinds.
    """

    list: str
    """The list of names that the value is compared with."""
    records: int
    needs: Needs
    after: Literal["hello", "key-exchange"]
    """`key-exchange`: the box waits for the client's ClientKeyExchange or ChangeCipherSpec (BACKUP21 section 3)."""
    shortest_first: int | None = None
    """A first segment of fewer bytes blinds the box (8: CCS19 and SYM20 as BACKUP21 cites them); None: any will do."""
    watches: int | None = None
    """Stream bytes after which a box that waits for the key exchange gives up; asked for with `after = "key-exchange"`, and only then."""

    def __post_init__(self) -> None:
        """Refuse parameters that would do nothing."""
        if (self.after == "key-exchange") != (self.watches is not None):
            message = 'tls.sni needs `watches` with after = "key-exchange", and has no use for it otherwise'
            raise ValueError(message)

    def could_begin(self, first_byte: int) -> bool:
        """Say whether a stream may begin so."""
        return first_byte == _HANDSHAKE

    def read(self, stream: bytes, ends: Sequence[int], oddly_opened: bool) -> Answer:  # noqa: FBT001  every stream reader is called alike
        """Return the server name of the stream, once the box would act on it."""
        if self.shortest_first is not None and _opens_short(ends, self.shortest_first):
            return NOT_MINE
        if self.watches is None:
            # Of a whole hello in one record with a plain name every box sees the same; the walk to it is shared.
            plain = read_plain_hello(stream)
            if plain is not None and plain.whole and plain.name.length:
                name = plain.name
                return Answer((Found("tls.sni", name.value.lower(), name.offset, name.length),), len(stream), False)
        return self._follow(stream)

    def _follow(self, stream: bytes) -> Answer:
        hello = _find_hello(stream, self.records, self.needs)
        if isinstance(hello, Answer):
            return hello
        found = _find_name(hello, "tls.sni")
        if isinstance(found, Answer):
            return found
        if self.watches is None:
            return Answer((found,), len(stream), False)
        return _await_key_exchange(stream, hello.after, self.watches, found)


def _await_key_exchange(stream: bytes, at: int, watches: int, found: Found) -> Answer:
    """Return the name once a ClientKeyExchange or ChangeCipherSpec record follows the hello; records of other handshake messages are passed over."""
    have = len(stream)
    while at + _RECORD_HEADER < have:
        kind = stream[at]
        if stream[at + 1] != 3 or kind == _APPLICATION_DATA or not _CHANGE_CIPHER_SPEC <= kind <= _APPLICATION_DATA:
            return NOT_MINE
        if kind == _CHANGE_CIPHER_SPEC:
            return Answer((_seen_with(found, "ChangeCipherSpec", at),), have, False)
        if kind == _HANDSHAKE and stream[at + _RECORD_HEADER] == _CLIENT_KEY_EXCHANGE:
            return Answer((_seen_with(found, "ClientKeyExchange", at),), have, False)
        at += _RECORD_HEADER + _WORD(stream, at + 3)[0]
    return WAIT if have < watches else NOT_MINE


def _seen_with(found: Found, what: str, at: int) -> Found:
    return Found(found.reads, found.value, found.offset, found.length, f"acted on at the {what} record at byte {at}")


class TlsExtension(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, dict=True, tag_field="reads", tag="tls.extension"):
    """The presence of an extension in a ClientHello: 0xffce for encrypted SNI (ESNI20); ECH and 0x7777 triggered nothing."""

    number: int
    """Extension type; its two bytes are the value found."""
    records: int
    needs: Needs
    shortest_first: int | None = None
    """A first segment of fewer bytes blinds the box (5: ESNI20); None: any will do."""

    @functools.cached_property
    def _number(self) -> Callable[[bytes], re.Match[bytes] | None]:
        """Find the two bytes of the type anywhere: where they are nowhere, nor is the extension."""
        return re.compile(re.escape(self.number.to_bytes(2, "big")) if 0 <= self.number <= 0xFFFF else b"(?!)").search

    def could_begin(self, first_byte: int) -> bool:
        """Say whether a stream may begin so."""
        return first_byte == _HANDSHAKE

    def read(self, stream: bytes, ends: Sequence[int], oddly_opened: bool) -> Answer:  # noqa: FBT001  every stream reader is called alike
        """Return the extension's type where the hello has it."""
        if self.shortest_first is not None and _opens_short(ends, self.shortest_first):
            return NOT_MINE
        plain = read_plain_hello(stream)
        if plain is not None and plain.whole and self._number(stream) is None:
            return NOT_MINE
        return self._follow(stream)

    def _follow(self, stream: bytes) -> Answer:
        hello = _find_hello(stream, self.records, self.needs)
        if isinstance(hello, Answer):
            return hello
        place = _find_extension(hello, self.number)
        if isinstance(place, Answer):
            return place
        value = self.number.to_bytes(2, "big")
        found = Found("tls.extension", value, hello.place(place[0] - 4), 4 + place[1] - place[0], f"extension {self.number:#06x}")
        return Answer((found,), len(stream), False)
