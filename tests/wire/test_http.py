"""HTTP requests: the line, the headers and the host asked for, one after another, with what servers tolerate."""

import http.client
import io
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.wire.http import (
    METHODS,
    Request,
    Walk,
    build_request,
    host_name,
    looks_like_request,
    looks_like_response,
    read_host,
    read_request,
    read_simple_request,
    walk_requests,
)
from crenel.wire.result import Field, Incomplete, Unparseable

HOST = b"www.blocked.example"


def request_of(stream: bytes, start: int = 0) -> Request:
    request = read_request(stream, start)
    assert isinstance(request, Request), request
    return request


def test_all_fields_of_a_request() -> None:
    stream = b"GET /search?q=word HTTP/1.1\r\nHost: Www.Blocked.Example:8080\r\nAccept:*/*\r\nX-Empty:\r\n\r\nrest"
    request = request_of(stream)
    assert request.method == Field(b"GET", 0, 3)
    assert request.target == Field(b"/search?q=word", 4, 14)
    assert request.version == Field(b"HTTP/1.1", 19, 8)
    assert [(name.value, value.value) for name, value in request.headers] == [
        (b"Host", b"Www.Blocked.Example:8080"), (b"Accept", b"*/*"), (b"X-Empty", b""),
    ]  # fmt: skip
    for name, value in request.headers:
        assert stream[name.offset : name.offset + name.length] == name.value
        assert stream[value.offset : value.offset + value.length] == value.value
    assert request.host == Field(b"Www.Blocked.Example:8080", 35, 24)
    assert request.host_name == HOST
    assert (request.offset, request.end) == (0, len(stream) - 4)
    assert request.header(b"accept") == Field(b"*/*", 68, 3)
    assert request.header(b"cookie") is None


@pytest.mark.parametrize(
    "stream",
    [
        b"GET / HTTP/1.1\nHost: www.blocked.example\n\n",
        b"\r\n\r\nGET / HTTP/1.1\r\nHost: www.blocked.example\r\n\r\n",
        b"\nGET / HTTP/1.1\r\nhost:www.blocked.example\r\n\r\n",
        b"GET  \t/   HTTP/1.1 \r\nHOST:\t www.blocked.example \t\r\n\r\n".replace(b" \r\n", b"\r\n", 1),
        b"GET / HTTP/1.1\r\nHost : www.blocked.example\r\n\r\n",
        b"GET / HTTP/1.1\r\n Host: www.blocked.example\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon here\r\nHost: www.blocked.example\r\n\r\n",
        b"get / http/1.0\r\nHost: www.blocked.example\r\n\r\n",
        b"FROB /x y z HTTP/1.1\r\nX: y\r\nHost: www.blocked.example\r\nHost: other.example\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: a\r\n Host: folded.example\r\nHost: www.blocked.example\r\n\r\n",
    ],
)
def test_what_servers_tolerate(stream: bytes) -> None:
    request = request_of(stream)
    assert request.host_name == HOST
    assert request.end == len(stream)
    assert read_host(stream) == request.host == Field(HOST, stream.index(HOST), len(HOST))


def test_a_folded_value_keeps_its_line_ends() -> None:
    stream = b"GET / HTTP/1.1\r\nX: a\r\n b\r\n\tc\r\nHost: one\r\n two\r\n\r\n"
    request = request_of(stream)
    assert request.header(b"x") == Field(b"a\r\n b\r\n\tc", 19, 9)
    assert request.host == read_host(stream) == Field(b"one\r\n two", 36, 9)


@pytest.mark.parametrize(
    ("target", "host"),
    [
        (b"http://abs.example/path", b"abs.example"),
        (b"http://abs.example", b"abs.example"),
        (b"HTTP://user:pw@Abs.Example:81?q", b"Abs.Example:81"),
        (b"ftp://[2001:db8::1]:21/x", b"[2001:db8::1]:21"),
        (b"/http://not.example/", None),
        (b"*", None),
    ],
)
def test_the_host_in_a_target_of_absolute_form(target: bytes, host: bytes | None) -> None:
    stream = build_request(HOST, target)
    request = request_of(stream)
    if host is None:
        assert request.target_host is None
        assert read_host(stream) == request.host
    else:
        assert request.target_host == read_host(stream) == Field(host, stream.index(host), len(host))
        assert request.host_name == host_name(host)
    assert request.host == Field(HOST, stream.index(HOST), len(HOST))


def test_the_authority_of_a_connect() -> None:
    request = request_of(b"CONNECT tunnel.example:443 HTTP/1.1\r\nHost: other.example\r\n\r\n")
    assert request.target_host == Field(b"tunnel.example:443", 8, 18)
    assert request.host_name == b"tunnel.example"


def test_a_simple_request_of_http_0_9() -> None:
    request = request_of(b"GET /page\r\n")
    assert (request.version, request.target.value, request.end) == (None, b"/page", 11)
    assert read_host(b"GET /page\r\n") is None


@pytest.mark.parametrize(
    "stream",
    [
        b"\x16\x03\x01",
        b" GET / HTTP/1.1\r\n\r\n",
        b"SSH-2.0-x\r\n",
        b"GET\r\n",
        b"GET  HTTP/1.1\r\n\r\n",
        b"POST /\r\n\r\n",
        b"OPTIONS rtsp://cam.example/ RTSP/1.0\r\n\r\n",
        b"GET / HTTQ/1.1\r\n\r\n",
        b"GET / HTTP/11\r\n\r\n",
        b"A" * 40,
        b"A" * 40 + b" / HTTP/1.1\r\n\r\n",
    ],
)
def test_what_is_no_request(stream: bytes) -> None:
    assert isinstance(read_request(stream), Unparseable)
    assert isinstance(read_host(stream), Unparseable)


@pytest.mark.parametrize(
    ("authority", "name"),
    [
        (b" Example.COM:80 ", b"example.com"),
        (b"example.com", b"example.com"),
        (b"example.com.:", b"example.com."),
        (b"[2001:DB8::1]:8080", b"2001:db8::1"),
        (b"2001:db8::1", b"2001:db8::1"),
        (b"", b""),
    ],
)
def test_a_host_name_is_lower_case_and_without_port(authority: bytes, name: bytes) -> None:
    assert host_name(authority) == name


def test_first_bytes_that_look_like_a_request() -> None:
    for method in METHODS:
        line = method + b" / HTTP/1.1\r\n"
        assert all(looks_like_request(b"\r\n" + line[:cut]) for cut in range(len(line)))
    assert not looks_like_request(b"GETX /")
    assert not looks_like_request(b"get /")
    assert not looks_like_request(b"\x16\x03\x01")


def test_first_bytes_that_look_like_a_response() -> None:
    assert all(looks_like_response(b"HTTP/1.1 200 OK"[:cut]) for cut in range(1, 16))
    assert not looks_like_response(b"")
    assert not looks_like_response(b"HTTP/x")
    assert not looks_like_response(b"HTPP")


def test_requests_are_found_behind_their_bodies() -> None:
    chunked = b"POST /c HTTP/1.1\r\nHost: c.example\r\nTransfer-Encoding: gzip, Chunked\r\nContent-Length: 3\r\n\r\n"
    chunked += b"5;x=y\r\nhello\r\n0\r\nT: r\r\n\r\n"
    first = build_request(b"a.example", method=b"POST", body=b"GET / HTTP/1.1\r\n\r\n")
    stream = first + chunked + b"\r\n" + build_request(b"b.example") + b"\r\n"
    walk = walk_requests(stream)
    assert [request.host_name for request in walk.requests] == [b"a.example", b"c.example", b"b.example"]
    assert walk.stopped is None


def test_a_body_that_ends_with_the_stream() -> None:
    stream = build_request(b"a.example", method=b"POST", body=b"xyz")
    assert (walk_requests(stream).stopped, walk_requests(stream).end) == (None, len(stream))
    assert isinstance(walk_requests(stream[:-1]).stopped, Incomplete)


def test_a_host_is_told_before_the_head_is_whole() -> None:
    for line in (b"Host: www.blocked.example\r\n", b"Host : www.blocked.example\r\n", b"X: y\r\nhost\t:\twww.blocked.example\n"):
        start = b"GET / HTTP/1.1\r\n"
        found = read_host(start + line)
        assert isinstance(found, Field)
        assert (found.value, found.offset) == (HOST, (start + line).index(HOST))
        assert isinstance(read_host((start + line)[:-1]), Incomplete)
    assert isinstance(read_host(b"GET / HTTP/1.1\r\nX: y\r\n"), Incomplete)
    assert read_host(b"GET / HTTP/1.1\r\nX: y\r\n\r\nHost: body.example\r\n") is None
    assert read_host(b"GET / HTTP/1.1\r\n\r\nHost: body.example\r\n\r\n") is None


def test_the_walk_stops_where_it_cannot_know() -> None:
    first = build_request(b"a.example")
    for rest, why in (
        (b"GET / HTT", Incomplete),
        (b"\x00\x01", Unparseable),
        (b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nshort", Incomplete),
        (b"POST / HTTP/1.1\r\nContent-Length: nine\r\n\r\n", Unparseable),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", Unparseable),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", Incomplete),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", Unparseable),
    ):
        walk = walk_requests(first + rest)
        assert walk.requests[0].host_name == b"a.example"
        assert isinstance(walk.stopped, why), rest


def test_what_follows_a_connect_is_another_protocol() -> None:
    connect = b"CONNECT a.example:443 HTTP/1.1\r\n\r\n"
    walk = walk_requests(connect + b"\x16\x03\x01")
    assert (len(walk.requests), walk.stopped, walk.end) == (1, None, len(connect))


def test_a_built_request() -> None:
    assert build_request(None, b"/x", headers=()) == b"GET /x HTTP/1.1\r\n\r\n"
    assert build_request(b"h", method=b"PUT", headers=[(b"A", b"b")], body=b"xy") == (
        b"PUT / HTTP/1.1\r\nHost: h\r\nA: b\r\nContent-Length: 2\r\n\r\nxy"
    )


tokens = st.text("abcdefgXYZ-", min_size=1, max_size=9).map(str.encode)
values = st.text("abc XYZ:;,=/.", max_size=20).map(str.strip).map(str.encode)
built = st.builds(
    build_request,
    st.none() | tokens,
    st.sampled_from([b"/", b"/p?q", b"http://t.example/x"]),
    headers=st.lists(st.tuples(tokens, values), max_size=5),
)


@given(built, st.data())
def test_any_cut_of_a_request_is_incomplete(stream: bytes, data: st.DataObject) -> None:
    assert isinstance(read_request(stream), Request)
    cut = data.draw(st.integers(0, len(stream) - 1))
    assert isinstance(read_request(stream[:cut]), Incomplete)
    assert not isinstance(read_host(stream[:cut]), Unparseable)


@given(st.lists(built, min_size=1, max_size=4), st.data())
def test_any_cut_of_several_requests_gives_the_first_of_them(requests: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(requests)
    whole = walk_requests(stream)
    assert len(whole.requests) == len(requests)
    cut = walk_requests(stream[: data.draw(st.integers(0, len(stream)))])
    assert cut.requests == whole.requests[: len(cut.requests)]
    assert not isinstance(cut.stopped, Unparseable)


@given(built)
def test_the_short_way_and_the_long_way_agree(stream: bytes) -> None:
    request = request_of(stream)
    assert read_host(stream) == (request.target_host or request.host)
    simple = read_simple_request(stream)
    if simple is not None:
        assert request.host == Field(simple.host, simple.host_at, len(simple.host))
        assert (simple.method, simple.target, request.end) == (request.method.value, request.target.value, len(stream))


def test_what_most_clients_send_is_simple() -> None:
    assert read_simple_request(build_request(HOST)) is not None
    assert read_simple_request(build_request(HOST, b"/a?b=c", headers=[(b"Cookie", b"x")])) is not None
    assert read_simple_request(build_request(HOST)[:-1]) is None
    assert read_simple_request(build_request(None)) is None
    assert read_simple_request(build_request(HOST) * 2) is None


pieces = [b"GET ", b"/", b" ", b"\t", b"HTTP/1.1", b"\r\n", b"\n", b"\r", b"Host", b":", b"host: a", b"x", b"\x00", b"0", b"5", b"http://h/"]
messy = st.lists(st.sampled_from(pieces), max_size=14).map(b"".join)


@given(messy, st.integers(0, 5))
def test_anything_is_read_as_something_and_both_ways_agree(data: bytes, start: int) -> None:
    for stream in (data, b"GET / HTTP/1.1\r\n" + data, b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + data):
        request, host = read_request(stream, start), read_host(stream, start)
        assert isinstance(host, Field | Incomplete | Unparseable | None)
        assert isinstance(walk_requests(stream, start), Walk)
        if isinstance(request, Request):
            assert host == (request.target_host or request.host)
        else:
            assert isinstance(request, Incomplete | Unparseable)


@given(st.lists(st.tuples(tokens, values), min_size=1, max_size=6))
def test_the_standard_library_reads_the_same_headers(headers: list[tuple[bytes, bytes]]) -> None:
    stream = build_request(None, headers=headers)
    theirs = http.client.parse_headers(io.BytesIO(stream.partition(b"\r\n")[2]))
    ours = request_of(stream).headers
    assert [(name.value.decode(), value.value.decode()) for name, value in ours] == theirs.items()


def test_reading_takes_time_in_proportion_to_the_length() -> None:
    streams = [
        b"GET / HTTP/1.1\r\n" * 60000,
        b"GET / HTTP/1.1\r\n\r\n" * 5000,
        b"\r\n" * 60000,
        b"GET " + b" \t" * 60000,
        b"GET / HTTP/1.1\r\nX: y" + b"\r\n z" * 30000,
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 30000,
        b"GET " + b"HTTP/1.1 " * 30000,
    ]
    started = time.perf_counter()
    for stream in streams:
        read_host(stream)
        walk_requests(stream)
    assert time.perf_counter() - started < 3


@pytest.mark.long
def test_speed_of_reading_a_host() -> None:
    """Measured on a quiet core: 0.6 µs for the host alone, 5 to 11 µs for a request with 3 to 11 headers."""
    stream = build_request(HOST, b"/a/b?c", headers=[(b"X-%d" % i, b"value" * 6) for i in range(10)])
    for read, limit in ((read_host, 10e-6), (read_request, 80e-6)):
        started = time.perf_counter()
        for _ in range(10000):
            read(stream)
        taken = (time.perf_counter() - started) / 10000
        print(f"{read.__name__}: {taken * 1e6:.2f} µs")
        assert taken < limit
