"""What a box holds of one connection: sequence numbers and rows' deeds in, its state and what the client may acknowledge out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.flow.overlap import Overlap
from crenel.flow.reassembly import Stream, StreamLimits
from crenel.wall.lanes import Lane, LaneSet
from crenel.wall.strand import ALL_CLASSES, Strand, diff
from crenel.wall.tcb import NONE, OFF, OPEN, OPENING, RESYNC
from crenel.wall.wall import Limits, Wall
from tests.wall.making import PLAIN, compiled, made_box

WHOLE = 1 << 32
SEQUENCE = st.integers(0, WHOLE - 1)


def lanes(count: int = 2) -> LaneSet:
    """Return lanes of boxes whose readers are asked apart, as a coin of each decides how it reads."""
    boxes = [made_box(f"b{number}", index=number, tcb=compiled(*PLAIN), joins=0.5) for number in range(count)]
    wall = Wall("made", "made", boxes, limits=Limits(flows=9, residual_entries=9, stream_bytes=99), utc_offset=0, hour=None)
    watch = wall.watch(6, 4, 80, inside=True, above=True)
    assert watch.lanes is not None
    return watch.lanes


def opened(isn: int = 1000) -> Strand:
    strand = Strand(lanes())
    strand.open(0, isn, (isn + 1) % WHOLE)
    return strand


@pytest.mark.parametrize(
    ("a", "b", "between"),
    [
        (0, 0, 0), (5, 3, 2), (3, 5, -2), (0, WHOLE - 1, 1), (WHOLE - 1, 0, -1), (1 << 31, 0, -(1 << 31)), ((1 << 31) - 1, 0, (1 << 31) - 1),
        (0, 1 << 31, -(1 << 31)),
    ],
)
def test_differences_wrap(a: int, b: int, between: int) -> None:
    assert diff(a, b) == between


@given(a=SEQUENCE, by=st.integers(-(1 << 31), (1 << 31) - 1))
def test_a_difference_leads_back(a: int, by: int) -> None:
    assert diff((a + by) % WHOLE, a) == by


def test_a_strand_begins_with_nothing() -> None:
    strand = Strand(lanes())
    assert (strand.state, strand.live, strand.server_next, strand.buffer, strand.late) == (NONE, 0, -1, b"", None)


def test_opening_wakes_the_readers_and_forgets_what_was() -> None:
    strand = opened()
    strand.buffer, strand.base, strand.ends, strand.served, strand.syn_acks, strand.server_next = b"abc", 70, [3], True, 2, 9
    strand.wait(3, "cause")
    strand.taken, strand.begun, strand.odd = {0: 2}, True, True
    strand.late = Stream(0, StreamLimits(), Overlap.BSD)
    strand.open(1, 7, 8)
    assert (strand.client, strand.isn, strand.expected, strand.state) == (1, 7, 8, OPENING)
    forgotten: tuple[object, ...] = (strand.buffer, strand.base, strand.ends, strand.taken, strand.late, strand.begun, strand.odd)
    assert forgotten == (b"", 0, [], None, None, False, False)
    assert (strand.served, strand.syn_acks, strand.server_next, strand.targets, strand.cause) == (False, 0, -1, 0, None)
    assert strand.live == strand.lanes.readers == 3


@pytest.mark.parametrize(("seq", "odd"), [(1001, False), (1000, True), (1002, True)])
def test_a_handshake_is_odd_where_its_number_is_not_the_expected_one(seq: int, odd: bool) -> None:
    strand = opened()
    strand.complete(seq)
    assert (strand.state, strand.odd) == (OPEN, odd)


def test_waiting_keeps_what_was_read_and_says_for_what() -> None:
    strand = opened()
    strand.buffer = b"abc"
    strand.wait(5, "cause")
    assert (strand.state, strand.targets, strand.cause, strand.buffer) == (RESYNC, 5, "cause", b"abc")


@pytest.mark.parametrize(("to", "expected"), [(7, 7), (WHOLE, 0), (WHOLE + 3, 3), (-1, WHOLE - 1)])
def test_to_resynchronise_is_to_forget_the_bytes_but_not_the_place(to: int, expected: int) -> None:
    strand = opened()
    strand.buffer, strand.base, strand.ends, strand.odd, strand.begun, strand.live, strand.served = b"abc", 10, [1, 3], True, True, 0, True
    strand.server_next = 77
    strand.sync(to)
    assert (strand.state, strand.expected, strand.buffer, strand.base, strand.ends) == (OPEN, expected, b"", 13, [])
    assert (strand.odd, strand.begun, strand.live) == (False, False, strand.lanes.readers)
    assert (strand.served, strand.server_next) == (True, 77)


@pytest.mark.parametrize("served", [False, True])
def test_nothing_is_odd_while_nothing_is_known_of_the_server(served: bool) -> None:
    strand = opened()
    strand.served = served
    assert not any(strand.ack_is_odd(ack) for ack in (0, 1, 5001, WHOLE - 1))


@pytest.mark.parametrize(
    ("served", "ack", "odd"),
    [
        (False, 5001, False), (False, 5000, True), (False, 5002, True), (True, 5001, False), (True, 5000, True), (True, 5002, False),
        (True, 9000, False), (True, 5001 + (1 << 31) - 1, False), (True, (5001 + (1 << 31)) % WHOLE, True),
    ],
)
def test_before_the_server_spoke_one_number_is_right_and_then_any_later(served: bool, ack: int, odd: bool) -> None:
    strand = opened()
    strand.server_next, strand.served = 5001, served
    assert strand.ack_is_odd(ack) is odd


def test_what_comes_after_the_highest_number_is_later() -> None:
    strand = opened()
    strand.server_next, strand.served = WHOLE - 1, True
    assert [strand.ack_is_odd(ack) for ack in (WHOLE - 2, WHOLE - 1, 0, 5)] == [True, False, False, False]


def filled() -> Strand:
    strand = opened()
    strand.complete(5)
    strand.buffer, strand.base, strand.ends, strand.taken, strand.begun = b"abcdef", 4, [2, 6], {0: 6}, True
    strand.server_next, strand.served, strand.syn_acks, strand.targets, strand.cause = 5001, True, 2, 6, "cause"
    strand.late = Stream(1001, StreamLimits(), Overlap.BSD)
    strand.late.add(1010, b"later")
    return strand


PLAIN_FIELDS = (
    "state", "client", "isn", "expected", "server_next", "served", "odd", "targets", "cause", "syn_acks", "live", "begun", "buffer", "base", "ends",
    "taken",
)


def test_a_copy_has_all_of_it() -> None:
    strand = filled()
    copy = strand.copy(strand.lanes)
    assert set(PLAIN_FIELDS) | {"lanes", "late", "mask"} == set(Strand.__slots__)
    assert [getattr(copy, name) for name in PLAIN_FIELDS] == [getattr(strand, name) for name in PLAIN_FIELDS]
    assert copy.mask == ALL_CLASSES, "what matters to fewer boxes has to be worked out again"
    assert copy.late is not None
    assert strand.late is not None
    assert copy.late.add(1001, b"123456789") == strand.late.add(1001, b"123456789") == b"123456789later"


def test_what_happens_to_a_copy_does_not_happen_to_the_other() -> None:
    strand = filled()
    before = [getattr(strand, name) if not isinstance(getattr(strand, name), list | dict) else type(getattr(strand, name))(getattr(strand, name))
              for name in PLAIN_FIELDS]
    copy = strand.copy(strand.lanes)
    copy.ends.append(9)
    assert copy.taken is not None
    assert copy.late is not None
    copy.taken[0] = 99
    copy.late.add(1001, b"123456789")
    copy.buffer += b"x"
    copy.open(1, 0, 0)
    copy.state = OFF
    assert [getattr(strand, name) for name in PLAIN_FIELDS] == before
    assert strand.late is not None
    assert strand.late.next_seq == 1001


def test_a_copy_for_some_lanes_keeps_their_readers_only() -> None:
    strand = filled()
    first, second = strand.lanes.lanes
    parts = [strand.copy(strand.lanes.subset([lane])) for lane in (first, second)]
    assert [part.live for part in parts] == [first.slot.bit, second.slot.bit]
    strand.live = second.slot.bit
    assert [strand.copy(strand.lanes.subset([lane])).live for lane in (first, second)] == [0, second.slot.bit]


def test_lanes_are_numbered_and_told_apart() -> None:
    assert [lane.number for lane in lanes(3).lanes] == [0, 1, 2]
    assert all(isinstance(lane, Lane) for lane in lanes(1).lanes)
