"""The strip of time: every event and every stretch has its place, and the nearest events are found."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from crenel.atlas.timeline import happenings, span
from crenel.web.answer import answer_to
from crenel.web.asked import Asked
from crenel.web.strip import Scale, around, strip, title_of
from tests.web.made import GALLERY, TODAY, page
from tests.web.test_elements import Reader

SCALE = Scale(GALLERY.first(), TODAY)


@given(st.dates(GALLERY.first(), TODAY), st.dates(GALLERY.first(), TODAY))
def test_later_is_farther_right(one: dt.date, other: dt.date) -> None:
    assert (SCALE.at(one) <= SCALE.at(other)) == (one <= other) or SCALE.at(one) == SCALE.at(other)
    assert 0 <= SCALE.at(one) <= 100


def test_the_ends() -> None:
    assert (SCALE.at(GALLERY.first()), SCALE.at(TODAY), SCALE.at(dt.date.min), SCALE.at(dt.date.max)) == (0, 100, 0, 100)


def test_every_event_of_the_span_has_a_dot_that_no_key_stops_at() -> None:
    read = Reader(strip(SCALE, (), (TODAY,), "/?date="))
    inside = [event for event in happenings() if SCALE.first <= span(event.date)[0] <= SCALE.last]
    dots = [attributes for tag, attributes in read.tags if tag == "a"]
    assert len(dots) == len(inside)
    assert {dot["tabindex"] for dot in dots} == {"-1"}
    assert all((dot["href"] or "").startswith("/?date=") for dot in dots)
    assert not [attributes for _, attributes in read.tags if "style" in attributes]
    assert Reader(strip(SCALE, (), (), "")).tags


def test_every_known_stretch_has_a_band() -> None:
    name = GALLERY.names[0]
    with page() as (_, shelf):
        answer = answer_to(Asked(target="https://blocked.example/"), name, "2025-01-15", GALLERY, shelf)
    assert answer.course is not None
    read = Reader(strip(SCALE, (answer,), (answer.day, TODAY), ""))
    bands = [attributes for tag, attributes in read.tags if tag == "rect" and (attributes.get("class") or "").startswith("band")]
    assert len(bands) == sum(one.known for one in answer.course)
    assert {attributes["id"] for tag, attributes in read.tags if tag == "line" and "id" in attributes} == {"now", "now1"}


@given(st.dates(dt.date(1990, 1, 1), dt.date(2030, 1, 1)), st.booleans())
def test_events_around_a_day(day: dt.date, record: bool) -> None:
    found = around(day, record=record)
    assert len(found) <= 4
    assert all((event.kind != "mechanism") == record for event in found)
    firsts = [span(event.date)[0] for event in found]
    assert firsts == sorted(firsts)
    assert sum(first > day for first in firsts) <= 1


def test_titles() -> None:
    assert any(", " in title_of(event) for event in happenings())
