"""TCP segments: every field in its place, and data offsets that lie."""

import pytest

from crenel.wire.packet import TCP, Packet
from crenel.wire.tcp import read_tcp, write_tcp

HEADER = bytes.fromhex("1111 2222 33333333 44444444 5fff 5555 6666 7777")
OPTIONS, PAYLOAD = bytes(range(12)), b"payload"


def with_offset(words: int) -> bytes:
    return HEADER[:12] + bytes((words << 4 | 0xF,)) + HEADER[13:] + OPTIONS + PAYLOAD


def test_every_field_in_its_place() -> None:
    assert read_tcp(b"--" + HEADER + b"x--", 2, 23) == (
        0x1111, 0x2222, 0x33333333, 0x44444444, 0xFF, 0x5555, b"x", 0x7777, b"", None, 0xF, 0x6666, None, 0, 0, 0, False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("words", "options", "payload", "stated"),
    [
        (8, OPTIONS, PAYLOAD, None),
        (5, b"", OPTIONS + PAYLOAD, None),
        (6, OPTIONS[:4], OPTIONS[4:] + PAYLOAD, None),
        (0, b"", OPTIONS + PAYLOAD, 0),
        (4, b"", OPTIONS + PAYLOAD, 4),
        (9, OPTIONS + PAYLOAD[:4], PAYLOAD[4:], None),
        (10, OPTIONS + PAYLOAD, b"", 10),
        (15, OPTIONS + PAYLOAD, b"", 15),
    ],
)
def test_data_offset(words: int, options: bytes, payload: bytes, stated: int | None) -> None:
    segment = with_offset(words)
    fields = read_tcp(segment, 0, len(segment))
    assert (fields[8], fields[6], fields[9]) == (options, payload, stated)


def test_the_checksum_is_computed_only_where_none_is_stated() -> None:
    packet = Packet(4, bytes(4), bytes(4), TCP, 1, 2, payload=b"\x00\x01")
    assert write_tcp(packet, 0)[16:18] == (0xFFFF - (1 + 2 + 0x5000 + 1)).to_bytes(2, "big")
    assert write_tcp(Packet(4, bytes(4), bytes(4), TCP, checksum=7), 0)[16:18] == b"\0\7"


def test_options_that_are_no_whole_words_claim_the_next_word() -> None:
    segment = write_tcp(Packet(4, bytes(4), bytes(4), TCP, options=b"\x01\x01", payload=b"abc"), 0)
    assert (segment[12] >> 4, segment[20:]) == (6, b"\x01\x01abc")
