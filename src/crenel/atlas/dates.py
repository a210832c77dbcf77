"""Boxes with their epochs and a moment in, the epoch that is in force out."""

import datetime as dt

from crenel.atlas.moment import Moment
from crenel.atlas.schema import Epoch, Middlebox

_DAY = dt.timedelta(days=1)


def is_short(epoch: Epoch) -> bool:
    """Say whether an epoch lasted less than a day."""
    return epoch.ended is not None and epoch.ended.end - epoch.first_seen.start < _DAY


def epoch_in_force(box: Middlebox, as_of: Moment) -> Epoch | None:
    """Return the epoch of a box at a moment; an epoch shorter than a day only where an hour is given."""
    now = as_of.end - dt.timedelta(minutes=1) if as_of.bare else as_of.start
    started = [epoch for epoch in box.epoch if epoch.first_seen.start <= now and not (as_of.bare and is_short(epoch))]
    if not started:
        return None
    newest = max(started, key=lambda epoch: epoch.first_seen.start)
    if newest.ended is None:
        return newest
    over = newest.ended.end <= now if newest.ended.bare else newest.ended.start < now
    return None if over else newest


def short_epochs_on(box: Middlebox, as_of: Moment) -> list[Epoch]:
    """Return the epochs shorter than a day that fall on a bare date."""
    return [epoch for epoch in box.epoch if as_of.bare and is_short(epoch) and epoch.first_seen.day == as_of.day]


def first_day(boxes: tuple[Middlebox, ...]) -> dt.date:
    """Return the first day on which any box was seen."""
    return min(epoch.first_seen.day for box in boxes for epoch in box.epoch)
