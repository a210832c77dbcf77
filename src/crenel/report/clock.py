"""Seconds since 1970 in, the moment in words out: in UTC and by a wall's own clock."""

import datetime as dt


def moment_words(seconds: str, utc_offset: int) -> str:
    """Return a moment, written as seconds with decimals, for people; a moment that no calendar has stays a number."""
    whole, _, fraction = seconds.partition(".")
    try:
        utc = dt.datetime.fromtimestamp(int(whole), dt.UTC)
        there = utc.astimezone(dt.timezone(dt.timedelta(hours=utc_offset)))
    except (ValueError, OverflowError, OSError):
        return f"{seconds} s after the beginning of 1970"
    return f"{utc:%Y-%m-%d %H:%M:%S}.{fraction[:6]} UTC, {there:%H:%M} by the wall's clock"
