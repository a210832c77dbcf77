"""A wall is shown as it was on the day asked for, or today."""

import pytest

from crenel.cli.showing import load_shown
from crenel.errors import ProfileError, UsageError


def test_the_day_decides() -> None:
    shown = load_shown("gfw", "2022-06-01", {}, ())
    assert (str(shown.as_of), shown.vantage) == ("2022-06-01", "four-cities-2020")
    assert "fet" in [box.id for box, _ in shown.in_force]
    assert load_shown("gfw", None, {}, ()).as_of.bare


def test_what_is_wrong() -> None:
    with pytest.raises(ProfileError):
        load_shown("mars", None, {}, ())
    with pytest.raises(UsageError, match="--box x: this wall has "):
        load_shown("gfw", "2022-06-01", {}, ("x",))
    with pytest.raises(UsageError):
        load_shown("gfw", "2022-06-01", {"x.y": "1"}, ())
