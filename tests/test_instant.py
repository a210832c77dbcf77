"""Durations in seconds become whole nanoseconds: exact where a float is, nearest where it is not, and in the same order."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.instant import NANOSECONDS, Instant, seconds

DAYS_30 = 30 * 86400


@pytest.mark.parametrize(
    ("amount", "expected"),
    [(0, 0), (1, 1_000_000_000), (0.5, 500_000_000), (180, 180_000_000_000), (1e-9, 1), (4e-10, 0), (6e-10, 1), (-1.5, -1_500_000_000)],
)
def test_seconds_by_example(amount: float, expected: int) -> None:
    assert seconds(amount) == expected


@given(st.integers(-DAYS_30, DAYS_30))
def test_whole_seconds_are_exact(amount: int) -> None:
    assert seconds(amount) == amount * NANOSECONDS


@given(st.integers(0, NANOSECONDS * 3600))
def test_nanoseconds_within_an_hour_survive_the_way_through_a_float(nanoseconds: int) -> None:
    assert seconds(nanoseconds / NANOSECONDS) == nanoseconds


@given(st.floats(-DAYS_30, DAYS_30), st.floats(-DAYS_30, DAYS_30))
def test_order_is_kept_and_the_result_is_an_int(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert seconds(low) <= seconds(high)
    assert type(seconds(low)) is int


@pytest.mark.parametrize("amount", [math.inf, math.nan])
def test_no_instant_stands_for_never(amount: float) -> None:
    with pytest.raises((OverflowError, ValueError)):
        seconds(amount)


def test_an_instant_is_a_plain_integer() -> None:
    assert Instant(5) + seconds(2) == 2_000_000_005
    assert type(Instant(5)) is int
