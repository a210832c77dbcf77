"""An exchange in, its ladder out: client, wall and server as three lines, a row for each packet with its times and what it is."""

from collections.abc import Sequence

import msgspec

from crenel.net.exchange import Exchange
from crenel.report.journey import Journey, acted_on, journeys
from crenel.report.layout import Line, Piece, Tone, chopped, joined, line_of, wrap
from crenel.report.text import cells, safe
from crenel.wall.effects import Armed, Because, Drop, Inject, Throttle

DEFAULT_WIDTH = 100
"""Columns of a ladder in a pipe."""
_WIDE = 110
_SEGMENT, _WIDE_SEGMENT = 10, 15
"""Columns between two of the three lines."""
_GAP = 3
_FEWEST_WORDS = 16
_MOST_ROWS, _FIRST_ROWS, _LAST_ROWS = 60, 40, 15
"""A ladder of more rows than the first number keeps so many at its beginning and at its end."""
_NANOSECONDS = 1_000_000
ENDINGS: dict[str, Tone] = {"passed": "good", "blocked": "bad", "tampered": "bad", "failed": "unsure"}
"""How the end of an exchange is shown, by its outcome."""


class Row(msgspec.Struct, frozen=True):
    """One row of a ladder, not yet set in columns."""

    begun: int
    ended: int | None
    lane: str
    """What stands between the outer lines, with them."""
    words: str
    tone: Tone
    marks: Tone = ""
    """Of the lane."""


def ladder(exchange: Exchange, width: int | None) -> list[Line]:
    """Return the ladder of an exchange.

    Args:
        exchange: what happened.
        width: columns of the terminal; None in a pipe.
    """
    columns = DEFAULT_WIDTH if width is None else width
    segment = _WIDE_SEGMENT if columns >= _WIDE else _SEGMENT
    rows = _rows(exchange, segment)
    times = max(7, *(len(show_time(time)) for row in rows for time in (row.begun, row.ended) if time is not None))
    left_out = len(rows) - _FIRST_ROWS - _LAST_ROWS if len(rows) > _MOST_ROWS else 0
    lines = [_head(times, segment)]
    for number, row in enumerate(rows):
        if left_out and number == _FIRST_ROWS:
            lines.append(line_of(f"{'':{times}}   … {left_out:,} rows more …", "dim"))
        if not left_out or not _FIRST_ROWS <= number < len(rows) - _LAST_ROWS:
            lines += _set(row, times, segment, columns)
    return [*lines, *_legend(rows, columns)]


def show_time(time: int) -> str:
    """Return nanoseconds as milliseconds with one decimal."""
    return f"{time / _NANOSECONDS:,.1f}"


def _head(times: int, segment: int) -> Line:
    line = "sent".rjust(times)
    for words, place in (("client", 0), ("wall", segment + 1), ("server", 2 * segment + 2)):
        line = line.ljust(times + _GAP + place - len(words) // 2 + 1) + words
    return line_of(f"{line.ljust(2 * times + 3 * _GAP + 2 * segment + 3 - 7)}arrived{' ' * _GAP}(times in ms)", "head")


def _rows(exchange: Exchange, segment: int) -> list[Row]:
    acts = {number: [because.middlebox for because in grounds] for number, grounds in acts_of(exchange).items()}
    over = exchange.experience.time
    rows = [_row(one, acts, exchange.wall.name, segment, over) for one in journeys(exchange.trace, exchange.wall.name)]
    before = [row for row in rows if row.begun < over]
    return [*before, _end_row(exchange, segment), *(row for row in rows if row.begun >= over)]


def acts_of(exchange: Exchange) -> dict[int, list[Because]]:
    """Return for each packet by its number why the boxes acted that acted on it."""
    acts: dict[int, list[Because]] = {}
    for told in exchange.events:
        if isinstance(told.effect, Inject | Drop | Throttle | Armed) and told.wall == exchange.wall.name:
            acts.setdefault(told.packet, []).append(told.effect.because)
    return acts


def _end_row(exchange: Exchange, segment: int) -> Row:
    gap, tone = " " * segment, ENDINGS[exchange.outcome]
    return Row(exchange.experience.time, None, f"*{gap}|{gap}|", end_words(exchange), tone, tone)


def end_words(exchange: Exchange) -> str:
    """Return how an exchange ended for its client."""
    told = exchange.experience
    words = {
        "answered": f"the client has its answer: {told.says}",
        "misled": f"the client takes this for its answer: {told.says}",
        "timed out": f"the client gives up: {told.says}",
    }.get(told.ending, f"the client: {told.says}")
    return safe(words, 400)


def _row(one: Journey, acts: dict[int, list[str]], wall: str, segment: int, over: int) -> Row:
    acted = acted_on(acts, one)
    lane = _lane(one, wall, segment, acted=bool(acted))
    words = one.words
    if one.forged_by is not None:
        words = f"{words}, forged by {one.forged_by}"
    ended = one.end.time if one.end is not None else None
    stopped = stopped_words(one, wall)
    tone: Tone = "dim" if one.bare or (one.begun >= over and one.forged_by is None) else ""
    if one.forged_by is not None or (one.end is not None and one.end.dropped_by is not None):
        tone = "bad"
    elif acted:
        tone = "strong"
    return Row(one.begun, ended, lane, words + stopped, tone, tone if tone != "strong" else "")


def stopped_words(one: Journey, wall: str) -> str:
    """Return how a journey ended otherwise than by arriving, as a clause that goes on."""
    end = one.end
    if end is None:
        return "; still on its way when the exchange was over"
    if end.what == "arrived":
        return ""
    reason = f": {safe(end.reason, 200)}" if end.reason else ""
    if end.what == "dropped" and end.where == wall:
        return f"; stopped by {end.dropped_by or 'the wall'}"
    if end.what == "dropped":
        return f"; dropped by {safe(end.where)}{reason}"
    return f"; {end.what} at {safe(end.where)}{reason}" if end.where != "path" else f"; {end.what} on its way"


def _lane(one: Journey, wall: str, segment: int, *, acted: bool) -> str:
    """Return the three lines with an arrow that goes as far as the packets went."""
    if one.sender in {"wall", "path"}:
        return _from_the_middle(one, segment)
    end = one.end
    near, far = "-" * segment, "-" * (segment - 1) + ">"
    middle = "!" if acted else "+"
    if end is None or end.what == "arrived":
        pass
    elif end.where == wall:
        middle, far = "X", " " * segment
    elif one.crossed:
        far = _cut(end.where, segment)
    else:
        near, middle, far = _cut(end.where, segment), "|", " " * segment
    if one.toward == "server":
        return f"|{near}{middle}{far}|"
    return f"|{_mirrored(far)}{middle}{_mirrored(near)}|"


def _from_the_middle(one: Journey, segment: int) -> str:
    end = one.end
    stroke = "=" if one.sender == "wall" else "."
    arrow = stroke * (segment - 1) + ">"
    if end is not None and end.what != "arrived":
        arrow = _cut(end.where, segment).replace("-", stroke)
    source, gap = "#" if one.sender == "wall" else "|", " " * segment
    return f"|{gap}{source}{arrow}|" if one.toward == "server" else f"|{_mirrored(arrow)}{source}{gap}|"


def _cut(where: str, segment: int) -> str:
    """Return an arrow that does not reach the other line: up to its end where a named middlebox stops it, half way where a router or a link does."""
    length = segment // 2 if where == "path" or where.startswith("hop ") else segment - 1
    return ("-" * (length - 1 if length < segment - 1 else length) + "X").ljust(segment)


def _mirrored(arrow: str) -> str:
    return arrow[::-1].translate(str.maketrans("<>", "><"))


def _set(row: Row, times: int, segment: int, columns: int) -> list[Line]:
    ended = show_time(row.ended) if row.ended is not None else ""
    head: list[Piece] = [
        (show_time(row.begun).rjust(times) + " " * _GAP, "dim"), (row.lane, row.marks), (ended.rjust(_GAP + times) + " " * _GAP, "dim"),
    ]  # fmt: skip
    taken = sum(cells(text) for text, _ in head)
    room = max(columns - taken, _FEWEST_WORDS)
    blank = f"{'':{times + _GAP}}|{'':{segment}}|{'':{segment}}|{'':{times + 2 * _GAP}}"
    first, *rest = chopped(wrap([(row.words, row.tone)], room), room)
    return [joined([*head, *first]), *(joined([(blank, "dim"), *line]) for line in rest)]


def _legend(rows: Sequence[Row], columns: int) -> list[Line]:
    lanes = "".join(row.lane for row in rows)
    told = [
        ("=" in lanes, "===> forged by the wall"),
        ("!" in lanes, "! the wall acts on it"),
        ("X" in lanes, "X it gets no farther"),
    ]
    parts = [words for shown, words in told if shown]
    return wrap([("   ".join(words.replace(" ", "\u00a0") for words in parts), "dim")], columns) if parts else []
