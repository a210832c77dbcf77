"""The fields of DNS messages in packets, read and set."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.evade.dns import compress, message_at, question_at, read_header, read_question, set_header, set_question
from crenel.evade.fields import BITS
from crenel.wire.dns_build import build_query, frame_tcp
from crenel.wire.packet import ACK, PSH, Packet
from tests.evade.acting import ANSWER, BARE, DATA_SEGMENT, QUERY, sent

OVER_TCP = sent(PSH | ACK, frame_tcp(QUERY.payload), dport=53)


def test_a_message_is_looked_for_on_its_ports() -> None:
    assert [message_at(packet) for packet in (QUERY, ANSWER, OVER_TCP, DATA_SEGMENT, BARE)] == [0, 0, 2, -1, -1]
    assert message_at(msgspec.structs.replace(QUERY, dport=5353)) == 0
    assert message_at(msgspec.structs.replace(QUERY, dport=54)) == -1
    assert message_at(msgspec.structs.replace(QUERY, payload=bytes(11))) == -1
    assert message_at(msgspec.structs.replace(QUERY, frag_offset=8)) == -1


@pytest.mark.parametrize("packet", [QUERY, ANSWER, OVER_TCP])
@given(data=st.data())
def test_what_is_set_is_read_and_nothing_else_changes(packet: Packet, data: st.DataObject) -> None:
    field = data.draw(st.sampled_from(sorted(BITS["DNS"])))
    value = data.draw(st.integers(0, (1 << BITS["DNS"][field]) - 1))
    made = msgspec.structs.replace(packet, payload=set_header(packet, field, value))
    assert read_header(made, field) == value
    others = set(BITS["DNS"]) - {field}
    assert {name: read_header(made, name) for name in others} == {name: read_header(packet, name) for name in others}


def test_a_query_reads_as_it_was_built() -> None:
    fields = {"id": 0x1234, "qr": 0, "opcode": 0, "rd": 1, "ra": 0, "rcode": 0, "qdcount": 1, "ancount": 0}
    assert {name: read_header(QUERY, name) for name in fields} == fields
    assert (read_header(ANSWER, "qr"), read_header(ANSWER, "ancount")) == (1, 1)
    assert [read_question(OVER_TCP, field) for field in ("qname", "qtype", "qclass")] == ["www.blocked.example.", 1, 1]


def test_a_question_is_set() -> None:
    made = msgspec.structs.replace(QUERY, payload=set_question(QUERY, "qname", "a.b.") or b"")
    assert made.payload[12:] == b"\x01a\x01b\x00\x00\x01\x00\x01"
    assert (set_question(QUERY, "qtype", 28) or b"").endswith(b"\x00\x1c\x00\x01")
    assert (set_question(QUERY, "qclass", 3) or b"").endswith(b"\x00\x01\x00\x03")
    assert set_question(QUERY, "qname", "a..b") is None


@pytest.mark.parametrize("payload", [bytes(12), build_query(b"a.example")[:-3], build_query(b"a")[:12] + b"\xc0\x20\x00\x01\x00\x01"])
def test_without_a_question_that_can_be_read_there_is_none(payload: bytes) -> None:
    packet = msgspec.structs.replace(QUERY, payload=payload)
    assert question_at(packet) is None
    assert read_question(packet, "qname") == ""
    assert set_question(packet, "qname", "a") == payload
    assert compress(packet) is None


def test_one_label_is_compressed_against_the_root() -> None:
    packet = msgspec.structs.replace(QUERY, payload=build_query(b"localhost"))
    assert (compress(packet) or b"")[12:] == b"\x09localhost\xc0\x1c\x00\x01\x00\x01\x00\x00\x01\x00\x01"
    assert compress(OVER_TCP) is None
