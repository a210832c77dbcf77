"""What a search for strategies came to in, its result as JSON or as lines of text out."""

from collections.abc import Iterator
from typing import Literal

import msgspec

from crenel.report.layout import BLANK, Line, line_of, paragraph

_LABEL = 11


class DecidingCoin(msgspec.Struct, frozen=True):
    """A coin on which success depends."""

    name: str
    p: float
    if_so: float
    if_not: float


class Like(msgspec.Struct, frozen=True):
    """The published strategy that a found one is most like."""

    name: str
    by: Literal["strategy", "rules", "family"]
    """It is the same one, makes the boxes follow the same rules, or is of the same family."""


class FoundStrategy(msgspec.Struct, frozen=True):
    """The best strategy that a search found of one family."""

    family: str
    dna: str
    size: int
    rate: float
    exact: bool
    interval: tuple[float, float]
    coins: tuple[DecidingCoin, ...]
    rules: tuple[str, ...]
    """What the boxes did beside what they do in any conversation."""
    like: Like | None


class SearchResult(msgspec.Struct, frozen=True):
    """A search for strategies."""

    wall: str
    as_of: str | None
    protocol: str
    side: str
    seed: int
    generations: int
    tried: int
    behaviours: int
    interrupted: bool
    none: float
    """Rate of success without any strategy."""
    found: tuple[FoundStrategy, ...]


FAMILIES = {
    "tear-down": "a box took the connection for ended",
    "desynchronisation": "a box waits for other bytes than the client sends, or read what the client does not say",
    "segmentation": "a box read the request in pieces, and did not recognise it",
    "unread": "no box read the request",
    "withstood": "a box acted, and the client got its answer all the same",
}


def search_lines(result: SearchResult, width: int | None) -> Iterator[Line]:
    """Yield the lines of a search's result."""
    when = "" if result.as_of is None else f" as of {result.as_of}"
    yield line_of(f"{result.wall}{when}, {result.protocol}, strategies at the {result.side}", "head")
    yield from paragraph(
        f"{result.tried:,} strategies in {result.generations:,} generations from seed {result.seed}, {result.behaviours:,} behaviours"
        f"{'; interrupted' if result.interrupted else ''}",
        width, label="tried".ljust(_LABEL), hang=_LABEL,
    )  # fmt: skip
    yield from paragraph(f"{_percent(result.none)} succeed", width, label="without".ljust(_LABEL), hang=_LABEL)
    if not result.found:
        yield BLANK
        yield line_of("nothing was found")
    for one in result.found:
        yield BLANK
        yield from paragraph(f"{one.family}: {FAMILIES[one.family]}", width, tone="strong")
        yield (("strategy".ljust(_LABEL), "dim"), (one.dna, ""))
        yield from paragraph(_rate(one), width, label="rate".ljust(_LABEL), hang=_LABEL)
        if one.rules:
            yield from paragraph("; ".join(one.rules), width, label="rules".ljust(_LABEL), hang=_LABEL)
        if one.like is not None:
            how = {"strategy": "the same strategy", "rules": "by the same rules", "family": "of the same family"}[one.like.by]
            yield from paragraph(f"{one.like.name} ({how})", width, label="published".ljust(_LABEL), hang=_LABEL)


def _rate(one: FoundStrategy) -> str:
    kind = "exactly" if one.exact else f"sampled, 95 % interval {_percent(one.interval[0])} to {_percent(one.interval[1])}"
    coins = ", ".join(f"{coin.name} ({_percent(coin.p)}: {_percent(coin.if_so)}, else {_percent(coin.if_not)})" for coin in one.coins)
    return f"{_percent(one.rate)}, {kind}{f'; decided by {coins}' if coins else ''}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f}".removesuffix(".0") + " %"
