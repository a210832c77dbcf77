"""DNS datagrams or a TCP stream in, messages out: header, questions with the place of their names, records lightly read.

The honest reader: RFC 1035 with compression followed safely, also for mDNS, LLMNR and NetBIOS names, whatever the port.
How a wall flattens labels or ignores counts is modelled elsewhere, on the same name walk.
"""

import re
import struct
from typing import Final

import msgspec

from crenel.wire.memo import remember_last
from crenel.wire.result import Field, Incomplete, Unparseable

A: Final = 1
CNAME: Final = 5
PTR: Final = 12
AAAA: Final = 28
IN: Final = 1

QR: Final = 0x8000
"""Flag: a response."""
AA: Final = 0x0400
TC: Final = 0x0200
RD: Final = 0x0100
RA: Final = 0x0080

MAX_NAME: Final = 255
"""RFC 1035 section 2.3.4, the closing zero included."""
MAX_POINTERS: Final = 127
"""More pointers than a name can have labels serve nothing but to keep a reader busy."""

_HEADER = struct.Struct(">6H").unpack_from
_PAIR = struct.Struct(">HH").unpack_from
_RECORD = struct.Struct(">HHIH").unpack_from
_SPECIAL = re.compile(rb"[.\\]")

_CUT_HEADER: Final = Unparseable("shorter than a DNS header")
_CUT_NAME: Final = Unparseable("a DNS name runs past the end of the message")
_LONG_NAME: Final = Unparseable("a DNS name is longer than 255 bytes")
_BAD_LABEL: Final = Unparseable("a DNS label has a reserved length")
_BAD_POINTER: Final = Unparseable("a DNS compression pointer does not point back, or there are too many")
_CUT_QUESTION: Final = Unparseable("a DNS question runs past the end of the message")
_CUT_RECORD: Final = Unparseable("a DNS record runs past the end of the message")
_RESPONSE: Final = Unparseable("a DNS response, not a query")
_NO_QUESTION: Final = Unparseable("the DNS header counts no question")
_CUT_STREAM: Final = Incomplete("the DNS message over TCP is cut")


class Question(msgspec.Struct, frozen=True, gc=False):
    """One question. The name is dotted, without a final dot (the root is "."), a dot or backslash inside a label after a backslash.

    Its field covers what stands in the message at that place: labels to the closing zero or to the first pointer.
    """

    name: Field
    kind: int
    klass: int


class Record(msgspec.Struct, frozen=True, gc=False):
    """One resource record; `data` as it stands, names in it not expanded."""

    name: bytes
    kind: int
    klass: int
    ttl: int
    data: Field


class Message(msgspec.Struct, frozen=True, gc=False):
    """One message, as far as it could be read: `broken` says why not all that the header counts is there."""

    ident: int
    flags: int
    counts: tuple[int, int, int, int]
    """Questions, answers, authorities, additionals, as claimed."""
    questions: tuple[Question, ...]
    answers: tuple[Record, ...]
    authorities: tuple[Record, ...]
    additionals: tuple[Record, ...]
    end: int
    """How many bytes the message took."""
    broken: Unparseable | None = None

    @property
    def is_response(self) -> bool:
        """Say whether the QR bit is set."""
        return self.flags & QR != 0

    @property
    def opcode(self) -> int:
        """The kind of query (RFC 6895 section 2.2)."""
        return self.flags >> 11 & 15

    @property
    def rcode(self) -> int:
        """The response code (RFC 6895 section 2.3)."""
        return self.flags & 15


class Query(msgspec.Struct, frozen=True, gc=False):
    """The first question of a query."""

    ident: int
    flags: int
    questions: int
    """How many the header counts."""
    name: Field
    kind: int
    klass: int


class PlainName(msgspec.Struct, frozen=True, gc=False):
    """The first name of a datagram that holds it as nearly every query does, with type and class; `value` has its case, `end` is behind its zero."""

    value: bytes
    end: int
    kind: int
    klass: int


class TcpMessage(msgspec.Struct, frozen=True, gc=False):
    """One message of a TCP stream: `offset` of its first byte after the two of the length; places in it count from there."""

    offset: int
    length: int
    message: Message | Unparseable


class TcpMessages(msgspec.Struct, frozen=True, gc=False):
    """The messages of a TCP stream (RFC 1035 section 4.2.2), and where the first that is not all there begins."""

    messages: tuple[TcpMessage, ...]
    stopped: Incomplete | None
    end: int


def read_name(message: bytes, offset: int) -> Field | Unparseable:
    """Read the name at `offset`, following pointers back; the field covers what stands at that place."""
    labels: list[bytes] = []
    position = lowest = offset
    end = total = hops = 0
    try:
        while size := message[position]:
            if size < 64:
                position += 1
                labels.append(message[position : position + size])
                position += size
                total += size + 1
                if total >= MAX_NAME:
                    return _LONG_NAME
            elif size >= 192:
                target = (size & 63) << 8 | message[position + 1]
                end = end or position + 2
                hops += 1
                if target >= lowest or hops > MAX_POINTERS:
                    return _BAD_POINTER
                lowest = position = target
            else:
                return _BAD_LABEL
    except IndexError:
        return _CUT_NAME
    name = b".".join(labels)
    if name.count(b".") >= len(labels) or b"\\" in name:
        name = b".".join(_SPECIAL.sub(rb"\\\g<0>", label) for label in labels)
    return Field(name or b".", offset, (end or position + 1) - offset)


@remember_last
def read_plain_name(payload: bytes) -> PlainName | None:
    """Read the name behind the header if it is plain: labels without dot, backslash or zero byte, no pointer, type and class behind it.

    What every reader of names reads alike. None says only that the name is not so plain; the counts of the header are not looked at.
    """
    end = payload.find(b"\x00", 12)
    if end < 14 or end + 5 > len(payload) or end > 11 + MAX_NAME:
        return None
    labels: list[bytes] = []
    position = 12
    while position < end:
        size = payload[position]
        if size >= 64:
            return None
        position += 1
        labels.append(payload[position : position + size])
        position += size
    name = b".".join(labels)
    if position != end or name.count(b".") >= len(labels) or b"\\" in name:
        return None
    kind, klass = _PAIR(payload, end + 1)
    return PlainName(name, end + 1, kind, klass)


def read_query(payload: bytes) -> Query | Unparseable:
    """Read the header and the first question of a query, and nothing after it."""
    try:
        ident, flags, questions, _, _, _ = _HEADER(payload)
    except struct.error:
        return _CUT_HEADER
    if flags & QR:
        return _RESPONSE
    if not questions:
        return _NO_QUESTION
    name = read_name(payload, 12)
    if not isinstance(name, Field):
        return name
    try:
        kind, klass = _PAIR(payload, 12 + name.length)
    except struct.error:
        return _CUT_QUESTION
    return Query(ident, flags, questions, name, kind, klass)


def read_message(payload: bytes) -> Message | Unparseable:
    """Read a query or response; what follows a damaged part is left out and the message says so. No header: unparseable."""
    try:
        ident, flags, *counts = _HEADER(payload)
    except struct.error:
        return _CUT_HEADER
    questions: list[Question] = []
    sections: tuple[list[Record], list[Record], list[Record]] = ([], [], [])
    position, broken = _read_questions(payload, counts[0], questions)
    for count, section in zip(counts[1:], sections, strict=True):
        if broken is None and count:
            position, broken = _read_records(payload, position, count, section)
    answers, authorities, additionals = sections
    return Message(
        ident, flags, (counts[0], counts[1], counts[2], counts[3]), tuple(questions), tuple(answers), tuple(authorities), tuple(additionals),
        position, broken,
    )


def read_tcp_messages(stream: bytes, start: int = 0) -> TcpMessages:
    """Read the length-prefixed messages from `start` on, each a message or the reason why it is none."""
    found: list[TcpMessage] = []
    while start + 2 <= len(stream):
        length = stream[start] << 8 | stream[start + 1]
        if start + 2 + length > len(stream):
            break
        found.append(TcpMessage(start + 2, length, read_message(stream[start + 2 : start + 2 + length])))
        start += 2 + length
    return TcpMessages(tuple(found), None if start == len(stream) else _CUT_STREAM, start)


def decode_netbios(name: bytes) -> bytes | None:
    """Return the NetBIOS name behind 32 letters A to P (RFC 1001 section 14.1), padding and suffix byte dropped, or None."""
    label = name.partition(b".")[0]
    if len(label) != 32 or label.strip(b"ABCDEFGHIJKLMNOP"):
        return None
    return bytes(label[i] - 65 << 4 | label[i + 1] - 65 for i in range(0, 30, 2)).rstrip(b" \x00")


def _read_questions(payload: bytes, count: int, found: list[Question]) -> tuple[int, Unparseable | None]:
    position = 12
    for _ in range(count):
        name = read_name(payload, position)
        if not isinstance(name, Field):
            return position, name
        after = position + name.length
        if after + 4 > len(payload):
            return position, _CUT_QUESTION
        kind, klass = _PAIR(payload, after)
        found.append(Question(name, kind, klass))
        position = after + 4
    return position, None


def _read_records(payload: bytes, position: int, count: int, found: list[Record]) -> tuple[int, Unparseable | None]:
    for _ in range(count):
        name = read_name(payload, position)
        if not isinstance(name, Field):
            return position, name
        data = position + name.length + 10
        if data > len(payload):
            return position, _CUT_RECORD
        kind, klass, ttl, length = _RECORD(payload, data - 10)
        if data + length > len(payload):
            return position, _CUT_RECORD
        found.append(Record(name.value, kind, klass, ttl, Field(payload[data : data + length], data, length)))
        position = data + length
    return position, None
