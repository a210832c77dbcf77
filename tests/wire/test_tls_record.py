"""TLS records: headers one after another, and a hello gathered from as many as hold it."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.wire.result import Incomplete, Unparseable
from crenel.wire.tls_build import build_client_hello, build_hello_message
from crenel.wire.tls_record import (
    MAX_FRAGMENT,
    MAX_HELLO,
    Message,
    Record,
    gather_hello,
    looks_like_sslv2_hello,
    looks_like_tls,
    read_record,
    walk_records,
)

RANDOM = bytes(range(32))


def record(body: bytes, kind: int = 22, version: int = 0x301) -> bytes:
    return struct.pack(">BHH", kind, version, len(body)) + body


def test_a_header_is_read_with_the_bytes_that_it_claims() -> None:
    assert read_record(b"xx" + record(b"abc", 23, 0x303), 2) == Record(23, 0x303, 2, 7, 10)
    assert read_record(record(b"abc")[:6]) == Record(22, 0x301, 0, 5, 8)


def test_the_minor_version_is_ignored_and_the_major_is_not() -> None:
    assert isinstance(read_record(record(b"a", version=0x3FF)), Record)
    assert isinstance(read_record(record(b"a", version=0x201)), Unparseable)


@pytest.mark.parametrize(("kind", "fits"), [(19, False), (20, True), (24, True), (25, False)])
def test_only_the_five_content_types_are_records(kind: int, *, fits: bool) -> None:
    assert isinstance(read_record(record(b"a", kind)), Record) is fits
    assert looks_like_tls(record(b"a", kind)) is fits


@pytest.mark.parametrize(("length", "fits"), [(MAX_FRAGMENT, True), (MAX_FRAGMENT + 1, False)])
def test_the_length_has_a_limit(length: int, *, fits: bool) -> None:
    head = struct.pack(">BHH", 22, 0x303, length)
    assert isinstance(read_record(head), Record) is fits
    assert looks_like_tls(head) is fits


def test_a_cut_header_waits_only_while_it_can_become_one() -> None:
    whole = record(b"abc")
    assert all(isinstance(read_record(whole[:cut]), Incomplete) for cut in range(5))
    assert isinstance(read_record(b"G"), Unparseable)
    assert isinstance(read_record(b"\x16\x02"), Unparseable)
    assert isinstance(read_record(b"", 7), Incomplete)


def test_the_walk_goes_as_far_as_records_follow_one_another() -> None:
    stream = record(b"one") + record(b"two!", 23) + b"then something else"
    assert [(each.kind, each.offset, each.end) for each in walk_records(stream)] == [(22, 0, 8), (23, 8, 17)]
    cut = stream[:15]
    assert [each.end for each in walk_records(cut)] == [8, 17]


def test_first_bytes_that_look_like_tls() -> None:
    hello = build_client_hello(b"a.example", random=RANDOM)
    assert not looks_like_tls(b"")
    assert all(looks_like_tls(hello[:cut]) for cut in range(1, 6))
    assert looks_like_tls(b"\x16\x03\x04")
    assert not looks_like_tls(b"\x16\x03\x05")
    assert not looks_like_tls(b"\x16\x02")
    assert not looks_like_tls(b"\x16\x03\x01\x00\x00")
    assert not looks_like_tls(b"GET /")


def test_sslv2_framing_is_told_by_its_first_five_bytes() -> None:
    assert looks_like_sslv2_hello(bytes.fromhex("802e010301"))
    assert looks_like_sslv2_hello(bytes.fromhex("802e010304"))
    assert not looks_like_sslv2_hello(bytes.fromhex("802e010305"))
    assert not looks_like_sslv2_hello(bytes.fromhex("802e0103"))
    assert not looks_like_sslv2_hello(bytes.fromhex("002e010301"))
    assert not looks_like_sslv2_hello(bytes.fromhex("802e040301"))
    assert not looks_like_sslv2_hello(bytes.fromhex("802e010002"))


def test_a_hello_in_one_record_is_not_copied() -> None:
    stream = build_client_hello(b"a.example", random=RANDOM)
    message = gather_hello(stream)
    assert isinstance(message, Message)
    assert message.buffer is stream
    assert (message.begin, message.end) == (5, len(stream))
    cut = stream[:40]
    message = gather_hello(cut)
    assert isinstance(message, Message)
    assert message.buffer is cut
    assert message.end == len(stream)


@given(st.lists(st.integers(1, 90), max_size=8), st.integers(0, 400))
def test_every_byte_of_a_gathered_hello_is_placed_in_the_stream(sizes: list[int], cut: int) -> None:
    stream = build_client_hello(b"a.example", random=RANDOM, record_sizes=sizes)[:cut]
    message = gather_hello(stream)
    if isinstance(message, Message):
        assert all(stream[message.place(at)] == message.buffer[at] for at in range(message.begin, min(message.end, len(message.buffer))))
    else:
        assert isinstance(message, Incomplete)


def test_gathering_stops_at_another_kind_of_record_an_empty_one_and_another_message() -> None:
    message = build_hello_message(b"a.example", random=RANDOM)
    first = record(message[:50])
    assert isinstance(gather_hello(first + record(b"\x02\x28", 21) + record(message[50:])), Unparseable)
    assert isinstance(gather_hello(first + record(b"") + record(message[50:])), Unparseable)
    assert isinstance(gather_hello(record(b"\x02" + message[1:])), Unparseable)
    assert isinstance(gather_hello(record(b"\x02") + record(message[1:])), Unparseable)


def test_a_hello_longer_than_its_fields_can_hold_is_none() -> None:
    for size, kind in ((MAX_HELLO, Message), (MAX_HELLO + 1, Unparseable)):
        start = b"\x01" + size.to_bytes(3, "big")
        assert isinstance(gather_hello(record(start + bytes(100))), kind)
        assert isinstance(gather_hello(record(start[:2]) + record(start[2:] + bytes(100))), kind)


@given(st.binary(max_size=60), st.integers(0, 70))
def test_anything_is_read_as_something(data: bytes, start: int) -> None:
    for stream in (data, b"\x16\x03\x01" + data):
        assert isinstance(read_record(stream, start), Record | Incomplete | Unparseable)
        assert isinstance(gather_hello(stream, start), Message | Incomplete | Unparseable)
        assert all(each.offset < len(stream) for each in walk_records(stream, start))
