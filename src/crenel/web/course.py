"""What is asked and the days on which a wall changes in, the stretches of time with one answer each out."""

import datetime as dt
from collections.abc import Callable, Hashable, Sequence

import msgspec

from crenel.net.trace import FlowReport
from crenel.report.words import Kind, kind_of
from crenel.wall.wall import Wall

_DAY = dt.timedelta(days=1)
_KEPT = 64


class Stretch(msgspec.Struct, frozen=True):
    """A span of days with one answer."""

    first: dt.date
    last: dt.date
    kind: Kind
    chance: float
    boxes: tuple[str, ...]
    """Those with ground to act."""

    @property
    def acts(self) -> bool:
        """Does any box have ground to act?"""
        return self.chance > 0.0 or bool(self.boxes)


def course_of(
    judge: Callable[[Wall], FlowReport | None], wall_on: Callable[[dt.date], Wall], changes: Sequence[dt.date], today: dt.date
) -> list[Stretch]:
    """Judge once for each day on which the wall changes, and put together what is the same.

    Args:
        judge: returns what is asked as a flow, judged by a wall; None where it cannot be told.
        wall_on: returns the wall of a day.
        changes: days, in order.
        today: the last day.
    """
    stretches: list[Stretch] = []
    days = [day for day in changes if day <= today]
    for day, after in zip(days, [*days[1:], today + _DAY], strict=True):
        flow = judge(wall_on(day))
        if flow is None:
            continue
        boxes = tuple(trigger.middlebox for trigger in flow.triggers)
        one = Stretch(day, max(day, after - _DAY), kind_of(flow), flow.chance, boxes)
        before = stretches[-1] if stretches else None
        if before is not None and (before.kind, round(before.chance, 3), before.boxes) == (one.kind, round(one.chance, 3), one.boxes):
            stretches[-1] = msgspec.structs.replace(before, last=one.last)
        else:
            stretches.append(one)
    return stretches


def stretch_on(stretches: Sequence[Stretch], day: dt.date) -> int | None:
    """Return the place of the stretch that holds a day."""
    return next((place for place, one in enumerate(stretches) if one.first <= day <= one.last), None)


def since(stretches: Sequence[Stretch], day: dt.date) -> dt.date | None:
    """Return since when, without a break up to that day, some box has had ground to act; None where none has."""
    place = stretch_on(stretches, day)
    if place is None or not stretches[place].acts:
        return None
    while place and stretches[place - 1].acts:
        place -= 1
    return stretches[place].first


class Courses:
    """The courses that were worked out last."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, tuple[Stretch, ...]] = {}

    def get(self, key: Hashable) -> tuple[Stretch, ...] | None:
        """Return a course that was kept."""
        return self._kept.get(key)

    def put(self, key: Hashable, course: tuple[Stretch, ...]) -> None:
        """Keep a course; the oldest one goes."""
        while len(self._kept) >= _KEPT:
            self._kept.pop(next(iter(self._kept)), None)
        self._kept[key] = course
