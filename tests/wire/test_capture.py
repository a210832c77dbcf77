"""Captures by their magic; every real capture against its label; real captures cut at seeded places."""

import mmap
import random
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.wire.buffer import Buffer
from crenel.wire.capture import is_gzip, iter_records, open_capture
from crenel.wire.pcap import PcapReader
from crenel.wire.pcapng import PcapngReader
from crenel.wire.result import Unparseable
from tests.wire.captures import enhanced, interface, inventory, pcap, real_capture, real_captures, section, walk


def test_the_magic_decides() -> None:
    assert isinstance(open_capture(pcap()), PcapReader)
    assert isinstance(open_capture(section()), PcapngReader)


@pytest.mark.parametrize(
    ("buffer", "word"),
    [
        (b"", "empty"),
        (b"\xd4", "begins with d4"),
        (b"\xd4\xc3\xb2\xa1\x02", "cut"),
        (b"\x0a\x0d\x0d\x0a", "cut"),
        (section()[:8] + b"\0\0\0\0" + section()[12:], "byte-order"),
        (b"\x1f\x8b\x08\0" + bytes(40), "gzip"),
        (b"GET / HTTP/1.1\r\n" * 3, "47 45 54 20"),
    ],
)
def test_what_is_no_capture_says_why(buffer: bytes, word: str) -> None:
    answer = open_capture(buffer)
    assert isinstance(answer, Unparseable)
    assert word in answer.because
    assert iter_records(buffer) == answer


def test_gzip_is_told_by_its_magic() -> None:
    assert is_gzip(b"\x1f\x8b\x08")
    assert not is_gzip(b"\x1f")
    assert not is_gzip(pcap())


def test_every_kind_of_buffer(tmp_path: Path) -> None:
    for capture in (pcap(), section() + interface() + enhanced(b"abc")):
        path = tmp_path / "capture"
        path.write_bytes(capture)
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            expected = walk(capture)
            kinds: list[Buffer] = [bytearray(capture), memoryview(capture), mapped]
            assert all(walk(kind) == expected for kind in kinds)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_capture_or_not(buffer: bytes) -> None:
    answer = iter_records(buffer)
    assert isinstance(answer, Unparseable) or isinstance(list(answer), list)


def test_number_of_packets_of_every_real_capture() -> None:
    differing = []
    for row, content in real_captures():
        found = len(walk(content)[0])
        if found != int(row["packets"]):
            differing.append(f"{row['data_path']}: {found} packets, the label says {row['packets']}")
    assert not differing


def test_damage_of_the_real_captures() -> None:
    damaged = {Path(row["data_path"]).name: [(d.offset, d.loses) for d in walk(content)[1]] for row, content in real_captures() if walk(content)[1]}
    assert damaged == {
        "fuzz-2021-10-13.pcap": [(16, False), (237, True)],
        "pcap-invalid-version-1.pcap": [(4, False)],
        "pcap-invalid-version-2.pcap": [(4, False)],
        "pcapng-invalid-vers-1.pcapng": [(12, False)],
        "shb-option-too-long.pcapng": [(0, False)],
        "pcapgo__tests__le__test901.pcapng": [(492, False)],
    }


def pieces(capture: bytes) -> list[tuple[int, int, bool]]:
    """Return start, end and "is a packet" of each record or block, found without the readers under test."""
    found = []
    if capture[:4] == b"\x0a\x0d\x0d\x0a":
        position, order = 0, "<"
        while position < len(capture):
            if capture[position : position + 4] == b"\x0a\x0d\x0d\x0a":
                order = "<" if capture[position + 8] == 0x4D else ">"
            kind, length = struct.unpack_from(order + "II", capture, position)
            found.append((position, position + length, kind in (2, 3, 6)))
            position += length
        return found
    order = "<" if capture[3] == 0xA1 else ">"
    swapped = struct.unpack_from(order + "H", capture, 6)[0] < 3
    position = 24
    while position + 16 <= len(capture):
        length = struct.unpack_from(order + "I", capture, position + (12 if swapped else 8))[0]
        found.append((position, position + 16 + length, True))
        position += 16 + length
    return found


def test_200_real_captures_cut_at_5_places_each() -> None:
    rows = [row for row in inventory() if int(row["packets"]) > 1 and "invalid" not in row["data_path"] and "too-long" not in row["data_path"]]
    chance = random.Random(20)
    for row in chance.sample(rows, 200):
        capture = real_capture(row)
        spans = pieces(capture)
        for _ in range(5):
            start, end, _ = chance.choice(spans)
            cut = chance.randrange(start + 1, end)
            if cut < 12:
                continue
            records, damage = walk(capture[:cut])
            assert len(records) == sum(packet for _, over, packet in spans if over <= cut), (row["data_path"], cut)
            assert [(d.offset, d.loses) for d in damage if d.loses] == [(start, True)], (row["data_path"], cut)
