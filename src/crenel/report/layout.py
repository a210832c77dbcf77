"""Styled pieces of text in, lines of a given width out: what every table and story of a report is made of."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, TypeAlias

from crenel.report.text import cells

GLUE = "\u00a0"
"""A blank at which no line ends; it is shown as a blank."""

Tone: TypeAlias = Literal["", "bad", "risk", "good", "unsure", "dim", "strong", "mark", "head"]
"""What a piece of text means to the reader; the screen gives each tone its colour."""
Piece: TypeAlias = tuple[str, Tone]
Line: TypeAlias = tuple[Piece, ...]

BLANK: Line = ()


def line_of(text: str, tone: Tone = "") -> Line:
    """Return a line of one tone."""
    return ((text, tone),)


def plain(line: Line) -> str:
    """Return a line without its tones."""
    return "".join(text for text, _ in line).rstrip()


def width_of(line: Iterable[Piece]) -> int:
    """Return how many columns a line takes."""
    return sum(cells(text) for text, _ in line)


def wrap(pieces: Iterable[Piece], width: int | None, *, first: int = 0, hang: int = 0) -> list[Line]:
    """Break pieces between words into lines of at most `width` columns; None: one line.

    Args:
        pieces: the text; a blank in it may become the end of a line, nothing else may, and GLUE is a blank that may not.
        width: columns of a line; None for no limit.
        first: columns of the first line that are taken already.
        hang: blanks before every further line.
    """
    if width is None:
        return [tuple((text.replace(GLUE, " "), tone) for text, tone in pieces)]
    lines: list[list[Piece]] = [[]]
    at = first
    for word, tone in _words(pieces):
        size = cells(word.rstrip(" "))
        if at + size > width and at > hang and lines[-1]:
            lines.append([(" " * hang, "")])
            at = hang
            if not word.strip(" "):
                continue
        elif at + size > width and not lines[-1] and first > hang:
            lines.append([(" " * hang, "")])
            at = hang
        lines[-1].append((word.replace(GLUE, " "), tone))
        at += cells(word)
    return [joined(line) for line in lines]


def joined(pieces: Iterable[Piece]) -> Line:
    """Return a line in which neighbours of one tone are one piece."""
    line: list[Piece] = []
    for text, tone in pieces:
        if line and line[-1][1] == tone:
            line[-1] = (line[-1][0] + text, tone)
        else:
            line.append((text, tone))
    return tuple(line)


def _words(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Yield words, each with the blanks behind it."""
    for text, tone in pieces:
        start = 0
        while start < len(text):
            end = text.find(" ", start)
            while 0 <= end < len(text) and text[end] == " ":
                end += 1
            end = len(text) if end < 0 else end
            yield text[start:end], tone
            start = end


def chopped(lines: Iterable[Line], width: int | None) -> list[Line]:
    """Return lines of which none is longer than there is room: a word that is too long for a line goes on in the next one."""
    found: list[Line] = []
    for line in lines:
        if width is None or width_of(line) <= width:
            found.append(line)
            continue
        pieces: list[Piece] = []
        for text, tone in line:
            for character in text.rstrip() if (text, tone) == line[-1] else text:
                if width_of(pieces) + cells(character) > width:
                    found.append(joined(pieces))
                    pieces = []
                pieces.append((character, tone))
        found.append(joined(pieces))
    return found


def paragraph(text: str, width: int | None, *, label: str = "", hang: int = 0, tone: Tone = "", label_tone: Tone = "dim") -> list[Line]:
    """Return a labelled paragraph: the label in the first `hang` columns, the text beside it."""
    head: list[Piece] = [(label.ljust(hang), label_tone)] if hang else []
    lines = wrap([(text, tone)], width, first=hang, hang=hang)
    return [(*head, *lines[0]), *lines[1:]]


def columns(rows: Sequence[Sequence[Piece]], width: int | None, *, gap: int = 2) -> list[Line]:
    """Set rows in columns as wide as their widest cell; the last column is wrapped and hangs under itself."""
    count = max((len(row) for row in rows), default=0)
    sizes = [max((cells(row[number][0]) for row in rows if number < len(row)), default=0) for number in range(count - 1)]
    lines: list[Line] = []
    indent = sum(size + gap for size in sizes)
    if width is not None and indent > width // 2:
        indent = 4
    for row in rows:
        head: list[Piece] = []
        for (text, tone), size in zip(row[:-1], sizes, strict=False):
            head += [(text, tone), (" " * (size - cells(text) + gap), "")]
        wrapped = wrap([row[-1]], width, first=width_of(head), hang=indent) if row else [BLANK]
        lines += [(*head, *wrapped[0]), *wrapped[1:]]
    return lines
