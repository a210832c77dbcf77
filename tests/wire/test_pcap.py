"""Classic pcap: byte orders, units, old layouts, and what a damaged capture still gives."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.wire.pcap import LARGEST_PACKET, PcapReader, open_pcap
from crenel.wire.result import Unparseable
from tests.wire.captures import FRAMES, frames, pcap, walk

SECOND = 1_000_000_000


def opened(capture: bytes) -> PcapReader:
    reader = open_pcap(capture)
    assert isinstance(reader, PcapReader)
    return reader


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("magic", "unit"), [(0xA1B2C3D4, 1000), (0xA1B23C4D, 1), (0xA1B2CD34, 1000)])
def test_byte_orders_units_and_record_layouts(order: str, magic: int, unit: int) -> None:
    capture = pcap(order=order, magic=magic)
    records, damage = walk(capture)
    assert frames(capture) == list(FRAMES)
    assert [(number, time, link) for number, time, link, *_ in records] == [(i, i * SECOND + i * unit, 1) for i in (1, 2, 3, 4)]
    assert [(captured, original) for *_, captured, original in records] == [(len(f), len(f) + 9) for f in FRAMES]
    assert not damage
    reader = opened(capture)
    assert (reader.byte_order, reader.nanosecond, reader.plain) == (order, unit == 1, magic != 0xA1B2CD34)


@pytest.mark.parametrize("version", [(2, 0), (2, 1), (2, 2), (2, 3), (2, 4)])
def test_lengths_stood_the_other_way_round_before_version_2_3(version: tuple[int, int]) -> None:
    capture = pcap(version=version)
    assert frames(capture) == list(FRAMES)
    assert not walk(capture)[1]


def test_version_2_3_is_read_by_whichever_length_is_smaller() -> None:
    body = b"abc"
    swapped = struct.pack("<IIII", 1, 1, 12, 3) + body
    assert frames(pcap((), version=(2, 3)) + swapped) == [body]


@pytest.mark.parametrize("version", [(1, 4), (2, 5), (3, 0), (0, 0)])
def test_unknown_version_is_read_as_2_4_and_noted(version: tuple[int, int]) -> None:
    capture = pcap(version=(2, 4))
    capture = capture[:4] + struct.pack("<HH", *version) + capture[8:]
    assert frames(capture) == list(FRAMES)
    (damage,) = walk(capture)[1]
    assert (damage.offset, damage.loses) == (4, False)
    assert f"{version[0]}.{version[1]}" in damage.because


@pytest.mark.parametrize(("snap", "noted"), [(0, True), (1, False), (65535, False), (0x7FFFFFFF, False), (0x80000000, True), (0xFFFFFFFF, True)])
def test_absurd_snap_length_is_noted_and_loses_nothing(snap: int, noted: bool) -> None:
    records, damage = walk(pcap(snap=snap))
    assert len(records) == len(FRAMES)
    assert [(d.offset, d.loses) for d in damage] == ([(16, False)] if noted else [])


def test_frame_check_sequence_bits_are_no_part_of_the_link_type() -> None:
    capture = bytearray(pcap())
    capture[20:24] = struct.pack("<I", 0x44000071)
    assert opened(bytes(capture)).link_type == 0x71


def test_record_longer_than_any_packet_ends_the_walk() -> None:
    huge = struct.pack("<IIII", 5, 0, LARGEST_PACKET + 1, LARGEST_PACKET + 1) + bytes(LARGEST_PACKET + 1)
    records, (damage,) = walk(pcap() + huge)
    assert len(records) == 4
    assert (damage.offset, damage.loses) == (len(pcap()), True)
    assert len(walk(pcap(snap=1 << 20) + huge)[0]) == 5  # where the file announces such packets


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("magic", [0xA1B2C3D4, 0xA1B2CD34])
def test_cut_anywhere_gives_the_packets_before_the_cut(order: str, magic: int) -> None:
    capture = pcap(order=order, magic=magic)
    ends = [24]
    for frame in FRAMES:
        ends.append(ends[-1] + (24 if magic == 0xA1B2CD34 else 16) + len(frame))
    for cut in range(24, len(capture)):
        records, damage = walk(capture[:cut])
        assert len(records) == sum(end <= cut for end in ends[1:])
        assert [(d.offset, d.loses) for d in damage] == ([] if cut in ends else [(max(end for end in ends if end < cut), True)])


@pytest.mark.parametrize("length", range(24))
def test_file_header_cut(length: int) -> None:
    assert isinstance(open_pcap(pcap()[:length]), Unparseable)


def test_a_walk_may_be_continued_from_any_record() -> None:
    capture = pcap()
    reader = opened(capture)
    whole = list(reader.records())
    following = reader.first_record + 16 + len(FRAMES[0])
    assert list(reader.records(following, 1)) == whole[1:]


def test_layout_for_consumers_that_index_the_buffer() -> None:
    capture = pcap(order=">")
    reader = opened(capture)
    seconds, fraction, captured, original = reader.record_header.unpack_from(capture, reader.first_record)
    assert (seconds, fraction, captured, original) == (1, 1, 0, 9)


@given(st.binary(max_size=300), st.sampled_from(["<", ">"]), st.sampled_from([0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34]))
def test_any_bytes_after_the_magic_give_records_inside_the_buffer(tail: bytes, order: str, magic: int) -> None:
    capture = struct.pack(order + "I", magic) + tail
    reader = open_pcap(capture)
    if isinstance(reader, Unparseable):
        assert len(capture) < 24
        return
    position = 24
    for number, (got, time, _, offset, captured, _) in enumerate(reader.records(), 1):
        assert got == number
        assert time >= 0
        assert offset >= position + 16
        assert captured >= 0
        position = offset + captured
        assert position <= len(capture)
    assert bool([d for d in reader.damage if d.loses]) == (position < len(capture))
