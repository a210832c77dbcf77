"""Bytes of a classic pcap capture in, its packet records out, with an account of what was damaged and where."""

import struct
from collections.abc import Iterator
from typing import TypeAlias

from crenel.wire.buffer import Buffer
from crenel.wire.damage import Account, Damage
from crenel.wire.result import Unparseable

Record: TypeAlias = tuple[int, int, int, int, int, int]
"""Number in the capture from 1, nanoseconds since 1970, link type, offset of the frame in the buffer, bytes captured,
bytes on the wire."""

FILE_HEADER = 24
"""Bytes before the first record."""

LARGEST_PACKET = 262_144
"""No record is taken to be longer, unless the file itself announces longer ones (libpcap's MAXIMUM_SNAPLEN)."""

_LARGEST_ANNOUNCED = 128 << 20
_SNAP_MAXIMUM = 0x7FFF_FFFF

_MICRO, _NANO = 1000, 1
# First four bytes: byte order, nanoseconds in one unit of the fraction, length of a record header. The last two are the
# layout of Kuznetzov's patch, which appends interface, protocol and packet type to each record header.
MAGICS: dict[bytes, tuple[str, int, int]] = {
    b"\xd4\xc3\xb2\xa1": ("<", _MICRO, 16),
    b"\xa1\xb2\xc3\xd4": (">", _MICRO, 16),
    b"\x4d\x3c\xb2\xa1": ("<", _NANO, 16),
    b"\xa1\xb2\x3c\x4d": (">", _NANO, 16),
    b"\x34\xcd\xb2\xa1": ("<", _MICRO, 24),
    b"\xa1\xb2\xcd\x34": (">", _MICRO, 24),
}
"""How a pcap capture begins."""


class PcapReader:
    """A pcap capture in memory.

    A consumer that wants to index the buffer itself may do so while `plain` holds: from `first_record` on, records stand
    back to back, each a `record_header` (seconds, fraction, captured length, original length) and the captured bytes; a
    fraction counts `unit` nanoseconds. At the first record that does not end inside the buffer, or is longer than
    `record_limit`, it hands the rest to `records(start, number)`, which reads on where that is possible and otherwise
    says what is damaged.
    """

    def __init__(self, buffer: Buffer, byte_order: str, unit: int, header_length: int) -> None:
        """Read the file header; `open_pcap` checks that there is one."""
        _, major, minor, _, _, snap_length, link_field = struct.unpack_from(byte_order + "IHHIIII", buffer, 0)
        self.buffer = buffer
        self.byte_order = byte_order
        """As `struct` writes it: "<" or ">"."""
        self.unit = unit
        """Nanoseconds in one unit of a record's fraction: 1000 or 1."""
        self.version = (major, minor)
        self.snap_length = snap_length
        self.link_type = link_field & 0xFFFF
        # The upper half says whether and how long a frame check sequence ends each frame; what IP does not claim is cut anyway.
        self.first_record = FILE_HEADER
        self.header_length = header_length
        self.record_header = struct.Struct(byte_order + "IIII")
        self.record_limit = min(max(snap_length, LARGEST_PACKET), _LARGEST_ANNOUNCED)
        # Before version 2.3 the two lengths of a record stood the other way round, and some writers of 2.3 kept to that.
        self._swapped = major == 2 and minor < 3
        self._maybe_swapped = (major, minor) == (2, 3)
        self._account = Account()
        self._check_header()

    @property
    def nanosecond(self) -> bool:
        """Whether a record's fraction counts nanoseconds."""
        return self.unit == _NANO

    @property
    def plain(self) -> bool:
        """Whether records have the layout of today: 16 bytes of header, captured length before original length."""
        return self.header_length == 16 and not self._swapped and not self._maybe_swapped

    @property
    def damage(self) -> list[Damage]:
        """What is wrong with the capture, as far as it has been walked."""
        return self._account.damage

    def _check_header(self) -> None:
        major, minor = self.version
        if major != 2 or minor > 4:
            self._account.note(4, f"unknown pcap version {major}.{minor}, read as 2.4")
        if not 0 < self.snap_length <= _SNAP_MAXIMUM:
            self._account.note(16, f"absurd snap length {self.snap_length}, ignored")
            self.record_limit = LARGEST_PACKET

    def records(self, start: int = FILE_HEADER, number: int = 0) -> Iterator[Record]:
        """Yield the records from byte `start` on, the first one numbered `number` + 1; afterwards `damage` is complete."""
        if not self.plain:
            yield from self._records_of_old(start, number)
            return
        buffer, unpack, unit, link_type = self.buffer, self.record_header.unpack_from, self.unit, self.link_type
        position, size, limit = start, len(buffer), self.record_limit
        last = size - 16
        while position <= last:
            seconds, fraction, captured, original = unpack(buffer, position)
            body = position + 16
            following = body + captured
            if following > size or captured > limit:
                break
            number += 1
            yield number, seconds * 1_000_000_000 + fraction * unit, link_type, body, captured, original
            position = following
        self._note_end(position)

    def _records_of_old(self, start: int, number: int) -> Iterator[Record]:
        position, size = start, len(self.buffer)
        while position + self.header_length <= size:
            seconds, fraction, captured, original = self._header_at(position)
            body = position + self.header_length
            if body + captured > size or captured > self.record_limit:
                break
            number += 1
            yield number, seconds * 1_000_000_000 + fraction * self.unit, self.link_type, body, captured, original
            position = body + captured
        self._note_end(position)

    def _header_at(self, position: int) -> tuple[int, int, int, int]:
        seconds, fraction, captured, original = self.record_header.unpack_from(self.buffer, position)
        if self._swapped or (self._maybe_swapped and captured > original):
            return seconds, fraction, original, captured
        return seconds, fraction, captured, original

    def _note_end(self, position: int) -> None:
        left = len(self.buffer) - position
        if left <= 0:
            return
        if left < self.header_length:
            self._account.lose(position, f"the capture ends inside a record header: {left} of {self.header_length} bytes")
            return
        captured = self._header_at(position)[2]
        if captured > self.record_limit:
            self._account.lose(position, f"a record claims {captured} bytes, more than any packet has")
        else:
            self._account.lose(position, f"the capture ends inside a packet: {left - self.header_length} of {captured} bytes")


def open_pcap(buffer: Buffer) -> PcapReader | Unparseable:
    """Return a reader for a buffer that begins with a pcap magic number, or why there is none."""
    found = MAGICS.get(bytes(buffer[:4]))
    if found is None:
        return Unparseable("no pcap magic number at byte 0")
    if len(buffer) < FILE_HEADER:
        return Unparseable(f"the pcap file header is cut: {len(buffer)} of {FILE_HEADER} bytes")
    return PcapReader(buffer, *found)
