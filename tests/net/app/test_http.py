"""Requests in, the answer of an HTTP server and what a client makes of it out."""

import http.client
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.net.app.http import Http
from crenel.net.app.speaker import PATIENCE, Heard
from tests.net.app.pairing import changed, converse, finding, found_intact, said

APP = Http(host="www.example.org", target="/a?b=c")
HEAD, _, BODY = said(APP)[0].partition(b"\r\n\r\n")


def answer(*pieces: bytes) -> bytes:
    server = APP.server()
    return b"".join(part for piece in pieces for part in server.take(piece))


def heard(*pieces: bytes) -> list[Heard]:
    client = APP.client()
    assert all(client.take(piece) == () for piece in pieces)
    assert client.done is bool(client.heard)
    return client.heard


def test_it_asks_and_gets_the_page() -> None:
    assert finding(converse(APP)) == Heard(f"HTTP 200, {len(BODY)} bytes", True)
    assert (APP.transport, APP.port, APP.patience) == ("tcp", 80, PATIENCE)
    assert finding(converse(Http(host="ä.example", body_size=100_000))) == Heard("HTTP 200, 100000 bytes", True)


def test_the_request_names_host_and_target() -> None:
    head, _, body = APP.request().partition(b"\r\n\r\n")
    assert (head.split(b"\r\n")[:2], body) == ([b"GET /a?b=c HTTP/1.1", b"Host: www.example.org"], b"")


def test_a_real_client_reads_the_answer() -> None:
    class Connection:
        def makefile(self, mode: str) -> io.BytesIO:
            return io.BytesIO(said(APP)[0])

    response = http.client.HTTPResponse(Connection())  # type: ignore[arg-type]  # all that it uses of a socket
    response.begin()
    assert (response.status, response.read()) == (200, BODY)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", b"200 OK"),
        (b"\r\nPOST /x HTTP/1.0\r\nA: b\r\n\r\n", b"200 OK"),
        (b"GET /\r\n\r\n", b"400 Bad Request"),
        (b"\x16\x03\x01\x00\x05\r\n\r\n", b"400 Bad Request"),
        (b"GET / HTTP/2.0\r\n\r\n", b"400 Bad Request"),
        (b"GET / HTTP/1.1\r\n" + b"a" * 70_000, b"431 Request Header Fields Too Large"),
    ],
)
def test_the_server_answers_a_request_once_and_closes(request_: bytes, status: bytes) -> None:
    server = APP.server()
    (said_back,) = [part for byte in (request_[:-1], request_[-1:]) for part in server.take(byte)]
    assert said_back.startswith(b"HTTP/1.1 " + status + b"\r\n")
    assert server.done
    assert server.take(APP.request()) == ()


def test_a_request_that_is_not_all_there_is_not_answered() -> None:
    assert answer(APP.request()[:-1]) == b""
    assert answer(*(bytes((byte,)) for byte in APP.request())) == said(APP)[0]


def test_it_says_what_it_awaits() -> None:
    client = APP.client()
    waits = [client.awaits]
    for piece in (HEAD, b"\r\n\r\n", BODY[:-1]):
        client.take(piece)
        waits.append(client.awaits)
    assert waits == [*["the answer to its request"] * 2, *[f"the rest of a page of {len(BODY)} bytes"] * 2]


@pytest.mark.parametrize(
    ("stream", "says"),
    [
        (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno", "HTTP 403, 2 bytes, not the page"),
        (b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: /\r\n\r\n", "HTTP 302, 0 bytes, not the page"),
        (HEAD.replace(b"200", b"404") + b"\r\n\r\n" + BODY, f"HTTP 404, {len(BODY)} bytes, not the page"),
        (b"220 FTP server ready\r\n", "no HTTP: 22 bytes"),
        (b"\x15\x03\x03\x00\x02\x02\x0a", "no HTTP: 7 bytes"),
    ],
)
def test_anything_else_is_another_answer(stream: bytes, says: str) -> None:
    assert heard(stream) == [Heard(says, False)]


def test_what_stays_without_end_is_no_answer() -> None:
    assert heard(b"a" * (1 << 16)) == []
    assert [found.intact for found in heard(b"a" * (1 << 16), b"a")] == [False]


@given(st.integers(0, len(BODY) - 1), st.integers(1, 255))
def test_a_changed_byte_of_the_page_is_noticed(at: int, by: int) -> None:
    assert not found_intact(APP, [HEAD + b"\r\n\r\n", *changed([BODY], at, by)])


@pytest.mark.parametrize("at", [*range(7), 8, *range(9, 12)])
def test_a_changed_byte_of_the_status_is_noticed(at: int) -> None:
    """But not a 1.0 for a 1.1, the reason phrase and headers other than the length, which a client does not look at."""
    for by in (1, 0x20, 0x80, 0xFF):
        assert not found_intact(APP, changed([HEAD + b"\r\n\r\n" + BODY], at, by))


WHOLE = said(APP)[0]
AT_ONCE = len(HEAD) + 4
"""Where the head ends, so that all of the body comes at once."""


@pytest.mark.parametrize(
    ("stream", "cut", "intact"),
    [
        (WHOLE + b"more", -1, True),
        (WHOLE + b"more", -4, True),
        (WHOLE.replace(b"Length: 9", b"Length: 1"), AT_ONCE, False),
        (WHOLE.replace(b"Length: 9", b"Length: 1"), -1, False),
        (WHOLE.replace(b"Length", b"Lungth"), AT_ONCE, False),
        (WHOLE.replace(b"Length", b"Lungth"), AT_ONCE - 1, False),
        (WHOLE.replace(b"200 OK", b"200!OK"), -1, False),
    ],
)
def test_where_the_stream_is_cut_does_not_matter(stream: bytes, cut: int, intact: bool) -> None:
    assert [found.intact for found in heard(stream[:cut], stream[cut:])] == [intact]


def test_a_method_that_nobody_knows_is_not_implemented() -> None:
    (answer,) = APP.server().take(b"ET / HTTP/1.1\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 501 ")
