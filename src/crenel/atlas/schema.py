"""What a wall file, a vantage file and a source file may say; unknown keys are errors that name their path."""

import datetime as dt
from typing import Any, Literal

import msgspec

from crenel.atlas.moment import Moment
from crenel.wall.box import FirstOnly, OtherDevice, Reassembles, Scope
from crenel.wall.reaction import Reaction
from crenel.wall.readers import Reader
from crenel.wall.residual import Residual
from crenel.wall.tcb import TcbTable
from crenel.wall.wall import Limits

Confidence = Literal["high", "medium", "low"]
"""high: read in the primary source; medium: secondary; low: unconfirmed."""


class Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of a file: frozen, and closed to keys it does not know."""


class Chance(Strict, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How often a box acts on a ground."""

    p: float | None = None
    per: Literal["event", "flow", "pair"]
    """What shares one toss: nothing, all packets of a flow, or all flows of a client and server pair."""
    by_hour: dict[str, tuple[float, ...]] | None = None
    """Twenty-four probabilities by city, hour 0 first, in the wall's own time."""
    city: str | None = None
    """The city whose curve is taken where the vantage has none."""


class Alternative(Strict, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another value that a source gives for a key of this epoch."""

    key: str
    """Path below the epoch, with dots."""
    name: str
    value: Any = None
    """The value; absent: the key is taken away."""
    sources: tuple[str, ...]
    says: str


class Epoch(Strict, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was observed of a box, and when."""

    first_seen: Moment
    last_seen: Moment
    ended: Moment | None = None
    """Only where somebody observed that it was gone."""
    confidence: Confidence
    sources: tuple[str, ...]
    scope: Scope
    trigger: Reader
    tcb: str | None = None
    other_device: OtherDevice | None = None
    reassembles: Reassembles | None = None
    first_only: FirstOnly | None = None
    chance: Chance
    reaction: Reaction = Reaction()
    residual: Residual | None = None
    assumed: dict[str, str] = {}
    alternative: tuple[Alternative, ...] = ()
    note: str = ""


class Middlebox(Strict, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One box through its epochs."""

    id: str
    title: str
    placement: Literal["on-path", "in-path"]
    sees_injected: bool = True
    """Does it see what other boxes of the wall inject?"""
    epoch: tuple[Epoch, ...]


class ListEntry(Strict, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One name, keyword or address of a list."""

    name: str
    form: Literal["suffix", "exact", "label-start", "end", "substring", "subdomain", "start"] = "suffix"
    source: str
    from_: dt.date | None = msgspec.field(default=None, name="from")
    until: dt.date | None = None


class NamedList(Strict, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A list of names, keywords or addresses, or a pool of forged addresses."""

    title: str
    kind: Literal["names", "keywords", "addresses", "pool"]
    sources: tuple[str, ...]
    entries: tuple[ListEntry, ...] = ()
    allows: bool = False
    """Does the wall let pass what stands here, and act on everything else? Names that a user treats as listed are not added then."""
    size: int | None = None
    """For a pool: how many addresses were counted."""
    fill: str | None = None
    """For a pool: the network from which unprinted addresses are made up."""
    assumed: dict[str, str] = {}


class DefaultVantage(Strict, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The vantage from which a wall is judged from a day on, unless another is asked for."""

    from_: dt.date = msgspec.field(name="from")
    name: str
    assumed: str | None = None
    sources: tuple[str, ...] = ()


class LimitsTable(Limits, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The bounds of a run's memory, with why."""

    assumed: str


class Profile(Strict, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A wall file."""

    format: Literal[1]
    name: str
    title: str
    utc_offset: int
    """Hours that the wall's own clock is ahead of UTC."""
    limits: LimitsTable
    vantage: tuple[DefaultVantage, ...]
    middlebox: tuple[Middlebox, ...]
    tcb: dict[str, TcbTable] = {}
    list: dict[str, NamedList] = {}
    source: dict[str, "Source"] = {}
    """Sources that only this file uses."""


class Source(Strict, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody who measured, or reported."""

    title: str
    authors: str
    venue: str = ""
    year: int | None = None
    read: Literal["full", "summary", "data", "partial"]
    confidence: Confidence
    key: str = ""
    """The name of the work in the project's fact sheets."""
    url: str | None = None
    note: str = ""
