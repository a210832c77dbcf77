"""UDP datagrams: lengths that lie, what a host delivers, and the checksum that must not be zero."""

import pytest

from crenel.wire.checksum import internet_checksum
from crenel.wire.packet import UDP, Packet, udp_packet
from crenel.wire.udp import covered, delivered, read_udp, write_udp

A, B = bytes((192, 0, 2, 1)), bytes((192, 0, 2, 2))


def test_every_field_in_its_place() -> None:
    data = bytes.fromhex("1111 2222 000b 4444") + b"abc"
    assert read_udp(b"--" + data + b"--", 2, 13) == (0x1111, 0x2222, 0, 0, 0, 0, b"abc", 0, b"", None, 0, 0x4444, None, 0, 0, 0, False)


@pytest.mark.parametrize(
    ("length", "to_host", "summed"),
    [(None, b"abcdef", 14), (0, b"abcdef", 14), (7, b"abcdef", 14), (8, b"", 8), (11, b"abc", 11), (14, b"abcdef", 14), (99, b"abcdef", 14)],
)
def test_length(length: int | None, to_host: bytes, summed: int) -> None:
    packet = Packet(4, A, B, UDP, 1, 2, payload=b"abcdef", udp_length=length)
    assert (delivered(packet), covered(packet)) == (to_host, summed)
    data = write_udp(packet, 0)
    assert int.from_bytes(data[4:6], "big") == (14 if length is None else length)
    assert read_udp(data, 0, len(data))[12] == (None if length == 14 else length)


def test_a_checksum_of_zero_is_sent_as_all_ones() -> None:
    packet = udp_packet(A, B, 0, 0, b"")
    rest = 0xFFFF - 8
    assert internet_checksum(bytes(4) + b"\0\x08", rest) == 0
    assert write_udp(packet, rest)[6:8] == b"\xff\xff"


def test_no_checksum_can_be_asked_for() -> None:
    assert write_udp(Packet(4, A, B, UDP, checksum=0), 5)[6:8] == b"\0\0"
