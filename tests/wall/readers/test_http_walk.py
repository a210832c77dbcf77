"""One request: where its head ends, which hosts it names, and where a parser looks for the next."""

import pytest

from crenel.wall.readers.http_walk import LOST, UNFINISHED, Walk, read_message

LF = Walk(title="lf", line_end="lf", blanks_before_colon=False, share=1.0)
CRLF = Walk(title="crlf", line_end="crlf", blanks_before_colon=False, share=1.0)
LINE = b"GET / HTTP/1.1\r\n"


@pytest.mark.parametrize(
    ("rest", "lf", "crlf"),
    [
        (b"\r\nNEXT", 18, 18),
        (b"\nNEXT", 17, UNFINISHED),
        (b"A: b\n\nNEXT", 22, UNFINISHED),
        (b"Content-Length: 3\r\n\r\nabcNEXT", 40, 40),
        (b"Content-Length: +3\r\n\r\nabcNEXT", 38, 38),
        (b"Content-Length: 99999999999999999999\r\n\r\n", 56 + 10**15 - 1, 56 + 10**15 - 1),
        (b"Transfer-Encoding: chunked\r\n\r\n", UNFINISHED, UNFINISHED),
        (b"Transfer-Encoding: chunked\r\n\r\n2\r\nab", UNFINISHED, UNFINISHED),
        (b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r", UNFINISHED, UNFINISHED),
        (b"Transfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n", LOST, LOST),
        (b"Transfer-Encoding: chunked\r\n\r\n-2\r\n", LOST, LOST),
        (b"Transfer-Encoding: chunked\r\n\r\n2\nab\n0\n\nNEXT", 54, UNFINISHED),
        (b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nNEXT", 51, 51),
    ],
)
def test_where_the_next_request_is_looked_for(rest: bytes, lf: int, crlf: int) -> None:
    stream = LINE + rest
    assert read_message(stream, 0, LF, None).onward == lf
    assert read_message(stream, 0, CRLF, None).onward == crlf


def test_hosts_have_their_place_and_the_byte_that_completes_them() -> None:
    stream = b"xx" + LINE + b"Host:  a.example \r\nHost: b\r\n"
    hosts = read_message(stream, 2, LF, None).hosts
    assert [(host.value, stream[host.offset :][: len(host.value)], stream[: host.done][-2:]) for host in hosts] == [
        (b"a.example", b"a.example", b"\r\n"),
        (b"b", b"b", b"\r\n"),
    ]


def test_hosts_that_were_complete_before_may_be_left_out_while_the_head_is_not() -> None:
    stream = LINE + b"Host: a\r\nHost: b\r\n"
    known = stream.index(b"Host: b")
    assert [host.value for host in read_message(stream, 0, LF, None, known).hosts] == [b"b"]
    assert [host.value for host in read_message(stream + b"\r\n", 0, LF, None, known).hosts] == [b"a", b"b"]
