"""Pcapng: sections, interfaces, the three kinds of packet blocks, clocks, and what hostile blocks do not achieve."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.wire.pcapng import PcapngReader, open_pcapng
from crenel.wire.result import Unparseable
from tests.wire.captures import block, enhanced, frames, interface, option, section, walk

SECOND = 1_000_000_000


@pytest.mark.parametrize("order", ["<", ">"])
def test_all_kinds_of_packet_blocks(order: str) -> None:
    old = block(2, struct.pack(order + "HHIIII", 0, 7, 0, 5_000_000, 3, 12) + b"old", order)
    simple = block(3, struct.pack(order + "I", 6) + b"simple", order)
    capture = section(order) + interface(order=order) + enhanced(b"one", 4_000_000, order=order) + old + simple + block(0xBAD, b"skipped", order)
    records, damage = walk(capture)
    assert frames(capture) == [b"one", b"old", b"simple"]
    # A simple block has no time; the last one stands.
    assert [(number, time, original) for number, time, _, _, _, original in records] == [(1, 4 * SECOND, 12), (2, 5 * SECOND, 12), (3, 5 * SECOND, 6)]
    assert not damage


def test_sections_of_both_byte_orders_have_interfaces_of_their_own() -> None:
    first = section("<") + interface(1) + interface(101) + enhanced(b"a", number=0) + enhanced(b"b", number=1)
    second = section(">") + interface(113, order=">") + enhanced(b"c", order=">")
    assert [link for _, _, link, *_ in walk(first + second)[0]] == [1, 101, 113]


@pytest.mark.parametrize(
    ("resolution", "ticks", "expected"),
    [
        (None, 1_500_000, 1_500_000_000),
        (b"\x00", 3, 3 * SECOND),
        (b"\x03", 1_500, 1_500_000_000),
        (b"\x06", 1_500_000, 1_500_000_000),
        (b"\x09", 1_500_000_001, 1_500_000_001),
        (b"\x0c", 1_500_000_000_999, 1_500_000_000),
        (b"\x81", 3, 1_500_000_000),
        (b"\xa0", 3 << 31, 1_500_000_000),
        (b"\x7f", 1, 0),
        (b"\xff", 1, 0),
        (b"", 1_500_000, 1_500_000_000),
    ],
)
def test_time_resolution(resolution: bytes | None, ticks: int, expected: int) -> None:
    options = b"" if resolution is None else option(9, resolution) + bytes(4)
    ((_, time, *_),), damage = walk(section() + interface(options=options) + enhanced(b"x", ticks))
    assert (time, damage) == (expected, [])


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("shift", [0, 1_600_000_000, -5])
def test_time_offset_is_added(order: str, shift: int) -> None:
    options = option(9, b"\x09", order) + option(14, struct.pack(order + "q", shift), order)
    ((_, time, *_),), _ = walk(section(order) + interface(order=order, options=options) + enhanced(b"x", 7, order=order))
    assert time == shift * SECOND + 7


@pytest.mark.parametrize(("snap", "original", "expected"), [(0, 5, b"12345"), (3, 5, b"123"), (0, 500, b"12345678"), (500, 2, b"12")])
def test_length_of_a_simple_packet(snap: int, original: int, expected: bytes) -> None:
    assert frames(section() + interface(snap=snap) + block(3, struct.pack("<I", original) + b"12345678")) == [expected]


@pytest.mark.parametrize(("version", "noted"), [((1, 0), False), ((1, 2), False), ((0, 1), True), ((2, 0), True), ((1, 1), True)])
def test_unknown_version_is_read_as_1_0_and_noted(version: tuple[int, int], noted: bool) -> None:
    records, damage = walk(section(version=version) + interface() + enhanced(b"x"))
    assert len(records) == 1
    assert [(d.offset, d.loses) for d in damage] == ([(12, False)] if noted else [])


def test_options_of_packets_are_passed_over() -> None:
    capture = section() + interface() + enhanced(b"x", options=option(1, b"a comment") + bytes(4)) + enhanced(b"y")
    assert frames(capture) == [b"x", b"y"]


GOOD = section() + interface() + enhanced(b"good")


@pytest.mark.parametrize(
    "bad",
    [
        block(6, struct.pack("<IIIII", 0, 0, 0, 400, 400) + b"lies"),
        block(6, struct.pack("<IIIII", 7, 0, 0, 0, 0)),
        block(6, b"short"),
        block(2, b"short"),
        block(2, struct.pack("<HHIIII", 9, 0, 0, 0, 0, 0)),
        block(3, b""),
        section() + block(3, struct.pack("<I", 1) + b"x") + interface(),
        section() + block(1, b"") + interface(),
    ],
)
def test_a_bad_block_is_accounted_for_and_passed_over(bad: bytes) -> None:
    records, damage = walk(GOOD + bad + enhanced(b"after"))
    assert len(records) == 2
    assert [d.loses for d in damage] == [True]
    assert len(GOOD) <= damage[0].offset < len(GOOD + bad)


@pytest.mark.parametrize("length", [0, 4, 8, 11, 13, 0xFFFFFFFF, 0x80000000])
def test_an_impossible_block_length_ends_the_walk(length: int) -> None:
    bad = struct.pack("<II", 6, length) + bytes(24)
    records, damage = walk(GOOD + bad)
    assert len(records) == 1
    assert [(d.offset, d.loses) for d in damage] == [(len(GOOD), True)]


def test_the_opening_length_leads_on_where_the_closing_one_differs() -> None:
    odd = bytearray(enhanced(b"odd"))
    odd[-4:] = b"0000"
    records, damage = walk(GOOD + bytes(odd) + enhanced(b"after"))
    assert len(records) == 3
    assert [(d.offset, d.loses) for d in damage] == [(len(GOOD), False)]


def test_options_that_run_past_their_block_end_the_options() -> None:
    capture = section() + interface(options=struct.pack("<HH", 9, 400)) + enhanced(b"x", 1)
    records, damage = walk(capture)
    assert [time for _, time, *_ in records] == [1000]
    assert [d.loses for d in damage] == [False]


def test_a_million_bad_blocks_make_a_short_account() -> None:
    records, damage = walk(GOOD + block(6, b"") * 10_000)
    assert len(records) == 1
    assert [d.times for d in damage] == [10_000]


def test_cut_anywhere_gives_the_packets_before_the_cut() -> None:
    blocks = [section(), interface(), enhanced(b"one"), enhanced(b"", options=option(1, b"x")), block(5, b"statistics"), section(">")]
    blocks += [interface(order=">"), enhanced(b"last", order=">")]
    capture, ends, packets = b"".join(blocks), [0], [False, False, True, True, False, False, False, True]
    for piece in blocks:
        ends.append(ends[-1] + len(piece))
    for cut in range(12, len(capture)):
        records, damage = walk(capture[:cut])
        assert len(records) == sum(packet for packet, end in zip(packets, ends[1:], strict=True) if end <= cut)
        assert [(d.offset, d.loses) for d in damage] == ([] if cut in ends else [(max(end for end in ends if end < cut), True)])


def test_a_second_walk_gives_the_same() -> None:
    reader = open_pcapng(GOOD + block(6, b"") + enhanced(b"x"))
    assert isinstance(reader, PcapngReader)
    first, damage = list(reader.records()), reader.damage
    assert (list(reader.records()), reader.damage) == (first, damage)


def test_no_section_header() -> None:
    assert isinstance(open_pcapng(interface()), Unparseable)


@st.composite
def hostile(draw: st.DrawFn) -> bytes:
    """Blocks of every kind in any order, some with their bytes changed."""
    order = draw(st.sampled_from(["<", ">"]))
    body = st.binary(max_size=40)
    kinds = st.sampled_from([1, 2, 3, 5, 6, 0x0A0D0D0A])
    blocks = draw(
        st.lists(st.one_of(st.builds(block, kinds, body, st.just(order)), st.just(interface(order=order)), st.just(enhanced(b"abcde", order=order))))
    )
    capture = bytearray(section(order) + b"".join(blocks))
    for at, value in draw(st.lists(st.tuples(st.integers(12, len(capture) - 1), st.integers(0, 255)), max_size=6)):
        capture[at] = value
    return bytes(capture)


@given(hostile())
def test_any_blocks_give_records_inside_the_buffer(capture: bytes) -> None:
    reader = open_pcapng(capture)
    assert isinstance(reader, PcapngReader)
    position = 0
    for number, (got, _, _, offset, captured, _) in enumerate(reader.records(), 1):
        assert got == number
        assert offset > position
        assert captured >= 0
        position = offset + captured
        assert position <= len(capture)
