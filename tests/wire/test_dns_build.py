"""Built DNS messages: what dnspython reads in them, and what only a forger would send."""

import dns.message
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.errors import UsageError
from crenel.wire.dns import AAAA, Message, read_message
from crenel.wire.dns_build import OwnerName, build_query, build_response, encode_name, frame_tcp

labels = st.binary(min_size=1, max_size=20)


def test_a_query_as_dnspython_reads_it() -> None:
    theirs = dns.message.from_wire(build_query(b"www.blocked.example", ident=99, kind=AAAA))
    assert theirs.id == 99
    assert theirs.question[0].to_text() == "www.blocked.example. IN AAAA"


@pytest.mark.parametrize("owner", OwnerName)
def test_a_response_as_dnspython_reads_it(owner: OwnerName) -> None:
    payload = build_response(build_query(b"a.example", ident=99), [bytes([192, 0, 2, 1]), b"\x20\x01\x0d\xb8" + bytes(12)], ttl=7, owner=owner)
    theirs = dns.message.from_wire(payload)
    assert theirs.id == 99
    assert [each.to_text() for each in theirs.answer] == ["a.example. 7 IN A 192.0.2.1", "a.example. 7 IN AAAA 2001:db8::"]
    assert payload.count(b"\xc0\x0c") == (2 if owner is OwnerName.POINTER else 0)


def test_a_forged_answer_of_another_type_than_was_asked_for() -> None:
    message = read_message(build_response(build_query(b"a.example", kind=16), [b"\x01\x02\x03\x04"], flags=0x8400))
    assert isinstance(message, Message)
    assert (message.flags, message.questions[0].kind, message.answers[0].kind) == (0x8400, 16, 1)


def test_a_response_to_what_has_no_question() -> None:
    message = read_message(build_response(b"\x12\x34", [b"\x01\x02\x03\x04"]))
    assert isinstance(message, Message)
    assert (message.ident, message.counts, message.answers[0].name) == (0x1234, (0, 1, 0, 0), b".")
    assert isinstance(read_message(build_response(b"", [])), Message)


def test_names_that_cannot_be_written() -> None:
    assert encode_name(b"") == encode_name(b".") == b"\x00"
    assert encode_name(b"a.b.") == encode_name(b"a.b") == b"\x01a\x01b\x00"
    assert encode_name(rb"a\.b") == b"\x03a.b\x00"
    for name in (b"a..b", b".a", b"a" * 64, b"a\\", b"..", b"a.."):
        with pytest.raises(UsageError, match="label"):
            encode_name(name)


@given(st.lists(labels, min_size=1, max_size=6))
def test_every_name_is_written_as_its_labels(parts: list[bytes]) -> None:
    escaped = b".".join(part.replace(b"\\", b"\\\\").replace(b".", b"\\.") for part in parts)
    assert encode_name(escaped) == b"".join(bytes([len(part)]) + part for part in parts) + b"\x00"


def test_the_length_before_a_message_over_tcp() -> None:
    assert frame_tcp(bytes(300)) == b"\x01\x2c" + bytes(300)
