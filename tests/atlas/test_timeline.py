"""The events of the atlas: all are read, in order, and a span of time takes those that touch it."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.atlas.load import sources
from crenel.atlas.timeline import Happening, between, happenings, span
from crenel.errors import UsageError


def event(date: str, to: str | None = None) -> Happening:
    return Happening(date=date, to=to, kind="rule", text="x", sources=("rfc6761",), confidence="high")


def test_every_event_has_a_date_and_known_sources() -> None:
    events = happenings()
    assert len(events) > 100
    assert [span(one.date)[0] for one in events] == sorted(span(one.date)[0] for one in events)
    assert all(cited.partition(":")[0] in sources() for one in events for cited in one.sources)
    assert all((one.figure is None) == (one.figure_by is None) for one in events)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2020", (2020, 1, 1), (2020, 12, 31)),
        ("2020-02", (2020, 2, 1), (2020, 2, 29)),
        ("2021-12", (2021, 12, 1), (2021, 12, 31)),
        ("2021-12-05", (2021, 12, 5), (2021, 12, 5)),
    ],
)
def test_a_date_spans_as_much_as_it_says(text: str, first: tuple[int, int, int], last: tuple[int, int, int]) -> None:
    assert span(text) == (dt.date(*first), dt.date(*last))


@pytest.mark.parametrize("text", ["", "20", "2020-13", "2021-02-29", "0000", "yesterday", "2020-1-1", "２０２０"])
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not a date: write YYYY, YYYY-MM or YYYY-MM-DD"):
        span(text)


def test_a_span_takes_what_touches_it() -> None:
    events = [event("2019"), event("2020-02"), event("2020-03-01", "2020-05"), event("2020-06-01")]
    assert [one.date for one in between(events, "2020-02-15", "2020-05-31")] == ["2020-02", "2020-03-01"]
    assert [one.date for one in between(events, "2020-05", None)] == ["2020-03-01", "2020-06-01"]
    assert between(events, None, None) == events
    assert between([], None, "1900") == []


def test_spans_that_cannot_be() -> None:
    with pytest.raises(UsageError, match="nothing is told of before 1994-02; 1990 is too early"):
        between(happenings(), None, "1990")
    with pytest.raises(UsageError, match="from 2021 to 2020 ends before it begins"):
        between(happenings(), "2021", "2020")


@given(st.dates(dt.date(1995, 1, 1), dt.date(2030, 1, 1)))
def test_every_event_is_on_one_side_of_a_day_or_on_it(day: dt.date) -> None:
    before = between(happenings(), None, day.isoformat())
    after = between(happenings(), (day + dt.timedelta(days=1)).isoformat(), None)
    assert {id(one) for one in before} | {id(one) for one in after} == {id(one) for one in happenings()}
