"""Text in, about how wide a proportional typeface sets it out, and the lines that it takes in a column of a picture."""

from collections.abc import Sequence

_NARROW = frozenset("iljtfrI.,:;'|!()[]/ \u00a0·“”-")
_WIDE = frozenset("mwMW@%—…")
_SHARES = 0.36, 0.62, 0.95
"""Of the size of the type: narrow, common and wide characters. Measured on DejaVu Sans, which is wider than most."""


def width_of_text(text: str, size: float) -> float:
    """Return about how many units a text takes; others than ASCII are taken as wide."""
    narrow, common, wide = _SHARES
    units = 0.0
    for char in text:
        if char in _NARROW:
            units += narrow
        elif char in _WIDE or (not char.isascii() and char not in "×→–"):
            units += wide
        else:
            units += common + (0.08 if char.isupper() else 0.0)
    return units * size


def fold(text: str, room: float, size: float, most: int) -> list[str]:
    """Return the text in at most so many lines, each no wider than there is room; what is left out is marked by three dots."""
    lines: list[str] = []
    line = ""
    for word in _pieces(text.split(" "), room, size):
        longer = f"{line} {word}" if line else word
        if line and width_of_text(longer, size) > room:
            lines.append(line)
            line = word
        else:
            line = longer
    lines.append(line)
    if len(lines) > most:
        lines = lines[:most]
        lines[-1] = cut(lines[-1] + " …", room, size)
    return lines


def cut(text: str, room: float, size: float) -> str:
    """Return a text that ends in dots without what goes beyond the room before them."""
    while len(text) > 1 and width_of_text(text, size) > room:
        text = text[:-2].rstrip(" …") + "…"
    return text


def _pieces(words: Sequence[str], room: float, size: float) -> list[str]:
    """Return the words, those that are wider than a line in pieces."""
    pieces = []
    for word in words:
        rest = word
        while width_of_text(rest, size) > room and len(rest) > 1:
            take = len(rest)
            while take > 1 and width_of_text(rest[:take], size) > room:
                take -= max(1, take // 16)
            pieces.append(rest[:take])
            rest = rest[take:]
        pieces.append(rest)
    return pieces
