"""The same exchanges as of several dates in, a table of what became of them out, and their ladders beside each other where there is room."""

from collections.abc import Sequence

from crenel.report.account import OUTCOME_TONES, Desk, Tried, given_lines, outcome_words, title_lines
from crenel.report.ladder import ladder
from crenel.report.layout import BLANK, GLUE, Line, Piece, Tone, chopped, columns, line_of, paragraph, width_of
from crenel.report.table import about_of
from crenel.report.text import percent, safe

NARROWEST = 80
"""Columns that a ladder needs."""
GAP = "   "
"""Between two ladders."""
_HEADS = ("as of", "outcome", "chance", "last observed", "by")


def compared(dates: Sequence[Sequence[Tried]], desk: Desk) -> list[Line]:
    """Return the comparison.

    Args:
        dates: for each date the exchanges as of it, one after the other; the same ones for each.
        desk: what it is written with.
    """
    about = about_of(dates[0][0].exchange.wall)
    lines: list[Line] = []
    for step in range(len(dates[0])):
        tried = [date[step] for date in dates]
        lines += title_lines(tried[0], desk)
        if about is not None and not step:
            lines += paragraph(f"{safe(about.title)} ({safe(about.name)}), seed {about.seed}", desk.width, label="wall", hang=7)
            lines += given_lines(about, desk)
        lines += [BLANK, *_table(tried, desk), BLANK, *_ladders(tried, desk)]
    options = "the same command with --as-of and without --compare tells who measured it"
    return chopped([*lines, *paragraph(options, desk.width, label="more", hang=7, tone="dim")], desk.width)


def _table(tried: Sequence[Tried], desk: Desk) -> list[Line]:
    rows: list[list[Piece]] = [[(head, "head") for head in _HEADS]]
    for one in tried:
        exchange = one.exchange
        rate = one.report.rate
        outcome = f"{exchange.outcome} ({one.exchange.experience.ending})"
        if rate is not None:
            outcome += f", {rate.blocked:,} of {rate.trials:,} blocked"
        tone: Tone = OUTCOME_TONES[exchange.outcome]
        boxes = ", ".join(trigger.middlebox + ("" if trigger.acted else " (idle)") for trigger in exchange.triggers) or "-"
        last = sorted({evidence.last_observed for evidence in exchange.evidence if evidence.last_observed is not None})
        seen = "-" if not last else last[0] if len(last) == 1 else f"{last[0]} to {last[-1]}"
        rows.append([
            (one.report.as_of, ""), (outcome, tone), (percent(exchange.chance).replace(GLUE, " "), ""), (seen, "dim"), (safe(boxes, 400), ""),
        ])  # fmt: skip
    return columns(rows, desk.width)


def _ladders(tried: Sequence[Tried], desk: Desk) -> list[Line]:
    """Set ladders beside each other, as many as fit, the others below."""
    width = desk.width
    abreast = 1 if width is None else max(1, (width + len(GAP)) // (NARROWEST + len(GAP)))
    room = width if width is None or abreast == 1 else (width + len(GAP)) // min(abreast, len(tried)) - len(GAP)
    lines: list[Line] = []
    for first in range(0, len(tried), abreast):
        blocks = [_one(one, Desk(desk.sources, room)) for one in tried[first : first + abreast]]
        lines += [*_beside(blocks, room or 0), BLANK]
    return lines


def _one(tried: Tried, desk: Desk) -> list[Line]:
    about = about_of(tried.exchange.wall)
    place = f", seen from {safe(about.vantage)}" if about is not None else ""
    shown = [line_of(f"as of {tried.report.as_of}{place}", "strong"), *ladder(tried.exchange, desk.width)]
    return [*shown, *paragraph(outcome_words(tried), desk.width, label="outcome", hang=9, tone=OUTCOME_TONES[tried.exchange.outcome])]


def _beside(blocks: Sequence[list[Line]], room: int) -> list[Line]:
    if len(blocks) == 1:
        return blocks[0]
    lines: list[Line] = []
    for row in range(max(map(len, blocks))):
        pieces: list[Piece] = []
        for number, block in enumerate(blocks):
            line = block[row] if row < len(block) else BLANK
            pieces += line
            if number < len(blocks) - 1:
                pieces.append((" " * (room - width_of(line)) + GAP, ""))
        lines.append(tuple(pieces))
    return lines
