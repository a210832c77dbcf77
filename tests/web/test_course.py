"""The course of an answer: one stretch for each span of days with the same answer, without holes."""

import datetime as dt
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from crenel.net.trace import FlowReport, Trigger
from crenel.web.answer import answer_to
from crenel.web.asked import Asked
from crenel.web.course import Courses, Stretch, course_of, since, stretch_on
from tests.web.made import GALLERY, page

DAYS = [dt.date(2020, 1, 1) + dt.timedelta(days=30 * number) for number in range(12)]
TODAY = dt.date(2021, 6, 1)


def flow(chance: float) -> FlowReport:
    triggers = (Trigger("box", "reset", chance, acted=True),) if chance else ()
    return FlowReport(
        "x", 1, "tcp", "192.0.2.1", 1, "192.0.2.2", 2, "0", 0, 0, "tls", None, (), None, True, "pass", chance > 0, None, None, False, None, chance,
        triggers, (),
    )  # fmt: skip


WALLS = {day: GALLERY.wall(GALLERY.names[0], "2025-01-15", number) for number, day in enumerate(DAYS)}
days_of = {wall: day for day, wall in WALLS.items()}
wall_on = WALLS.__getitem__


def course(chances: list[float]) -> list[Stretch]:
    by_day = dict(zip(DAYS, chances, strict=False))
    return course_of(lambda wall: flow(by_day[days_of[wall]]), wall_on, DAYS[: len(chances)], TODAY)


def test_the_same_answers_are_one_stretch() -> None:
    found = course([0.0, 0.0, 0.5, 0.5, 1.0, 0.0])
    assert [(one.first, one.kind) for one in found] == [(DAYS[0], "passes"), (DAYS[2], "at risk"), (DAYS[4], "blocked"), (DAYS[5], "passes")]
    assert found[-1].last == TODAY


@given(st.lists(st.sampled_from([0.0, 0.25, 1.0]), min_size=1, max_size=12))
def test_stretches_cover_every_day_once(chances: list[float]) -> None:
    found = course(chances)
    assert found[0].first == DAYS[0]
    assert found[-1].last == TODAY
    assert all(one.last + dt.timedelta(days=1) == other.first for one, other in pairwise(found))
    assert all((one.chance, one.boxes) != (other.chance, other.boxes) for one, other in pairwise(found))


def test_since_when_it_is_acted_on() -> None:
    found = course([0.0, 0.5, 1.0, 0.0, 1.0])
    assert since(found, DAYS[2]) == DAYS[1]
    assert since(found, DAYS[3]) is None
    assert since(found, TODAY) == DAYS[4]
    assert since(found, dt.date(2019, 1, 1)) is None
    assert stretch_on(found, DAYS[1]) == 1


def test_what_cannot_be_told_is_left_out() -> None:
    assert course_of(lambda wall: None, wall_on, DAYS, TODAY) == []


def test_the_oldest_courses_go() -> None:
    kept = Courses()
    for number in range(200):
        kept.put(number, ())
    assert kept.get(0) is None
    assert kept.get(199) == ()


def test_a_pass_on_a_day_without_such_a_box_is_not_known() -> None:
    name = GALLERY.names[0]
    with page() as (_, shelf):
        blocked = answer_to(Asked(target="quic://blocked.example/", wall=name), name, "2020-01-01", GALLERY, shelf).course
        allowed = answer_to(Asked(target="quic://allowed.example/", wall=name), name, "2020-01-01", GALLERY, shelf).course
    assert blocked is not None
    assert allowed is not None
    assert all(one.known for one in blocked if one.acts)
    assert not blocked[0].known
    assert [one.known for one in allowed] == [True]
