"""An exchange in, the rows of its ladder as values out: what went from where to where and how far, with the words that are said of it."""

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from crenel.net.exchange import Exchange
from crenel.report.journey import Journey, acted_on, journeys
from crenel.report.ladder import ENDINGS, acts_of, end_words, show_time, stopped_words
from crenel.report.layout import GLUE, Tone
from crenel.report.text import listed, safe
from crenel.wall.effects import Because
from crenel.wire.packet import Packet

Place = Literal["client", "wall", "server"]
Reach = Literal["end", "wall", "before the wall", "beyond the wall"]
"""How far packets came: to the other end, to the wall, or not even to one of them."""
_FIRST_ROWS, _LAST_ROWS = 40, 15
"""A longer ladder keeps so many rows at its beginning and at its end."""


class Arrow(msgspec.Struct, frozen=True, kw_only=True):
    """Packets that went one way together."""

    begun: int
    """Nanoseconds since the exchange or the flow began."""
    ended: int | None
    """When they arrived or were stopped; None where nobody knows."""
    source: Place
    toward: Literal["client", "server", "both ends"]
    """Both ends: the wall forges for each of them, and all of it arrives."""
    reach: Reach
    kind: Literal["plain", "forged", "path"]
    """Of an end, of the wall, or of a router on the way."""
    words: str
    """What they are."""
    notes: tuple[str, ...] = ()
    """Who made them, and what became of them, each a clause."""
    acted: tuple[str, ...] = ()
    """The boxes that act on them."""
    because: tuple[str, ...] = ()
    """Why: a sentence for each box that acts on them, or made them."""
    faint: bool = False
    """Do they matter little: bare acknowledgements, and what comes after the end?"""
    packets: tuple[Packet, ...] = ()

    @property
    def sentence(self) -> str:
        """The whole row in words, without its times."""
        acts = f"{listed(self.acted)} {'act' if len(self.acted) > 1 else 'acts'} on it" if self.acted else ""
        return "; ".join(filter(None, (self.words, *self.notes, acts))).replace(GLUE, " ")


class Remark(msgspec.Struct, frozen=True):
    """Something that is no packet."""

    begun: int
    words: str
    tone: Tone


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """A ladder, not yet drawn."""

    title: str
    summary: str
    """What it shows, in a sentence or two."""
    rows: tuple[Arrow | Remark, ...]
    both_clocks: bool = True
    """Is it known when packets arrived? A capture knows only when it saw them."""


def picture_of(exchange: Exchange, title: str, summary: str) -> Picture:
    """Return the ladder of an exchange, with the same rows as the one in text.

    Args:
        exchange: what happened.
        title: what was asked for.
        summary: what became of it.
    """
    acts, over = acts_of(exchange), exchange.experience.time
    rows = [arrow_of(one, acts, exchange.wall.name, over=over) for one in journeys(exchange.trace, exchange.wall.name)]
    before = [row for row in rows if row.begun < over]
    end = Remark(over, end_words(exchange), ENDINGS[exchange.outcome])
    found: list[Arrow | Remark] = [*before, end, *(row for row in rows if row.begun >= over)]
    return Picture(title=title, summary=summary, rows=tuple(shortened(found, _FIRST_ROWS, _LAST_ROWS)))


def arrow_of(one: Journey, acts: Mapping[int, Sequence[Because]], wall: str, *, over: int) -> Arrow:
    """Return the arrow of one journey.

    Args:
        one: the journey.
        acts: for each packet by its number why the boxes acted that acted on it.
        wall: the name of the wall that stands in the middle.
        over: when the exchange was over; what begins later matters little.
    """
    grounds = [because for number in one.numbers for because in acts.get(number, ())]
    forged = one.forged_by is not None
    stopped = stopped_words(one, wall).removeprefix("; ")
    return Arrow(
        begun=one.begun, ended=one.end.time if one.end is not None else None,
        source="wall" if one.sender in {"wall", "path"} else "client" if one.sender == "client" else "server", toward=one.toward,
        reach=_reach(one, wall), kind="forged" if forged else "path" if one.sender == "path" else "plain", words=one.words,
        notes=tuple(filter(None, (f"forged by {one.forged_by}" if forged else "", stopped))),
        acted=tuple(acted_on({number: [because.middlebox for because in found] for number, found in acts.items()}, one)),
        because=because_words(grounds), faint=one.bare or (one.begun >= over and not forged), packets=one.packets,
    )  # fmt: skip


def _reach(one: Journey, wall: str) -> Reach:
    end = one.end
    if end is None or end.what == "arrived":
        return "end"
    if end.where == wall:
        return "wall"
    return "beyond the wall" if one.crossed or one.sender in {"wall", "path"} else "before the wall"


def because_words(grounds: Sequence[Because]) -> tuple[str, ...]:
    """Return a sentence for each box: by which rule it acts."""
    found = {because.middlebox: because for because in grounds}
    return tuple(f"{box}: {safe(because.residual or because.rule, 300)}" for box, because in found.items())


def time_words(row: Arrow | Remark, *, both_clocks: bool = True) -> str:
    """Return when a row was, in milliseconds."""
    if isinstance(row, Remark) or not both_clocks:
        return f"{show_time(row.begun)} ms"
    return f"{show_time(row.begun)} ms" + (f" to {show_time(row.ended)} ms" if row.ended is not None else "")


def shortened(rows: Sequence[Arrow | Remark], first: int, last: int) -> list[Arrow | Remark]:
    """Return the rows, those in the middle of many left out; remarks, and what the wall acts on or makes, stay as far as there is room."""
    kept: list[Arrow | Remark] = []
    skipped = 0
    for at, row in enumerate(rows):
        tells = isinstance(row, Remark) or row.kind == "forged" or bool(row.acted)
        if at < first or at >= len(rows) - last or (tells and len(kept) < 2 * (first + last)):
            if skipped:
                kept.append(Remark(row.begun, f"… {skipped:,} rows more …", "dim"))
                skipped = 0
            kept.append(row)
        else:
            skipped += 1
    return kept
