"""HTTP/1 client bytes in, requests out: request line, headers and the host that is asked for, each with its place in the stream.

The honest reader: RFC 9112 with the tolerance that servers show (bare line feeds, folded lines, spare blank lines and spaces).
Where a wall walks through messages in another way, that is modelled elsewhere.
"""

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from crenel.wire.memo import remember_last
from crenel.wire.result import Field, Incomplete, Unparseable

METHODS: Final = frozenset(
    # RFC 9110 section 9.3, RFC 5789, and those of the IANA registry and of SSDP that clients send.
    b"GET HEAD POST PUT DELETE CONNECT OPTIONS TRACE PATCH PRI PROPFIND PROPPATCH MKCOL COPY MOVE LOCK UNLOCK REPORT SEARCH "
    b"MKCALENDAR ACL BIND LINK UNLINK MERGE CHECKOUT CHECKIN VERSION-CONTROL M-SEARCH NOTIFY SUBSCRIBE UNSUBSCRIBE".split(),
)

MAX_METHOD: Final = 32
"""A first word longer than this is not waited for; the longest registered method has 18 characters."""
MAX_BLANK: Final = 64
"""So many bytes of blank lines before a request are skipped (RFC 9112 section 2.2 asks for one line at least)."""

_BLANK_LINES = re.compile(rb"[\r\n]{0,64}")
# token = 1*tchar (RFC 9110 section 5.6.2).
_METHOD = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,32}+")
_SPACES = re.compile(rb"[ \t]++")
_VERSION = re.compile(rb"(?:^|[ \t])(HTTP/[0-9]\.[0-9])\r?\Z", re.IGNORECASE)
_END_OF_HEAD = re.compile(rb"\n\r?\n")
_HEADER = re.compile(rb"([^:\n]*+)(?::[ \t]*+([^\n]*+))?\n")
_FOLDED = re.compile(rb"[ \t][^\n]*+\n")
_AUTHORITY = re.compile(rb"[A-Za-z][A-Za-z0-9+.\-]*+://(?:[^/?#@]*+@)?+([^/?#]*+)")
_CHUNK = re.compile(rb"[ \t]*+([0-9A-Fa-f]{1,15})[^\n]*+\n")
_DIGITS = re.compile(rb"[0-9]{1,15}\Z")
# What nearly every request looks like: read in two steps, without listing its headers.
_PLAIN_LINE = re.compile(rb"[A-Z]{1,16}+ /[^ \r\n]*+ HTTP/1\.[01]\r?\n")
_PLAIN_HOST = re.compile(rb"\n([ \t]*+)[Hh][Oo][Ss][Tt]([ \t]*+):[ \t]*+([^\n]*+)\n([ \t]?)")
# What most requests look like to their last byte: a head whose first header is Host, and in whose other lines nothing matters.
_SIMPLE = re.compile(rb"([A-Z]{1,16}+) (/[!-~]*+) HTTP/1\.[01]\r\n[Hh][Oo][Ss][Tt]:[ \t]*+([!-~]++)\r\n(?![ \t])")
_MATTERS = re.compile(rb"\n(?:\r?\n|(?:host|content-length|transfer-encoding)[ \t]*+:)", re.IGNORECASE)

_CUT_LINE: Final = Incomplete("the request line is cut")
_CUT_HEAD: Final = Incomplete("the header block is cut")
_CUT_BODY: Final = Incomplete("the request body is cut")
_NO_METHOD: Final = Unparseable("the first word is not an HTTP method")
_NO_TARGET: Final = Unparseable("the request line has no target")
_NO_VERSION: Final = Unparseable("the request line ends in no HTTP version")
_BAD_LENGTH: Final = Unparseable("the body length cannot be read, so the next request cannot be found")


class Request(msgspec.Struct, frozen=True, gc=False):
    """One request head; offsets count from the beginning of the stream that was given."""

    method: Field
    target: Field
    version: Field | None
    """None for the simple request of HTTP/0.9 (RFC 1945 section 5)."""
    headers: tuple[tuple[Field, Field], ...]
    """Name and value as sent, a folded value with its line ends; lines without a colon are left out."""
    offset: int
    """Of the method."""
    end: int
    """Just past the blank line that ends the header block."""
    host: Field | None = None
    """The value of the first Host header, port included."""
    target_host: Field | None = None
    """The authority in a target of absolute form or of a CONNECT, port included, user information not."""

    @property
    def host_name(self) -> bytes | None:
        """The host that a server has to serve: the target's, else the Host header's (RFC 9112 section 3.2.2), by `host_name`."""
        field = self.target_host or self.host
        return None if field is None else host_name(field.value)

    def header(self, name: bytes) -> Field | None:
        """Return the value of the first header of that lower-case name."""
        return next((value for key, value in self.headers if key.value.lower() == name), None)


class SimpleRequest(msgspec.Struct, frozen=True, gc=False):
    """A request that every parser reads alike: visible ASCII in origin form, one Host that is the first header, no body, nothing after it."""

    method: bytes
    target: bytes
    """It stands one blank behind the method."""
    host: bytes
    """Without blanks around it; never empty."""
    host_at: int


class Walk(msgspec.Struct, frozen=True, gc=False):
    """Requests that follow one another, and why the walk went no further: None at the very end of the stream."""

    requests: tuple[Request, ...]
    stopped: Incomplete | Unparseable | None
    end: int
    """Where the message after the last whole one begins."""


def host_name(authority: bytes) -> bytes:
    """Return a Host value or authority in lower case, without port, surrounding spaces and the brackets of an IPv6 address."""
    name = authority.strip().lower()
    if name.startswith(b"["):
        return name[1:].partition(b"]")[0]
    host, _, port = name.partition(b":")
    return name if b":" in port else host


def looks_like_request(first: bytes) -> bool:
    """Say whether a stream begins with a known method and a space, or with what could become that."""
    first = first[_end_of(_BLANK_LINES, first, 0) :][: MAX_METHOD + 1]
    word, space, _ = first.partition(b" ")
    return word in METHODS if space else any(method.startswith(word) for method in METHODS)


def looks_like_response(first: bytes) -> bool:
    """Say whether a stream begins like an HTTP/1 status line, or with what could become one."""
    return first[:5] == b"HTTP/"[: len(first)] != b"" and (len(first) < 6 or first[5:6].isdigit())


@remember_last
def read_simple_request(stream: bytes) -> SimpleRequest | None:
    """Read a stream that is one simple request from its first byte to its last; None says only that it is not so simple."""
    if not stream.endswith(b"\r\n\r\n"):
        return None
    line = _SIMPLE.match(stream)
    if line is None:
        return None
    matters = _MATTERS.search(stream, line.end() - 1)
    # The empty line may follow right upon the Host.
    if matters is None or matters.end() != len(stream):
        return None
    method, target, host = line.groups()
    return SimpleRequest(method, target, host, line.start(3))


def read_request(stream: bytes, start: int = 0) -> Request | Incomplete | Unparseable:
    """Read the request head at `start`, after any blank lines."""
    line = _read_line(stream, start)
    if not isinstance(line, Request) or line.version is None:
        return line
    last = _END_OF_HEAD.search(stream, line.end - 1)
    if last is None:
        return _CUT_HEAD
    headers = _read_headers(stream, line.end, last.start() + 1)
    return Request(
        line.method, line.target, line.version, headers, line.offset, last.end(), _first_host(headers), line.target_host,
    )


def read_host(stream: bytes, start: int = 0) -> Field | Incomplete | Unparseable | None:
    """Read only the host asked for at `start`: the target's, else the first Host header's, as soon as its line is there.

    The short way for every flow. None for a whole head that names no host; Incomplete while one could still come.
    """
    line = _PLAIN_LINE.match(stream, start)
    if line is not None:
        begin = line.end() - 1
        host = _PLAIN_HOST.search(stream, begin)
        if host is not None and (host.start() == begin or _END_OF_HEAD.search(stream, begin, host.start() + 1) is None):
            before, after, value, fold = host.groups()
            if not (before or after or fold):
                value = value.rstrip()
                return Field(value, host.start(3), len(value))
    head = _read_line(stream, start)
    if not isinstance(head, Request):
        return head
    if head.target_host is not None or head.version is None:
        return head.target_host
    blank = _END_OF_HEAD.search(stream, head.end - 1)
    found = _first_host(_read_headers(stream, head.end, stream.rfind(b"\n") + 1 if blank is None else blank.start() + 1))
    return found if found is not None or blank is not None else _CUT_HEAD


def walk_requests(stream: bytes, start: int = 0) -> Walk:
    """Read requests one after another, past their bodies by Content-Length or chunks, up to a CONNECT or the first that is cut."""
    found: list[Request] = []
    while start < len(stream):
        request = read_request(stream, start)
        if not isinstance(request, Request):
            if isinstance(request, Incomplete) and not stream[start:].strip(b"\r\n"):
                break
            return Walk(tuple(found), request, start)
        found.append(request)
        end = _end_of_body(stream, request)
        if not isinstance(end, int):
            return Walk(tuple(found), end, request.end)
        start = end
        if request.method.value == b"CONNECT" or request.version is None:
            break
    return Walk(tuple(found), None, start)


def build_request(
    host: bytes | None,
    target: bytes = b"/",
    *,
    method: bytes = b"GET",
    headers: Sequence[tuple[bytes, bytes]] = ((b"User-Agent", b"Mozilla/5.0"), (b"Accept", b"*/*")),
    body: bytes = b"",
) -> bytes:
    """Return an HTTP/1.1 request, the Host header first (None: no such header); nothing is checked or escaped."""
    lines = [b"%b %b HTTP/1.1" % (method, target)]
    if host is not None:
        lines.append(b"Host: " + host)
    lines.extend(name + b": " + value for name, value in headers)
    if body:
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join((*lines, b"", body))


def _read_line(stream: bytes, start: int) -> Request | Incomplete | Unparseable:
    """Read the request line into a request whose `end` is that of the line."""
    start = _end_of(_BLANK_LINES, stream, start)
    method_end = _end_of(_METHOD, stream, start)
    if method_end == len(stream) and method_end - start < MAX_METHOD:
        return _CUT_LINE
    target_at = _end_of(_SPACES, stream, method_end)
    if not start < method_end < target_at:
        return _NO_METHOD
    line_end = stream.find(b"\n", target_at)
    if line_end < 0:
        return _CUT_LINE
    method = Field(stream[start:method_end], start, method_end - start)
    version = _VERSION.search(stream[target_at:line_end])
    rest = stream[target_at : line_end if version is None else target_at + version.start()].rstrip(b" \t\r")
    if not rest:
        return _NO_TARGET
    target = Field(rest, target_at, len(rest))
    if version is None:
        simple = method.value == b"GET" and b" " not in rest
        return Request(method, target, None, (), start, line_end + 1, None, _target_host(method, target)) if simple else _NO_VERSION
    first, last = version.span(1)
    return Request(
        method, target, Field(version[1], target_at + first, last - first), (), start, line_end + 1, None, _target_host(method, target),
    )


def _end_of(pattern: re.Pattern[bytes], stream: bytes, start: int) -> int:
    found = pattern.match(stream, start)
    return start if found is None else found.end()


def _target_host(method: Field, target: Field) -> Field | None:
    if method.value == b"CONNECT":
        return target
    found = _AUTHORITY.match(target.value)
    return None if found is None else Field(found[1], target.offset + found.start(1), len(found[1]))


def _read_headers(stream: bytes, begin: int, end: int) -> tuple[tuple[Field, Field], ...]:
    """List the headers in whole lines from `begin` to `end`; a line that begins with a space continues the one before it."""
    found: list[tuple[Field, Field]] = []
    while begin < end:
        line = _HEADER.match(stream, begin, end)
        if line is None:
            break
        begin = line.end()
        while fold := _FOLDED.match(stream, begin, end):
            begin = fold.end()
        if line[2] is not None:
            name = line[1].strip()
            value_at = line.start(2)
            value = stream[value_at : begin - 1].rstrip()
            found.append((Field(name, line.start(1) + line[1].find(name), len(name)), Field(value, value_at, len(value))))
    return tuple(found)


def _first_host(headers: tuple[tuple[Field, Field], ...]) -> Field | None:
    return next((value for name, value in headers if name.length == 4 and name.value.lower() == b"host"), None)


def _end_of_body(stream: bytes, request: Request) -> int | Incomplete | Unparseable:
    """Say where the body ends (RFC 9112 section 6.3: a transfer coding overrides the length)."""
    coding, length = request.header(b"transfer-encoding"), request.header(b"content-length")
    if coding is not None and coding.value.lower().endswith(b"chunked"):
        return _end_of_chunks(stream, request.end)
    if length is None:
        return request.end
    if _DIGITS.match(length.value) is None:
        return _BAD_LENGTH
    end = request.end + int(length.value)
    return end if end <= len(stream) else _CUT_BODY


def _end_of_chunks(stream: bytes, position: int) -> int | Incomplete | Unparseable:
    """Walk over chunks and trailers (RFC 9112 section 7.1)."""
    while True:
        chunk = _CHUNK.match(stream, position)
        if chunk is None:
            return _CUT_BODY if stream.find(b"\n", position) < 0 else _BAD_LENGTH
        size = int(chunk[1], 16)
        if size == 0:
            last = _END_OF_HEAD.search(stream, chunk.end() - 1)
            return _CUT_BODY if last is None else last.end()
        position = chunk.end() + size
        if position >= len(stream):
            return _CUT_BODY
        position += 2 if stream.startswith(b"\r\n", position) else 1
