"""A TLS stream in, its records out: headers one after another, and the bytes of a ClientHello gathered from as many as hold it.

Shared by the honest reader and by the walls' own readers: nothing here reads a hello's fields.
"""

import struct
from bisect import bisect_right
from collections.abc import Iterator
from typing import Final

import msgspec

from crenel.wire.result import Incomplete, Unparseable

CHANGE_CIPHER_SPEC: Final = 20
ALERT: Final = 21
HANDSHAKE: Final = 22
APPLICATION_DATA: Final = 23
HEARTBEAT: Final = 24

CLIENT_HELLO: Final = 1
"""Handshake type (RFC 8446 section 4)."""

MAX_FRAGMENT: Final = 0x4000 + 2048
"""The longest record of any version (RFC 5246 section 6.2.3: 2^14 and 2,048 bytes)."""
MAX_HELLO: Final = 2 + 32 + 33 + 2 + 0xFFFE + 256 + 2 + 0xFFFF
"""The longest ClientHello body that the length fields of RFC 8446 section 4.1.2 can express."""

_RECORD = struct.Struct(">BBBH").unpack_from

_NOT_RECORD: Final = Unparseable("not a TLS record: its content type or major version is none of TLS")
_WRONG_KIND: Final = Unparseable("not a TLS handshake record")
_WRONG_LENGTH: Final = Unparseable("the length of the TLS record is outside what TLS allows")
_CUT_RECORD: Final = Incomplete("the TLS record header is cut")
_NOT_HELLO: Final = Unparseable("the first handshake message is not a ClientHello")
_TOO_LONG: Final = Unparseable("the ClientHello claims more bytes than its fields can hold")
CUT_HELLO: Final = Incomplete("the ClientHello is cut")


class Record(msgspec.Struct, frozen=True, gc=False):
    """One TLS record header: `offset` of the header, `body` and `end` of the bytes it claims, which may not all be there."""

    kind: int
    version: int
    offset: int
    body: int
    end: int


def read_record(stream: bytes, offset: int = 0) -> Record | Incomplete | Unparseable:
    """Read the record header at `offset`; what the record holds is not looked at, nor its minor version (RFC 8446 section 5.1)."""
    try:
        kind, major, minor, length = _RECORD(stream, offset)
    except struct.error:
        known = stream[offset : offset + 2]
        head = known + b"\x16\x03"[len(known) :]
        return _CUT_RECORD if CHANGE_CIPHER_SPEC <= head[0] <= HEARTBEAT and head[1] == 3 else _NOT_RECORD
    if not CHANGE_CIPHER_SPEC <= kind <= HEARTBEAT or major != 3:
        return _NOT_RECORD
    if length > MAX_FRAGMENT:
        return _WRONG_LENGTH
    return Record(kind, 0x300 | minor, offset, offset + 5, offset + 5 + length)


def walk_records(stream: bytes, start: int = 0) -> Iterator[Record]:
    """Yield the records from `start`, the last perhaps cut, as long as each begins where the one before it ends."""
    while start < len(stream):
        record = read_record(stream, start)
        if not isinstance(record, Record):
            return
        yield record
        start = record.end


def looks_like_tls(first: bytes) -> bool:
    """Say whether a stream that begins so can be TLS records of any kind (as far as its first five bytes go)."""
    if not first or not CHANGE_CIPHER_SPEC <= first[0] <= HEARTBEAT:
        return False
    if len(first) > 1 and first[1] != 3:
        return False
    if len(first) > 2 and first[2] > 4:
        return False
    return len(first) < 5 or 0 < first[3] << 8 | first[4] <= MAX_FRAGMENT


def looks_like_sslv2_hello(first: bytes) -> bool:
    """Say whether a stream begins with an SSLv2-framed ClientHello for SSL 3 or TLS (RFC 5246 appendix E.2)."""
    return len(first) >= 5 and first[0] & 0x80 != 0 and first[2] == CLIENT_HELLO and first[3] == 3 and first[4] <= 4


class Message(msgspec.Struct, frozen=True):
    """The bytes of one handshake message from `begin` in `buffer`, claimed to reach `end`, and where they stand in the stream."""

    buffer: bytes
    begin: int
    end: int
    marks: list[int]
    """Where in the buffer the bytes of each record begin."""
    shifts: list[int]
    """What to add, from each mark on, to an offset in the buffer to have it in the stream."""

    def place(self, offset: int) -> int:
        """Return the offset in the stream of an offset in the buffer."""
        return offset + self.shifts[bisect_right(self.marks, offset) - 1]


def gather_hello(stream: bytes, start: int = 0) -> Message | Incomplete | Unparseable:
    """Collect the ClientHello message at `start`, as far as it is there, from handshake records that follow one another."""
    record = _hello_record(stream, start)
    if not isinstance(record, Record):
        return record
    if record.end - record.body >= 4:
        fault = check_hello_header(stream, record.body)
        if fault is not None:
            return fault
        end = record.body + 4 + int.from_bytes(stream[record.body + 1 : record.body + 4], "big")
        if end <= record.end or record.end >= len(stream):
            return Message(stream, record.body, end, [record.body], [0])
    pieces: list[bytes] = []
    marks, shifts, total, needed = [], [], 0, 0
    while isinstance(record, Record):
        pieces.append(stream[record.body : record.end])
        marks.append(total)
        shifts.append(record.body - total)
        total += len(pieces[-1])
        if total >= 4 and not needed:
            pieces = [b"".join(pieces)]
            needed = 4 + int.from_bytes(pieces[0][1:4], "big")
        fault = check_hello_header(pieces[0], 0) if needed or len(pieces) == 1 else None
        if isinstance(fault, Unparseable):
            return fault
        if total >= needed > 0 or record.end >= len(stream):
            break
        record = _hello_record(stream, record.end)
    if isinstance(record, Unparseable):
        return record
    return Message(b"".join(pieces), 0, needed or total + 1, marks, shifts)


def _hello_record(stream: bytes, offset: int) -> Record | Incomplete | Unparseable:
    """Read a record header that may belong to a hello: a handshake record that is not empty (RFC 8446 section 5.1)."""
    record = read_record(stream, offset)
    if not isinstance(record, Record):
        return record
    if record.kind != HANDSHAKE:
        return _WRONG_KIND
    return record if record.body < record.end else _WRONG_LENGTH


def check_hello_header(buffer: bytes, begin: int) -> Incomplete | Unparseable | None:
    """Check the four bytes before the hello body, as far as they are there."""
    head = buffer[begin : begin + 4]
    if head and head[0] != CLIENT_HELLO:
        return _NOT_HELLO
    if len(head) < 4:
        return CUT_HELLO
    return _TOO_LONG if int.from_bytes(head[1:], "big") > MAX_HELLO else None
