"""A name and a path in, an HTTP/1.1 client that asks for it and a server that answers out (RFC 9112)."""

import re
from collections.abc import Sequence
from typing import Literal

import msgspec

from crenel.net.app.speaker import PATIENCE, Heard

_REQUEST_LINE = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+ \S+ HTTP/1\.[01]", re.ASCII)
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] (\d{3})(?: [^\r\n]*)?\r?\n")
_LENGTH = re.compile(rb"^content-length:[ \t]*(\d{1,9})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_HEAD_AT_MOST = 1 << 16
_METHODS = frozenset({b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"CONNECT", b"OPTIONS", b"TRACE", b"PATCH"})
"""Those of RFC 9110 section 9 and RFC 5789; any other is not implemented (RFC 9110 section 9.1)."""


class Http(msgspec.Struct, frozen=True, kw_only=True):
    """A GET request and its answer."""

    host: str
    """What the Host header says: a name, or an address with brackets where it has colons; with a port where that is not 80."""
    target: str = "/"
    """Path and query as they stand in the request line."""
    port: int = 80
    tries: int = 1
    body_size: int = 0
    """Bytes of the page at least; it is filled up."""

    @property
    def transport(self) -> Literal["tcp"]:
        """What carries it."""
        return "tcp"

    @property
    def patience(self) -> tuple[int, ...]:
        """Nanoseconds that a client waits."""
        return PATIENCE

    def request(self) -> bytes:
        """Return the request."""
        return f"GET {self.target} HTTP/1.1\r\nHost: {self.host}\r\nUser-Agent: crenel\r\nAccept: */*\r\n\r\n".encode("utf-8", "surrogateescape")

    def page(self) -> bytes:
        """Return the body of the answer."""
        page = f"<!doctype html><title>{self.host}</title><p>This is {self.host}, as its server sent it.\n".encode("utf-8", "surrogateescape")
        return page.ljust(self.body_size, b".")

    def client(self) -> "_HttpClient":
        """Return a client that has said nothing yet."""
        return _HttpClient(self.request(), self.page())

    def server(self) -> "_HttpServer":
        """Return a server that has heard nothing yet."""
        return _HttpServer(self.page())


class _HttpClient:
    __slots__ = ("_body", "_buffer", "_request", "awaits", "done", "heard")

    def __init__(self, request: bytes, body: bytes) -> None:
        self._request = request
        self._body = body
        self._buffer = b""
        self.done = False
        self.heard: list[Heard] = []
        self.awaits = "the answer to its request"

    def begin(self) -> Sequence[bytes]:
        return (self._request,)

    def take(self, data: bytes) -> Sequence[bytes]:
        if self.done:
            return ()
        self._buffer += data
        status = _STATUS_LINE.match(self._buffer)
        if status is None and (b"\n" in self._buffer or len(self._buffer) > _HEAD_AT_MOST):
            return self._conclude(f"no HTTP: {len(self._buffer)} bytes", intact=False)
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found or status is None:
            return ()
        length = _LENGTH.search(head)
        if length is None:
            return self._conclude(f"HTTP {status[1].decode()}, without a length", intact=False)
        size = int(length[1])
        self.awaits = f"the rest of a page of {size} bytes"
        if len(body) < size:
            return ()
        intact = status[1] == b"200" and body[:size] == self._body
        return self._conclude(f"HTTP {status[1].decode()}, {size} bytes" + ("" if intact else ", not the page"), intact=intact)

    def _conclude(self, says: str, *, intact: bool) -> Sequence[bytes]:
        self.heard.append(Heard(says, intact))
        self.done = True
        return ()


class _HttpServer:
    __slots__ = ("_buffer", "_page", "done")

    def __init__(self, page: bytes) -> None:
        self._buffer = b""
        self._page = page
        self.done = False

    def begin(self) -> Sequence[bytes]:
        return ()

    def take(self, data: bytes) -> Sequence[bytes]:
        if self.done:
            return ()
        self._buffer += data
        head, found, _ = self._buffer.partition(b"\r\n\r\n")
        if not found:
            if len(self._buffer) <= _HEAD_AT_MOST:
                return ()
            return self._answer(b"431 Request Header Fields Too Large", b"")
        line = head.lstrip(b"\r\n").partition(b"\r\n")[0]  # an empty line before the request is passed over (RFC 9112 section 2.2)
        if _REQUEST_LINE.fullmatch(line) is None:
            return self._answer(b"400 Bad Request", b"<p>What?\n")
        if line.partition(b" ")[0] not in _METHODS:
            return self._answer(b"501 Not Implemented", b"<p>How?\n")
        return self._answer(b"200 OK", self._page)

    def _answer(self, status: bytes, body: bytes) -> Sequence[bytes]:
        self.done = True
        head = b"HTTP/1.1 %b\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % (status, len(body))
        return (head + body,)
