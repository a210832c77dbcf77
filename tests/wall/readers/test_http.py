"""The two HTTP filters: which requests of a stream they read, which Host and which target, and what blinds the one or the other."""

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.wall.match import Entry, NameList
from crenel.wall.readers.http import HttpHost, HttpKeyword, Opening
from crenel.wall.readers.http_walk import Walk
from tests.data import data_path
from tests.wall.readers.feeding import feed, values

AT_LINE_FEEDS = Walk(title="the parser that ends lines at line feeds", line_end="lf", blanks_before_colon=False, share=0.997)
AT_CR_LF = Walk(title="the parser that asks for CR LF", line_end="crlf", blanks_before_colon=True, share=0.769)
BOTH = (AT_LINE_FEEDS, AT_CR_LF)
COMMON = {"list": "names", "methods": ("GET", "POST", "HEAD", "PUT"), "targets": ("/", "http://"), "depth": 16384}


def host(**how: object) -> HttpHost:
    return HttpHost(**{**COMMON, "walks": BOTH, "blanks_after_method": 1, "drops_port": True, **how})  # type: ignore[arg-type]  # keywords of the type


def keyword(**how: object) -> HttpKeyword:
    return HttpKeyword(**{**COMMON, "walks": BOTH, "blanks_after_method": 2, "percent": True, **how})  # type: ignore[arg-type]  # the same


GET = b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"


def get(name: bytes, *lines: bytes, target: bytes = b"/") -> bytes:
    return b"\r\n".join((b"GET " + target + b" HTTP/1.1", *lines, b"Host: " + name, b"", b""))


SMUGGLED = get(b"blocked.example")


def verdict_rows() -> list[tuple[bytes, bool, bool, float]]:
    """Return the recorded requests: bytes, whether a reset was seen, whether a listed name is anywhere in them, how often the retest passed."""
    with data_path("verdicts/http_smuggling24/china_shared.csv").open(newline="") as lines:
        rows = [(bytes.fromhex(row["request_hex"]), int(row["rst"]) > 0, row["retest_success_rate"]) for row in csv.DictReader(lines)]
    return [(raw, reset, b"uyghurnet.org" in raw or b"freetibet.org" in raw, float(rate or 0.0)) for raw, reset, rate in rows]


LISTED = NameList([Entry("uyghurnet.org"), Entry("freetibet.org")])


def share_of(reader: HttpHost, raw: bytes) -> float:
    """Return the probability that a box sees a listed name in a request sent as one segment."""
    return max((found.share for _, found in feed(reader, raw) if LISTED.find(found.value)), default=0.0)


def test_one_rule_gives_every_recorded_verdict_where_a_search_for_the_name_does_not() -> None:
    rows = verdict_rows()
    assert len(rows) == 4124
    assert sum(named == reset for _, reset, named, _ in rows) == 4108
    assert sum(named and not reset for _, reset, named, _ in rows) == 16
    wrong = [raw for raw, reset, _, _ in rows if (share_of(host(), raw) > 0.0) != reset]
    assert not wrong


def test_each_of_the_two_parsers_alone_misses_what_the_other_sees() -> None:
    rows = [row for row in verdict_rows() if row[2]]
    for walk, missed in ((AT_LINE_FEEDS, 20), (AT_CR_LF, 16)):
        reader = host(walks=(walk,))
        assert sum(reset and share_of(reader, raw) == 0.0 for raw, reset, _, _ in rows) == missed


def test_requests_that_only_the_second_parser_sees_pass_as_often_as_it_misses() -> None:
    passed: dict[float, list[float]] = {}
    for raw, _, named, rate in verdict_rows():
        if named:
            passed.setdefault(share_of(host(), raw), []).append(rate)
    assert {round(share, 3): len(rates) for share, rates in passed.items()} == {0.999: 2010, 0.997: 16, 0.769: 20, 0.0: 16}
    for share, rates in passed.items():
        assert sum(rates) / len(rates) == pytest.approx(1.0 - share, abs=0.005)


def test_the_older_rule_reads_the_first_request_of_a_segment_only() -> None:
    older = host(requests_per_segment=1)
    assert values(older, GET + SMUGGLED) == [b"a.example"]
    assert values(host(requests_per_segment=2), GET + SMUGGLED) == [b"a.example", b"blocked.example"]
    assert values(older, GET + SMUGGLED, (len(GET),)) == [b"a.example", b"blocked.example"]
    assert values(host(), GET + SMUGGLED) == [b"a.example", b"blocked.example"]


def test_after_its_one_request_the_older_rule_goes_on_where_the_next_segment_begins() -> None:
    stream = GET + SMUGGLED + get(b"c.example")
    assert values(host(requests_per_segment=1), stream, (len(GET + SMUGGLED),)) == [b"a.example", b"c.example"]


@pytest.mark.parametrize(
    ("head", "body", "seen"),
    [
        (b"Content-Length: 4", b"b9\r\n", BOTH),
        (b"Content-Length: 4\r\nTransfer-Encoding: chunked", b"0\r\n\r\n", BOTH),
        (b"Content-Length: 500\r\nTransfer-Encoding: chunked", b"0\r\n\r\n", BOTH),
        (b"Content-Length: 500", b"", ()),
        (b"Content-Length: 0", b"", BOTH),
        (b"Content_Length: 4\r\nTransfer-Encoding: chunked", b"%x\r\n" % len(SMUGGLED), ()),
        (b"Content-Length: 500\r\nTransfer-Encoding:: chunked", b"0\r\n\r\n", BOTH),
        (b"Content-Length: 500\r\nTransfer-Encoding: cow\r\nTransfer-Encoding: chunked", b"0\r\n\r\n", BOTH),
        (b"Content-Length: 500\r\nTransfer-Encoding : chunked", b"0\r\n\r\n", (AT_CR_LF,)),
        (b"Content-Length: 4\r\nTransfer-Encoding\t: chunked", b"b9\r\n", (AT_LINE_FEEDS,)),
        (b"Content-Length: 4\r\n Transfer-Encoding: chunked", b"b9\r\n", BOTH),
        (b"Content-Length: 500\r\nX: X\nTransfer-Encoding: chunked", b"0\r\n\r\n", (AT_LINE_FEEDS,)),
        (b"Content-Length: 4\r\nX: X\rTransfer-Encoding: chunked", b"b9\r\n", BOTH),
        (b"X: X\r\n\nTransfer-Encoding: chunked", b"0\r\n\r\n", ()),
        (b"X: X\r\n\nContent-Length: 500\r\nTransfer-Encoding: chunked", b"0\r\n\r\n", (AT_CR_LF,)),
        (b"Transfer-Encoding: chunked", b"3;x=y\r\nabc\r\n0\r\nTrailer: 1\r\n\r\n", BOTH),
        (b"Transfer-Encoding: chunked", b"zz\r\n", ()),
        (b"Transfer-Encoding: chunked", b"3\r\nabcd\r\n0\r\n\r\n", ()),
        (b"X: X", b"\r\n", ()),
    ],
)
def test_each_step_of_the_walk_by_what_it_lets_each_parser_see(head: bytes, body: bytes, seen: tuple[Walk, ...]) -> None:
    stream = b"GET / HTTP/1.1\r\nHost: a.example\r\n" + head + b"\r\n\r\n" + body + SMUGGLED
    for walk in BOTH:
        assert (b"blocked.example" in values(host(walks=(walk,)), stream)) == (walk in seen)
    named = [found for _, found in feed(host(), stream) if found.value == b"blocked.example"]
    assert [found.share for found in named] == ([] if not seen else [pytest.approx(0.999307)] if len(seen) == 2 else [seen[0].share])
    assert [found.detail for found in named if found.detail] == [f"as read by {walk.title}" for walk in seen if len(seen) == 1]


@given(st.data())
def test_parsers_agree_where_every_line_ends_in_cr_lf_and_no_blank_precedes_a_colon(data: st.DataObject) -> None:
    heads = (b"GET / HTTP/1.1", b"Host: a.example", b"Content-Length: 5", b"Transfer-Encoding: chunked", b"X: ")
    pieces = st.sampled_from((*heads, b"\r\n", b"\r\n\r\n", b"0", b"5", b"\r", b"abc"))
    stream = b"GET /" + b"".join(data.draw(st.lists(pieces, max_size=14)))
    alone = [values(host(walks=(walk,)), stream) for walk in BOTH]
    assert alone[0] == alone[1] == values(host(), stream)


@given(st.data())
def test_the_same_hosts_are_named_once_however_the_stream_is_cut(data: st.DataObject) -> None:
    lines = (b"GET / HTTP/1.1\r\n", b"Host: b.example\r\n", b"Host : c.example\r\n", b"Content-Length: 9\r\n", b"%b: 1\r\n" % (b"n" * 70))
    chunks = (b"Transfer-Encoding: chunked\r\n", b"0\r\n\r\n", b"3\r\nabc\r\n")
    pieces = st.sampled_from((GET, SMUGGLED, *lines, *chunks, b"\r\n", b"\n", b"abc"))
    stream = b"GET / HTTP/1.1\r\n" + b"".join(data.draw(st.lists(pieces, max_size=8)))
    cuts = data.draw(st.lists(st.integers(1, len(stream)), max_size=8))
    reader = host(header_name_limit=64)
    whole = [(place, found.value) for place, found in feed(reader, stream)]
    assert sorted((place, found.value) for place, found in feed(reader, stream, cuts)) == sorted(whole)


def test_a_body_is_not_waited_for_in_memory() -> None:
    head = b"POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 1000000\r\n\r\n"
    answer = host().read(head, (len(head),), False)
    assert answer.consumed == len(head) + 1_000_000
    assert answer.more


def test_a_head_in_many_segments_is_read_in_time_that_grows_with_its_bytes() -> None:
    lines = b"GET / HTTP/1.1\r\n" + b"Host: a.example\r\n" * 400
    assert len(values(host(), lines, range(1, len(lines), 17))) == 400


def test_a_request_beyond_the_depth_is_given_up() -> None:
    head = b"GET / HTTP/1.1\r\nX: " + b"x" * 100
    assert host(depth=len(head) + 1).read(head, (len(head),), False).more
    assert not host(depth=len(head)).read(head, (len(head),), False).more


def test_what_names_no_method_is_given_up_at_once() -> None:
    reader = host()
    assert not reader.could_begin(0x16)
    assert reader.could_begin(ord("G"))
    openings = {b"GE": True, b"GET": True, b"GET ": True, b"GET h": True, b"GEX": False, b"GET x": False, b"OPTIONS / HTTP/1.1": False}
    for opening, more in openings.items():
        assert reader.read(opening, (len(opening),), False).more == more
    assert values(host(methods=("OPTIONS",)), b"OPTIONS / HTTP/1.1\r\nHost: a.example\r\n") == [b"a.example"]


def test_the_value_is_named_when_its_line_ends_and_without_its_port() -> None:
    stream = b"GET / HTTP/1.1\r\nhOsT: \t Blocked.Example:8080 \r\n"
    (place, found), = feed(host(), stream)
    assert found.value == b"blocked.example"
    assert stream[place : place + found.length] == b"Blocked.Example"
    assert values(host(drops_port=False), stream) == [b"blocked.example:8080"]
    assert values(host(), stream[:-1]) == []
    assert values(host(), b"GET / HTTP/1.1\r\nHost:\r\n\r\n") == []


def test_blanks_and_question_marks_that_blind_the_filters() -> None:
    wide = b"GET  /?q=ultrasurf HTTP/1.1\r\nHost: a.example\r\n\r\n"
    assert values(host(), wide) == []
    assert values(keyword(), wide) == [b"/?q=ultrasurf"]
    assert values(keyword(), wide.replace(b"GET ", b"GET  ")) == []
    marked = wide.replace(b"GET  /", b"GET ?/")
    assert values(host(), marked) == values(keyword(), marked) == []
    assert values(keyword(targets=("?",)), marked) == [b"?/?q=ultrasurf"]
    indented = b"GET /?q=ultrasurf HTTP/1.1\r\n Host: a.example\r\n\r\n"
    assert values(host(), indented) == []
    assert values(keyword(), indented) == [b"/?q=ultrasurf"]


@pytest.mark.parametrize(("length", "seen"), [(63, True), (64, False)])
def test_a_long_header_name_ends_the_search_for_host(length: int, seen: bool) -> None:
    stream = b"GET / HTTP/1.1\r\n" + b"n" * length + b": 1\r\nHost: a.example\r\n\r\n"
    for cuts in ((), (60,), (len(stream) - 3,), (len(stream) - 20, len(stream) - 10)):
        assert bool(values(host(header_name_limit=64), stream, cuts)) == seen
        assert values(host(), stream, cuts) == [b"a.example"]


LONG = b"GET /?q=ultrasurf&and=some+more+bytes HTTP/1.1\r\nHost: a.example\r\n\r\n"
SHORT = b"GET /?q=ultrasurf HTTP/1.1\r\nHost: a.example\r\n\r\n"


@pytest.mark.parametrize(
    ("stream", "sizes", "seen"),
    [(LONG, (9,), True), (LONG, (8, 4), False), (LONG, (4, 19), False), (LONG, (4, 8), False), (LONG, (4, 4), True), (LONG, (9, 4), True),
     (SHORT, (8, 40), True)],
)
def test_the_opening_rule_on_the_splits_that_were_tried(stream: bytes, sizes: tuple[int, ...], seen: bool) -> None:
    cuts = [sum(sizes[: number + 1]) for number in range(len(sizes))]
    reader = keyword(opening=Opening(short=8, together=12, token="HTTP/1"))
    assert bool(values(reader, stream, cuts)) == seen
    assert values(keyword(), stream, cuts)


def test_the_opening_rule_moves_with_its_numbers() -> None:
    stream = b"GET /?q=ultrasurf HTTP/1.1\r\nHost: a.example\r\n\r\n"
    for how, cuts, seen in (
        ({"short": 8, "together": 12, "token": "HTTP/1"}, (8, 13), False),
        ({"short": 7, "together": 12, "token": "HTTP/1"}, (8, 13), True),
        ({"short": 8, "together": 14, "token": "HTTP/1"}, (8, 13), True),
        ({"short": 8, "together": 12, "token": "ultra"}, (8, 13), True),
    ):
        assert bool(values(keyword(opening=Opening(**how)), stream, cuts)) == seen  # type: ignore[arg-type]  # the keywords of the type


def test_a_flow_that_opened_oddly_is_judged_by_its_first_segment() -> None:
    stream = b"GET /?q=ultrasurf HTTP/1.1\r\n\r\n"
    reader = keyword(opening=Opening(short=8, together=12, token="HTTP/1"))
    assert values(reader, stream, (8,), oddly_opened=False)
    assert not values(reader, stream, (8,), oddly_opened=True)
    assert values(reader, stream, (9,), oddly_opened=True)


def test_a_keyword_is_found_before_the_request_is_whole_and_follows_escapes() -> None:
    (place, found), = feed(keyword(), b"GET /?q=UltraSurf")
    assert (found.value, place, found.length) == (b"/?q=ultrasurf", 4, 13)
    assert values(keyword(), b"GET /?q=ultra%73%75rf%2 HTTP/1.1\r\n") == [b"/?q=ultrasurf%2"]
    assert values(keyword(percent=False), b"GET /?q=ultra%73urf HTTP/1.1\r\n") == [b"/?q=ultra%73urf"]
    assert values(keyword(), b"GET /?q=ultrasurf HTTP/1.1\r\n", (10, 12, 17, 20)) == [b"/?q=ul", b"/?q=ultr", b"/?q=ultrasurf"]


def test_how_deep_a_target_is_searched() -> None:
    deep = b"GET /" + b"x" * 2035 + b"ultrasurf HTTP/1.1\r\n"
    assert values(keyword(uri_depth=2048), deep)[0].endswith(b"ultrasurf")
    assert not values(keyword(uri_depth=2044), deep)[0].endswith(b"ultrasurf")
    for length, seen in ((1002, True), (1003, False)):
        target = b"/?a=" + b"x" * (length - 2) + b"&q=ultrasurf"
        assert values(keyword(parameter_limit=1003), get(b"a.example", target=target))[0].endswith(b"ultrasurf") == seen
        assert values(keyword(), get(b"a.example", target=target))[0].endswith(b"ultrasurf")


def test_keywords_in_another_encoding() -> None:
    target = b"/?q=" + "\u516d\u56db".encode("gb18030")
    assert "\u516d\u56db".encode() not in b"".join(values(keyword(), get(b"a.example", target=target)))
    named = feed(keyword(encodings=("gb18030",)), get(b"a.example", target=target))
    assert "\u516d\u56db".encode() in named[1][1].value
    assert named[1][1].detail == "decoded from gb18030"
    assert len(feed(keyword(encodings=("gb18030",)), GET)) == 1
    with pytest.raises(ValueError, match="no encoding"):
        keyword(encodings=("no-such",))
