"""DNS queries in, the name as an injector's parser flattens it out, with what a forged answer echoes."""

import struct
from collections.abc import Sequence

import msgspec

from crenel.wall.readers.reading import NOT_MINE, UNKNOWN, WAIT, Answer, Found, Query
from crenel.wire.dns import PlainName, read_plain_name
from crenel.wire.memo import remember_last
from crenel.wire.packet import Packet

_HEADER = struct.Struct(">6H").unpack_from
_HEADER_SIZE = 12
_RESPONSE = 0x8000
_PAIR = struct.Struct(">HH").unpack_from
_WORD = struct.Struct(">H").unpack_from
_FRAME = 2
"""Length prefix over TCP (RFC 1035 section 4.2.2)."""


class _Flat(msgspec.Struct, frozen=True, gc=False):
    """A flattened name: `value` ends in UNKNOWN where the text went on outside the packet."""

    value: bytes
    length: int
    behind: int
    """Where the parser stopped; an answer repeats four bytes from there as type and class."""
    type_at: int
    """Where it looks for the type: there, or where a label begins that no longer fits (vector 20 of WALL25)."""


class DnsQname(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="reads", tag="dns.qname"):
    """The name of a query's first question as the injectors flatten it (WALL25 section III, TRIP20, HARR22).

    Labels are copied one after another into a buffer for text, dots between them. A dot inside a label therefore separates like any
    other, a zero byte inside one ends the name, and what no longer fits is dropped. A length byte is believed even where it leads
    out of the packet: what lies there is unknown, matches nothing and ends no name. Pointers are not followed.
    """

    list: str
    """The list of names that the value is compared with."""
    longest_name: int
    """Characters of the buffer; what comes after them is not seen."""
    qclass: int
    """The class that the query must have, within the packet; 0: not looked at (before the repair of 2023)."""
    qtypes: tuple[int, ...] = ()
    """Types that are answered; empty: any."""
    question_counts: tuple[int, ...] = ()
    """Values of QDCOUNT that the parser accepts; empty: not looked at."""
    other_records: int | None = None
    """Most answer, authority and additional records that the header may announce; None: not looked at."""
    padded_to: int = 0
    """Bytes of IPv4 packet that an Ethernet frame carries at least: behind a shorter one stand zeros, which the parser reads. 0: it does not."""
    longest_message: int = 65535
    """Over TCP: a longer message is not waited for."""

    def could_begin(self, first_byte: int) -> bool:
        """Say whether a TCP stream may begin so."""
        return first_byte << 8 <= self.longest_message

    def read(  # every reader is called alike
        self,
        data: bytes,
        ends: Sequence[int] | None = None,
        oddly_opened: bool = False,  # noqa: FBT001, FBT002
        *,
        headers: int = 28,
        claimed: int | None = None,
    ) -> Answer:
        """Read a datagram, or with the ends of its segments a TCP stream.

        `headers` are the bytes of IP and UDP header before the datagram, `claimed` the length that its UDP header gives where that differs.
        """
        if ends is not None:
            return self._read_stream(data)
        if claimed is None or claimed >= len(data):
            plain = read_plain_name(data)
            if plain is not None and plain.end - 14 <= self.longest_name:
                return self._read_plain(data, plain)
        found = self._read_message(data, 0, len(data), len(data) if claimed is None else claimed, max(0, self.padded_to - headers - len(data)))
        return NOT_MINE if found is None else Answer((found,), len(data), False)

    def read_bare(self, data: bytes) -> Answer:
        """Read a datagram of IPv4 whose headers have no options and claim what is right."""
        plain = read_plain_name(data)
        return self._read_plain(data, plain) if plain is not None and plain.end - 14 <= self.longest_name else self.read(data)

    def read_packet(self, packet: Packet) -> Answer:
        """Read a UDP packet, with what its headers take and claim."""
        length = packet.udp_length
        payload = packet.payload
        if length == len(payload) + 8:
            plain = read_plain_name(payload)
            if plain is not None and plain.end - 14 <= self.longest_name:
                return self._read_plain(payload, plain)
        headers = (28 if packet.version == 4 else 48) + len(packet.ip_options)
        return self.read(packet.payload, headers=headers, claimed=None if length is None or length < 8 else length - 8)

    def _read_plain(self, data: bytes, plain: PlainName) -> Answer:
        """Judge a datagram whose name holds nothing that parsers flatten differently: only the other parameters tell."""
        if (self.qclass and plain.klass != self.qclass) or (self.qtypes and plain.kind not in self.qtypes):
            return NOT_MINE
        _, flags, questions, *others = _HEADER(data)
        if flags & _RESPONSE or (self.question_counts and questions not in self.question_counts):
            return NOT_MINE
        if self.other_records is not None and sum(others) > self.other_records:
            return NOT_MINE
        return _answer_plain(data)

    def _read_stream(self, stream: bytes) -> Answer:
        found: list[Found] = []
        at, have = 0, len(stream)
        while have - at >= _FRAME:
            size = _WORD(stream, at)[0]
            end = at + _FRAME + size
            if not _HEADER_SIZE < size <= self.longest_message or (have > at + 4 and stream[at + 4] & 0x80):
                return Answer(tuple(found), at, False)
            if have < end:
                break
            one = self._read_message(stream, at + _FRAME, end, size, 0)
            if one is not None:
                found.append(one)
            at = end
        return Answer(tuple(found), at, True) if at or found else WAIT

    def _read_message(self, data: bytes, start: int, end: int, claimed: int, zeros: int) -> Found | None:
        """Read one message; `zeros` bytes of padding are known to follow its end."""
        if end - start <= _HEADER_SIZE:
            return None
        ident, flags, questions, *others = _HEADER(data, start)
        if flags & _RESPONSE or (self.question_counts and questions not in self.question_counts):
            return None
        if self.other_records is not None and sum(others) > self.other_records:
            return None
        at = start + _HEADER_SIZE
        flat = _flatten(data, at, end, start + claimed, zeros, self.longest_name)
        tail = data[flat.behind : min(flat.behind + 4, end)]
        kind = tail if flat.type_at == flat.behind else data[flat.type_at : min(flat.type_at + 4, end)]
        qtype = _WORD(kind)[0] if len(kind) >= 2 else None
        qclass = _PAIR(kind)[1] if len(kind) == 4 else None
        if (self.qclass and qclass != self.qclass) or (self.qtypes and qtype not in self.qtypes) or flat.value in (b"", UNKNOWN):
            return None
        query = Query(ident, flags, data[at : min(flat.behind, end)], tail, qtype, qclass)
        return Found("dns.qname", flat.value, at, flat.length, query=query)


@remember_last
def _answer_plain(data: bytes) -> Answer:
    """Return what any parser with room for it sees of a plain name, or nothing where the name is not plain."""
    plain = read_plain_name(data)
    if plain is None:
        return NOT_MINE
    ident, flags, *_ = _HEADER(data)
    end = plain.end
    query = Query(ident, flags, data[_HEADER_SIZE:end], data[end : end + 4], plain.kind, plain.klass)
    found = Found("dns.qname", plain.value.lower(), _HEADER_SIZE, end - _HEADER_SIZE, query=query)
    return Answer((found,), len(data), False)


def _flatten(data: bytes, at: int, end: int, claimed_end: int, zeros: int, limit: int) -> _Flat:
    """Flatten the name at `at`; the message's bytes end at `end`, its parser stops at `claimed_end` or at a zero length."""
    start = at
    type_at = -1
    text = bytearray()
    closed = False
    size = 0
    while at < claimed_end:
        if at >= end:
            # A length byte that is not in the packet: zero where padding is known to follow, else anything.
            at += 1
            if at - end > zeros and not closed:
                text += UNKNOWN
            break
        length = data[at]
        at += 1
        if length == 0:
            break
        # A dot is written only where a character fits behind it.
        size += 1 if size else 0
        taken = min(length, max(0, limit - size))
        type_at = at if taken < length else -1
        if taken and not closed:
            if text:
                text += b"."
            label, closed = _copy_label(data, at, end, taken, zeros)
            text += label
        at += taken
        size += taken
        if taken < length:
            break
    return _Flat(bytes(text).lower(), min(at, end) - start, at, at if type_at < 0 else type_at)


def _copy_label(data: bytes, at: int, end: int, taken: int, zeros: int) -> tuple[bytes, bool]:
    """Return what a label adds to the text, and whether nothing can be added after it: a zero byte came, or the unknown."""
    label = data[at : min(at + taken, end)]
    zero = label.find(0)
    if zero >= 0:
        return label[:zero], True
    if len(label) == taken:
        return label, False
    return (label, True) if zeros else (label + UNKNOWN, True)
