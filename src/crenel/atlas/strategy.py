"""The schema of the strategy library: what a published strategy does, where it was seen to work, and the rates that were published for it."""

import datetime as dt
from typing import Literal

import msgspec

Family = Literal[
    "none", "tcb creation", "tear-down", "desynchronisation", "segmentation", "reassembly", "records", "options", "race", "first packet", "port"
]
"""What a strategy takes advantage of."""


class Study(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where and when rates were measured."""

    title: str
    wall: str
    as_of: dt.date
    """The day that stands for the span of its measurements."""
    vantage: str
    sources: tuple[str, ...]


class Published(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One published rate: a cell of a table."""

    study: str
    """Name of the study."""
    protocol: str
    rates: tuple[float, ...]
    """Rate of success; more than one where works disagree about the same strategy, the nearer one counts."""
    reset: float | None = None
    """Share of trials that ended with resets, where the study tells."""
    silent: float | None = None
    """Share of trials in which nothing came back, where the study tells."""
    control: float = 0.0
    """Share of failures in the same trials without anything to block, which the model leaves out."""
    name: str | None = None
    """What was asked for; None: the name that stands on every list."""
    explained: str | None = None
    """Why the reproduced rate is far off."""
    open: str | None = None
    """The same where nobody knows: what is known."""
    sources: tuple[str, ...] = ()
    """Beside those of the study."""


class Sighting(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """When somebody saw a strategy work, or fail."""

    from_: str
    """Year, month or day, as exactly as it is known."""
    to: str | None = None
    worked: bool
    says: str
    sources: tuple[str, ...]


class Named(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A strategy with a name."""

    name: str
    family: Family
    side: Literal["client", "server"]
    protocols: tuple[str, ...]
    """Those for which it was meant; the first one is tried where none is asked for."""
    dna: str
    says: str
    """What it does."""
    origin: str
    sources: tuple[str, ...]
    cell: tuple[Published, ...] = ()
    seen: tuple[Sighting, ...] = ()


class Strategies(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole library."""

    study: dict[str, Study]
    strategy: tuple[Named, ...]
