"""A day, or a minute of a day, in a wall's own time: as a profile or a user writes it in, comparable out."""

import datetime as dt
import re

from crenel.errors import UsageError

_WRITTEN = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d))?")
_DAY = dt.timedelta(days=1)


class Moment:
    """A date, or a date with a time of day; the wall's own time, so without a time zone."""

    __slots__ = ("bare", "start")

    def __init__(self, value: dt.date) -> None:
        """Take a date, or a datetime without a time zone."""
        self.bare = not isinstance(value, dt.datetime)
        """True where no time of day was given."""
        self.start = value if isinstance(value, dt.datetime) else dt.datetime(value.year, value.month, value.day)  # noqa: DTZ001
        """First minute of it."""

    @property
    def end(self) -> dt.datetime:
        """First minute after a date; the moment itself where a time of day was given."""
        if not self.bare:
            return self.start
        return self.start + _DAY if self.day < dt.date.max else dt.datetime.max  # noqa: DTZ901

    @property
    def day(self) -> dt.date:
        """The date."""
        return self.start.date()

    @property
    def hour(self) -> int | None:
        """The hour of the day, where one was given."""
        return None if self.bare else self.start.hour

    def __str__(self) -> str:
        """Return it as it is written: `YYYY-MM-DD` or `YYYY-MM-DDTHH:MM`."""
        return self.day.isoformat() if self.bare else self.start.isoformat(timespec="minutes")

    def __repr__(self) -> str:
        """Return it as an expression."""
        return f"Moment({self})"

    def __eq__(self, other: object) -> bool:
        """Compare what was written."""
        return isinstance(other, Moment) and (self.start, self.bare) == (other.start, other.bare)

    def __hash__(self) -> int:
        """Agree with equality."""
        return hash((self.start, self.bare))


def parse_moment(text: str) -> Moment:
    """Return the moment written as `DATE[THH:MM]`.

    Raises:
        UsageError: the text is neither, or no such day exists.
    """
    found = _WRITTEN.fullmatch(text)
    moment = None if found is None else _moment([int(part) for part in found.groups() if part is not None])
    if moment is None:
        message = f"{text!r} is not a date: write YYYY-MM-DD or YYYY-MM-DDTHH:MM"
        raise UsageError(message)
    return moment


def _moment(numbers: list[int]) -> Moment | None:
    try:
        return Moment(dt.date(*numbers) if len(numbers) == 3 else dt.datetime(*numbers))  # type: ignore[arg-type]  # noqa: DTZ001
    except ValueError:
        return None


def take_moment(kind: type, value: object) -> object:
    """Turn a date of a TOML file into a moment, for msgspec; anything else is refused."""
    if kind is Moment and isinstance(value, Moment):
        return value
    if kind is Moment and isinstance(value, dt.date):
        if isinstance(value, dt.datetime) and value.tzinfo is not None:
            message = "a moment is in the wall's own time and has no time zone"
            raise ValueError(message)
        return Moment(value)
    message = f"expected a date, such as 2025-01-15, not {value!r}"
    raise ValueError(message)
