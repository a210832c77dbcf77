"""Walls that the page offers: by name, by date, compiled once; no other file is opened."""

import datetime as dt

import pytest

from crenel.errors import CrenelError, ProfileError, UsageError
from crenel.web.gallery import Gallery, about
from tests.web.made import CITADEL, GALLERY, TODAY

NAME = GALLERY.names[0]


@pytest.mark.parametrize("name", ["", "nowhere", CITADEL, "/etc/passwd", "../walls/x.toml"])
def test_only_walls_that_are_offered_are_opened(name: str) -> None:
    with pytest.raises(UsageError, match="no wall is called"):
        GALLERY.wall(name, "2025-01-15")


def test_a_wall_of_the_users_is_offered_first() -> None:
    gallery = Gallery([CITADEL], today=TODAY)
    assert gallery.names[0] == CITADEL
    assert NAME in gallery.names
    assert gallery.titles[CITADEL].startswith("The Citadel")
    # It begins in the future, so the future can be asked for.
    assert gallery.day(CITADEL, "2030-02-01") == dt.date(2030, 2, 1)
    assert gallery.last(CITADEL) > dt.date(2031, 1, 1)
    assert gallery.last(NAME) == TODAY
    with pytest.raises(UsageError, match="2040-01-01 has not come yet"):
        gallery.day(CITADEL, "2040-01-01")


def test_a_wall_that_is_wrong_is_a_sentence() -> None:
    with pytest.raises(ProfileError):
        Gallery(["nowhere.toml"])


def test_a_wall_is_compiled_once() -> None:
    assert GALLERY.wall(NAME, "2025-01-15") is GALLERY.wall(NAME, "2025-01-15")
    assert GALLERY.wall(NAME, "2025-01-15", listed=True) is not GALLERY.wall(NAME, "2025-01-15")
    assert about(GALLERY.wall(NAME, "2025-01-15", 3)).seed == 3


def test_days() -> None:
    assert GALLERY.first().year == 2002
    assert GALLERY.day(NAME, " ") == TODAY
    assert GALLERY.day(NAME, " 2025-01-15 ") == dt.date(2025, 1, 15)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("2001-12-31", "2001-12-31 is too early: the timeline of this page begins in 2002"),
        ("2026-01-16", "2026-01-16 has not come yet: nobody has measured the wall of that day"),
        ("yesterday", "'yesterday' is not a date"),
        ("2025-02-30", "'2025-02-30' is not a date"),
    ],
)
def test_days_that_cannot_be(text: str, sentence: str) -> None:
    with pytest.raises(CrenelError, match=sentence):
        GALLERY.day(NAME, text)


def test_the_days_on_which_a_wall_changes_are_all_there() -> None:
    changes = GALLERY.changes(NAME)
    assert changes[0] == GALLERY.begins(NAME)
    assert [*changes] == sorted(set(changes))
    epochs = {epoch.first_seen.day for box in GALLERY.profile(NAME).middlebox for epoch in box.epoch}
    assert epochs <= set(changes)
    assert 10 < len(changes) < 100
