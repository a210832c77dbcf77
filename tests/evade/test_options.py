"""TCP options found, overwritten and appended."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.evade.options import option_body, with_option
from tests.evade.acting import STAMP, SYN_OPTIONS


def test_options_are_found_between_others() -> None:
    assert option_body(SYN_OPTIONS, 3) == b"\x07"
    assert option_body(SYN_OPTIONS, 4) == b""
    assert option_body(STAMP, 8) == bytes(range(8))
    assert option_body(STAMP, 3) is None


@pytest.mark.parametrize(
    ("before", "kind", "body", "after"),
    [
        (b"", 3, b"\x01", b"\x03\x03\x01\x00"),
        (STAMP, 4, b"", STAMP + b"\x04\x02\x00\x00"),
        (b"\x03\x03\x01\x00", 3, b"\x09", b"\x03\x03\x09\x00"),
        (b"\x01\x03\x03\x01", 1, b"", b"\x01\x03\x03\x01"),
        (b"\x03\x03\x01\x00", 2, b"\x05\xb4", b"\x03\x03\x01\x00\x02\x04\x05\xb4"),
        (b"\x03\x09\x01\x00", 4, b"", b"\x03\x09\x01\x00\x04\x02\x00\x00"),
        (b"\x03", 4, b"", b"\x03\x04\x02\x00"),
        (b"", 0, b"", b"\x00" * 4),
    ],
)
def test_what_is_set_stands_there(before: bytes, kind: int, body: bytes, after: bytes) -> None:
    assert with_option(before, kind, body) == after


@given(st.binary(max_size=40), st.integers(2, 255), st.binary(max_size=20))
def test_any_options_take_another_or_are_too_long(before: bytes, kind: int, body: bytes) -> None:
    after = with_option(before, kind, body)
    if after is None:
        assert len(before) + 2 + len(body) > 36
        return
    assert len(after) % 4 == 0
    assert len(after) <= 40
    assert bytes((kind, 2 + len(body))) + body in after


def test_forty_bytes_are_the_most() -> None:
    assert with_option(b"\x01" * 38, 4, b"") is not None
    assert with_option(b"\x01" * 39, 4, b"") is None
    assert with_option(b"", 19, bytes(300)) is None
