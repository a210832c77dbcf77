"""One newcomer laid onto what is held: places stay disjoint, nothing is lost, and each policy is its own table of nine cases."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.flow.overlap import KEEP, Overlap, Piece, lay, part, reach

SETTLING = [overlap for overlap in Overlap if overlap not in {Overlap.REFUSE, Overlap.DISCARD}]


def piece(at: int, data: bytes) -> Piece:
    return Piece(at, data, at, at + len(data))


@st.composite
def layings(draw: st.DrawFn) -> tuple[list[Piece], Piece]:
    held: list[Piece] = []
    for gap, data in draw(st.lists(st.tuples(st.integers(0, 6), st.binary(min_size=1, max_size=6)), max_size=6)):
        held.append(piece((reach(held[-1]) if held else 0) + gap, data))
    return held, piece(draw(st.integers(0, 40)), draw(st.binary(min_size=1, max_size=30)))


def places(pieces: list[Piece]) -> dict[int, int]:
    return {one.at + index: byte for one in pieces for index, byte in enumerate(one.data)}


@given(layings(), st.sampled_from(SETTLING))
def test_every_place_is_filled_once_and_none_gets_lost(laying: tuple[list[Piece], Piece], overlap: Overlap) -> None:
    held, new = laying
    laid = lay(held, new, overlap)
    before, coming, after = places(held), places([new]), places(laid.pieces)
    assert all(reach(one) <= other.at for one, other in itertools.pairwise(laid.pieces))
    assert set(after) == set(before) | set(coming)
    assert all(byte in {before.get(place), coming.get(place)} for place, byte in after.items())
    assert laid.overlapped is bool(set(before) & set(coming))
    assert laid.conflict is any(before[place] != coming[place] for place in set(before) & set(coming))


@given(layings(), st.sampled_from(list(Overlap)))
def test_what_was_held_is_left_as_it_was(laying: tuple[list[Piece], Piece], overlap: Overlap) -> None:
    held, new = laying
    before = held[:]
    lay(held, new, overlap)
    assert held == before


@given(layings())
def test_a_newcomer_that_is_not_welcome_leaves_the_list_itself(laying: tuple[list[Piece], Piece]) -> None:
    held, new = laying
    laid = lay(held, new, Overlap.REFUSE)
    assert (laid.pieces is held) is laid.overlapped


@given(layings())
def test_discard_drops_just_the_pieces_met(laying: tuple[list[Piece], Piece]) -> None:
    held, new = laying
    laid = lay(held, new, Overlap.DISCARD)
    met = [one for one in held if one.at < reach(new) and new.at < reach(one)]
    if not met:
        assert sorted([*held, new], key=reach) == laid.pieces
    elif met == [new]:
        assert laid.pieces is held
    else:
        assert laid.pieces == [one for one in held if one not in met]


# How the newer segment begins (earlier, together, later) by how it ends, as against an older one at 10 to 20.
BEGINS, ENDS = (5, 10, 15), (18, 20, 25)


@pytest.mark.parametrize(
    ("overlap", "newer_wins"),
    [
        (Overlap.FIRST, ["   ", "   ", "   "]), (Overlap.LAST, ["NNN", "NNN", "NNN"]), (Overlap.BSD, ["NNN", "   ", "   "]),
        (Overlap.LINUX, ["NNN", "NNN", "   "]), (Overlap.BSD_RIGHT, ["   ", "NNN", "NNN"]), (Overlap.ENCLOSING, ["  N", "   ", "   "]),
    ],
)
def test_the_nine_cases(overlap: Overlap, newer_wins: list[str]) -> None:
    older = piece(10, b"o" * 10)
    for begin, row in zip(BEGINS, newer_wins, strict=True):
        for end, winner in zip(ENDS, row, strict=True):
            laid = lay([older], piece(begin, b"N" * (end - begin)), overlap)
            common = range(max(begin, 10), min(end, 20))
            assert {chr(places(laid.pieces)[place]) for place in common} == {"N" if winner == "N" else "o"}, (begin, end)


def test_pieces_are_compared_by_the_segments_they_came_in() -> None:
    rest = part(piece(0, b"oooooooo"), 4, 8)
    assert (rest.at, rest.data, reach(rest)) == (4, b"oooo", 8)
    assert places(lay([rest], piece(3, b"NNNNN"), Overlap.BSD).pieces) == places([piece(3, b"Noooo")])


def test_the_two_ways_to_keep_one_of_two_that_begin_together() -> None:
    older, newer = piece(3, b"old"), piece(3, b"new")
    assert [lay([older], newer, KEEP[word]).pieces[0].data for word in ("older", "newer")] == [b"old", b"new"]
