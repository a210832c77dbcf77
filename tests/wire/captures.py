"""Captures for tests: small ones written from scratch, and the real ones with their labels."""

import csv
import gzip
import struct
from collections.abc import Iterator
from functools import cache

from crenel.wire.buffer import Buffer
from crenel.wire.capture import is_gzip, open_capture
from crenel.wire.damage import Damage
from crenel.wire.pcap import Record
from crenel.wire.result import Unparseable
from tests.data import DATA, data_path

FRAMES = (b"", b"\x01", b"second frame", bytes(range(60)))


def pcap(
    frames: tuple[bytes, ...] = FRAMES, order: str = "<", magic: int = 0xA1B2C3D4, version: tuple[int, int] = (2, 4), snap: int = 65535
) -> bytes:
    """Return a pcap capture; frame number i is stamped i seconds and i units."""
    head = struct.pack(order + "IHHIIII", magic, *version, 0, 0, snap, 1)
    swapped = version < (2, 3)
    extra = bytes(8) if magic == 0xA1B2CD34 else b""
    records = []
    for number, frame in enumerate(frames, 1):
        lengths = (len(frame) + 9, len(frame)) if swapped else (len(frame), len(frame) + 9)
        records.append(struct.pack(order + "IIII", number, number, *lengths) + extra + frame)
    return head + b"".join(records)


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    """Return a pcapng block."""
    body += bytes(-len(body) % 4)
    length = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + length + body + length


def section(order: str = "<", version: tuple[int, int] = (1, 0)) -> bytes:
    """Return a section header."""
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, *version, -1), order)


def interface(link_type: int = 1, snap: int = 0, order: str = "<", options: bytes = b"") -> bytes:
    """Return an interface block."""
    return block(1, struct.pack(order + "HHI", link_type, 0, snap) + options, order)


def option(code: int, value: bytes, order: str = "<") -> bytes:
    """Return one option."""
    return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


def enhanced(frame: bytes, ticks: int = 0, number: int = 0, order: str = "<", options: bytes = b"") -> bytes:
    """Return an enhanced packet block."""
    head = struct.pack(order + "IIIII", number, ticks >> 32, ticks & 0xFFFFFFFF, len(frame), len(frame) + 9)
    return block(6, head + frame + bytes(-len(frame) % 4) + options, order)


def walk(buffer: Buffer) -> tuple[list[Record], list[Damage]]:
    """Return all records of a capture and its damage."""
    reader = open_capture(buffer)
    assert not isinstance(reader, Unparseable), reader
    records = list(reader.records())
    return records, reader.damage


def frames(buffer: Buffer) -> list[bytes]:
    """Return all captured frames."""
    return [bytes(buffer[offset : offset + captured]) for _, _, _, offset, captured, _ in walk(buffer)[0]]


@cache
def inventory() -> list[dict[str, str]]:
    """Return the labels of all real captures, or skip the calling test."""
    with data_path("labels/pcap_inventory.csv").open(newline="", encoding="utf-8") as labels:
        return list(csv.DictReader(labels))


def real_capture(row: dict[str, str]) -> bytes:
    """Return the bytes of a labelled capture, unpacked."""
    content = (DATA / row["data_path"]).read_bytes()
    return gzip.decompress(content) if is_gzip(content) else content


def real_captures() -> Iterator[tuple[dict[str, str], bytes]]:
    """Yield the labels and bytes of every real capture."""
    for row in inventory():
        yield row, real_capture(row)
