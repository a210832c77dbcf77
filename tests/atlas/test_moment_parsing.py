"""Days and minutes as people and files write them in, moments or one sentence of refusal out."""

import datetime as dt

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.atlas.load import read_toml
from crenel.atlas.moment import Moment, parse_moment, take_moment
from crenel.errors import ProfileError, UsageError


class Holder(msgspec.Struct, frozen=True):
    at: Moment


@pytest.mark.parametrize(
    ("text", "start", "end", "hour"),
    [
        ("2025-01-15", "2025-01-15T00:00", "2025-01-16T00:00", None),
        ("2024-02-29", "2024-02-29T00:00", "2024-03-01T00:00", None),
        ("2024-12-31", "2024-12-31T00:00", "2025-01-01T00:00", None),
        ("2025-01-15T00:00", "2025-01-15T00:00", "2025-01-15T00:00", 0),
        ("2025-01-15T23:59", "2025-01-15T23:59", "2025-01-15T23:59", 23),
    ],
)
def test_a_moment_is_a_day_or_a_minute(text: str, start: str, end: str, hour: int | None) -> None:
    moment = parse_moment(text)
    assert (moment.start.isoformat(timespec="minutes"), moment.end.isoformat(timespec="minutes")) == (start, end)
    assert (moment.hour, moment.bare) == (hour, hour is None)
    assert moment.day.isoformat() == start[:10]
    assert str(moment) == text
    assert repr(moment) == f"Moment({text})"


@pytest.mark.parametrize(
    "text",
    [
        "", "2025", "2025-01", "2025-13-01", "2025-00-10", "2025-02-29", "2025-04-31", "2025-01-00", "0000-01-01", "2025-1-5", "25-01-05", "20250105",
        "2025-01-15T24:00", "2025-01-15T12:60", "2025-01-15T12", "2025-01-15T12:00:00", "2025-01-15T12:00Z", "2025-01-15 12:00",
        " 2025-01-15", "2025-01-15 ", "2025-01-15\n", "2025/01/15", "today", "-2025-01-15",
    ],
)  # fmt: skip
def test_what_is_no_moment_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(UsageError) as refusal:
        parse_moment(text)
    assert str(refusal.value) == f"{text!r} is not a date: write YYYY-MM-DD or YYYY-MM-DDTHH:MM"


@given(st.dates() | st.datetimes().map(lambda at: at.replace(second=0, microsecond=0)))
def test_what_is_printed_can_be_read_again(value: dt.date) -> None:
    moment = Moment(value)
    assert parse_moment(str(moment)) == moment
    assert moment.start <= moment.end


@given(st.text(max_size=20))
def test_any_text_is_a_moment_or_a_usage_error(text: str) -> None:
    try:
        moment = parse_moment(text)
    except UsageError:
        return
    assert len(str(moment)) == len(text)


def test_a_day_is_not_its_first_minute() -> None:
    day, midnight = parse_moment("2025-01-15"), parse_moment("2025-01-15T00:00")
    assert day != midnight
    assert day == Moment(dt.date(2025, 1, 15))
    assert day != "2025-01-15"
    assert len({day, midnight, parse_moment("2025-01-15")}) == 2


def test_the_last_day_of_the_calendar_ends_with_it() -> None:
    assert parse_moment("9999-12-31").end.isoformat(timespec="minutes") == "9999-12-31T23:59"
    assert parse_moment("9999-12-30").end.isoformat(timespec="minutes") == "9999-12-31T00:00"


@pytest.mark.parametrize(("text", "shown"), [("2025-01-15", "2025-01-15"), ("2025-01-15T10:30:00", "2025-01-15T10:30")])
def test_a_file_gives_a_date_or_a_local_time(text: str, shown: str) -> None:
    assert str(read_toml(f"at = {text}".encode(), Holder, "x").at) == shown


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("2025-01-15T10:30:00Z", "a moment is in the wall's own time and has no time zone"),
        ("2025-01-15T10:30:00+08:00", "a moment is in the wall's own time and has no time zone"),
        ('"2025-01-15"', "expected a date, such as 2025-01-15, not '2025-01-15'"),
        ("2025", "expected a date, such as 2025-01-15, not 2025"),
        ("10:30:00", "expected a date, such as 2025-01-15, not datetime.time(10, 30)"),
    ],
)
def test_a_file_that_gives_something_else_is_refused_with_its_place(text: str, sentence: str) -> None:
    with pytest.raises(ProfileError) as refusal:
        read_toml(f"at = {text}".encode(), Holder, "some.toml")
    assert str(refusal.value) == f"some.toml: {sentence} - at `$.at`"


def test_a_moment_that_is_one_already_is_taken() -> None:
    moment = parse_moment("2025-01-15")
    assert take_moment(Moment, moment) is moment
