"""DNS messages over UDP and TCP: names with their place, compression followed safely, against dnspython."""

import re
import struct
import time

import dns.flags
import dns.message
import dns.name
import dns.rdatatype
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.wire.dns import (
    AAAA,
    CNAME,
    IN,
    PTR,
    Message,
    Query,
    TcpMessages,
    decode_netbios,
    read_message,
    read_name,
    read_plain_name,
    read_query,
    read_tcp_messages,
)
from crenel.wire.dns_build import build_query, build_response, encode_name, frame_tcp
from crenel.wire.result import Field, Incomplete, Unparseable

NAME = b"www.blocked.example"

labels = st.binary(min_size=1, max_size=20)
dotted = st.lists(st.from_regex(rb"[A-Za-z0-9_-]{1,20}", fullmatch=True), min_size=1, max_size=6).map(b".".join)


def message_of(payload: bytes) -> Message:
    message = read_message(payload)
    assert isinstance(message, Message), message
    return message


def test_all_fields_of_a_query() -> None:
    payload = build_query(NAME, ident=0x1234, kind=AAAA)
    query = read_query(payload)
    assert query == Query(0x1234, 0x0100, 1, Field(NAME, 12, 21), AAAA, IN)
    message = message_of(payload)
    assert (message.ident, message.flags, message.counts, message.end, message.broken) == (0x1234, 0x0100, (1, 0, 0, 0), len(payload), None)
    assert (message.is_response, message.opcode, message.rcode) == (False, 0, 0)
    assert message.questions[0].name == Field(NAME, 12, 21)


def test_all_fields_of_a_response() -> None:
    payload = build_response(build_query(NAME, ident=7), [b"\x01\x02\x03\x04", bytes(16)], ttl=60, flags=0x8583)
    message = message_of(payload)
    assert (message.is_response, message.rcode, message.counts) == (True, 3, (1, 2, 0, 0))
    first, second = message.answers
    assert (first.name, first.kind, first.klass, first.ttl) == (NAME, 1, IN, 60)
    assert first.data == Field(b"\x01\x02\x03\x04", payload.index(b"\x01\x02\x03\x04"), 4)
    assert (second.kind, second.data.length) == (AAAA, 16)


def test_a_name_through_pointers_covers_only_what_stands_at_its_place() -> None:
    message = bytes(12) + b"\x07example\x00" + b"\x03www\xc0\x0c" + b"\xc0\x15"
    assert read_name(message, 12) == Field(b"example", 12, 9)
    assert read_name(message, 21) == Field(b"www.example", 21, 6)
    assert read_name(message, 27) == Field(b"www.example", 27, 2)


def test_a_dot_or_backslash_inside_a_label_is_told_from_one_between_labels() -> None:
    assert read_name(b"\x03a.b\x01c\x00", 0) == Field(rb"a\.b.c", 0, 7)
    assert read_name(b"\x02a\\\x00", 0) == Field(rb"a\\", 0, 4)
    assert read_name(b"\x01.\x00", 0) == Field(rb"\.", 0, 3)


def test_the_root() -> None:
    assert read_name(b"\x00", 0) == Field(b".", 0, 1)


@pytest.mark.parametrize("size", [62, 63])
def test_labels_up_to_63_bytes(size: int) -> None:
    assert read_name(bytes([size]) + b"a" * size + b"\x00", 0) == Field(b"a" * size, 0, size + 2)


@pytest.mark.parametrize("first", [64, 65, 128, 191])
def test_reserved_label_lengths(first: int) -> None:
    assert isinstance(read_name(bytes([first]) + b"a" * first + b"\x00", 0), Unparseable)


@pytest.mark.parametrize(("last", "fits"), [(61, True), (62, False)])
def test_names_up_to_255_bytes(last: int, *, fits: bool) -> None:
    encoded = (b"\x3f" + b"a" * 63) * 3 + bytes([last]) + b"a" * last + b"\x00"
    assert len(encoded) == 255 - 61 + last
    assert isinstance(read_name(encoded, 0), Field) is fits


@pytest.mark.parametrize(
    "message",
    [b"\xc0\x00", b"\x01a\xc0\x02\x00", b"\x01a\xc0\x09" + bytes(9), b"\x01a\xc0", b"\x05ab", b"", b"\x01a"],
    ids=["itself", "onto itself", "forward", "half a pointer", "cut label", "nothing", "no end"],
)
def test_names_that_lead_nowhere(message: bytes) -> None:
    assert isinstance(read_name(message, 0), Unparseable)


def test_two_pointers_that_point_at_each_other() -> None:
    message = b"\x01a\xc0\x04\x01b\xc0\x00"
    assert isinstance(read_name(message, 0), Unparseable)
    assert isinstance(read_name(message, 4), Unparseable)


def test_a_query_needs_its_qr_bit_clear_and_a_question() -> None:
    assert isinstance(read_query(build_query(NAME, flags=0x8000)), Unparseable)
    assert isinstance(read_query(bytes(12)), Unparseable)
    assert isinstance(read_query(build_query(NAME)[:11]), Unparseable)
    assert isinstance(read_query(build_query(NAME)[:-1]), Unparseable)
    assert isinstance(read_query(build_query(NAME)[:20]), Unparseable)


def test_what_precedes_the_damage_is_kept() -> None:
    payload = build_response(build_query(NAME), [b"\x01\x02\x03\x04", b"\x05\x06\x07\x08"])
    for cut, answers in ((len(payload) - 1, 1), (len(payload) - 16, 1), (len(payload) - 17, 0)):
        message = message_of(payload[:cut])
        assert isinstance(message.broken, Unparseable)
        assert len(message.answers) == answers
        assert message.questions[0].name.value == NAME
    assert message_of(payload[:14]).questions == ()
    assert isinstance(read_message(payload[:11]), Unparseable)


def test_the_header_is_taken_apart() -> None:
    message = message_of(struct.pack(">6H", 1, 0xA583, 0, 1, 2, 3))
    assert (message.is_response, message.opcode, message.rcode, message.counts) == (True, 4, 3, (0, 1, 2, 3))
    assert message_of(struct.pack(">6H", 1, 0x2000, 0, 0, 0, 0)).opcode == 4


def test_each_section_has_its_records() -> None:
    record = b"\x01%c\x00\x00\x01\x00\x01\x00\x00\x00\x07\x00\x01x"
    message = message_of(struct.pack(">6H", 1, 0x8000, 0, 1, 2, 1) + b"".join(record % letter for letter in b"abcd"))
    assert message.broken is None
    sections = (message.answers, message.authorities, message.additionals)
    assert [[each.name for each in section] for section in sections] == [[b"a"], [b"b", b"c"], [b"d"]]
    broken = message_of(struct.pack(">6H", 1, 0x8000, 0, 1, 2, 1) + record % 97 + b"\x40" + record % 98)
    assert (len(broken.answers), broken.authorities, broken.additionals) == (1, (), ())


def test_a_message_of_a_tcp_stream_ends_where_its_length_says() -> None:
    payload = build_query(NAME)
    (short, *_) = read_tcp_messages(frame_tcp(payload[:-1]) + payload[-1:] + bytes(9)).messages
    assert isinstance(short.message, Message)
    assert (short.message.questions, short.message.broken is None) == ((), False)


def test_a_message_longer_than_one_byte_can_say() -> None:
    payload = build_response(build_query(NAME), [bytes(16)] * 20)
    read = read_tcp_messages(frame_tcp(payload) + frame_tcp(b""))
    assert [(each.offset, each.length) for each in read.messages] == [(2, len(payload)), (4 + len(payload), 0)]
    assert read.messages[0].message == read_message(payload)
    assert (read.stopped, read.end) == (None, len(payload) + 4)


@given(
    st.lists(st.one_of(st.from_regex(rb"[a-z]{1,3}", fullmatch=True), st.sampled_from([b"a.b", b"a\\", b"a\x00", b"x" * 63])), max_size=6),
    st.integers(0, 6),
    st.binary(max_size=3),
)
def test_a_plain_name_is_what_every_query_with_one_holds(parts: list[bytes], cut: int, after: bytes) -> None:
    encoded = b"".join(bytes([len(part)]) + part for part in parts) + b"\x00\x00\x01\x00\x01"
    payload = struct.pack(">6H", 1, 0x0100, 1, 0, 0, 0) + encoded[: len(encoded) - cut] + after
    plain, query = read_plain_name(payload), read_query(payload)
    if plain is not None:
        assert isinstance(query, Query)
        assert (plain.value, plain.kind, plain.klass) == (query.name.value, query.kind, query.klass)
        assert plain.end == 12 + query.name.length
    ordinary = parts and all(re.fullmatch(rb"[a-z]+", part) for part in parts) and sum(map(len, parts)) + len(parts) < 255
    if cut == 0 and ordinary:
        assert plain is not None


def test_counts_are_kept_as_claimed() -> None:
    payload = build_query(NAME)
    message = message_of(payload[:4] + b"\x00\x02" + payload[6:])
    assert (message.counts[0], len(message.questions)) == (2, 1)
    assert message.broken is not None


def test_messages_of_a_tcp_stream() -> None:
    first, second = build_query(NAME), build_query(b"b.example")
    stream = frame_tcp(first) + frame_tcp(second) + b"\x00\x03abc" + b"\x00"
    read = read_tcp_messages(stream)
    assert [(each.offset, each.length) for each in read.messages] == [(2, len(first)), (4 + len(first), len(second)), (len(stream) - 4, 3)]
    assert isinstance(read.messages[2].message, Unparseable)
    assert isinstance(read.stopped, Incomplete)
    assert read.end == len(stream) - 1
    assert read_tcp_messages(stream[:-1]).stopped is None
    assert read_tcp_messages(b"") == TcpMessages((), None, 0)


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        (b"FHEPFCELEHFCEPFFFACACACACACACABN", b"WORKGROUP"),  # RFC 1001 section 14.1: each half byte and 0x41
        (b"CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", b"*"),
        (b"CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA.scope", b"*"),
        (b"CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", None),
        (b"QKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", None),
    ],
)
def test_netbios_names(name: bytes, plain: bytes | None) -> None:
    assert decode_netbios(name) == plain


@given(st.lists(labels, min_size=1, max_size=8), st.integers(0, 30))
def test_dnspython_reads_the_same_name(parts: list[bytes], before: int) -> None:
    wire = dns.name.Name([*parts, b""]).to_wire()
    assert wire is not None
    theirs = dns.name.from_wire(bytes(before) + wire, before)[0]
    ours = read_name(bytes(before) + wire, before)
    assert isinstance(ours, Field)
    assert (ours.offset, ours.length) == (before, len(wire))
    assert encode_name(ours.value) == wire
    assert theirs.labels == (*parts, b"")


@given(st.lists(st.tuples(dotted, st.sampled_from([1, CNAME, PTR, AAAA])), min_size=1, max_size=5), dotted)
def test_dnspython_writes_what_is_read(records: list[tuple[bytes, int]], question: bytes) -> None:
    query = dns.message.make_query(question.decode() + ".", "A", use_edns=True)
    response = dns.message.make_response(query)
    data = {1: "192.0.2.1", CNAME: f"x.{question.decode()}.", PTR: f"{question.decode()}.", AAAA: "2001:db8::1"}
    for number, (name, kind) in enumerate(records):
        kind_name = dns.rdatatype.RdataType(kind)
        response.answer.append(dns.rrset.from_text(name.decode() + ".", number, "IN", kind_name, data[kind]))
    payload = response.to_wire()
    ours = message_of(payload)
    assert ours.broken is None
    assert ours.end == len(payload)
    assert [each.name.value.lower() for each in ours.questions] == [question.lower()]
    assert [(each.name.lower(), each.kind, each.ttl) for each in ours.answers] == [(n.lower(), k, i) for i, (n, k) in enumerate(records)]
    assert [each.kind for each in ours.additionals] == [41]


@given(dotted, st.data())
def test_any_cut_of_a_tcp_query_is_incomplete(name: bytes, data: st.DataObject) -> None:
    stream = frame_tcp(build_query(name))
    cut = data.draw(st.integers(1, len(stream) - 1))
    read = read_tcp_messages(stream[:cut])
    assert (read.messages, read.end) == ((), 0)
    assert isinstance(read.stopped, Incomplete)


@given(st.binary(max_size=120), st.integers(0, 130))
def test_anything_is_read_as_something(data: bytes, offset: int) -> None:
    for payload in (data, struct.pack(">6H", 1, 0, 1, 0, 0, 0) + data, struct.pack(">6H", 1, 0x8180, 1, 2, 1, 1) + data):
        assert isinstance(read_message(payload), Message | Unparseable)
        assert isinstance(read_query(payload), Query | Unparseable)
        assert isinstance(read_name(payload, offset), Field | Unparseable)
        assert isinstance(read_tcp_messages(payload), TcpMessages)


@given(st.binary(max_size=40))
def test_a_query_and_a_message_agree_on_the_first_question(data: bytes) -> None:
    payload = struct.pack(">6H", 1, 0, 1, 0, 0, 0) + data
    query, message = read_query(payload), message_of(payload)
    first = message.questions[0] if message.questions else None
    assert (query if isinstance(query, Unparseable) else None) == message.broken
    if isinstance(query, Query):
        assert first is not None
        assert (query.name, query.kind, query.klass) == (first.name, first.kind, first.klass)


def test_reading_takes_time_in_proportion_to_the_length() -> None:
    ladder = b"".join(struct.pack(">H", 0xC000 | max(12, 10 + 2 * step)) for step in range(4000))
    long = b"".join(b"\x01a" for _ in range(126)) + b"\x00\x00\x01\x00\x01"
    repeated = struct.pack(">6H", 1, 0, 65535, 0, 0, 0) + long + b"\xc0\x0c\x00\x01\x00\x01" * 10000
    started = time.perf_counter()
    assert isinstance(read_name(bytes(12) + ladder, 12 + len(ladder) - 2), Unparseable)
    assert len(message_of(repeated).questions) == 10001
    assert time.perf_counter() - started < 3


@pytest.mark.long
def test_speed_of_reading_a_query() -> None:
    """Measured on a quiet core: 1.0 µs for the first question, 2.1 µs for the message."""
    payload = build_query(NAME)
    for read in (read_query, read_message):
        started = time.perf_counter()
        for _ in range(20000):
            read(payload)
        taken = (time.perf_counter() - started) / 20000
        print(f"{read.__name__}: {taken * 1e6:.2f} µs")
        assert taken < 20e-6
