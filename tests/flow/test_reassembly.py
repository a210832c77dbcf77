"""Segments in any order against a model that looks at every byte; and each rule of the stream, its limits and its counters by example."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.flow.overlap import KEEP
from crenel.flow.reassembly import Dropped, Full, Overlap, Stream, StreamLimits, diff

WRAP = 1 << 32
AMPLE = StreamLimits(held_bytes=1 << 20, held_pieces=1 << 12, kept_bytes=1 << 20)

sequence_numbers = st.one_of(st.integers(0, WRAP - 1), st.integers(WRAP - 60, WRAP - 1), st.integers(0, 3))
policies = st.sampled_from(list(Overlap))
Segments = list[tuple[int, bytes]]
"""Offset from the start of the stream, possibly negative, and payload."""
segments: st.SearchStrategy[Segments] = st.lists(st.tuples(st.integers(-8, 40), st.binary(max_size=14)), max_size=24)


def opened(base: int = 0, overlap: Overlap = Overlap.FIRST, limits: StreamLimits = AMPLE) -> Stream:
    return Stream(base, limits, overlap)


def feed(stream: Stream, base: int, parts: Sequence[tuple[int, bytes]]) -> bytes:
    return b"".join(stream.add((base + offset) % WRAP, payload) for offset, payload in parts)


# --- sequence arithmetic


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [(5, 3, 2), (3, 5, -2), (0, WRAP - 1, 1), (WRAP - 1, 0, -1), (1 << 31, 0, -(1 << 31)), ((1 << 31) - 1, 0, (1 << 31) - 1), (7, 7, 0)],
)
def test_diff_counts_the_shorter_way_round(a: int, b: int, expected: int) -> None:
    assert diff(a, b) == expected


@given(sequence_numbers, st.integers(-(1 << 31), (1 << 31) - 1))
def test_diff_undoes_an_addition_modulo_two_to_the_32(start: int, step: int) -> None:
    assert diff((start + step) % WRAP, start) == step


# --- no overlaps: order and cuts do not matter


@given(st.data(), st.binary(min_size=1, max_size=200), sequence_numbers, policies)
def test_any_cut_in_any_order_gives_the_stream(data: st.DataObject, whole: bytes, base: int, overlap: Overlap) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(1, len(whole)))) | {0, len(whole)})
    parts = [(begin, whole[begin:end]) for begin, end in itertools.pairwise(cuts)]
    stream = opened(base, overlap)
    assert feed(stream, base, data.draw(st.permutations(parts))) == whole
    assert stream.data() == whole
    assert stream.ends == cuts[1:]
    assert stream.next_seq == (base + len(whole)) % WRAP
    assert (stream.out_of_order, stream.held_bytes, stream.overlapped, stream.conflict) == ([], 0, False, False)
    assert stream.dropped == Dropped()


# --- overlaps: a model that looks at every byte

Span = tuple[int, int]
NEWER_WINS: dict[Overlap, Callable[[Span, Span], bool]] = {
    Overlap.FIRST: lambda _new, _old: False,
    Overlap.LAST: lambda _new, _old: True,
    Overlap.BSD: lambda new, old: new[0] < old[0],
    Overlap.LINUX: lambda new, old: new[0] <= old[0],
    Overlap.BSD_RIGHT: lambda new, old: new[0] >= old[0],
    Overlap.ENCLOSING: lambda new, old: new[0] < old[0] and new[1] > old[1],
}


class ByteModel:
    """A stream as a dictionary of held bytes, each with the span of the segment that brought it."""

    def __init__(self, overlap: Overlap) -> None:
        self.overlap = overlap
        self.out = bytearray()
        self.held: dict[int, tuple[int, Span]] = {}
        self.overlapped = self.conflict = False

    def add(self, start: int, payload: bytes) -> bytes:
        done = len(self.out)
        span = (start, start + len(payload))
        if not payload or (len(payload) == 1 and start == done - 1):
            return b""
        places = dict(zip(range(*span), payload, strict=True))
        met = {place for place in places if place < done or place in self.held}
        self.overlapped |= bool(met)
        self.conflict |= any(places[place] != self.known(place) for place in met if place >= 0)
        new = {place: byte for place, byte in places.items() if place >= done}
        if self.overlap is Overlap.REFUSE and met:
            return b""
        hit = {self.held[place][1] for place in met if place >= done}
        if self.overlap is Overlap.DISCARD and hit:
            same = all(self.held.get(place) == (byte, span) for place, byte in new.items())
            if not same:
                self.held = {place: value for place, value in self.held.items() if value[1] not in hit}
            return b""
        for place, byte in new.items():
            if place not in self.held or NEWER_WINS.get(self.overlap, NEWER_WINS[Overlap.FIRST])(span, self.held[place][1]):
                self.held[place] = (byte, span)
        while len(self.out) in self.held:
            self.out.append(self.held.pop(len(self.out))[0])
        return bytes(self.out[done:])

    def known(self, place: int) -> int:
        return self.out[place] if place < len(self.out) else self.held[place][0]


@given(segments, sequence_numbers, policies)
def test_every_policy_agrees_with_the_byte_model(parts: Segments, base: int, overlap: Overlap) -> None:
    stream, model = opened(base, overlap), ByteModel(overlap)
    for offset, payload in parts:
        assert stream.add((base + offset) % WRAP, payload) == model.add(offset, payload)
        held = {piece.at + i: (byte, (piece.start, piece.end)) for piece in stream.out_of_order for i, byte in enumerate(piece.data)}
        assert held == model.held
        assert stream.held_bytes == len(held) == sum(len(piece.data) for piece in stream.out_of_order)
        assert stream.data() == bytes(model.out)
        assert (stream.total, stream.next_seq) == (len(model.out), (base + len(model.out)) % WRAP)
        assert (stream.overlapped, stream.conflict) == (model.overlapped, model.conflict)
        assert stream.ends == [sum(map(len, stream.chunks[: n + 1])) for n in range(len(stream.chunks))]


OLD, NEW = b"oooo", b"NNNNNN"
# Held: oooo at 4 to 8. The newer segment covers each stretch in turn; then 0 to 2 and whatever is missing up to 12 come.
LADDER = {
    (2, 8): {"first": "NNoooo", "last": "NNNNNN", "bsd": "NNNNNN", "linux": "NNNNNN", "bsd-right": "NNoooo", "enclosing": "NNoooo"},
    (2, 10): {"first": "NNooooNN", "last": "NNNNNNNN", "bsd": "NNNNNNNN", "linux": "NNNNNNNN", "bsd-right": "NNooooNN", "enclosing": "NNNNNNNN"},
    (2, 6): {"first": "NNoooo", "last": "NNNNoo", "bsd": "NNNNoo", "linux": "NNNNoo", "bsd-right": "NNoooo", "enclosing": "NNoooo"},
    (4, 8): {"first": "--oooo", "last": "--NNNN", "bsd": "--oooo", "linux": "--NNNN", "bsd-right": "--NNNN", "enclosing": "--oooo"},
    (4, 10): {"first": "--ooooNN", "last": "--NNNNNN", "bsd": "--ooooNN", "linux": "--NNNNNN", "bsd-right": "--NNNNNN", "enclosing": "--ooooNN"},
    (5, 7): {"first": "--oooo", "last": "--oNNo", "bsd": "--oooo", "linux": "--oooo", "bsd-right": "--oNNo", "enclosing": "--oooo"},
    (6, 10): {"first": "--ooooNN", "last": "--ooNNNN", "bsd": "--ooooNN", "linux": "--ooooNN", "bsd-right": "--ooNNNN", "enclosing": "--ooooNN"},
}


@pytest.mark.parametrize("overlap", list(LADDER[2, 8]))
@pytest.mark.parametrize("span", list(LADDER))
def test_ladder_of_one_overlap(span: Span, overlap: str) -> None:
    begin, end = span
    stream = opened(0, Overlap(overlap))
    assert stream.add(4, b"oooo") == b""
    assert stream.add(begin, b"N" * (end - begin)) == b""
    stream.add(0, b"..")
    stream.add(stream.next_seq, b"-" * (4 - stream.next_seq))
    assert stream.data().decode() == ".." + LADDER[span][overlap]
    assert stream.overlapped
    assert stream.conflict


def test_a_newcomer_in_order_wins_over_held_bytes_only_where_the_policy_says_so() -> None:
    said = {}
    for overlap in NEWER_WINS:
        stream = opened(0, overlap)
        stream.add(2, b"oo")
        said[overlap.value] = stream.add(0, b"NNNNN")
    assert said == {"first": b"NNooN", "last": b"NNNNN", "bsd": b"NNNNN", "linux": b"NNNNN", "bsd-right": b"NNooN", "enclosing": b"NNNNN"}


@pytest.mark.parametrize(("keep", "read"), [("older", b"GET /secret"), ("newer", b"GET /......")])
def test_two_out_of_order_that_begin_together(keep: str, read: bytes) -> None:
    stream = opened(0, KEEP[keep])
    stream.add(5, b"secret")
    stream.add(5, b"......")
    assert stream.add(0, b"GET /") == read


@pytest.mark.parametrize("overlap", list(Overlap))
def test_bytes_once_given_out_stay(overlap: Overlap) -> None:
    stream = opened(10, overlap)
    assert stream.add(10, b"junk") == b"junk"
    assert stream.add(10, b"real") == b""
    assert stream.data() == b"junk"
    assert (stream.overlapped, stream.conflict, stream.dropped.retransmitted) == (True, True, 1)


def test_refuse_ignores_the_whole_newcomer_and_discard_both() -> None:
    refusing, discarding = opened(0, Overlap.REFUSE), opened(0, Overlap.DISCARD)
    for stream in (refusing, discarding):
        stream.add(4, b"oooo")
        stream.add(4, b"oooo")
        assert [piece.data for piece in stream.out_of_order] == [b"oooo"]
        stream.add(6, b"NNNN")
    assert [piece.data for piece in refusing.out_of_order] == [b"oooo"]
    assert refusing.dropped == Dropped(refused=2)
    assert discarding.out_of_order == []
    assert discarding.dropped == Dropped(refused=2, evicted=1)


# --- what is old, near and far


def test_a_segment_that_reaches_back_gives_only_what_is_new() -> None:
    stream = opened(WRAP - 2)
    assert stream.add(WRAP - 2, b"abcd") == b"abcd"
    assert stream.add(0, b"cdef") == b"ef"
    assert (stream.overlapped, stream.conflict, stream.next_seq) == (True, False, 4)
    assert stream.dropped == Dropped()


@pytest.mark.parametrize(("offset", "held"), [(65535, True), (65536, False), ((1 << 31) - 1, False)])
def test_how_far_ahead_a_segment_may_begin(offset: int, held: bool) -> None:
    stream = opened(WRAP - 100)
    assert stream.add((WRAP - 100 + offset) % WRAP, b"x") == b""
    assert [piece.at for piece in stream.out_of_order] == [offset] * held
    assert stream.dropped.far == (not held)


@pytest.mark.parametrize("offset", [-65535, -65536, -(1 << 31)])
def test_what_lies_far_behind_changes_nothing(offset: int) -> None:
    stream = opened(5)
    stream.add(5, b"abc")
    assert stream.add((8 + offset) % WRAP, b"x" * 1000) == b""
    assert stream.data() == b"abc"
    assert stream.dropped.retransmitted == 1


def test_a_keepalive_is_neither_retransmission_nor_overlap() -> None:
    stream = opened(100)
    stream.add(100, b"abc")
    assert stream.add(102, b"\0") == b""
    assert stream.add(102, b"") == b""
    assert (stream.dropped, stream.overlapped, stream.conflict) == (Dropped(keepalive=2), False, False)
    assert stream.add(101, b"b") == b""
    assert (stream.dropped, stream.overlapped, stream.conflict) == (Dropped(keepalive=2, retransmitted=1), True, False)


def test_a_bare_acknowledgement_leaves_no_mark() -> None:
    stream = opened(100)
    assert [stream.add(seq, b"") for seq in (100, 101, 5, 70000)] == [b""] * 4
    assert (stream.ends, stream.dropped, stream.next_seq) == ([], Dropped(), 100)


def test_retransmissions_are_seen_in_the_stream_and_among_what_is_held() -> None:
    stream = opened(0)
    for seq, payload in ((0, b"abc"), (0, b"abc"), (6, b"ghi"), (6, b"ghi"), (7, b"h")):
        stream.add(seq, payload)
    assert stream.dropped == Dropped(retransmitted=3)
    assert (stream.overlapped, stream.conflict) == (True, False)


def test_segment_boundaries_survive_reordering() -> None:
    stream = opened(0)
    stream.add(8, b"com")
    stream.add(4, b"ple.")
    assert stream.add(0, b"exam") == b"example.com"
    assert stream.ends == [4, 8, 11]


# --- limits


@given(
    st.lists(st.tuples(st.integers(-20, 90), st.binary(max_size=30)), max_size=40), sequence_numbers, policies,
    st.builds(
        StreamLimits, ahead=st.integers(0, 80), held_bytes=st.integers(0, 40), held_pieces=st.integers(0, 5), kept_bytes=st.integers(0, 30),
        full=st.sampled_from(list(Full)),
    ),
)
def test_no_traffic_gets_past_the_limits(parts: Segments, base: int, overlap: Overlap, limits: StreamLimits) -> None:
    stream = opened(base, overlap, limits)
    out = b""
    for offset, payload in parts:
        out += stream.add((base + offset) % WRAP, payload)
        held = stream.out_of_order
        assert stream.held_bytes == sum(len(piece.data) for piece in held) <= limits.held_bytes
        assert len(held) <= limits.held_pieces
        assert all(one.at + len(one.data) <= other.at for one, other in itertools.pairwise(held))
        assert all(piece.data and piece.at > stream.total for piece in held)
        assert stream.data() == out[: limits.kept_bytes]
        assert stream.ends[-1:] == [len(stream.data())] * bool(stream.data())
        assert stream.total == len(out)


@given(st.lists(st.tuples(st.integers(), st.binary(max_size=9))), st.integers(), policies)
def test_numbers_outside_32_bits_do_no_harm(parts: Segments, base: int, overlap: Overlap) -> None:
    stream = opened(base, overlap)
    for seq, payload in parts:
        stream.add(seq, payload)
    assert 0 <= stream.next_seq < WRAP


def test_the_kept_stream_ends_at_its_limit_and_the_rest_is_still_given_out() -> None:
    stream = opened(limits=StreamLimits(kept_bytes=5))
    assert [stream.add(0, b"abc"), stream.add(3, b"def"), stream.add(6, b"ghi")] == [b"abc", b"def", b"ghi"]
    assert (stream.data(), stream.ends, stream.total) == (b"abcde", [3, 5], 9)


@pytest.mark.parametrize(
    ("full", "held", "dropped"), [(Full.NEWCOMER, [8, 4], Dropped(refused=1)), (Full.FARTHEST, [4, 2], Dropped(evicted=1))],
)
def test_who_gives_way_when_the_pieces_are_too_many(full: Full, held: list[int], dropped: Dropped) -> None:
    stream = opened(limits=StreamLimits(held_pieces=2, full=full))
    for seq in (8, 4, 2):
        stream.add(seq, b"x")
    assert sorted((piece.at for piece in stream.out_of_order), reverse=True) == held
    assert stream.dropped == dropped


@pytest.mark.parametrize(("length", "held"), [(1024, True), (1025, False)])
def test_a_box_that_holds_one_kilobyte_beyond_a_hole(length: int, held: bool) -> None:
    stream = opened(limits=StreamLimits(held_bytes=1024, full=Full.NEWCOMER))
    stream.add(1, b"x" * length)
    assert bool(stream.out_of_order) is held


def test_a_segment_in_order_is_never_refused_for_want_of_room() -> None:
    stream = opened(limits=StreamLimits(held_bytes=2, held_pieces=1, full=Full.NEWCOMER))
    stream.add(3, b"de")
    assert stream.add(0, b"abc") == b"abcde"


# --- copy, resync, skip


@given(segments, segments, sequence_numbers, policies)
def test_a_copy_goes_its_own_way(before: Segments, after: Segments, base: int, overlap: Overlap) -> None:
    stream, reference = opened(base, overlap), opened(base, overlap)
    feed(stream, base, before)
    feed(reference, base, before)
    twin = stream.copy()
    out = feed(twin, base, after)
    assert state(stream) == state(reference)
    assert feed(stream, base, after) == out
    assert state(stream) == state(twin)


def state(stream: Stream) -> tuple[object, ...]:
    return tuple(getattr(stream, name) for name in Stream.__slots__)


def test_the_copy_covers_every_slot() -> None:
    assert len(state(opened().copy())) == len(Stream.__slots__)


def test_resync_forgets_the_stream_and_keeps_the_count_of_losses() -> None:
    stream = opened(0)
    for seq, payload in ((0, b"abc"), (0, b"xyz"), (9, b"later"), (70000, b"far")):
        stream.add(seq, payload)
    lost = stream.dropped
    stream.resync(500)
    fresh = opened(500)
    fresh.dropped = lost
    assert lost == Dropped(retransmitted=1, far=1)
    assert state(stream) == state(fresh)


def test_skipping_ahead_drains_what_was_held_there() -> None:
    stream = opened(WRAP - 3)
    stream.add(WRAP - 3, b"ab")
    stream.add(1, b"HELD")
    stream.add(9, b"later")
    assert stream.skip_to(3) == b"LD"
    assert (stream.data(), stream.ends, stream.next_seq, stream.held_bytes) == (b"abLD", [2, 4], 5, 5)
    assert stream.add(5, b"1234") == b"1234later"


def test_bytes_skipped_over_are_not_compared_with_the_stream() -> None:
    stream = opened(100)
    stream.add(100, b"abc")
    stream.skip_to(200)
    stream.add(200, b"def")
    stream.add(190, b"x" * 10 + b"def")
    assert (stream.data(), stream.conflict) == (b"abcdef", False)
    stream.add(200, b"xyz")
    assert stream.conflict


@given(segments, sequence_numbers, policies, st.integers(-50, 50))
def test_skipping_anywhere_leaves_a_sound_stream(parts: Segments, base: int, overlap: Overlap, step: int) -> None:
    stream = opened(base, overlap)
    feed(stream, base, parts)
    target = (stream.next_seq + step) % WRAP
    total = stream.total
    out = stream.skip_to(target)
    assert stream.next_seq == (target + len(out)) % WRAP
    assert stream.total == total + len(out)
    assert all(piece.at > stream.total for piece in stream.out_of_order)
    assert stream.held_bytes == sum(len(piece.data) for piece in stream.out_of_order)
    assert stream.add(stream.next_seq, b"!")[:1] in {b"!", b""}
