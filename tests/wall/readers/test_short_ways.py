"""Short ways for what nearly every flow opens with: whatever the bytes, each gives to the last field what the long way gives."""

import re
from collections.abc import Callable
from functools import partial
from unittest.mock import patch

from hypothesis import example, given, settings
from hypothesis import strategies as st

from crenel.wall.match import Entry, NameList
from crenel.wall.readers.command import _LINES, _REST, FtpCommand, SmtpAddress, _measure
from crenel.wall.readers.dns import DnsQname
from crenel.wall.readers.http import HttpHost, HttpKeyword, Opening
from crenel.wall.readers.http_walk import Walk
from crenel.wall.readers.tls import Needs, TlsExtension, TlsSni
from crenel.wire.dns_build import build_query
from crenel.wire.sniff import read_datagram, read_stream
from crenel.wire.tls_build import HelloShape, build_client_hello

READERS = "crenel.wall.readers"
NO_WORD = re.compile(rb"(?!)")

WALKS = (
    Walk(title="the parser that ends lines at line feeds", line_end="lf", blanks_before_colon=False, share=0.997),
    Walk(title="the parser that asks for CR LF", line_end="crlf", blanks_before_colon=True, share=0.769),
)
COMMON = {"list": "names", "methods": ("GET", "POST"), "targets": ("/", "http://"), "depth": 8192}
HTTP = [
    HttpHost(**COMMON, walks=WALKS, blanks_after_method=1, header_name_limit=12, drops_port=True),  # type: ignore[arg-type]  # keywords of the type
    HttpHost(**COMMON, walks=WALKS[1:], blanks_after_method=1, drops_port=False, requests_per_segment=1),  # type: ignore[arg-type]  # the same
    HttpHost(**COMMON, walks=WALKS[:1], blanks_after_method=1, drops_port=True, opening=Opening(short=8, together=12, token="HTTP/1")),  # type: ignore[arg-type]  # the same
    HttpKeyword(**COMMON, walks=WALKS, blanks_after_method=8, parameter_limit=6, percent=True, encodings=("gb18030",)),  # type: ignore[arg-type]  # the same
    HttpKeyword(**COMMON, walks=WALKS[:1], blanks_after_method=8, uri_depth=5, percent=False),  # type: ignore[arg-type]  # the same
]
PIECES = st.sampled_from([
    b"Host: a.example\r\n", b"host:B:80\r\n", b"Host : c\r\n", b"Host: d\n", b"\thost: e\r\n", b"X: y\r\n", b"Long-header-name: z\r\n", b"a :b\r\n",
    b"Content-Length: 3\r\n", b"transfer-encoding: chunked\r\n", b"\n", b"\r\n", b"\r", b"Host:\r\n", b"Host: x y\r\n", b"X: a HTTP/1.1\r\n",
])  # fmt: skip
LINES = st.sampled_from([
    b"GET / HTTP/1.1\r\n", b"POST /a?bcdefgh&i HTTP/1.0\r\n", b"GET /%41%c3 HTTP/1.1\r\n", b"GET  /two HTTP/1.1\r\n", b"HEAD / HTTP/1.1\r\n",
    b"GET /\xc4 HTTP/1.1\r\n", b"GET http://a/ HTTP/1.1\r\n", b"GET /\r\n", b"get / HTTP/1.1\r\n", b"GET / HTTP/2.0\r\n", b"CONNECT /x HTTP/1.1\r\n",
])  # fmt: skip
ENDS = st.sampled_from([b"\r\n", b"\n", b"", b"\r\n\r\n", b"\r\nx"])
SHORT = st.sampled_from([b"GET /a?bcdefgh&i HTTP/1.1\r\nHost: a.example\r\n", b"POST /a&b%20?c HTTP/1.0\r\nhost:\tA.example:80\r\n"])
OPENINGS = st.one_of(LINES, SHORT)
REQUESTS = st.builds(lambda line, pieces, end: line + b"".join(pieces) + end, OPENINGS, st.lists(PIECES, max_size=4), ENDS)
COMMANDS = st.sampled_from([
    b"RETR a\r\n", b"USER x\n", b"MAIL FROM:<a@b>\r\n", b"GET", b" /", b"\r\n", b"\n", b"ab", b"RETRx", b" ", b":", b"\xff", b"1",
])  # fmt: skip


def damaged(whole: bytes, at: int, piece: bytes, cut: int) -> bytes:
    at %= len(whole) + 1
    return (whole[:at] + piece + whole[at + len(piece) :])[: len(whole) - cut]


HELLOS = st.builds(
    damaged,
    st.builds(
        lambda shape, at, extra: build_client_hello(b"www.Blocked.example", random=bytes(32), shape=shape, name_at=at, extra=extra),
        st.sampled_from(HelloShape), st.integers(0, 15), st.sampled_from([[], [(0xFFCE, b"ab")], [(21, b"\xff\xce")]]),
    ),
    st.integers(0, 400), st.binary(max_size=2), st.sampled_from([0, 0, 0, 1, 60]),
)  # fmt: skip
NAMES = st.sampled_from([b"www.Example.com", b"a", b"x" * 63 + b".org", b".".join([b"y" * 40] * 4)])
QUERIES = st.builds(
    damaged, st.builds(lambda name, kind: build_query(name, ident=0x1234, kind=kind), NAMES, st.sampled_from([1, 28])),
    st.integers(0, 60), st.binary(max_size=2), st.sampled_from([0, 0, 0, 1, 4, 5]),
)  # fmt: skip
WORDS = st.builds(lambda word, rest: word + rest, st.from_regex(rb"\A[A-Z]{1,6}\Z"), st.binary(max_size=40))
ANYTHING = st.one_of(REQUESTS, HELLOS, QUERIES, st.binary(max_size=60), WORDS)


def long_way(read: Callable[[], object], *short: str) -> object:
    """Return what is read while the named short ways are closed."""
    for name in short:
        read = _closed(read, name)
    return read()


def _closed(read: Callable[[], object], name: str) -> Callable[[], object]:
    def inner() -> object:
        with patch(name, lambda _: None):
            return read()

    return inner


@settings(max_examples=200)
@given(REQUESTS, st.booleans())
def test_requests(stream: bytes, oddly_opened: bool) -> None:
    for reader in HTTP:
        for ends in ((len(stream),), ()):
            read = partial(reader.read, stream, ends, oddly_opened)
            assert read() == long_way(read, f"{READERS}.http.read_simple_request")


@given(HELLOS)
def test_hellos(stream: bytes) -> None:
    needs: Needs
    for needs in ("record", "name"):
        sni = TlsSni(list="names", records=2, needs=needs, after="hello")
        esni = TlsExtension(number=0xFFCE, records=1, needs=needs)
        for read in (partial(sni.read, stream, (len(stream),), False), partial(esni.read, stream, (len(stream),), False)):
            assert read() == long_way(read, f"{READERS}.tls.read_plain_hello")


@given(QUERIES, st.integers(-3, 40))
def test_queries(data: bytes, more: int) -> None:
    for how in ({"qclass": 0}, {"qclass": 1, "qtypes": (1,)}, {"qclass": 1, "question_counts": (1,), "other_records": 0}):
        reader = DnsQname(list="names", longest_name=125, padded_to=46, **how)
        for claimed in (None, max(0, len(data) + more)):
            read = partial(reader.read, data, claimed=claimed)
            assert read() == long_way(read, f"{READERS}.dns.read_plain_name")


@given(st.lists(COMMANDS, max_size=6))
def test_command_lines(pieces: list[bytes]) -> None:
    stream = b"".join(pieces)
    lines = _LINES.match(stream)
    done = 0 if lines is None else lines.end()
    assert _measure(stream) == (done, _REST.fullmatch(stream, done) is not None)
    for kind in (FtpCommand, SmtpAddress):
        reader = kind(list="names", verbs=("RETR", "MAIL FROM"), first_line_whole=False, longest_line=20)
        for stop in {done, len(stream)}:
            assert reader._named(stream, 0, stop) == tuple(reader._values(stream, 0, stop))
        assert reader.read_apart(stream, False).found == tuple(reader._values(stream, 0, len(stream)))


@settings(max_examples=300)
@example(b"GET / HTTP/1.1\r\nHost: a.example\r\n\tfolded\r\n\r\n", b"")
@given(st.one_of(REQUESTS, ANYTHING), st.sampled_from([b"", b"220 x SMTP", b"220 x FTP", b"+OK"]))
def test_the_honest_readers(data: bytes, server: bytes) -> None:
    short = [f"crenel.wire.sniff.{name}" for name in ("read_simple_request", "read_plain_name")]
    with patch("crenel.wire.sniff._NO_WORD", NO_WORD):
        slow = (long_way(lambda: read_stream(data, server), *short), long_way(lambda: read_datagram(data), *short))
    assert (read_stream(data, server), read_datagram(data)) == slow


FORMS = st.sampled_from(["suffix", "exact", "end", "subdomain", "start", "substring", "label-start"])
PARTS = st.lists(st.sampled_from(["a", "bb", "example", "com", "co"]), min_size=1, max_size=3).map(".".join)


@given(st.lists(st.tuples(PARTS, FORMS), min_size=1, max_size=6), st.sampled_from(["", "a", "a."]), st.sampled_from(["", ".com", "b"]), PARTS)
def test_lists(listed: list[tuple[str, str]], before: str, after: str, other: str) -> None:
    names = NameList(Entry(name, form) for name, form in listed)  # type: ignore[arg-type]  # forms
    for part in (*(name for name, _ in listed), other):
        name = f"{before}{part}{after}".encode()
        assert names.find(name) == names._look_up(name)
