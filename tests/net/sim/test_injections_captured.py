"""Captures in which a wall forged packets in, the packets that the model forges into the same connections out."""

import functools
import ipaddress

import msgspec
import pytest

from crenel.atlas.compile import load_wall
from crenel.instant import Instant
from crenel.wall.effects import Inject, Side
from crenel.wall.law import Rule
from crenel.wire.capture import open_capture
from crenel.wire.ip import parse_packet, serialise
from crenel.wire.link import ip_offset
from crenel.wire.packet import ACK, RST, SYN, TCP, Packet, tcp_packet
from crenel.wire.result import Unparseable
from tests.conformance.judging import rows_of
from tests.data import data_path
from tests.net.sim.forging import Certain


class Caught(msgspec.Struct, frozen=True):
    """One connection of a capture with the resets in it."""

    label: str
    before: tuple[Packet, ...]
    """What went by before the first reset."""
    resets: tuple[Packet, ...]


def caught() -> list[Caught]:
    """Return the connections of the captures from inside that hold resets; the two ends are told apart by who sent the SYN or the label."""
    found = []
    for row in rows_of("labels/ech_censorship_flows.csv"):
        if "china" not in row["data_path"] or row["server_rst"] == "0":
            continue
        client, ports = ipaddress.ip_address(row["client"]).packed, {int(row["cport"]), int(row["sport"])}
        packets = [packet for packet in packets_of(row["data_path"]) if packet.proto == TCP and {packet.sport, packet.dport} == ports]
        resets = tuple(packet for packet in packets if packet.flags & RST and packet.src != client)
        first = packets.index(resets[0])
        before = packets[:first]
        if not before[0].flags & SYN or before[0].flags & ACK:
            # The capture begins with the SYN/ACK, which tells what the SYN was.
            answer = before[0]
            before.insert(0, tcp_packet(answer.dst, answer.src, answer.dport, answer.sport, seq=answer.ack - 1, flags=SYN))
        found.append(Caught(f"{row['file']}:{row['cport']} {row['first_sni']}", tuple(before), resets))
    return found


@functools.cache
def packets_of(name: str) -> tuple[Packet, ...]:
    """Return the IP packets of a capture."""
    data = data_path(name).read_bytes()
    reader = open_capture(data)
    assert not isinstance(reader, Unparseable)
    packets = []
    for record in reader.records():
        span = ip_offset(record[2], data, record[3], record[4])
        packet = span if isinstance(span, Unparseable) else parse_packet(data, *span)
        if not isinstance(packet, Unparseable):
            packets.append(packet)
    return tuple(packets)


def masked(packet: Packet) -> bytes:
    """Return a packet as bytes without TTL, IP ID, window and checksums."""
    return serialise(msgspec.structs.replace(packet, ttl=0, ident=0, window=0, checksum=0, ip_checksum=0, raw=None, trailer=b""))


def forecast(one: Caught) -> list[tuple[str, Packet]]:
    """Return what the wall of the time injects toward the client into the same connection, by box."""
    run = load_wall("gfw", as_of="2025-03-24").start(Certain(0))
    client = one.before[0].src
    # The network near the client marks whatever comes from abroad: the server's own packets bear that mark too.
    (mark,) = {packet.tos for packet in (*one.before, *one.resets) if packet.src != client}
    effects = [
        effect
        for number, packet in enumerate(one.before)
        for effect in run.see(Instant(number), Side.INSIDE if packet.src == client else Side.OUTSIDE, packet)
    ]
    return [
        (effect.because.middlebox, msgspec.structs.replace(effect.packet, tos=mark))
        for effect in effects
        if isinstance(effect, Inject) and effect.toward is Side.INSIDE
    ]


def test_the_resets_in_captures_are_those_that_the_model_injects_into_the_same_connections() -> None:
    found = caught()
    assert (len(found), sum(len(one.resets) for one in found)) == (5, 15)
    for one in found:
        forged = forecast(one)
        assert sorted(map(masked, one.resets)) == sorted(masked(packet) for _, packet in forged), one.label


def strays_from(rule: Rule, value: int, window: int) -> int:
    """Return how far a field lies outside its box's law, in that box's units."""
    if rule.line is not None:
        intercept, slope, band = rule.line
        return max(0, abs(value - round(intercept + slope * window)) - band)
    low, high = rule.between if rule.between is not None else (rule.fixed or 0, rule.fixed or 0)
    return max(0, low - value, value - high)


@pytest.mark.parametrize(
    "field",
    [
        "window",
        "ident",
    ],
)  # fmt: skip
def test_what_was_masked_of_the_resets_in_captures_lies_in_the_law_of_their_box(field: str) -> None:
    """The TTL is not looked at: the captures were published with one and the same in all packets."""
    boxes = {box.id: box for box in load_wall("gfw", as_of="2025-03-24").boxes}
    strays = []
    for one in caught():
        forged = forecast(one)
        for reset in one.resets:
            (box,) = {box for box, packet in forged if masked(packet) == masked(reset)}
            template = boxes[box].reaction.inject[0]
            rule = template.window if field == "window" else template.ip_id
            strays.append((strays_from(rule, getattr(reset, field), reset.window), one.label, box))
    assert len(strays) == 15
    assert not [stray for stray in strays if stray[0]]
