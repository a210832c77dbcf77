"""Sizes and times in, what a token bucket lets through out."""

import pytest

from crenel.instant import Instant, seconds
from crenel.net.path.bucket import Bucket, size_of
from crenel.wire.ip import serialise
from crenel.wire.packet import IP_MF, Packet, tcp_packet, udp_packet

A, B = bytes((192, 0, 2, 1)), bytes((192, 0, 2, 2))


def test_a_burst_goes_through_and_then_so_much_a_second() -> None:
    bucket = Bucket(100, 250, Instant(0))
    assert [bucket.admits(Instant(0), 100) for _ in range(4)] == [True, True, False, False]
    assert bucket.admits(Instant(0), 50)
    assert not bucket.admits(Instant(seconds(1) - 1), 100)
    assert bucket.admits(Instant(seconds(1)), 100)


def test_it_never_holds_more_than_its_burst() -> None:
    bucket = Bucket(1000, 100, Instant(0))
    assert not bucket.admits(Instant(seconds(3600)), 101)
    assert bucket.admits(Instant(seconds(3600)), 100)


def test_over_a_long_time_exactly_the_rate_goes_through() -> None:
    bucket = Bucket(1000, 100, Instant(0))
    admitted = sum(bucket.admits(Instant(tick * seconds(0.01)), 50) for tick in range(1, 10_001))
    assert admitted * 50 == pytest.approx(100 * 1000, rel=0.01)


@pytest.mark.parametrize(
    "packet",
    [
        tcp_packet(A, B, 1, 2, payload=b"abc", options=b"\x01" * 4),
        udp_packet(A, B, 1, 2, b"abc"),
        tcp_packet(bytes(16), bytes(15) + b"\1", 1, 2, payload=b"abc"),
        Packet(4, A, B, 47, payload=b"abc"),
        Packet(4, A, B, 6, payload=b"abcdefgh", frag_offset=8, ip_flags=IP_MF),
        Packet(4, A, B, 1, payload=b"abc", icmp_type=8),
    ],
)
def test_the_size_is_that_on_the_wire(packet: Packet) -> None:
    assert size_of(packet) == len(serialise(packet))
