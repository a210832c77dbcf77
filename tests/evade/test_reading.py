"""What triggers and sums read from a packet, the same whether it was made or came off a wire."""

import pytest

from crenel.evade.fields import FIELDS
from crenel.evade.reading import PRESENT, READERS, bytes_of
from crenel.wire.packet import Packet
from tests.evade.acting import ANSWER, BARE, CONVERSATION, DATA_SEGMENT, OPENING, QUERY, REQUEST, on_wire


def test_every_field_can_be_read() -> None:
    assert set(READERS) == {(proto, field) for proto, fields in FIELDS.items() for field in fields}
    assert set(PRESENT) == set(FIELDS)


def test_a_packet_reads_the_same_made_and_parsed() -> None:
    for packet in CONVERSATION:
        for (proto, field), read in READERS.items():
            if PRESENT[proto](packet):
                assert read(packet) == read(on_wire(packet)), (proto, field)


@pytest.mark.parametrize(
    ("packet", "field", "value"),
    [
        (DATA_SEGMENT, "IP:version", 4), (DATA_SEGMENT, "IP:ihl", 5), (DATA_SEGMENT, "IP:len", 52 + len(REQUEST)), (DATA_SEGMENT, "IP:flags", "DF"),
        (QUERY, "IP:flags", ""), (DATA_SEGMENT, "IP:src", "192.0.2.1"), (DATA_SEGMENT, "TCP:dataofs", 8), (BARE, "TCP:load", ""),
        (DATA_SEGMENT, "TCP:flags", 0x18), (OPENING, "TCP:options-mss", 1460), (OPENING, "TCP:options-wscale", 7),
        (OPENING, "TCP:options-sackok", ""),
        (OPENING, "TCP:options-timestamp", 0x00010203), (BARE, "TCP:options-mss", ""), (BARE, "TCP:options-md5header", ""),
        (QUERY, "UDP:len", 8 + len(QUERY.payload)), (ANSWER, "DNS:qr", 1), (ANSWER, "DNS:ancount", 1), (QUERY, "DNSQR:qname", "www.blocked.example."),
        (QUERY, "DNSQR:qtype", 1), (QUERY, "DNSQR:qclass", 1),
    ],
)  # fmt: skip
def test_a_field_has_the_value_that_geneva_sees(packet: Packet, field: str, value: object) -> None:
    proto, _, name = field.partition(":")
    assert READERS[proto, name](packet) == value


def test_protocols_are_where_their_headers_are() -> None:
    assert [name for name, present in PRESENT.items() if present(DATA_SEGMENT)] == ["IP", "TCP"]
    assert [name for name, present in PRESENT.items() if present(QUERY)] == ["IP", "UDP", "DNS", "DNSQR"]


def test_what_cannot_be_written_has_no_bytes() -> None:
    assert bytes_of(Packet(4, bytes(4), bytes(4), 6, 70000)) is None
    assert bytes_of(BARE) is not None
