"""Names of walls and dates in, compiled walls out, each compiled once; and the days on which a wall changes."""

import datetime as dt
import functools
from collections.abc import Sequence
from typing import cast

from crenel.atlas.compile import About, load_wall
from crenel.atlas.dates import first_day
from crenel.atlas.load import DEFAULT_WALL, load_profile, walls
from crenel.atlas.moment import parse_moment
from crenel.atlas.schema import Profile
from crenel.atlas.timeline import happenings, span
from crenel.errors import UsageError
from crenel.report.text import safe
from crenel.wall.wall import Wall
from crenel.web.course import Courses

_KEPT = 512
"""Compiled walls; one wall changes on a few dozen days."""
_DAY = dt.timedelta(days=1)
_YEAR = dt.timedelta(days=365)


class Gallery:
    """The walls that the page offers.

    Args:
        given: wall files of the user's, beside those that come with Crenel; the first one is the default.
        today: gives the day in the wall's own time, by its hours ahead of UTC; None: the clock does.

    Raises:
        ProfileError: a wall file is wrong.
    """

    def __init__(self, given: Sequence[str] = (), today: dt.date | None = None) -> None:
        self._today = today
        self.names = list(dict.fromkeys([*given, *([DEFAULT_WALL] if not given else []), *walls()]))
        self._profiles = {name: load_profile(name)[0] for name in self.names}
        self.titles = {name: profile.title for name, profile in self._profiles.items()}
        self.courses = Courses()
        self._days: dict[str, tuple[dt.date, ...]] = {}
        self._load = functools.lru_cache(maxsize=_KEPT)(_load)

    def profile(self, name: str) -> Profile:
        """Return the profile of an offered wall.

        Raises:
            UsageError: it is not offered; the page opens no other file.
        """
        if name not in self.titles:
            message = f"no wall is called {safe(name, 80)!r} here; there is {', '.join(self.names)}"
            raise UsageError(message)
        return self._profiles[name]

    def today(self, name: str) -> dt.date:
        """Return the day that it is in a wall's own time."""
        return self._today or dt.datetime.now(dt.timezone(dt.timedelta(hours=self.profile(name).utc_offset))).date()

    def first(self) -> dt.date:
        """Return the day with which the slider begins: that of the year in which the first change of a wall is told of."""
        days = [span(event.date)[0] for event in happenings() if event.kind == "mechanism"]
        return min(days).replace(month=1, day=1)

    def day(self, name: str, text: str) -> dt.date:
        """Return the day that was typed; nothing typed is today.

        Raises:
            UsageError: it is no day, or one that is not told of.
        """
        today = self.today(name)
        if not text.strip():
            return today
        day = parse_moment(text.strip()[:10]).day
        if day < self.first():
            message = f"{day} is too early: the timeline of this page begins in {self.first().year}"
            raise UsageError(message)
        if day > self.last(name):
            message = f"{day} has not come yet: nobody has measured the wall of that day"
            raise UsageError(message)
        return day

    def last(self, name: str) -> dt.date:
        """Return the last day that can be asked for: today, or a year after the last change of a wall that begins later, which somebody invented."""
        today = self.today(name)
        return today if self.begins(name) <= today else self.changes(name)[-1] + _YEAR

    def begins(self, name: str) -> dt.date:
        """Return the first day on which anything is known of a wall."""
        return first_day(self.profile(name).middlebox)

    def wall(self, name: str, day: str, seed: int = 0, *, listed: bool = False) -> Wall:
        """Return a wall as of a day, or a minute.

        Raises:
            UsageError: the wall is not offered, or the day is none.
            ProfileError: nothing is known of the wall so early.
        """
        self.profile(name)
        return self._load(name, day, seed, ("*",) if listed else ())

    def changes(self, name: str) -> tuple[dt.date, ...]:
        """Return the days on which something of a wall changes: epochs begin or are over, names are listed or not, another vantage is the default."""
        if name not in self._days:
            self._days[name] = _changes(self.profile(name))
        return self._days[name]


def _load(name: str, day: str, seed: int, listed: tuple[str, ...]) -> Wall:
    return load_wall(name, day, seed=seed, listed=listed)


def about(wall: Wall) -> About:
    """Return what the atlas knows of a wall that was loaded from it."""
    return cast("About", wall.about)


def _changes(profile: Profile) -> tuple[dt.date, ...]:
    begun = first_day(profile.middlebox)
    days = {begun}
    for box in profile.middlebox:
        for epoch in box.epoch:
            days.add(epoch.first_seen.day)
            if epoch.ended is not None:
                days.add(epoch.ended.day + _DAY)
    for names in profile.list.values():
        for entry in names.entries:
            days |= {day for day in (entry.from_, entry.until and entry.until + _DAY) if day is not None}
    days |= {vantage.from_ for vantage in profile.vantage}
    return tuple(sorted(day for day in days if day >= begun))
