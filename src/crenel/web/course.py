"""What is asked and the days on which a wall changes in, the stretches of time with one answer each out."""

import datetime as dt
from collections.abc import Callable, Hashable, Sequence

import msgspec

from crenel.net.trace import FlowReport
from crenel.report.bytes_read import reads_of
from crenel.report.words import Kind, kind_of
from crenel.wall.box import Box
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
    known: bool = True
    """False where no box acts, and none that reads what gives such a flow away on other days is in the model yet: then a pass says nothing."""

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
    found: list[tuple[Stretch, frozenset[tuple[str, str]]]] = []
    telling: set[tuple[str, str]] = set()
    days = [day for day in changes if day <= today]
    for day, after in zip(days, [*days[1:], today + _DAY], strict=True):
        wall = wall_on(day)
        flow = judge(wall)
        if flow is None:
            continue
        boxes = tuple(trigger.middlebox for trigger in flow.triggers)
        telling |= {_field(box) for box in wall.boxes if box.id in boxes}
        found.append((Stretch(day, max(day, after - _DAY), kind_of(flow), flow.chance, boxes), frozenset(map(_field, wall.boxes))))
    return _joined([msgspec.structs.replace(one, known=one.acts or not telling or bool(telling & read)) for one, read in found])


def _field(box: Box) -> tuple[str, str]:
    """Return what a box reads, and over which transport."""
    return reads_of(box), box.scope.transport


def _joined(stretches: Sequence[Stretch]) -> list[Stretch]:
    """Put together what is the same."""
    found: list[Stretch] = []
    for one in stretches:
        if found and _answer(found[-1]) == _answer(one):
            found[-1] = msgspec.structs.replace(found[-1], last=one.last)
        else:
            found.append(one)
    return found


def _answer(one: Stretch) -> tuple[Kind, float, tuple[str, ...], bool]:
    return one.kind, round(one.chance, 3), one.boxes, one.known


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
