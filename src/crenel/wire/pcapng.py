"""Bytes of a pcapng capture in, its packets out: any number of sections and interfaces, with an account of what was damaged.

The format is that of draft-ietf-opsawg-pcapng; section numbers below are its own.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

from crenel.wire.buffer import Buffer
from crenel.wire.damage import Account, Damage
from crenel.wire.pcap import Record
from crenel.wire.result import Unparseable

SECTION_HEADER = 0x0A0D0D0A
"""Block type of a section header, the same in both byte orders (4.1)."""
INTERFACE = 1
OLD_PACKET = 2
SIMPLE_PACKET = 3
ENHANCED_PACKET = 6

_BYTE_ORDER_MAGICS = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}
_SMALLEST_BLOCK = 12
_OPTION_TIME_RESOLUTION = 9
_OPTION_TIME_OFFSET = 14
_NANOSECONDS = 1_000_000_000
_OPTIONS_READ = 64
"""No interface has more options; a hostile one is not read past these."""


_Numbered: TypeAlias = tuple[int, int, int, int, int]
"""A record without its number."""


class Interface(NamedTuple):
    """What an interface block says about the packets that name it."""

    link_type: int
    snap_length: int
    per_second: int
    """Units of a time stamp in one second."""
    offset: int
    """Nanoseconds to add to each time stamp."""


class _Section:
    """One section: its byte order, and the interfaces seen in it so far."""

    def __init__(self, byte_order: str) -> None:
        self.byte_order = byte_order
        self.head = struct.Struct(byte_order + "II")
        self.enhanced = struct.Struct(byte_order + "7I")
        self.interfaces: list[Interface] = []


class PcapngReader:
    """A pcapng capture in memory; `open_pcapng` makes one."""

    def __init__(self, buffer: Buffer) -> None:
        """Keep the buffer; nothing is read before `records` is walked."""
        self.buffer = buffer
        self._account = Account()
        self._clock = 0

    @property
    def damage(self) -> list[Damage]:
        """What is wrong with the capture, as far as it has been walked."""
        return self._account.damage

    def records(self) -> Iterator[Record]:
        """Yield every packet; afterwards `damage` is complete."""
        buffer, size, number, position = self.buffer, len(self.buffer), 0, 0
        self._account, self._clock = Account(), 0
        section, last = _Section("<"), size - 32
        unpack, lengths, interfaces = section.enhanced.unpack_from, section.head.unpack_from, section.interfaces
        while position < size:
            if position <= last:
                # The common case in one step: a whole enhanced packet block of a known interface; all else takes the longer way.
                kind, length, interface_id, high, low, captured, original = unpack(buffer, position)
                following = position + length
                if (
                    kind == ENHANCED_PACKET and captured + 32 <= length and not length & 3 and following <= size
                    and interface_id < len(interfaces) and lengths(buffer, following - 8)[1] == length
                ):  # fmt: skip
                    link_type, _, per_second, offset = interfaces[interface_id]
                    self._clock = (high << 32 | low) * _NANOSECONDS // per_second + offset
                    number += 1
                    yield number, self._clock, link_type, position + 28, captured, original
                    position = following
                    continue
            if buffer[position : position + 4] == b"\x0a\x0d\x0d\x0a" and size - position >= _SMALLEST_BLOCK:
                opened = self._open_section(position)
                if opened is None:
                    return
                section = opened
                unpack, lengths, interfaces = section.enhanced.unpack_from, section.head.unpack_from, section.interfaces
            length = self._block_length(section, position)
            if length == 0:
                return
            packet = self._read_block(section, position, length)
            if packet is not None:
                number += 1
                yield number, *packet
            position += length

    def _open_section(self, position: int) -> _Section | None:
        byte_order = _BYTE_ORDER_MAGICS.get(bytes(self.buffer[position + 8 : position + 12]))
        if byte_order is None:
            self._account.lose(position, "a section header without byte-order magic")
            return None
        if position + 16 <= len(self.buffer):
            major, minor = struct.unpack_from(byte_order + "HH", self.buffer, position + 12)
            # 1.2 is what some writers wrote for 1.0 (4.1).
            if (major, minor) not in ((1, 0), (1, 2)):
                self._account.note(position + 12, f"unknown pcapng version {major}.{minor}, read as 1.0", "version")
        return _Section(byte_order)

    def _block_length(self, section: _Section, position: int) -> int:
        """Return the length of the block at `position`, or 0 where the walk must stop; that is then accounted for."""
        left = len(self.buffer) - position
        if left < _SMALLEST_BLOCK:
            self._account.lose(position, f"the capture ends inside a block header: {left} bytes")
            return 0
        kind, length = section.head.unpack_from(self.buffer, position)
        if length < _SMALLEST_BLOCK or length & 3:
            self._account.lose(position, f"a block of type {kind:#x} claims an impossible length of {length} bytes")
            return 0
        if length > left:
            self._account.lose(position, f"the capture ends inside a block: {left} of {length} bytes")
            return 0
        closing = section.head.unpack_from(self.buffer, position + length - 8)[1]
        if closing != length:
            # The opening length leads on as long as blocks follow one another; where it lies, the next block cannot be read.
            self._account.note(position, f"a block opens with a length of {length} bytes and closes with {closing}", "closing length")
        return int(length)

    def _read_block(self, section: _Section, position: int, length: int) -> _Numbered | None:
        kind = section.head.unpack_from(self.buffer, position)[0]
        if kind == INTERFACE:
            self._add_interface(section, position, length)
            return None
        if kind == ENHANCED_PACKET:
            return self._enhanced(section, position, length)
        if kind == SIMPLE_PACKET:
            return self._simple(section, position, length)
        return self._old(section, position, length) if kind == OLD_PACKET else None

    def _add_interface(self, section: _Section, position: int, length: int) -> None:
        if length < 20:
            self._account.lose(position, "an interface block too short to name its link type", "interface")
            # It keeps its number: packets count interfaces by the order of their blocks (4.2).
            section.interfaces.append(Interface(-1, 0, 1_000_000, 0))
            return
        link_type, _, snap_length = struct.unpack_from(section.byte_order + "HHI", self.buffer, position + 8)
        per_second, offset = 1_000_000, 0
        for code, start, end in self._options(section, position + 16, position + length - 4):
            if code == _OPTION_TIME_RESOLUTION and end > start:
                exponent = self.buffer[start]
                per_second = 1 << (exponent & 0x7F) if exponent & 0x80 else 10**exponent
            elif code == _OPTION_TIME_OFFSET and end - start == 8:
                offset = struct.unpack_from(section.byte_order + "q", self.buffer, start)[0] * _NANOSECONDS
        section.interfaces.append(Interface(link_type, snap_length, per_second, offset))

    def _options(self, section: _Section, position: int, end: int) -> Iterator[tuple[int, int, int]]:
        """Yield code, start and end of each option value that is whole (3.5)."""
        for _ in range(_OPTIONS_READ):
            if position + 4 > end:
                return
            code, length = struct.unpack_from(section.byte_order + "HH", self.buffer, position)
            start = position + 4
            if code == 0:
                return
            if start + length > end:
                self._account.note(position, f"option {code} runs past its block", "option")
                return
            yield code, start, start + length
            position = start + (length + 3 & ~3)

    def _interface(self, section: _Section, number: int, position: int) -> Interface | None:
        if number < len(section.interfaces):
            return section.interfaces[number]
        self._account.lose(position, f"a packet of interface {number}, which no block describes", "packet interface")
        return None

    def _enhanced(self, section: _Section, position: int, length: int) -> _Numbered | None:
        if length < 32:
            self._account.lose(position, "a packet block too short for its fields", "packet block")
            return None
        number, high, low, captured, original = struct.unpack_from(section.byte_order + "5I", self.buffer, position + 8)
        return self._timed(section, position, length, (number, high, low, captured, original))

    def _old(self, section: _Section, position: int, length: int) -> _Numbered | None:
        if length < 32:
            self._account.lose(position, "a packet block too short for its fields", "packet block")
            return None
        # Interface and count of drops share the first word (appendix A).
        number, _, high, low, captured, original = struct.unpack_from(section.byte_order + "HH4I", self.buffer, position + 8)
        return self._timed(section, position, length, (number, high, low, captured, original))

    def _timed(self, section: _Section, position: int, length: int, fields: tuple[int, int, int, int, int]) -> _Numbered | None:
        number, high, low, captured, original = fields
        interface = self._interface(section, number, position)
        if interface is None:
            return None
        if captured > length - 32:
            self._account.lose(position, f"a packet claims {captured} bytes in a block that holds {length - 32}", "packet length")
            return None
        self._clock = (high << 32 | low) * _NANOSECONDS // interface.per_second + interface.offset
        return self._clock, interface.link_type, position + 28, captured, original

    def _simple(self, section: _Section, position: int, length: int) -> _Numbered | None:
        if length < 16:
            self._account.lose(position, "a packet block too short for its fields", "packet block")
            return None
        interface = self._interface(section, 0, position)
        if interface is None:
            return None
        original: int = struct.unpack_from(section.byte_order + "I", self.buffer, position + 8)[0]
        # The captured length is not written: it is the smallest of these (4.4). Nor is a time: the last one seen stands.
        captured = min(original, interface.snap_length or original, length - 16)
        return self._clock, interface.link_type, position + 12, captured, original


def open_pcapng(buffer: Buffer) -> PcapngReader | Unparseable:
    """Return a reader for a buffer that begins with a pcapng section header, or why there is none."""
    if bytes(buffer[:4]) != b"\x0a\x0d\x0d\x0a":
        return Unparseable("no pcapng section header at byte 0")
    if len(buffer) < _SMALLEST_BLOCK:
        return Unparseable(f"the pcapng section header is cut: {len(buffer)} bytes")
    if bytes(buffer[8:12]) not in _BYTE_ORDER_MAGICS:
        return Unparseable("a section header without byte-order magic, so not pcapng")
    return PcapngReader(buffer)
