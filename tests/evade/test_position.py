"""Where marks stand in payloads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.evade.language import Position
from crenel.evade.position import MARKS, Text, cuts_at, place_of
from crenel.evade.records import cut_records
from crenel.wire.http import build_request
from crenel.wire.tls_build import build_client_hello, build_hello_message
from tests.evade.acting import HELLO, REQUEST

NAME = b"www.blocked.example"


def place(payload: bytes, mark: str, offset: int = 0) -> int | None:
    return place_of(Position(mark, offset), Text(payload))


@pytest.mark.parametrize("payload", [HELLO, REQUEST])
def test_marks_of_a_host_name(payload: bytes) -> None:
    at = payload.index(NAME)
    assert place(payload, "host") == at
    assert place(payload, "endhost") == at + len(NAME)
    assert place(payload, "sld") == at + 4
    assert place(payload, "midsld") == at + 7
    assert place(payload, "endsld") == at + 11
    assert place(payload, "host", 3) == at + 3
    assert place(payload, "host", -3) == at - 3


def test_marks_of_one_protocol_only() -> None:
    at = HELLO.index(NAME)
    assert (place(HELLO, "sni"), place(HELLO, "endsni"), place(HELLO, "sniext")) == (at, at + len(NAME), at - 5)
    assert (place(REQUEST, "sni"), place(REQUEST, "sniext"), place(REQUEST, "method")) == (None, None, 0)
    assert place(b"\r\n" + REQUEST, "method") == 2
    assert place(HELLO, "method") is None
    assert (place(HELLO, "record"), place(REQUEST, "record")) == (len(HELLO), None)


def test_a_name_over_two_records_has_its_marks_in_both() -> None:
    at = HELLO.index(NAME)
    payload, _ = cut_records(HELLO, [at + 6])
    assert place(payload, "record") == at + 6
    assert place(payload, "sni") == at
    assert place(payload, "midsld") == at + 7 + 5
    assert place(payload, "endsni") == at + len(NAME) + 5


def test_a_hello_that_is_cut_behind_its_name_is_read_and_one_cut_in_it_is_not() -> None:
    at = HELLO.index(NAME)
    assert place(HELLO[: at + len(NAME)], "sni") == at
    assert place(HELLO[: at + 5], "sni") is None


def test_a_bare_hello_has_the_marks_of_one_in_records() -> None:
    bare = build_hello_message(NAME, random=bytes(32))
    text = Text(bare, bare=True)
    assert place_of(Position("sni"), text) == bare.index(NAME)
    assert place_of(Position("midsld"), text) == bare.index(NAME) + 7
    assert place_of(Position("record"), text) is place_of(Position("method"), text) is None


@pytest.mark.parametrize(("host", "sld", "end"), [(b"localhost", 0, 9), (b"a.b", 0, 1), (b"a.b:80", 0, 1), (b"x.a.b", 2, 3)])
def test_the_second_level_domain_is_the_label_before_the_last(host: bytes, sld: int, end: int) -> None:
    payload = build_request(host)
    at = payload.index(b"Host: ") + 6
    assert (place(payload, "sld"), place(payload, "endsld")) == (at + sld, at + end)
    assert place(payload, "endhost") == at + len(host.partition(b":")[0])


def test_numbers_count_from_either_end() -> None:
    assert [place_of(Position("", number), Text(b"abcdef")) for number in (0, 2, -2, 9)] == [0, 2, 4, 9]
    assert place(b"abcdef", "half", 1) == 4


def test_cuts_are_in_order_inside_and_each_once() -> None:
    positions = [Position("", number) for number in (4, 1, -5, 0, 6, 99, -99)] + [Position("sni")]
    assert cuts_at(positions, Text(b"abcdef")) == [1, 4]


@given(st.one_of(st.binary(max_size=80), st.binary(max_size=60).map(lambda tail: HELLO[:70] + tail)), st.booleans())
def test_no_payload_makes_a_mark_fail(payload: bytes, bare: bool) -> None:
    for name in MARKS:
        found = place_of(Position(name), Text(payload, bare))
        assert found is None or isinstance(found, int)


def test_a_hello_without_name_has_no_marks() -> None:
    hello = build_client_hello(None, random=bytes(32))
    assert [place(hello, mark) for mark in ("sni", "host", "endhost", "midsld", "endsld", "sniext")] == [None] * 6
