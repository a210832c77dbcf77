"""What was asked for and what came out, as the values that are written as JSON."""

from collections.abc import Sequence

import msgspec

from crenel.errors import ProfileError
from crenel.net.trace import CaptureSummary, FlowReport
from crenel.report.exchange import ExchangeReport
from crenel.report.table import about_of
from crenel.report.text import plain_path
from crenel.wall.wall import Wall

SCHEMA = 1
"""Version of the JSON form; it goes up where a field is renamed or taken away, which is not planned."""


class Failure(msgspec.Struct, frozen=True):
    """A capture that could not be judged at all."""

    capture: str
    error: str


class RunHead(msgspec.Struct, frozen=True):
    """What an answer rests on, and what became of each capture."""

    crenel: str
    schema: int
    wall: str
    wall_sha256: str
    as_of: str
    seed: int
    assume: dict[str, str]
    lists: dict[str, str]
    listed: tuple[str, ...]
    inside: tuple[str, ...]
    vantage: str
    tolerate: float
    captures: tuple[CaptureSummary, ...]
    failed: tuple[Failure, ...]


class CheckResult(RunHead, frozen=True):
    """All of one run as one object."""

    flows: tuple[FlowReport, ...]


class TryHead(msgspec.Struct, frozen=True):
    """What exchanges rest on."""

    crenel: str
    schema: int
    wall: str
    wall_sha256: str
    as_of: str
    seed: int
    assume: dict[str, str]
    lists: dict[str, str]
    listed: tuple[str, ...]
    vantage: str
    tolerate: float


class TryResult(TryHead, frozen=True):
    """All exchanges of one run as one object."""

    exchanges: tuple[ExchangeReport, ...]


class Asked(msgspec.Struct, frozen=True):
    """What was asked for beside the wall."""

    crenel: str
    inside: tuple[str, ...]
    tolerate: float


def run_head(wall: Wall, asked: Asked, captures: Sequence[CaptureSummary], failed: Sequence[Failure]) -> RunHead:
    """Return the head of a result.

    Raises:
        ProfileError: the wall was not loaded from a profile, so nobody can say what it rests on.
    """
    about = about_of(wall)
    if about is None:
        message = "this wall was not loaded from a profile"
        raise ProfileError(message)
    return RunHead(
        asked.crenel, SCHEMA, about.name, about.sha256, about.as_of, about.seed, about.assume,
        {name: plain_path(path) for name, path in about.lists.items()}, tuple(plain_path(name) for name in about.listed),
        asked.inside, about.vantage, asked.tolerate, tuple(writable_summary(capture) for capture in captures), tuple(failed),
    )


def try_head(wall: Wall, asked: Asked) -> TryHead:
    """Return what exchanges rest on.

    Raises:
        ProfileError: the wall was not loaded from a profile.
    """
    head = run_head(wall, asked, (), ())
    return TryHead(**{name: getattr(head, name) for name in TryHead.__struct_fields__})


def try_result(head: TryHead, exchanges: Sequence[ExchangeReport]) -> TryResult:
    """Return all of a run as one object."""
    return TryResult(**{name: getattr(head, name) for name in TryHead.__struct_fields__}, exchanges=tuple(exchanges))


def writable_summary(summary: CaptureSummary) -> CaptureSummary:
    """Return a summary whose capture can be written as UTF-8."""
    return summary if summary.capture.isascii() else msgspec.structs.replace(summary, capture=plain_path(summary.capture))


def writable(flow: FlowReport) -> FlowReport:
    """Return a report whose capture can be written as UTF-8, whatever bytes the name of the file has."""
    return flow if flow.capture.isascii() else msgspec.structs.replace(flow, capture=plain_path(flow.capture))
