"""Which packets a trigger lets through, and which trigger lets none through at all."""

import msgspec
import pytest
from hypothesis import given

from crenel.evade.language import Trigger
from crenel.evade.parse import parse
from crenel.evade.trigger import compile_trigger, why_never
from crenel.wire.packet import Packet
from tests.evade.acting import ANSWER, BARE, CONVERSATION, DATA_SEGMENT, HELLO_SEGMENT, OPENING, QUERY
from tests.evade.growing import triggers
from tests.wire.packets import packets


def trigger(text: str) -> Trigger:
    return parse(f"[{text}]-drop-|").outbound[0].trigger


@pytest.mark.parametrize(
    ("text", "packet", "fires"),
    [
        ("TCP:flags:S", OPENING, True), ("TCP:flags:2", OPENING, True), ("TCP:flags:SA", OPENING, False), ("TCP:flags:N", OPENING, False),
        ("TCP:window:64240", BARE, True), ("TCP:window:+64_240", BARE, True), ("TCP:window:64241", BARE, False),
        ("TCP:options-mss:", BARE, True), ("TCP:options-mss:", OPENING, False), ("TCP:options-mss:1460", OPENING, True),
        ("TCP:options-sackok:", OPENING, True), ("TCP:load:", BARE, True), ("TCP:load:GET*", DATA_SEGMENT, True),
        ("TCP:load:blocked*", DATA_SEGMENT, True),
        ("TCP:load:Host%3A%20www*", DATA_SEGMENT, True), ("TCP:load:GET", DATA_SEGMENT, False), ("TCP:load:*", BARE, True),
        ("TCP:options-mss:*", BARE, True),
        ("IP:flags:DF", BARE, True), ("IP:flags:2", BARE, False), ("IP:src:192.0.2.1", BARE, True), ("IP:src:192.0.2*", BARE, True),
        ("IP:ttl:64", QUERY, True), ("UDP:dport:53", QUERY, True), ("UDP:dport:53", DATA_SEGMENT, False), ("TCP:dport:53", QUERY, False),
        ("DNS:qr:1", ANSWER, True), ("DNS:qr:1", QUERY, False), ("DNS:qd:x", QUERY, False), ("DNSQR:qname:www.blocked.example.", QUERY, True),
        ("DNSQR:qname:blocked*", ANSWER, True), ("tcp:flags:S", OPENING, False), ("TCP:sport:4*", DATA_SEGMENT, False),
        ("TCP:dport:443", HELLO_SEGMENT, True),
    ],
)  # fmt: skip
def test_a_trigger_lets_through_what_has_its_value(text: str, packet: Packet, fires: bool) -> None:
    assert compile_trigger(trigger(text))(packet) is fires


def test_flags_mean_nothing_where_there_is_no_tcp_header() -> None:
    for change in ({"proto": 17}, {"frag_offset": 8}, {"headless": True}):
        assert not compile_trigger(trigger("TCP:flags:S"))(msgspec.structs.replace(OPENING, **change))
        assert not compile_trigger(trigger("TCP:window:64240"))(msgspec.structs.replace(OPENING, **change))


def test_the_nonce_bit_is_the_ninth_flag() -> None:
    packet = msgspec.structs.replace(OPENING, reserved=1)
    assert compile_trigger(trigger("TCP:flags:SN"))(packet)
    assert not compile_trigger(trigger("TCP:flags:S"))(packet)


@pytest.mark.parametrize(
    ("text", "because"),
    [
        ("tcp:flags:S", "capitals"), ("TCP:flags:S:0", "gas"), ("DNS:qd:x", "DNSQR"), ("TCP:window:0x10", "decimal"), ("TCP:window:70000", "16 bits"),
        ("TCP:seq:-1", "32 bits"), ("TCP:flags:512", "9 bits"), ("TCP:load:123", "digits"), ("TCP:sport:8*", "number"), ("IP:flags:2", "names"),
        ("IP:flags:XX", "names"), ("IP:src:1.2.3", "no address"), ("DNSQR:qname:a.example", "dot"),
        ("TCP:options-mss:x", "decimal"), ("TCP:window:", "decimal"),
    ],
)  # fmt: skip
def test_why_a_trigger_never_fires(text: str, because: str) -> None:
    why = why_never(trigger(text))
    assert why is not None
    assert because in why
    assert not any(compile_trigger(trigger(text))(packet) for packet in CONVERSATION) or because == "gas"


@given(triggers(), packets())
def test_one_of_which_that_is_said_lets_no_packet_through(one: Trigger, packet: Packet) -> None:
    matches = compile_trigger(one)
    for seen in (packet, *CONVERSATION):
        if matches(seen):
            assert why_never(msgspec.structs.replace(one, gas=None)) is None
