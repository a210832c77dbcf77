"""HTTP/1.1 requests in, pages out: any name and path has one, `/bytes/N` is so many bytes, `/dns-query` is DNS (RFC 9112, RFC 8484)."""

import asyncio
import base64
import binascii
import html
import urllib.parse
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from crenel.net.lab.internet.files import sized, zeros

DNS_PATH = "/dns-query"
CERTIFICATE_PATH = "/certificate"
PAGE = "<!doctype html>\n<title>{host}</title>\n<h1>{host}</h1>\n<p>This is {host} in a lab, over {protocol}.\n"
"""What everybody gets; Caddy fills in the same."""

MOST = 1 << 26
"""Bytes of a request's body that are read."""
_DNS_TYPE = "application/dns-message"
_LONGEST_DNS = 65535

Resolve = Callable[[bytes], Awaitable[bytes | None]]


class Request(NamedTuple):
    """What a client asked for."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    def query(self, name: str) -> str:
        """Return a parameter of the target, empty where it has none."""
        return urllib.parse.parse_qs(self.target.partition("?")[2]).get(name, [""])[0]


class Response(NamedTuple):
    """What it gets."""

    status: str
    kind: str
    parts: Sequence[bytes]


class Pages:
    """Serves HTTP/1.1 connections.

    Args:
        resolve: answers DNS queries.
        certify: returns a certificate with its key for the name or address that Caddy asks about; None where clients themselves are served.
    """

    def __init__(self, resolve: Resolve, certify: Callable[[str], str] | None = None) -> None:
        self._resolve = resolve
        self._certify = certify

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection until either side wants no more."""
        while (request := await read_request(reader, writer)) is not None:
            response = await self.respond(request) if isinstance(request, Request) else request
            closes = not isinstance(request, Request) or request.headers.get("connection", "").lower() == "close"
            head = f"HTTP/1.1 {response.status}\r\nContent-Type: {response.kind}\r\nContent-Length: {sum(map(len, response.parts))}\r\n"
            writer.write((head + ("Connection: close\r\n\r\n" if closes else "\r\n")).encode())
            if not isinstance(request, Request) or request.method != "HEAD":
                for part in response.parts:
                    writer.write(part)
                    await writer.drain()
            if closes:
                return

    async def respond(self, request: Request) -> Response:
        """Return what a request gets."""
        if request.path == DNS_PATH:
            return await self._respond_dns(request)
        if self._certify is not None and request.path == CERTIFICATE_PATH:
            name = request.query("server_name") or request.query("local_ip")
            return Response("200 OK", "application/x-pem-file", (self._certify(name).encode(),))
        size = sized(request.path)
        if size is not None:
            return Response("200 OK", "application/octet-stream", zeros(size))
        host = html.escape(request.headers.get("host", ""))
        return Response("200 OK", "text/html; charset=utf-8", (PAGE.format(host=host, protocol="HTTP/1.1").encode(),))

    async def _respond_dns(self, request: Request) -> Response:
        try:
            text = request.query("dns").encode()
            query = request.body if request.method == "POST" else base64.b64decode(text + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, UnicodeEncodeError):
            query = b""
        answer = await self._resolve(query) if 0 < len(query) <= _LONGEST_DNS else None
        if answer is None:
            return Response("400 Bad Request", "text/plain", (b"No DNS query.\n",))
        return Response("200 OK", _DNS_TYPE, (answer,))


async def read_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Request | Response | None:
    """Return the next request of a connection, or what is said to what is none; None where there is no more."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    except asyncio.LimitOverrunError:
        return Response("431 Request Header Fields Too Large", "text/plain", ())
    first, *lines = head.decode("latin-1").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        return Response("400 Bad Request", "text/plain", ())
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
    if words[2] == "HTTP/1.0":
        headers["connection"] = "close"
    if headers.get("expect", "").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    body = await _read_body(reader, headers)
    return Response("413 Content Too Large", "text/plain", ()) if body is None else Request(words[0], words[1], headers, body)


async def _read_body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes | None:
    """Return a body; None where it is too long, or no length is a number."""
    try:
        if headers.get("transfer-encoding", "").lower() != "chunked":
            length = int(headers.get("content-length", "0"))
            return await reader.readexactly(length) if 0 <= length <= MOST else None
        parts: list[bytes] = []
        while length := int((await reader.readuntil(b"\r\n")).partition(b";")[0], 16):
            if not 0 < length <= MOST - sum(map(len, parts)):
                return None
            parts.append((await reader.readexactly(length + 2))[:-2])
        while await reader.readuntil(b"\r\n") != b"\r\n":
            pass  # trailers
        return b"".join(parts)
    except (ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        return None
