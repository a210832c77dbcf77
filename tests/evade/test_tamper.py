"""Each field set, added to and corrupted: what changes, what is computed anew, what cannot be built."""

import msgspec
import pytest

from crenel.evade.fields import FIELDS, OPTION_BITS
from crenel.evade.tamper import takes
from crenel.wire.dns_build import frame_tcp
from crenel.wire.packet import ACK, IP_DF, PSH, Packet, tcp_packet
from crenel.wire.verify import ChecksumState, checksum_state, ip_checksum_valid
from tests.evade.acting import ANSWER, BARE, DATA_SEGMENT, OPENING, QUERY, REQUEST, STAMP, act, on_wire, sent

PA, A, S, QUERIES = "[TCP:flags:PA]-", "[TCP:flags:A]-", "[TCP:flags:S]-", "[UDP:dport:53]-"
SIX = tcp_packet(bytes(15) + b"\1", bytes(15) + b"\2", 1, 2, flags=PSH | ACK, payload=b"six")


def one(dna: str, packet: Packet) -> Packet:
    (made,) = act(dna, packet)
    return made


@pytest.mark.parametrize(
    ("field", "value", "attribute", "expected"),
    [
        ("IP:ttl", "9", "ttl", 9), ("IP:tos", "255", "tos", 255), ("IP:id", "65535", "ident", 65535), ("IP:flags", "MF+DF", "ip_flags", 3),
        ("IP:flags", "", "ip_flags", 0), ("IP:flags", "4", "ip_flags", 4), ("TCP:sport", "1", "sport", 1), ("TCP:dport", "0", "dport", 0),
        ("TCP:seq", "4294967295", "seq", 4294967295), ("TCP:ack", "7", "ack", 7), ("TCP:window", "98", "window", 98),
        ("TCP:urgptr", "3", "urgent", 3), ("TCP:flags", "FRAPUEN", "flags", 0x7D), ("TCP:flags", "", "flags", 0), ("TCP:flags", "24", "flags", 24),
        ("TCP:reserved", "7", "reserved", 14), ("TCP:load", "a%20b%00", "payload", b"a b\0"), ("TCP:load", "12", "payload", b"12"),
        ("IP:src", "203.0.113.1", "src", bytes((203, 0, 113, 1))), ("IP:dst", "203.0.113.1", "dst", bytes((203, 0, 113, 1))),
    ],
)  # fmt: skip
def test_a_field_is_set_and_the_checksums_fit(field: str, value: str, attribute: str, expected: object) -> None:
    made = one(f"{PA}tamper{{{field}:replace:{value}}}-|", on_wire(DATA_SEGMENT))
    assert getattr(made, attribute) == expected
    assert checksum_state(made) is ChecksumState.VALID
    assert ip_checksum_valid(made)
    assert made.total_length is None


@pytest.mark.parametrize(
    "tamper",
    ["TCP:window:replace:65536", "TCP:seq:add:4294967295", "IP:ttl:add:-65", "TCP:flags:replace:512", "TCP:dataofs:replace:16", "IP:ttl:replace:x",
     "IP:version:replace:5", "IP:src:replace:nowhere", "TCP:options-mss:replace:70000", "TCP:options-md5header:replace:" + "00" * 39,
     "TCP:options-wscale:replace:ab", "IP:frag:replace:8192", "IP:proto:replace:256", "IP:flags:replace:8", "TCP:reserved:replace:8"],
)  # fmt: skip
def test_what_no_packet_can_be_built_with_is_not_sent(tamper: str) -> None:
    assert act(f"{PA}duplicate(tamper{{{tamper}}},)-|", DATA_SEGMENT) == [DATA_SEGMENT]


def test_a_checksum_survives_only_where_it_is_tampered_last() -> None:
    assert one(PA + "tamper{TCP:chksum:replace:9}-|", DATA_SEGMENT).checksum == 9
    assert one(PA + "tamper{TCP:chksum:replace:9}(tamper{IP:ttl:replace:9},)-|", DATA_SEGMENT).checksum is None
    assert one(PA + "tamper{IP:ttl:replace:9}(tamper{TCP:chksum:replace:9},)-|", DATA_SEGMENT).checksum == 9
    assert not ip_checksum_valid(one(PA + "tamper{IP:chksum:replace:9}-|", DATA_SEGMENT))


def test_a_larger_data_offset_takes_the_head_of_the_payload() -> None:
    made = one(PA + "tamper{TCP:dataofs:replace:10}-|", DATA_SEGMENT)
    assert (made.options, made.payload) == (STAMP + REQUEST[:8], REQUEST[8:])
    assert made.data_offset is None
    assert checksum_state(on_wire(made)) is ChecksumState.VALID
    assert on_wire(made).payload == made.payload


@pytest.mark.parametrize(("words", "payload"), [(5, STAMP + REQUEST), (0, STAMP + REQUEST), (8, REQUEST)])
def test_a_smaller_one_makes_options_payload(words: int, payload: bytes) -> None:
    made = one(f"{PA}tamper{{TCP:dataofs:replace:{words}}}-|", DATA_SEGMENT)
    assert made.payload == payload == on_wire(made).payload
    assert made.data_offset == on_wire(made).data_offset


def test_one_past_the_end_stays_as_claimed() -> None:
    made = one(A + "tamper{TCP:dataofs:replace:15}-|", BARE)
    assert (made.data_offset, made.payload) == (15, b"")


def test_options_set_after_a_data_offset_undo_it() -> None:
    made = one(PA + "tamper{TCP:dataofs:replace:15}(tamper{TCP:options-uto:replace:5},)-|", DATA_SEGMENT)
    assert (made.options, made.payload) == (STAMP + bytes((28, 4, 0, 5)), REQUEST)


def test_a_short_ip_length_cuts_the_packet_and_spoils_its_checksum() -> None:
    made = one(PA + "tamper{IP:len:replace:64}-|", DATA_SEGMENT)
    assert made.payload == REQUEST[: 64 - 52]
    assert checksum_state(made) is ChecksumState.WRONG
    assert ip_checksum_valid(made)
    whole = one(PA + "tamper{IP:len:replace:64}(tamper{TCP:load:replace:abc},)-|", DATA_SEGMENT)
    assert (whole.payload, whole.total_length, checksum_state(whole)) == (b"abc", None, ChecksumState.VALID)


def test_a_long_ip_length_stays_as_claimed() -> None:
    made = one(PA + "tamper{IP:len:replace:999}-|", DATA_SEGMENT)
    assert (made.total_length, made.payload) == (999, REQUEST)


def test_an_option_is_overwritten_or_appended() -> None:
    assert one(S + "tamper{TCP:options-mss:replace:536}-|", OPENING).options[:4] == b"\x02\x04\x02\x18"
    assert one(S + "tamper{TCP:options-wscale:replace:}-|", OPENING).options[-3:] == b"\x03\x03\x00"
    made = one(A + "tamper{TCP:options-md5header:corrupt}-|", BARE)
    assert made.options[:14] == STAMP + bytes((19, 18))
    assert len(made.options) == 32
    assert made.data_offset is None


def test_udp_checksum_and_length_stay_what_they_were() -> None:
    moved = one(QUERIES + "tamper{UDP:sport:replace:7}-|", QUERY)
    assert checksum_state(moved) is ChecksumState.WRONG
    assert moved.checksum == on_wire(QUERY).checksum
    loaded = one(QUERIES + "tamper{UDP:load:replace:abc}-|", QUERY)
    assert (loaded.payload, loaded.udp_length) == (b"abc", 8 + len(QUERY.payload))
    assert on_wire(loaded).total_length is None
    assert one(QUERIES + "tamper{IP:ttl:replace:7}-|", QUERY).checksum is None
    healed = one(QUERIES + "tamper{UDP:sport:replace:7}(tamper{UDP:chksum:replace:0},)-|", QUERY)
    assert checksum_state(healed) is ChecksumState.ABSENT


def test_a_question_is_renamed_under_the_old_lengths() -> None:
    made = one(QUERIES + "tamper{DNSQR:qname:replace:a.example.}-|", QUERY)
    assert b"\x01a\x07example\x00" in made.payload
    assert made.total_length == 20 + 8 + len(QUERY.payload)
    assert made.udp_length == 8 + len(QUERY.payload)


def test_a_compressed_question_asks_for_the_same_in_two() -> None:
    made = one("[DNS:qr:0]-tamper{DNS:qd:compress}-|", QUERY)
    assert made.payload[:12] == QUERY.payload[:4] + b"\x00\x02" + QUERY.payload[6:12]
    # The pointer goes to the second question, 22 bytes into the message.
    assert made.payload[12:] == b"\x03www\xc0\x16\x00\x01\x00\x01" + b"\x07blocked\x07example\x00\x00\x01\x00\x01"
    assert made.payload[0x16:].startswith(b"\x07blocked")
    assert (checksum_state(made), made.udp_length, made.total_length) == (ChecksumState.VALID, None, None)
    assert one("[DNS:qr:0]-tamper{DNS:qd:replace:5}-|", QUERY) == QUERY


def test_dns_over_tcp_has_the_same_fields() -> None:
    packet = sent(PSH | ACK, frame_tcp(QUERY.payload), dport=53)
    made = one("[DNS:id:4660]-tamper{DNS:id:replace:1}-|", packet)
    assert made.payload == frame_tcp(b"\x00\x01" + QUERY.payload[2:])
    assert checksum_state(made) is ChecksumState.VALID
    assert one("[DNS:id:4660]-tamper{DNS:qd:compress}-|", packet) == packet


def test_a_packet_without_the_protocol_is_left_alone() -> None:
    assert one(PA + "tamper{UDP:sport:replace:9}-|", DATA_SEGMENT) is DATA_SEGMENT
    assert one(QUERIES + "tamper{TCP:flags:corrupt}-|", QUERY) is QUERY
    assert one(PA + "tamper{DNS:id:corrupt}-|", DATA_SEGMENT) is DATA_SEGMENT


@pytest.mark.parametrize("field", ["ihl", "len", "id", "flags", "frag", "chksum"])
def test_fields_of_version_4_are_not_in_version_6(field: str) -> None:
    assert one(f"{PA}tamper{{IP:{field}:replace:1}}-|", SIX) == SIX


def test_the_hop_limit_is_the_ttl_of_version_6() -> None:
    assert one(PA + "tamper{IP:ttl:replace:3}-|", SIX).ttl == 3


def test_a_fragment_offset_hides_the_transport_header() -> None:
    made = one(PA + "tamper{IP:frag:replace:5}-|", DATA_SEGMENT)
    assert not made.has_transport()
    assert made.frag_offset == 40
    assert made == msgspec.structs.replace(on_wire(made), ip_checksum=None)


def test_another_protocol_reads_the_same_bytes() -> None:
    made = one(PA + "tamper{IP:proto:replace:17}-|", DATA_SEGMENT)
    assert (made.proto, made.sport, made.dport) == (17, DATA_SEGMENT.sport, DATA_SEGMENT.dport)
    assert made.udp_length == DATA_SEGMENT.seq >> 16


def test_the_whole_ip_payload_can_be_replaced() -> None:
    made = one(PA + "tamper{IP:load:replace:junk}-|", DATA_SEGMENT)
    assert (made.payload, made.headless, made.has_transport()) == (b"junk", True, False)


def test_adding_counts_from_what_stands_there() -> None:
    assert one(PA + "tamper{TCP:seq:add:-1}-|", DATA_SEGMENT).seq == 1000
    assert one(PA + "tamper{TCP:flags:add:4}-|", DATA_SEGMENT).flags == 0x1C
    assert one(PA + "tamper{TCP:dataofs:add:2}-|", DATA_SEGMENT).payload == REQUEST[8:]
    assert one(PA + "tamper{TCP:load:add:2}-|", DATA_SEGMENT) == DATA_SEGMENT
    assert one(PA + "tamper{TCP:options-mss:add:2}-|", DATA_SEGMENT) == DATA_SEGMENT
    assert one(PA + "tamper{IP:flags:add:1}-|", DATA_SEGMENT).ip_flags == IP_DF + 1
    wrong = one(PA + "tamper{TCP:chksum:add:1}-|", DATA_SEGMENT)
    assert checksum_state(wrong) is ChecksumState.WRONG


def test_every_field_can_be_corrupted_and_replaced_by_a_number() -> None:
    for proto, fields in FIELDS.items():
        for field in fields:
            for packet in (DATA_SEGMENT, OPENING, QUERY, ANSWER):
                for what in ("corrupt", "replace:1"):
                    if what == "replace:1" and field.startswith("options-") and field.removeprefix("options-") not in OPTION_BITS:
                        continue
                    assert len(act(f"[IP:ttl:64]-duplicate(tamper{{{proto}:{field}:{what}}},)-|", packet)) in {1, 2}


@pytest.mark.parametrize(
    ("proto", "field", "value", "fits"),
    [("TCP", "window", "65535", True), ("TCP", "window", "65536", False), ("TCP", "window", "x", False), ("TCP", "flags", "FRAPUEN", True),
     ("IP", "flags", "DF", True), ("IP", "flags", "XF", False), ("IP", "src", "::1", True), ("IP", "src", "1.2.3", False), ("TCP", "load", "x", True),
     ("TCP", "options-wscale", "", True), ("TCP", "options-wscale", "256", False), ("DNS", "rcode", "16", False), ("DNSQR", "qname", "x", True)],
)  # fmt: skip
def test_whether_a_value_fits_is_known_beforehand(proto: str, field: str, value: str, fits: bool) -> None:
    assert takes(proto, field, value) is fits
