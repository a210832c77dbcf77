"""A payload in, the counts by which fully encrypted traffic is told from other: set bits and printable bytes, in integers.

Printable is 0x20 to 0x7e. No threshold stands here: a limit is always an argument.
"""

import re
from typing import Final

import msgspec

PRINTABLE: Final = bytes(range(0x20, 0x7F))

_LEADING = re.compile(rb"[ -~]*+")
_MARKS: Final = bytes(0x20 <= byte < 0x7F for byte in range(256))
_LONG: Final = b"\x01" * 32


class ByteStats(msgspec.Struct, frozen=True, gc=False):
    """All the counts of one payload."""

    length: int
    set_bits: int
    """How many bits are 1; 8 times `length` are there."""
    leading_printable: int
    printable: int
    longest_run: int
    """Of consecutive printable bytes."""


def set_bits(payload: bytes) -> int:
    """Count the bits that are 1."""
    return int.from_bytes(payload, "little").bit_count()


def leading_printable(payload: bytes) -> int:
    """Count the printable bytes before the first that is not."""
    found = _LEADING.match(payload)
    return 0 if found is None else found.end()


def printable(payload: bytes) -> int:
    """Count the printable bytes."""
    # Summed as bits, which takes the same time for any bytes; deleting or counting them one by one is slow where they come by chance.
    return int.from_bytes(payload.translate(_MARKS), "little").bit_count()


def has_printable_run(payload: bytes, length: int) -> bool:
    """Say whether `length` or more printable bytes stand together; true for a length of 0."""
    return b"\x01" * length in payload.translate(_MARKS)


def longest_printable_run(payload: bytes) -> int:
    """Return the length of the longest run of printable bytes."""
    # Payloads that matter are near random, with short runs: searching for a run of given length is ten times as fast as listing all.
    marks = payload.translate(_MARKS)
    if _LONG in marks:
        return max(map(len, marks.split(b"\x00")))
    low, high = 0, len(_LONG)
    while high - low > 1:
        middle = (low + high) // 2
        if _LONG[:middle] in marks:
            low = middle
        else:
            high = middle
    return low


def byte_stats(payload: bytes) -> ByteStats:
    """Return all the counts."""
    return ByteStats(len(payload), set_bits(payload), leading_printable(payload), printable(payload), longest_printable_run(payload))
