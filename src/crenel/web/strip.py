"""The events of the timeline and the course of an answer in, a strip of time out: technical changes above, the answer, the public record below."""

import datetime as dt
import functools
from collections.abc import Sequence

from crenel.atlas.timeline import Happening, Kind, happenings, span
from crenel.report.text import safe
from crenel.web.answer import Answer
from crenel.web.elements import Markup, element, fragment
from crenel.web.verdict import FACES, WORDS

RECORD: tuple[Kind, ...] = ("rule", "directive", "enforcement", "company", "infrastructure")
"""Kinds of the public record, each in a row of its own."""
_ROW = 11
_ROWS_ABOVE = 3
_TOP = 17
_BAND = 20
_DAYS = 365.25


class Scale:
    """Places on the strip in percent.

    Args:
        first: the day at the left end.
        last: the day at the right end.
    """

    def __init__(self, first: dt.date, last: dt.date) -> None:
        self.first, self.last = first, last
        self._days = max((last - first).days, 1)

    def at(self, day: dt.date) -> float:
        """Return how far a day is from the left end, from 0 to 100."""
        return round(min(max((day - self.first).days / self._days, 0.0), 1.0) * 100, 3)


def strip(scale: Scale, answers: Sequence[Answer], days: Sequence[dt.date], go: str) -> Markup:
    """Return the strip.

    Args:
        scale: of its time.
        answers: whose course is shown, one below the other.
        days: the chosen ones, which are marked.
        go: the address of the page on a day, but for the day itself; empty where there is none.
    """
    above = _TOP + _ROWS_ABOVE * _ROW
    bands = max(len(answers), 1)
    below = above + 6 + bands * (_BAND + 4)
    height = below + 4 + len(RECORD) * _ROW + 28
    cursors = [
        element("line", id=f"now{number or ''}", class_=f"now n{number}", x1=f"{scale.at(day)}%", x2=f"{scale.at(day)}%", y1=12, y2=height - 28)
        for number, day in enumerate(days)
    ]
    parts = [
        _years(scale, height),
        [_band(scale, answer, above + 6 + number * (_BAND + 4)) for number, answer in enumerate(answers)] or element(
            "rect", class_="empty", x="0", width="100%", y=above + 6, height=_BAND, rx=3),
        _events(scale, above, below, go),
        element("text", "technical changes", class_="lane", x="0", y=10),
        element("text", "public record", class_="lane", x="0", y=height - 18),
        cursors,
    ]  # fmt: skip
    return element("svg", _PATTERN, parts, class_="strip", height=height, width="100%", aria_hidden="true", focusable="false")


_PATTERN = Markup(
    '<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect class="ground" width="6" height="6"></rect><rect class="stripe" width="3" height="6"></rect></pattern></defs>'
)


@functools.cache
def _dated() -> tuple[tuple[dt.date, Happening], ...]:
    return tuple((span(event.date)[0], event) for event in happenings())


def _years(scale: Scale, height: int) -> Markup:
    years = range(scale.first.year, scale.last.year + 1)
    parts = []
    for year in years:
        x = f"{scale.at(scale.first.replace(year=year))}%"
        parts.append(element("line", class_="year", x1=x, x2=x, y1=12, y2=height - 28))
        often = "" if year % 4 == 0 else " some" if year % 2 == 0 else " many"
        parts.append(element("text", str(year), class_=f"tick{often}", x=x, y=height - 3, dx=2))
    return fragment(parts)


def _band(scale: Scale, answer: Answer, y: int) -> Markup:
    parts = [element("rect", class_="empty", x="0", width="100%", y=y, height=_BAND, rx=3)]
    for one in answer.course or ():
        left, right = scale.at(one.first), scale.at(one.last + dt.timedelta(days=1))
        if not one.known:
            continue
        title = f"{one.first} to {one.last}: {WORDS[one.kind]}{' by ' + ', '.join(one.boxes) if one.boxes else ''}"
        width = f"{max(right - left, 0.15):.3f}%"
        parts.append(element("rect", element("title", title), class_=f"band {FACES[one.kind]}", x=f"{left}%", width=width, y=y, height=_BAND))
    return fragment(parts)


def _events(scale: Scale, above: int, below: int, go: str) -> Markup:
    """Return a dot for each event, which a pointer can follow; the lists beside the answer are the same for everybody else."""
    parts = []
    for number, (day, event) in enumerate(_dated()):
        if not scale.first <= day <= scale.last:
            continue
        mechanism = event.kind == "mechanism"
        y = above - _ROW / 2 - number % _ROWS_ABOVE * _ROW if mechanism else below + 4 + RECORD.index(event.kind) * _ROW
        dot = element("circle", element("title", f"{event.date}: {event.text}"), class_=f"dot {event.kind}", cx=f"{scale.at(day)}%", cy=f"{y:g}", r=4)
        parts.append(element("a", dot, href=f"{go}{day}", tabindex=-1) if go else dot)
    return fragment(parts)


@functools.cache
def _sorted_by(*, record: bool) -> tuple[Happening, ...]:
    return tuple(event for event in happenings() if (event.kind != "mechanism") == record)


def around(day: dt.date, *, record: bool, before: int = 3, after: int = 1) -> list[Happening]:
    """Return the events next to a day: of the public record, or technical changes."""
    events = _sorted_by(record=record)
    past = [event for event in events if span(event.date)[0] <= day]
    return [*past[-before:], *events[len(past) : len(past) + after]]


def title_of(event: Happening) -> str:
    """Return the kind of an event, with what it is about."""
    return event.kind if event.topic is None else f"{event.kind}, {safe(event.topic)}"
