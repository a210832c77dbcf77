"""The follow-up experiments that the published studies made, each in; what they found, as a share of trials, out."""

import functools

import pytest

from crenel.atlas.compile import load_wall
from crenel.wall.wall import Wall
from tests.evade.checks import CHECKS, SEEN, Check, Seen, carried_out, opened


@functools.cache
def wall_of(as_of: str, vantage: str) -> Wall:
    return load_wall("gfw", as_of=as_of, vantage=vantage)


@pytest.mark.parametrize("check", CHECKS, ids=[f"{one.name}, {one.year} {'old' if False in one.given.values() else ''}".strip() for one in CHECKS])
def test_what_the_studies_found_in_follow_up_experiments(check: Check) -> None:
    assert carried_out(check, wall_of) == pytest.approx(check.expected, abs=check.within)


@pytest.mark.parametrize("seen", SEEN, ids=[f"{one.year} {one.first}" for one in SEEN])
def test_what_opened_a_connection(seen: Seen) -> None:
    assert opened(seen, wall_of) == seen.expected
