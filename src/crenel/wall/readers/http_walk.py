"""A stream of HTTP requests in, one message after another out, as a wall's parser finds its way through them."""

import functools
import re
from typing import Final, Literal

import msgspec

_CHUNK: Final = re.compile(rb"[ \t]*([0-9a-fA-F]{1,15})[ \t]*(?:;.*)?", re.DOTALL)
_LENGTH: Final = re.compile(rb"[0-9]{1,15}")
_HOST, _TRANSFER_ENCODING, _LONG_NAME = 1, 2, 4
"""Groups of `Walk.headers`."""
UNFINISHED: Final = -1
"""Where a message goes on: not known yet, for want of bytes."""
LOST: Final = -2
"""Where a message goes on: nowhere, the parser has lost its way or its patience."""


class Walk(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, dict=True):
    """How one of the boxes' parsers walks through the requests of a connection (D from HRS24's recorded verdicts, 2023-24).

    All walk alike: header lines to the first empty one; a body by chunks where a Transfer-Encoding names them, else by
    Content-Length, else none; the next request right behind it. What stands there and is no request ends the walk for good.
    """

    title: str
    """What explanations call this parser."""
    line_end: Literal["lf", "crlf"]
    """`lf`: a line ends at a line feed, whatever is before it, and so does the head at the first empty line; `crlf`: only at CR LF."""
    blanks_before_colon: bool
    """Whether a header name may have blanks between it and its colon."""
    share: float
    """Probability that a flow is read by a parser of this kind; shares are independent."""

    @functools.cached_property
    def end(self) -> bytes:
        """The bytes that end a line."""
        return b"\n" if self.line_end == "lf" else b"\r\n"

    @functools.cached_property
    def head_end(self) -> re.Pattern[bytes]:
        """Find the end of a request's head."""
        return re.compile(rb"\n\r?\n" if self.line_end == "lf" else rb"\r\n\r\n")

    @functools.lru_cache(maxsize=64)  # noqa: B019  walks are few and live as long as their wall
    def headers(self, name_limit: int | None) -> re.Pattern[bytes]:
        """Match the beginnings of header lines that matter: the three by name, and one whose name is at least as long as the limit."""
        blanks = rb"[ \t]*" if self.blanks_before_colon else b""
        known = rb"(?:(host)|(transfer-encoding)|(content-length))%b:" % blanks
        long = b"" if name_limit is None else rb"|([^:\r\n]{%d,}:)" % name_limit
        return re.compile(rb"%b(?:%b%b)" % (re.escape(self.end), known, long), re.IGNORECASE)

    @functools.lru_cache(maxsize=64)  # noqa: B019  the same
    def long_name(self, name_limit: int) -> re.Pattern[bytes]:
        """Match the beginning of a header line whose name is at least as long as the limit."""
        return re.compile(rb"%b[^:\r\n]{%d,}:" % (re.escape(self.end), name_limit))


class Host(msgspec.Struct, frozen=True, gc=False):
    """The value of a Host header and where it stands."""

    value: bytes
    offset: int
    done: int
    """Behind the end of its line: with that byte the value is complete."""


class Message(msgspec.Struct, frozen=True, gc=False):
    """One request: its hosts, and where the next may begin (or UNFINISHED, or LOST)."""

    hosts: tuple[Host, ...]
    onward: int


def read_message(stream: bytes, start: int, walk: Walk, name_limit: int | None, known: int = 0) -> Message:
    """Read the request whose request line begins at `start`; hosts whose line ended by `known` may be left out while the head is not complete."""
    match = walk.head_end.search(stream, start)
    stop = len(stream) if match is None else match.end()
    begin = start
    if match is None and known > start:
        # Only the new lines, so that a head in many small segments costs no more than its bytes; an early long name still ends the search.
        begin = max(start, stream.rfind(walk.end, start, known))
        if name_limit is not None and walk.long_name(name_limit).search(stream, start, begin) is not None:
            return Message((), UNFINISHED)
    hosts: list[Host] = []
    chunked = False
    length = 0
    for line in walk.headers(name_limit).finditer(stream, begin, stop):
        which = line.lastindex
        end = stream.find(walk.end, line.end(), stop)
        if end < 0 or which == _LONG_NAME:
            break
        value = stream[line.end() : end].strip(b" \t\r")
        if which == _HOST:
            hosts.append(Host(value, stream.find(value, line.end()), end + len(walk.end)))
        elif which == _TRANSFER_ENCODING:
            chunked = chunked or b"chunked" in value.lower()
        elif (digits := _LENGTH.match(value)) is not None:
            length = int(digits[0])
    if match is None:
        return Message(tuple(hosts), UNFINISHED)
    return Message(tuple(hosts), _skip_chunks(stream, stop, walk.end) if chunked else stop + length)


def _skip_chunks(stream: bytes, at: int, line_end: bytes) -> int:
    """Return where a chunked body ends (RFC 9112 section 7.1)."""
    while True:
        end = stream.find(line_end, at)
        if end < 0:
            return UNFINISHED
        size = _CHUNK.fullmatch(stream, at, end - 1 if line_end == b"\n" and stream[end - 1 : end] == b"\r" else end)
        if size is None:
            return LOST
        at = end + len(line_end)
        length = int(size[1], 16)
        if length == 0:
            return _skip_trailer(stream, at, line_end)
        at += length
        if at > len(stream):
            return UNFINISHED
        for closing in (b"\r\n", line_end):
            if stream.startswith(closing, at):
                at += len(closing)
                break
        else:
            return UNFINISHED if len(stream) - at < len(b"\r\n") else LOST


def _skip_trailer(stream: bytes, at: int, line_end: bytes) -> int:
    while True:
        end = stream.find(line_end, at)
        if end < 0:
            return UNFINISHED
        line = stream[at:end]
        at = end + len(line_end)
        if not (line.removesuffix(b"\r") if line_end == b"\n" else line):
            return at
