"""Boxes with dated epochs and a day in; the epoch that is in force on it, to the day and to the minute, out."""

from pathlib import Path

import pytest

from crenel.atlas.compile import About, load_wall
from crenel.atlas.dates import epoch_in_force, first_day, is_short, short_epochs_on
from crenel.atlas.load import load_profile
from crenel.atlas.moment import parse_moment
from crenel.atlas.schema import Middlebox
from tests.net.made import HEAD, box

SPAN = "first_seen = 2000-01-01\n  last_seen = 2030-01-01"


def middlebox(folder: Path, *epochs: str) -> Middlebox:
    """Return a box with one epoch for each of these texts."""
    text = box("a")
    head, epoch = text.split("  [[middlebox.epoch]]", 1)
    path = folder / "made.toml"
    path.write_text(HEAD + head + "".join("  [[middlebox.epoch]]" + epoch.replace(SPAN, dated) for dated in epochs), "utf-8")
    profile, _, _ = load_profile(str(path))
    return profile.middlebox[0]


def begin_of(one: Middlebox, day: str) -> str | None:
    epoch = epoch_in_force(one, parse_moment(day))
    return None if epoch is None else str(epoch.first_seen)


@pytest.mark.parametrize(
    ("day", "begun"),
    [
        ("2019-12-31", None), ("2020-01-01", "2020-01-01"), ("2020-03-01", "2020-01-01"),
        ("2020-05-31", "2020-01-01"),  # long after it was last seen: nobody observed its end
        ("2020-06-01", "2020-06-01"), ("2020-07-10", "2020-06-01"), ("2020-07-11", None), ("2030-01-01", None),
        ("2019-12-31T23:59", None), ("2020-01-01T00:00", "2020-01-01"), ("2020-05-31T23:59", "2020-01-01"), ("2020-06-01T00:00", "2020-06-01"),
        ("2020-07-10T23:59", "2020-06-01"), ("2020-07-11T00:00", None),
    ],
)  # fmt: skip
def test_an_epoch_holds_from_its_first_day_until_the_next_begins_or_through_its_end(tmp_path: Path, day: str, begun: str | None) -> None:
    one = middlebox(
        tmp_path, "first_seen = 2020-01-01\n  last_seen = 2020-02-01", "first_seen = 2020-06-01\n  last_seen = 2020-07-01\n  ended = 2020-07-10"
    )
    assert begin_of(one, day) == begun


def test_the_order_in_the_file_does_not_matter(tmp_path: Path) -> None:
    one = middlebox(tmp_path, "first_seen = 2020-06-01\n  last_seen = 2020-07-01", "first_seen = 2020-01-01\n  last_seen = 2020-02-01")
    assert [begin_of(one, day) for day in ("2020-05-31", "2020-06-01")] == ["2020-01-01", "2020-06-01"]


@pytest.mark.parametrize(
    ("day", "begun"),
    [
        ("2020-01-01T09:59", None), ("2020-01-01T10:00", "2020-01-01T10:00"), ("2020-01-01", "2020-01-01T10:00"),
        ("2020-02-01T12:00", "2020-01-01T10:00"), ("2020-02-01T12:01", None), ("2020-02-01", None), ("2020-01-31", "2020-01-01T10:00"),
    ],
)  # fmt: skip
def test_an_epoch_may_begin_and_end_at_a_minute(tmp_path: Path, day: str, begun: str | None) -> None:
    one = middlebox(tmp_path, "first_seen = 2020-01-01T10:00:00\n  last_seen = 2020-02-01T12:00:00\n  ended = 2020-02-01T12:00:00")
    assert begin_of(one, day) == begun


@pytest.mark.parametrize(
    ("dated", "short"),
    [
        ("first_seen = 2020-01-01T10:00:00\n  last_seen = 2020-01-02T09:59:00\n  ended = 2020-01-02T09:59:00", True),
        ("first_seen = 2020-01-01T10:00:00\n  last_seen = 2020-01-02T10:00:00\n  ended = 2020-01-02T10:00:00", False),
        ("first_seen = 2020-01-01\n  last_seen = 2020-01-01\n  ended = 2020-01-01", False),  # a whole day
        ("first_seen = 2020-01-01T10:00:00\n  last_seen = 2020-01-01T11:00:00", False),  # nobody saw it end
    ],
)
def test_short_is_less_than_a_day(tmp_path: Path, dated: str, short: bool) -> None:
    one = middlebox(tmp_path, dated)
    assert is_short(one.epoch[0]) is short
    assert short_epochs_on(one, parse_moment("2020-01-01")) == list(one.epoch[:short])
    assert short_epochs_on(one, parse_moment("2020-01-02")) == []
    assert short_epochs_on(one, parse_moment("2020-01-01T10:00")) == []
    assert (begin_of(one, "2020-01-01") is None) is short


def test_the_first_day_is_that_of_the_oldest_box(tmp_path: Path) -> None:
    one = middlebox(tmp_path, "first_seen = 2020-06-01\n  last_seen = 2020-07-01", "first_seen = 2020-01-01\n  last_seen = 2020-02-01")
    assert str(first_day((one,))) == "2020-01-01"


@pytest.mark.parametrize(
    ("as_of", "there", "noted"),
    [
        ("2025-08-19", False, False), ("2025-08-20", False, True), ("2025-08-21", False, False),
        ("2025-08-20T00:33", False, False), ("2025-08-20T00:34", True, False), ("2025-08-20T01:48", True, False), ("2025-08-20T01:49", False, False),
        ("2025-08-21T01:00", False, False),
    ],
)  # fmt: skip
def test_seventy_four_minutes_of_the_shipped_wall_need_an_hour(as_of: str, there: bool, noted: bool) -> None:
    wall = load_wall(as_of=as_of)
    assert ("port-443" in [one.id for one in wall.boxes]) is there
    assert isinstance(wall.about, About)
    note = "port-443 was seen only from 2025-08-20T00:34 to 2025-08-20T01:48: give an hour to judge by it"
    assert wall.about.notes == ((note,) if noted else ())


@pytest.mark.parametrize(
    ("box_id", "before", "after"),
    [
        ("fet", "2021-11-05", "2021-11-06"),
        ("quic-sni", "2024-04-06", "2024-04-07"),
        ("tls-sni-drop", "2025-03-23", "2025-03-24"),
        ("esni", "2020-07-28", "2020-07-29"),
    ],
)
def test_a_box_is_absent_before_its_first_epoch(box_id: str, before: str, after: str) -> None:
    assert box_id not in [one.id for one in load_wall(as_of=before).boxes]
    assert box_id in [one.id for one in load_wall(as_of=after).boxes]


def test_the_box_that_was_seen_to_end_is_gone_the_day_after() -> None:
    assert "fet" in [one.id for one in load_wall(as_of="2023-03-15").boxes]
    assert "fet" not in [one.id for one in load_wall(as_of="2023-03-16").boxes]


def test_a_wall_can_be_asked_about_the_last_day_there_is() -> None:
    assert {one.id for one in load_wall(as_of="9999-12-31").boxes} == {one.id for one in load_wall(as_of="2100-01-01").boxes}
