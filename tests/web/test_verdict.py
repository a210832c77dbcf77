"""The verdict in words: it follows the chance, says since when, and does not take silence of the model for a pass."""

import datetime as dt

import pytest

from crenel.web.answer import Answer, answer_to
from crenel.web.asked import Asked
from crenel.web.verdict import NOT_MODELLED, course_table, headline, neighbours, resting_on, since_words, verdict
from tests.web.made import GALLERY, page

NAME = GALLERY.names[0]


def ask(target: str, date: str = "2025-01-15") -> Answer:
    with page() as (_, shelf):
        return answer_to(Asked(target=target), NAME, date, GALLERY, shelf)


@pytest.mark.parametrize(
    ("target", "date", "head"),
    [
        ("blocked.example", "2025-01-15", "Blocked"),
        ("quic://blocked.example/", "2025-01-15", "At risk: 20 % of connections"),
        ("https://allowed.example/", "2025-01-15", "Passes"),
        ("quic://blocked.example/", "2020-01-01", NOT_MODELLED),
        ("https://nobody.net/", "2025-01-15", "On no example list"),
    ],
)
def test_headlines(target: str, date: str, head: str) -> None:
    answer = ask(target, date)
    assert headline(answer) == head
    assert head in verdict(answer)


def test_since_when_and_by_which_box() -> None:
    words = since_words(ask("quic://blocked.example/"))
    assert words.startswith("At risk since 2024-04-07")
    assert words.endswith("by quic-sni.")
    assert since_words(ask("https://allowed.example/")) == ""


def test_a_box_that_was_not_seen_lately_says_so() -> None:
    assert "Last observed at work: " in verdict(ask("https://blocked.example/"))


def test_what_it_rests_on() -> None:
    assert "as of 2025-01-15 at 12:00, seen from beijing, draw 0" in resting_on(ask("blocked.example"))


def test_the_course_marks_the_day_that_is_looked_at() -> None:
    answer = ask("https://blocked.example/")
    table = course_table(answer, buttons=True)
    assert answer.course is not None
    assert table.count("<tr") == len(answer.course) + 1
    assert table.count("aria-current") == 1
    assert table.count("<button") == len(answer.course)
    assert "<button" not in course_table(answer, buttons=False)


def test_neighbours() -> None:
    course = ask("https://blocked.example/").course
    assert course is not None
    assert neighbours(course, course[0].first) == (None, course[1].first)
    assert neighbours(course, course[1].first + dt.timedelta(days=1)) == (course[1].first, course[2].first)
    assert neighbours(None, course[0].first) == (None, None)
