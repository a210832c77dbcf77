"""Packets with times and comments in, the blocks of a pcapng capture out; the same packets always give the same bytes."""

import struct
from collections.abc import Iterable, Iterator

RAW_IP = 101
"""The link type of bare IPv4 and IPv6 packets."""

_SECTION_HEADER, _INTERFACE, _ENHANCED_PACKET = 0x0A0D0D0A, 1, 6
_BYTE_ORDER_MAGIC = 0x1A2B3C4D
_UNKNOWN_LENGTH = 0xFFFF_FFFF_FFFF_FFFF
_COMMENT, _NAME, _TIME_RESOLUTION = 1, 2, 9
_NANOSECONDS = b"\x09"
_LONGEST_OPTION = 0xFFFC
"""The longest option value that is a whole number of words."""


def section_header() -> bytes:
    """Return the block that begins a capture; little-endian, of unknown length, naming neither machine nor program."""
    return _block(_SECTION_HEADER, struct.pack("<IHHQ", _BYTE_ORDER_MAGIC, 1, 0, _UNKNOWN_LENGTH))


def interface(link_type: int = RAW_IP, name: str = "") -> bytes:
    """Return the block that describes the next interface, counted from 0: whole packets, times in nanoseconds."""
    options = [(_TIME_RESOLUTION, _NANOSECONDS)]
    if name:
        options.insert(0, (_NAME, _text(name)))
    return _block(_INTERFACE, struct.pack("<HHI", link_type, 0, 0) + _options(options))


def packet_block(time_ns: int, frame: bytes, comment: str | None = None, *, interface_id: int = 0) -> bytes:
    """Return the block of one packet captured `time_ns` nanoseconds after 1970, with a comment for whoever opens the capture.

    Raises ValueError for a time before 1970 or beyond what 64 bits hold.
    """
    if not 0 <= time_ns < 1 << 64:
        raise ValueError(f"no pcapng capture can hold the time {time_ns}")
    head = struct.pack("<IIIII", interface_id, time_ns >> 32, time_ns & 0xFFFF_FFFF, len(frame), len(frame))
    return _block(_ENHANCED_PACKET, head + _padded(frame) + (_options([(_COMMENT, _text(comment))]) if comment else b""))


def write_pcapng(packets: Iterable[tuple[int, bytes, str | None]], link_type: int = RAW_IP) -> Iterator[bytes]:
    """Yield a whole capture in pieces: for each packet its time in nanoseconds since 1970, its bytes, and a comment or None."""
    yield section_header()
    yield interface(link_type)
    for time_ns, frame, comment in packets:
        yield packet_block(time_ns, frame, comment)


def _text(words: str) -> bytes:
    """Return UTF-8, cut at a character where it is longer than an option can be; a lone surrogate becomes a question mark."""
    return words.encode("utf-8", "replace")[:_LONGEST_OPTION].decode("utf-8", "ignore").encode()


def _options(options: list[tuple[int, bytes]]) -> bytes:
    return b"".join(struct.pack("<HH", code, len(value)) + _padded(value) for code, value in options) + bytes(4)


def _padded(value: bytes) -> bytes:
    return value + bytes(-len(value) % 4)


def _block(kind: int, body: bytes) -> bytes:
    length = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + length + body + length
