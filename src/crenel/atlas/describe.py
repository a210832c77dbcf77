"""What Crenel itself calls things, apart from any wall: the rule by which bytes are called encrypted."""

import datetime as dt
import functools
from importlib import resources

import msgspec

from crenel.atlas.load import read_toml
from crenel.wall.readers.encrypted import RandomLooking


class Description(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file `describe.toml`."""

    encrypted: RandomLooking
    bench: tuple[dt.date, ...]
    """Dates as of which the bench measures."""
    sources: tuple[str, ...]
    assumed: str


@functools.cache
def _description() -> Description:
    text = (resources.files("crenel.atlas") / "describe.toml").read_bytes()
    return read_toml(text, Description, "describe.toml")


def encrypted_rule() -> RandomLooking:
    """Return the rule by which a first payload that is no protocol we read is called encrypted."""
    return _description().encrypted


def bench_dates() -> tuple[dt.date, ...]:
    """Return the dates as of which the bench measures the default wall."""
    return _description().bench
