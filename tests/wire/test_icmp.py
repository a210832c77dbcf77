"""ICMP messages: every field in its place, the checksum with and without a pseudo-header."""

from crenel.wire.checksum import ones_sum
from crenel.wire.icmp import read_icmp, write_icmp
from crenel.wire.packet import ICMP, Packet

DATA = bytes.fromhex("0304 5555 66667777") + b"quoted"


def test_every_field_in_its_place() -> None:
    assert read_icmp(b"--" + DATA + b"--", 2, 16) == (
        0, 0, 0, 0, 0, 0, b"quoted", 0, b"", None, 0, 0x5555, None, 3, 4, 0x66667777, False,
    )  # fmt: skip


def test_a_stated_checksum_is_written() -> None:
    packet = Packet(4, bytes(4), bytes(4), ICMP, icmp_type=3, icmp_code=4, icmp_rest=0x66667777, payload=b"quoted", checksum=0x5555)
    assert write_icmp(packet, 0) == DATA


def test_a_computed_checksum_makes_the_sum_all_ones() -> None:
    packet = Packet(4, bytes(4), bytes(4), ICMP, icmp_type=8, icmp_rest=9, payload=b"odd")
    for pseudo in (0, 12345):
        assert ones_sum(write_icmp(packet, pseudo) + b"\0", pseudo) == 0xFFFF
