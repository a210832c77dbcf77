"""Strings from captures and users in, text that is safe on a terminal out: escaped, of bounded length, with its width known."""

import os
import unicodedata
from collections.abc import Sequence

LONGEST = 253
"""Characters of a name that are ever shown: the longest name that DNS can carry (RFC 1035 section 2.3.4)."""
_TWO_CELLS = frozenset("WF")


def safe(text: str, limit: int = LONGEST) -> str:
    r"""Return text in which no character moves the cursor, turns the reading direction, joins another or is invisible.

    Such a character is written as its number, `\u{202e}`. What is longer than `limit` loses its beginning, because
    the end of a host name says more.
    """
    if not (text.isascii() and text.isprintable()):
        text = "".join(char if _harmless(char) else f"\\u{{{ord(char):x}}}" for char in text[-2 * limit :])
    return text if len(text) <= limit else "…" + text[len(text) + 1 - limit :]


def _harmless(char: str) -> bool:
    return char.isprintable() and not unicodedata.category(char).startswith("M")


def safe_path(path: str) -> str:
    """Return the path of a file as it may be shown; `-` is standard input."""
    return "standard input" if path == "-" else safe(path, 4 * LONGEST)


def plain_path(path: str) -> str:
    """Return a path as text that can be written as UTF-8, whatever bytes the file system has in it."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def cells(text: str) -> int:
    """Return how many columns of a terminal a safe text takes."""
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(char) in _TWO_CELLS else 1 for char in text)


def cut_left(text: str, width: int) -> str:
    """Return a safe text in at most `width` columns, its beginning left out where it must."""
    if cells(text) <= width:
        return text
    while text and cells(text) >= width:
        text = text[1:]
    return "…" + text


def listed(words: Sequence[str]) -> str:
    """Return "a", "a and b", "a, b and c"."""
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def either(words: Sequence[str]) -> str:
    """Return "a", "a or b", "a, b or c"."""
    return " or ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """Return "1 flow", "2 flows", "1,000 flows"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {plural or noun + 's'}"


def percent(chance: float) -> str:
    """Return a probability as a percentage that never rounds to nothing or to certainty."""
    share = chance * 100
    if share in {0.0, 100.0}:
        number = f"{share:.0f}"
    elif share < 0.1:
        number = "under 0.1"
    elif share > 99.9:
        number = "over 99.9"
    else:
        number = f"{share:.1f}".removesuffix(".0") if share < 1 or share > 99 else f"{share:.0f}"
    return f"{number}\u00a0%"
