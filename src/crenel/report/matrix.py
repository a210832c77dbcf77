"""Strategies tested against several walls in, a table of their rates out."""

from collections.abc import Sequence

import msgspec

from crenel.report.layout import Line, Piece, Tone, columns, paragraph
from crenel.report.tested import StrategyReport
from crenel.report.text import percent, safe

_GOOD, _POOR = 0.5, 0.1


class Cell(msgspec.Struct, frozen=True):
    """One strategy against one wall."""

    protocol: str
    side: str
    test: StrategyReport | None
    """None where there was nothing to test."""
    note: str | None
    """Why there was nothing, or what is to be said of it."""


def matrix_lines(strategies: Sequence[str], walls: Sequence[str], rows: Sequence[Sequence[Cell]], width: int | None) -> list[Line]:
    """Return a line for each strategy with its rate against each wall, and the notes below."""
    notes: dict[str, int] = {}
    head: list[Piece] = [("strategy", "head"), ("protocol", "head"), ("side", "head"), *((wall, "head") for wall in walls), ("", "")]
    table: list[list[Piece]] = [head]
    for name, row in zip(strategies, rows, strict=True):
        cells: list[Piece] = [_cell(one, notes) for one in row]
        table.append([(safe(name), "strong"), (row[0].protocol, ""), (row[0].side, ""), *cells, ("", "")])
    lines = columns(table, width)
    for note, number in notes.items():
        lines += paragraph(note, width, label=f"({number})", hang=5, tone="dim")
    return lines


def _cell(cell: Cell, notes: dict[str, int]) -> Piece:
    mark = "" if cell.note is None else f" ({notes.setdefault(cell.note, len(notes) + 1)})"
    if cell.test is None:
        return f"--{mark}", "dim"
    value = cell.test.rate.value
    tone: Tone = "good" if value >= _GOOD else "bad" if value < _POOR else "risk"
    sampled = "" if cell.test.rate.exact else "~"
    return f"{sampled}{percent(value)}{mark}".replace("\u00a0", " "), tone
