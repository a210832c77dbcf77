"""The exemptions that are told are those by which the rule lets a payload pass."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.atlas.describe import encrypted_rule
from crenel.report.exemptions import exemptions

RULE = encrypted_rule()
NOISE = random.Random(1).randbytes(300)


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (b"abcdef" + NOISE, "the first 6 bytes are printable"),
        (bytes(300), "0.000 bits set in a byte, at most 3.4"),
        (b"\xff" * 300, "8.000 bits set in a byte, at least 4.6"),
        (NOISE[:100] + b"\x80" + b"z" * 21 + b"\x80" + NOISE[100:], "21 printable bytes in a row, more than 20"),
        (b"GET " + NOISE, "it begins with 'GET '"),
        (b"\x16\x03\x01" + NOISE, "it begins as the rule lets pass"),
        (b"\x80" + b"k5" * 9 + b"\x80" + b"k5" * 9, "36 of 38 bytes are printable, more than 1 in 2"),
    ],
)
def test_an_exemption_is_told_with_its_numbers(payload: bytes, said: str) -> None:
    assert said in exemptions(RULE, payload)


def test_what_triggers_has_no_exemption() -> None:
    assert exemptions(RULE, NOISE) == []
    assert exemptions(RULE, b"") == []


@given(st.binary(max_size=200))
def test_exemptions_hold_exactly_where_the_rule_lets_pass(payload: bytes) -> None:
    found = bool(payload and RULE.read(payload, (len(payload),), False).found)
    assert bool(exemptions(RULE, payload)) == bool(payload and not found)
