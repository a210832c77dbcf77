"""How a wall's TLS boxes follow a ClientHello: which records, how much of them, in which segments, and what the late box waits for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.wall.readers.tls import TlsExtension, TlsSni, read_name
from crenel.wire import tls
from crenel.wire.result import Field
from crenel.wire.tls_build import HelloShape, build_client_hello, build_hello_message
from tests.wall.readers.feeding import feed, values

RANDOM = bytes(range(32))
ONE_RECORD = TlsSni(list="names", records=1, needs="record", after="hello")
THREE_RECORDS = TlsSni(list="names", records=3, needs="record", after="hello")
AS_IT_COMES = TlsSni(list="names", records=1, needs="name", after="hello")
LATE = TlsSni(list="names", records=1, needs="record", after="key-exchange", watches=4096)
ESNI = TlsExtension(number=0xFFCE, records=1, needs="record")


def hello(name: bytes | None = b"Blocked.Example", **how: object) -> bytes:
    return build_client_hello(name, random=RANDOM, **how)  # type: ignore[arg-type]  # the keywords are those of the builder


def record(kind: int, body: bytes) -> bytes:
    return bytes((kind, 3, 3)) + len(body).to_bytes(2, "big") + body


@pytest.mark.parametrize("shape", HelloShape)
def test_the_name_is_read_in_lower_case_with_its_place(shape: HelloShape) -> None:
    stream = hello(shape=shape)
    (place, found), = feed(ONE_RECORD, stream)
    assert found.value == b"blocked.example"
    assert stream[place : place + found.length] == b"Blocked.Example"


@pytest.mark.parametrize("shape", HelloShape)
@given(cuts=st.lists(st.integers(1, 1800), max_size=6))
def test_a_hello_is_read_however_it_is_cut_into_segments(shape: HelloShape, cuts: list[int]) -> None:
    assert values(ONE_RECORD, hello(shape=shape), cuts) == [b"blocked.example"]


def test_a_hello_over_two_records_is_read_only_by_a_box_that_joins_them() -> None:
    stream = hello(record_sizes=(100,))
    assert values(ONE_RECORD, stream) == []
    (place, found), = feed(THREE_RECORDS, stream)
    assert stream[place : place + found.length] == b"Blocked.Example"
    assert values(THREE_RECORDS, hello(record_sizes=(60, 60))) == [b"blocked.example"]
    assert values(THREE_RECORDS, hello(record_sizes=(60, 60, 60))) == []
    assert values(THREE_RECORDS, hello()) == [b"blocked.example"]


@given(cuts=st.lists(st.integers(1, 400), max_size=6), size=st.integers(1, 250))
def test_joined_records_are_read_however_they_are_cut(cuts: list[int], size: int) -> None:
    assert values(THREE_RECORDS, hello(record_sizes=(size,)), cuts) == [b"blocked.example"]


def test_a_box_that_needs_only_the_name_acts_before_the_record_is_whole() -> None:
    stream = hello(name_at=0)
    end = stream.index(b"Example") + len("Example")
    assert values(AS_IT_COMES, stream[:end]) == [b"blocked.example"]
    assert values(AS_IT_COMES, stream[: end - 1]) == []
    assert values(ONE_RECORD, stream[:-1]) == []
    joined = TlsSni(list="names", records=2, needs="name", after="hello")
    cut = hello(name_at=0, record_sizes=(len(stream) - 40,))
    assert values(joined, cut[: cut.index(b"Example") + 7]) == [b"blocked.example"]


def test_a_first_segment_that_is_too_short_blinds_a_box_that_has_such_a_limit() -> None:
    fussy = TlsSni(list="names", records=1, needs="record", after="hello", shortest_first=8)
    assert values(fussy, hello(), (7,)) == []
    assert values(fussy, hello(), (8,)) == [b"blocked.example"]
    esni = TlsExtension(number=0xFFCE, records=1, needs="record", shortest_first=5)
    stream = hello(extra=((0xFFCE, b"x"),))
    assert values(esni, stream, (4,)) == []
    assert values(esni, stream, (5,)) == [b"\xff\xce"]


@pytest.mark.parametrize(
    ("number", "seen"), [(0xFFCE, True), (0x7777, False), (0xFF02, False), (0xFF03, False), (0xFF04, False), (0xFE0D, False)]
)
def test_only_the_extension_of_encrypted_sni_counts(number: int, seen: bool) -> None:
    stream = hello(extra=((number, bytes(20)),))
    named = feed(ESNI, stream)
    assert bool(named) == seen
    for place, found in named:
        assert stream[place : place + found.length] == b"\xff\xce\x00\x14" + bytes(20)
        assert found.detail == "extension 0xffce"


def test_without_a_name_nothing_is_found() -> None:
    assert values(ONE_RECORD, hello(None)) == []


def test_what_is_no_client_hello_is_given_up_with_its_first_bytes() -> None:
    assert not ONE_RECORD.read(b"\x16\x02\x01", (3,), False).more
    assert not ONE_RECORD.read(b"G", (1,), False).more
    assert not ONE_RECORD.read(record(22, b"\x02" + bytes(60)), (66,), False).more
    assert ONE_RECORD.read(b"\x16", (1,), False).more
    assert ONE_RECORD.read(b"\x16\x03", (2,), False).more


@pytest.mark.parametrize(
    ("message", "seen"),
    [
        (record(20, b"\1"), True),
        (record(22, b"\x10" + bytes(40)), True),
        (record(22, b"\x0b" + bytes(40)) + record(20, b"\1"), True),
        (b"", False),
        (record(22, b"\x14" + bytes(40)), False),
        (record(23, bytes(40)) + record(20, b"\1"), False),
        (b"not TLS at all", False),
        (record(20, b""), False),
    ],
)
def test_the_late_box_waits_for_the_key_exchange(message: bytes, seen: bool) -> None:
    stream = hello() + message
    named = feed(LATE, stream, (len(hello()),))
    assert [found.value for _, found in named] == ([b"blocked.example"] if seen else [])
    assert all("record at byte" in found.detail for _, found in named)


def test_the_late_box_gives_up_after_so_many_bytes() -> None:
    noise = record(22, b"\x0b" + bytes(4000))
    assert values(LATE, hello() + noise + record(20, b"\1")) == [b"blocked.example"]
    assert not LATE.read(hello() + noise, (5000,), False).more
    assert LATE.read(hello() + noise[:100], (500,), False).more


@pytest.mark.parametrize("how", [{"after": "key-exchange"}, {"after": "hello", "watches": 5}])
def test_a_parameter_that_would_do_nothing_is_refused(how: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="watches"):
        TlsSni(list="names", records=1, needs="record", **how)  # type: ignore[arg-type]  # wrong on purpose


@given(st.integers(5, 330), st.binary(min_size=1, max_size=3))
def test_damage_is_read_or_not_but_never_raises_nor_reads_outside(at: int, other: bytes) -> None:
    stream = hello()
    stream = stream[:at] + other + stream[at + len(other) :]
    for reader in (ONE_RECORD, THREE_RECORDS, AS_IT_COMES, ESNI):
        for place, found in feed(reader, stream):
            assert place + found.length <= len(stream)


@given(st.binary(min_size=1, max_size=60).filter(lambda name: b"." not in name))
def test_an_honest_reader_agrees_on_hellos_that_are_well_formed(name: bytes) -> None:
    honest = tls.read_server_name(hello(name))
    assert isinstance(honest, Field)
    (place, found), = feed(ONE_RECORD, hello(name))
    assert (found.value, place, found.length) == (name.lower(), honest.offset, honest.length)


def test_a_bare_hello_is_read_only_when_it_is_whole() -> None:
    message = build_hello_message(b"blocked.example", random=RANDOM)
    found = read_name(message, "quic.sni")
    assert found is not None
    assert message[found.offset : found.offset + found.length] == b"blocked.example"
    assert read_name(message + bytes(40), "quic.sni") == found
    assert read_name(message[:-1], "quic.sni") is None
    assert read_name(b"\x02" + message[1:], "quic.sni") is None
