"""Moments are told in UTC and by the wall's clock; absurd ones stay numbers."""

import pytest

from crenel.report.clock import moment_words


def test_a_moment_by_two_clocks() -> None:
    assert moment_words("1700000000.123456789", 8) == "2023-11-14 22:13:20.123456 UTC, 06:13 by the wall's clock"
    assert moment_words("0.000000000", 0) == "1970-01-01 00:00:00.000000 UTC, 00:00 by the wall's clock"


@pytest.mark.parametrize("seconds", ["999999999999999.000000000", "-99999999999999.000000000"])
def test_a_moment_beyond_all_calendars(seconds: str) -> None:
    assert moment_words(seconds, 8) == f"{seconds} s after the beginning of 1970"
