"""The strategy library, and published rates beside reproduced ones, in; tables for people and records for programs out."""

from collections.abc import Sequence
from itertools import groupby

import msgspec

from crenel.atlas.strategy import Named, Sighting, Strategies
from crenel.evade.table import Reproduced, mean_error, mean_reset_error
from crenel.report.layout import BLANK, GLUE, Line, Piece, columns, line_of, paragraph
from crenel.report.text import counted, listed, percent

_COINS = 3
"""Coins that a row of the table names."""


def list_lines(library: Strategies, width: int | None) -> list[Line]:
    """Return a line for each strategy: name, end, protocols, where it worked and stopped working, what it does."""
    rows: list[list[Piece]] = [[("name", "head"), ("side", "head"), ("protocol", "head"), ("seen", "head"), ("what", "head")]]
    for entry in library.strategy:
        protocols = entry.protocols[0] + ("" if len(entry.protocols) == 1 else f" +{len(entry.protocols) - 1}")
        rows.append([(entry.name, "strong"), (entry.side, ""), (protocols, ""), (seen_words(entry, library), ""), (entry.says, "dim")])
    return columns(rows, width)


def seen_words(entry: Named, library: Strategies) -> str:
    """Return when a strategy was seen to work, and when to fail: by its published rates and by what was told of it."""
    words = []
    for study, cells in groupby(sorted(entry.cell, key=lambda cell: library.study[cell.study].as_of), key=lambda cell: cell.study):
        rates = [rate for cell in cells for rate in cell.rates]
        low, high = min(rates), max(rates)
        span = percent(high) if high - low < 0.01 else f"{low * 100:.0f} to {percent(high)}"
        words.append(f"{library.study[study].as_of.year} {span}")
    words += [_sighting(one) for one in entry.seen]
    return ", ".join(words).replace(GLUE, " ") or "--"


def list_record(entry: Named, library: Strategies) -> dict[str, object]:
    """Return an entry of the library with its studies spelt out."""
    record: dict[str, object] = msgspec.to_builtins(entry)
    record["cell"] = [{**msgspec.to_builtins(cell), "study": msgspec.to_builtins(library.study[cell.study])} for cell in entry.cell]
    return record


def table_lines(cells: Sequence[Reproduced], library: Strategies, width: int | None) -> list[Line]:
    """Return published rates beside reproduced ones, by study, with what is far off and the mean errors below."""
    lines: list[Line] = []
    for name, study in library.study.items():
        own = [cell for cell in cells if cell.study == name]
        if own:
            lines += _study_lines(own, f"{study.title}; as of {study.as_of}, vantage {study.vantage} [{', '.join(study.sources)}]", width)
    return lines + _far_lines(cells, width) + _sum_lines(cells, width)


def table_record(cell: Reproduced) -> dict[str, object]:
    """Return a cell as it is written as JSON."""
    record: dict[str, object] = msgspec.to_builtins(cell)
    record["far"] = cell.far
    return record


def _study_lines(cells: Sequence[Reproduced], title: str, width: int | None) -> list[Line]:
    heads = ("strategy", "side", "protocol", "published", "here", "error", "reset", "here", "decided by")
    rows: list[list[Piece]] = [[(head, "head") for head in heads]]
    for cell in cells:
        reset = ("", "") if cell.reset is None else (_share(cell.reset[0]), _share(cell.reset[1]))
        others = f" ({', '.join(_share(one).strip() for one in cell.others)})" if cell.others else ""
        rows.append([
            (cell.strategy, ""), (cell.side, ""), (cell.protocol, ""), (_share(cell.published) + others, ""), (_share(cell.value), "strong"),
            (f"{cell.error * 100:+5.1f}", "bad" if cell.far else ""), (reset[0], ""), (reset[1], ""), (_coins(cell), "dim"),
        ])  # fmt: skip
    mean = f"mean absolute error {mean_error(cells) * 100:.1f} points over {counted(len(cells), 'cell')}"
    return [*paragraph(title, width, tone="strong"), *columns(rows, width), line_of(mean), BLANK]


def _far_lines(cells: Sequence[Reproduced], width: int | None) -> list[Line]:
    far = [cell for cell in cells if cell.far]
    lines = [line_of("off by more than 7 points", "strong")] if far else []
    for cell in far:
        why = f"explained: {cell.explained}" if cell.explained else f"open: {cell.open}" if cell.open else "neither explained nor marked as open"
        head = f"{cell.strategy}, {cell.protocol} ({cell.error * 100:+.1f}): "
        lines += paragraph(head + why, width, hang=2)
    return [*lines, BLANK] if far else []


def _sum_lines(cells: Sequence[Reproduced], width: int | None) -> list[Line]:
    exact = sum(cell.rate.exact for cell in cells)
    text = f"mean absolute error {mean_error(cells) * 100:.2f} points over {counted(len(cells), 'published rate')}, {exact:,} of them exact"
    if any(cell.reset is not None for cell in cells):
        text += f"; of the shares of resets {mean_reset_error(cells) * 100:.2f}"
    return paragraph(text, width, tone="strong")


def _coins(cell: Reproduced) -> str:
    names = [coin.name for coin in cell.rate.coins]
    if not names:
        return "no coin"
    more = f" and {len(names) - _COINS} more" if len(names) > _COINS else ""
    return (listed(names) if not more else ", ".join(names[:_COINS])) + more


def _share(share: float) -> str:
    return f"{share * 100:5.1f}"


def _sighting(one: Sighting) -> str:
    when = one.from_ if one.to is None else f"{one.from_} to {one.to}"
    return f"{'worked' if one.worked else 'failed'} {when}"
