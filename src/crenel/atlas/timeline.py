"""The dated events of the atlas: the file `timeline.toml` in, checked events out, and those of a span of time."""

import calendar
import datetime as dt
import functools
import re
from collections.abc import Sequence
from importlib import resources
from typing import Literal

import msgspec

from crenel.atlas.load import read_toml, sources
from crenel.atlas.schema import Confidence
from crenel.errors import ProfileError, UsageError

Kind = Literal["company", "directive", "enforcement", "infrastructure", "mechanism", "rule"]

_WRITTEN = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?")


class Happening(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something that happened to the wall, or around it."""

    date: str
    """Year, month or day, as exactly as it is known."""
    to: str | None = None
    """The last day, month or year of something that went on."""
    kind: Kind
    topic: str | None = None
    text: str
    figure: str | None = None
    figure_by: str | None = None
    """Whose claim the figure is."""
    sources: tuple[str, ...]
    confidence: Confidence


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    event: tuple[Happening, ...]


@functools.cache
def happenings() -> tuple[Happening, ...]:
    """Return all events by date.

    Raises:
        ProfileError: the file is wrong.
    """
    place = "timeline.toml"
    events = read_toml((resources.files("crenel.atlas") / place).read_bytes(), _File, place).event
    known = sources()
    for event in events:
        for text in filter(None, (event.date, event.to)):
            span(text)
        for cited in event.sources:
            if cited.partition(":")[0] not in known:
                message = f"{place}: {event.date}: source {cited!r} is not known"
                raise ProfileError(message)
    return tuple(sorted(events, key=lambda event: span(event.date)))


def span(text: str) -> tuple[dt.date, dt.date]:
    """Return the first and last day of a year, a month or a day.

    Raises:
        UsageError: the text is none of these.
    """
    parts = [int(part) for part in text.split("-")] if _WRITTEN.fullmatch(text) else []
    year, month, day = (*parts, None, None, None)[:3]
    try:
        first = dt.date(year or 0, month or 1, day or 1)
        last = dt.date(first.year, month or 12, day or calendar.monthrange(first.year, month or 12)[1])
    except ValueError:
        message = f"{text!r} is not a date: write YYYY, YYYY-MM or YYYY-MM-DD"
        raise UsageError(message) from None
    return first, last


def between(events: Sequence[Happening], since: str | None, until: str | None) -> list[Happening]:
    """Return the events that happened in a span, its ends included.

    Raises:
        UsageError: a date cannot be read, the span ends before it begins, or before anything is told of.
    """
    first = span(since)[0] if since is not None else dt.date.min
    last = span(until)[1] if until is not None else dt.date.max
    if last < first:
        message = f"the span from {since} to {until} ends before it begins"
        raise UsageError(message)
    if events and last < span(events[0].date)[0]:
        message = f"nothing is told of before {events[0].date}; {until} is too early"
        raise UsageError(message)
    return [event for event in events if span(event.date)[0] <= last and first <= span(event.to or event.date)[1]]
