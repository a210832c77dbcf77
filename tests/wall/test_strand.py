"""One view of a connection: what opening, resynchronising and forgetting do to it, and that a copy is a view of its own."""

from hypothesis import given
from hypothesis import strategies as st

from crenel.atlas.compile import load_wall
from crenel.wall.lanes import LaneSet
from crenel.wall.strand import Strand, diff
from crenel.wall.tcb import NONE, OPEN, OPENING, RESYNC
from crenel.wire.packet import TCP

NUMBER = st.integers(0, (1 << 32) - 1)


def lanes() -> LaneSet:
    found = load_wall(as_of="2020-01-15").watch(TCP, 4, 80, inside=True, above=True).lanes
    assert found is not None
    return found


@given(a=NUMBER, step=st.integers(-(1 << 31), (1 << 31) - 1))
def test_the_difference_of_sequence_numbers_is_signed_and_wraps(a: int, step: int) -> None:
    assert diff((a + step) % (1 << 32), a) == step


def test_a_strand_begins_without_a_connection() -> None:
    strand = Strand(lanes())
    assert strand.state == NONE
    assert not strand.live


def test_opening_and_resynchronising_wake_all_readers() -> None:
    strand = Strand(lanes())
    strand.open(1, 99, 100)
    assert (strand.state, strand.client, strand.isn, strand.expected, strand.live) == (OPENING, 1, 99, 100, strand.lanes.readers)
    strand.live, strand.buffer, strand.ends, strand.begun = 0, b"abc", [3], True
    strand.wait(2, "why")
    assert (strand.state, strand.targets, strand.cause) == (RESYNC, 2, "why")
    strand.sync((1 << 32) + 7)
    assert (strand.state, strand.expected, strand.live) == (OPEN, 7, strand.lanes.readers)
    assert (strand.buffer, strand.ends, strand.begun, strand.base) == (b"", [], False, 3)


def test_opening_anew_forgets_the_server_and_counts_from_zero() -> None:
    strand = Strand(lanes())
    strand.open(0, 1, 2)
    strand.server_next, strand.served, strand.syn_acks, strand.buffer, strand.cause = 5, True, 2, b"abc", "why"
    strand.open(0, 7, 8)
    fresh = Strand(strand.lanes)
    for name in ("server_next", "served", "syn_acks", "base", "buffer", "cause"):
        assert getattr(strand, name) == getattr(fresh, name)


def test_the_end_of_the_handshake_is_odd_at_another_place() -> None:
    strand = Strand(lanes())
    strand.open(0, 1, 2)
    strand.complete(2)
    assert (strand.state, strand.odd) == (OPEN, False)
    strand.complete(3)
    assert strand.odd


def test_until_the_server_speaks_its_number_must_be_met_exactly_and_then_only_reached() -> None:
    strand = Strand(lanes())
    assert not strand.ack_is_odd(12345)
    strand.server_next = 100
    assert [strand.ack_is_odd(ack) for ack in (99, 100, 101)] == [True, False, True]
    strand.served = True
    assert [strand.ack_is_odd(ack) for ack in (99, 100, 5000)] == [True, False, False]


def test_a_copy_is_a_view_of_its_own() -> None:
    strand = Strand(lanes())
    strand.open(0, 1, 2)
    strand.ends, strand.taken = [4], {1: 2}
    some = strand.lanes.subset(strand.lanes.lanes[:1])
    other = strand.copy(some)
    assert other.live == strand.live & some.readers
    assert {name: getattr(other, name) for name in Strand.__slots__ if name not in {"lanes", "live"}} == {
        name: getattr(strand, name) for name in Strand.__slots__ if name not in {"lanes", "live"}
    }
    other.ends.append(9)
    other.taken = {}
    assert (strand.ends, strand.taken) == ([4], {1: 2})
