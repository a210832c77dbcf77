"""What Crenel itself calls encrypted, and the days on which its bench measures: the boundaries of the rule out."""

import pytest

from crenel.atlas.compile import load_wall
from crenel.atlas.describe import bench_dates, encrypted_rule
from crenel.atlas.load import sources

HALF = 0b00001111
"""Four of eight bits are set, and it is no printable character: in the middle of what looks random."""


def is_encrypted(payload: bytes) -> bool:
    return bool(encrypted_rule().read(payload, (len(payload),), False).found)


@pytest.mark.parametrize(
    ("payload", "encrypted"),
    [
        (bytes([HALF]) * 100, True),
        (bytes(100), False),  # no bit set
        (b"\xff" * 100, False),  # every bit set
        (b"GET " + bytes([HALF]) * 100, False),
        (b"abcdef" + bytes([HALF]) * 100, False),  # six printable bytes at the start
        (b"abcde" + bytes([HALF]) * 100, True),  # five
        (bytes([HALF]) * 30 + b"a" * 20 + bytes([HALF]) * 60, True),  # a run of twenty printable bytes
        (bytes([HALF]) * 30 + b"a" * 21 + bytes([HALF]) * 60, False),  # a longer one
        (bytes([HALF, 0x61]) * 50, True),  # half of the bytes are printable, not more
        (bytes([HALF, 0x61]) * 50 + b"a", False),  # more than half
        (b"\x16\x03\x01" + bytes([HALF]) * 100, False),  # begins like TLS
        (b"\x16\x04\x01" + bytes([HALF]) * 100, True),
        (b"", False),
    ],
)  # fmt: skip
def test_the_rule_has_the_published_exemptions(payload: bytes, encrypted: bool) -> None:
    assert is_encrypted(payload) is encrypted


def test_the_density_of_bits_is_compared_in_whole_numbers() -> None:
    # 3.4 set bits a byte are 17 in 5 bytes: exempt up to and with that, and from 23 in 5 (4.6) on.
    def payload(bits: int, size: int) -> bytes:
        """Return so many set bits in so many bytes, none of which is printable."""
        low, high = b"\x00", b"\xff"
        full, rest = divmod(bits, 8)
        return high * full + bytes([0xFF << 8 - rest & 0xFF or 0]) + low * (size - full - 1)

    assert [is_encrypted(payload(bits, 50)) for bits in (170, 171, 229, 230)] == [False, True, True, False]


def test_the_rule_is_read_once() -> None:
    assert encrypted_rule() is encrypted_rule()


def test_the_bench_measures_on_days_that_the_default_wall_knows() -> None:
    assert len(bench_dates()) >= 2
    assert len(set(bench_dates())) == len(bench_dates())
    for day in bench_dates():
        assert load_wall(as_of=day).boxes


def test_what_the_rule_rests_on_is_known() -> None:
    assert "wu2023fully" in sources()
