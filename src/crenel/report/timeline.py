"""Dated events in, lines for people out."""

from collections.abc import Sequence

from crenel.atlas.timeline import Happening
from crenel.report.layout import Line, Piece, columns


def timeline_lines(events: Sequence[Happening], width: int | None) -> list[Line]:
    """Return a line for each event: when, what kind, about what, what happened, whose figures, by which sources."""
    return columns([_row(event) for event in events], width)


def _row(event: Happening) -> list[Piece]:
    when = event.date if event.to is None else f"{event.date} to {event.to}"
    text = event.text
    if event.figure is not None:
        text += f" ({event.figure}{f', by {event.figure_by}' if event.figure_by is not None else ''})"
    doubt = "" if event.confidence == "high" else f", confidence {event.confidence}"
    kind = event.kind if event.topic is None else f"{event.kind}, {event.topic}"
    return [(when, "head"), (kind, "dim"), (f"{text} [{', '.join(event.sources)}{doubt}]", "")]
