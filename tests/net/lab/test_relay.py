"""The loop between two devices, here pairs of sockets: what comes in where, when it comes out, and what stops the loop."""

import os
import socket
import threading
import time
from collections.abc import Iterator

import msgspec
import pytest

from crenel.coins import KeyedCoins
from crenel.instant import Instant
from crenel.net.lab.pace import Pace
from crenel.net.lab.relay import Relay
from crenel.net.path.path import End
from crenel.net.path.route import Link, Route
from crenel.wire.ip import parse_packet, serialise
from crenel.wire.packet import Packet, udp_packet
from tests.net.lab.machine import NEAR, OPEN

CLIENT, OTHER = bytes((192, 0, 2, 2)), bytes((203, 0, 113, 9))
START = Instant(1_600_000_000_000_000_000)
SAID = udp_packet(CLIENT, OTHER, 4000, 5000, b"said", ttl=64)
ANSWERED = udp_packet(OTHER, CLIENT, 5000, 4000, b"answered", ttl=64)


class Bed:
    """A relay with this process in the place of both kernels."""

    def __init__(self, route: Route, pace: Pace = Pace.REAL) -> None:
        (self.client, ours), (self.server, theirs) = (socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in range(2))
        self.held = ours, theirs
        self.broken = threading.Event()
        for one in self.held:
            one.setblocking(False)
        for one in (self.client, self.server):
            one.settimeout(2)
        self.relay = Relay((ours.fileno(), theirs.fileno()), route, KeyedCoins(0), START, pace, self.broken.set)
        self.relay.start()

    def close(self) -> None:
        self.relay.stop()
        for one in (*self.held, self.client, self.server):
            one.close()


@pytest.fixture
def beds() -> Iterator[list[Bed]]:
    made: list[Bed] = []
    yield made
    for bed in made:
        bed.close()


def received(end: socket.socket) -> Packet:
    packet = parse_packet(end.recv(65536))
    assert isinstance(packet, Packet)
    return packet


@pytest.mark.parametrize(
    "route", [NEAR, Route((Link(2, 1000), Link(3, 0)), (OPEN,)), Route((Link(5, 0),), ())], ids=["short cut", "delay", "no wall"]
)
def test_packets_cross_both_ways_and_lose_ttl(beds: list[Bed], route: Route) -> None:
    beds.append(bed := Bed(route))
    for _ in range(3):
        bed.client.send(serialise(SAID))
        bed.server.send(serialise(ANSWERED))
        said, answered = received(bed.server), received(bed.client)
        assert (said.payload, said.ttl, answered.payload, answered.ttl) == (b"said", 59, b"answered", 59)
    bed.relay.stop()
    trace, _ = bed.relay.tell()
    assert {event.what for event in trace} <= {"sent", "passed", "arrived"}
    assert sum(event.what == "arrived" for event in trace) == 6
    assert bed.relay.counts.packets == 6
    assert bed.relay.counts.bytes == 3 * (len(serialise(SAID)) + len(serialise(ANSWERED)))


def test_a_delay_is_kept_to_less_than_a_millisecond(beds: list[Bed]) -> None:
    beds.append(bed := Bed(Route((Link(2, 3_300_000), Link(3, 4_100_000)), (OPEN,))))
    late = []
    for _ in range(10):
        sent = time.monotonic_ns()
        bed.client.send(serialise(SAID))
        bed.server.recv(65536)
        late.append(time.monotonic_ns() - sent - 7_400_000)
    assert min(late) >= 0
    assert min(late) < 900_000


def test_a_still_pace_spends_no_delay(beds: list[Bed]) -> None:
    beds.append(bed := Bed(Route((Link(2, 10**10), Link(3, 10**10)), (OPEN,)), Pace.STILL))
    bed.client.send(serialise(SAID))
    assert received(bed.server).ttl == 59


def test_what_dies_on_the_way_is_answered(beds: list[Bed]) -> None:
    beds.append(bed := Bed(NEAR))
    bed.client.send(serialise(udp_packet(CLIENT, OTHER, 4000, 5000, b"said", ttl=3)))
    answer = received(bed.client)
    assert (answer.proto, answer.icmp_type, answer.dst) == (1, 11, CLIENT)
    assert bed.relay.path.trace[-1].what == "arrived"


@pytest.mark.parametrize(
    ("data", "counted"),
    [(b"\x00" * 30, "unreadable"), (b"\x45", "unreadable"), (serialise(udp_packet(CLIENT, bytes((224, 0, 0, 251)), 1, 2, b"")), "on_link")],
)
def test_what_no_router_carries_is_counted(beds: list[Bed], data: bytes, counted: str) -> None:
    beds.append(bed := Bed(NEAR))
    bed.client.send(data)
    bed.client.send(serialise(SAID))
    assert received(bed.server).payload == b"said"
    assert getattr(bed.relay.counts, counted) == 1


def test_a_thousand_packets_keep_their_order(beds: list[Bed]) -> None:
    for route in (NEAR, Route((Link(2, 500_000), Link(3, 0)), (OPEN,))):
        beds.append(bed := Bed(route))
        found = []
        for first in range(0, 1000, 50):
            for number in range(first, first + 50):
                bed.client.send(serialise(udp_packet(CLIENT, OTHER, 4000, 5000, b"%d" % number)))
            found += [received(bed.server).payload for _ in range(50)]
        assert found == [b"%d" % number for number in range(1000)]


def test_what_was_due_before_a_packet_came_comes_before_it(beds: list[Bed]) -> None:
    beds.append(bed := Bed(NEAR))
    bed.relay.stop()
    # Two packets let a flow be known, so that the third needs no showing.
    for payload in (b"first", b"second"):
        bed.client.send(serialise(udp_packet(CLIENT, OTHER, 4000, 5000, payload)))
    bed.relay._drain(End.CLIENT)
    assert [received(bed.server).payload for _ in range(2)] == [b"first", b"second"]
    bed.relay.path.send(bed.relay.now(), End.CLIENT, msgspec.structs.replace(SAID, payload=b"due"))
    bed.client.send(serialise(SAID))
    bed.relay._drain(End.CLIENT)
    assert [received(bed.server).payload for _ in range(2)] == [b"due", b"said"]


def test_a_wall_that_fails_stops_the_relay_and_says_why(beds: list[Bed], monkeypatch: pytest.MonkeyPatch) -> None:
    beds.append(bed := Bed(NEAR))

    def fail(*_: object) -> None:
        raise ZeroDivisionError("made up")

    monkeypatch.setattr(bed.relay._shortcut, "show", fail)
    bed.client.send(serialise(SAID))
    assert bed.broken.wait(5)
    assert isinstance(bed.relay.problem, ZeroDivisionError)


def test_the_clock_of_the_wall_begins_where_it_is_told(beds: list[Bed]) -> None:
    beds.append(bed := Bed(NEAR))
    assert 0 <= bed.relay.now() - START < 10**9
    bed.client.send(serialise(SAID))
    received(bed.server)
    (first, *_), _ = bed.relay.tell()
    assert 0 <= first.time < 10**9


def test_stopping_gives_descriptors_back() -> None:
    before = sorted(os.listdir("/proc/self/fd"))  # noqa: PTH208
    bed = Bed(NEAR)
    bed.close()
    bed.relay.stop()
    assert sorted(os.listdir("/proc/self/fd")) == before  # noqa: PTH208
