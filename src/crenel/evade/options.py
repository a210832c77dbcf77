"""TCP options as bytes in, the same with one of them set out, or what one of them says."""

from collections.abc import Iterator
from typing import Final

TIMESTAMP: Final = 8
MD5: Final = 19
_END, _NOP = 0, 1
_MOST = 40  # what fits behind the fixed header (RFC 9293 section 3.1)


def _walk(options: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield kind and bytes of each option up to and with the end marker; what makes no sense comes as one piece of kind -1."""
    at, end = 0, len(options)
    while at < end:
        kind = options[at]
        size = 1 if kind <= _NOP else options[at + 1] if at + 1 < end else 0
        if kind > _NOP and not 2 <= size <= end - at:
            yield -1, options[at:]
            return
        yield kind, options[at : at + size]
        if kind == _END:
            return
        at += size


def option_body(options: bytes, kind: int) -> bytes | None:
    """Return what the first option of that kind holds behind its length, or None."""
    return next((piece[2:] for found, piece in _walk(options) if found == kind), None)


def with_option(options: bytes, kind: int, body: bytes) -> bytes | None:
    """Return the options with the first of that kind overwritten, or one appended, padded to whole words; None where they get too long.

    Like Geneva it appends behind an end marker too, where no reader finds it.
    """
    new = bytes((kind,)) if kind <= _NOP else bytes((kind, 2 + len(body) & 0xFF)) + body
    pieces = list(_walk(options))
    at = next((number for number, (found, _) in enumerate(pieces) if found == kind), len(pieces))
    joined = b"".join([*(piece for _, piece in pieces[:at]), new, *(piece for _, piece in pieces[at + 1 :])])
    padded = joined + bytes(-len(joined) % 4)
    return padded if len(padded) <= _MOST and 2 + len(body) <= _MOST else None
