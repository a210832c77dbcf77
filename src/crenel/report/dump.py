"""Bytes and the span that told in, a hex dump with that span marked out."""

from crenel.report.layout import Line, Piece, joined, line_of

ROW = 16
CONTEXT_ROWS = 2
"""Rows shown before and after the marked bytes."""
_MARKED_ROWS = 4
"""Rows of a long marked span that are shown at its beginning, and half as many at its end."""


def dump(data: bytes, offset: int, length: int, *, base: int = 0, indent: int = 0, context: int = CONTEXT_ROWS) -> list[Line]:
    """Return rows of sixteen bytes around a span; brackets and a tone mark it, so that it shows without colour too.

    Args:
        data: the bytes.
        offset: where in `data` the marked span begins.
        length: how long it is; 0 marks nothing.
        base: number that the first byte of `data` has.
        indent: blanks before each row.
        context: rows before and after the marked bytes.
    """
    if not data:
        return []
    end = min(offset + length, len(data))
    first = max(0, offset // ROW - context)
    last = min((len(data) - 1) // ROW, max(end - 1, offset) // ROW + context)
    lines: list[Line] = []
    digits = max(4, len(f"{base + len(data):x}"))
    skip = _middle(offset // ROW, max(end - 1, offset) // ROW)
    for row in range(first, last + 1):
        if row in skip:
            if row == skip[0]:
                lines.append(line_of(" " * indent + f"{'':{digits}}  … {len(skip) * ROW:,} bytes like these …", "dim"))
            continue
        lines.append(_row(data, row, offset, end, base, digits, indent))
    return lines


def _middle(first: int, last: int) -> range:
    """Return the rows of a long marked span that are left out."""
    if last - first < 2 * _MARKED_ROWS:
        return range(0)
    return range(first + _MARKED_ROWS, last - _MARKED_ROWS // 2 + 1)


def _row(data: bytes, row: int, start: int, end: int, base: int, digits: int, indent: int) -> Line:
    at = row * ROW
    piece = data[at : at + ROW]
    pieces: list[Piece] = [(" " * indent + f"{base + at:0{digits}x} ", "dim")]
    for number, byte in enumerate(piece, at):
        inside = start <= number < end
        opens = "[" if number == start and inside else "]" if number == end and start < end else " "
        pieces += [(opens, "mark" if opens != " " else ""), (f"{byte:02x}", "mark" if inside else "")]
    closes = "]" if at + len(piece) == end and start < end else " "
    pieces += [(closes, "mark" if closes != " " else ""), ("   " * (ROW - len(piece)) + " ", "")]
    for number, byte in enumerate(piece, at):
        pieces.append((chr(byte) if 0x20 <= byte < 0x7F else ".", "mark" if start <= number < end else "dim"))
    return joined(pieces)
