"""Laws of a profile in, the numbers that forged packets take from them out: each way of coming by one, and what is no law."""

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.coins import KeyedCoins, Quantiles, ScriptedCoins, Uniform
from crenel.wall.law import Rule, compile_rule

WAYS: dict[str, Any] = {
    "fixed": 0, "between": (1, 2), "quantiles": ((0.0, 1.0), (1.0, 2.0)), "mirror": True, "counter": (1, 5, 1), "line": (0.0, 1.0, 0),
}
SIXTEEN = 1 << 16


def number(rule: Rule, *, modulus: int = SIXTEEN, seed: int = 0, scope: bytes = b"s", mirrored: int = 7, window: int = 0, copy: int = 0) -> int:
    return compile_rule(rule, "box", "field", modulus)(KeyedCoins(seed), scope, {}, mirrored, window, copy)


def count(rule: Rule, times: int, *, seed: int = 0, modulus: int = SIXTEEN) -> list[int]:
    counters: dict[str, int] = {}
    compute = compile_rule(rule, "box", "field", modulus)
    return [compute(KeyedCoins(seed), b"scope %d" % time, counters, 0, 0, 0) for time in range(times)]


@pytest.mark.parametrize("way", WAYS)
def test_one_way_is_a_law(way: str) -> None:
    assert Rule(**{way: WAYS[way]})


@pytest.mark.parametrize("ways", [(), *itertools.combinations(WAYS, 2), tuple(WAYS)])
def test_no_way_or_two_are_no_law(ways: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="exactly one of"):
        Rule(**{way: WAYS[way] for way in ways})


def test_a_fixed_zero_is_a_way_and_a_mirror_that_is_off_is_none() -> None:
    assert number(Rule(fixed=0, mirror=False)) == 0
    with pytest.raises(ValueError, match="exactly one of"):
        Rule(mirror=False)


@pytest.mark.parametrize(("key", "given", "allowed"), [("between", (3, 2), (3, 3)), ("counter", (3, 2, 1), (3, 3, 1))])
def test_an_empty_range_is_refused(key: str, given: Any, allowed: Any) -> None:
    with pytest.raises(ValueError, match="from 3 to 2 is empty"):
        Rule(**{key: given})
    assert number(Rule(**{key: allowed})) == 3


@pytest.mark.parametrize(
    "points",
    [
        (),
        ((0.0, 1.0),),
        ((0.1, 1.0), (1.0, 2.0)),
        ((0.0, 1.0), (0.9, 2.0)),
        ((0.0, 1.0), (1.1, 2.0)),
        ((0.0, 1.0), (0.5, 3.0), (1.0, 2.0)),
        ((0.0, 1.0), (0.5, 2.0), (0.5, 3.0), (1.0, 4.0)),
        ((1.0, 2.0), (0.0, 1.0)),
    ],
)
def test_quantiles_that_do_not_rise_from_0_to_1_are_refused(points: tuple[tuple[float, float], ...]) -> None:
    with pytest.raises(ValueError, match="quantiles rise from 0 to 1"):
        Rule(quantiles=points)


def test_values_of_quantiles_may_stay_the_same() -> None:
    assert number(Rule(quantiles=((0.0, 9.0), (0.5, 9.0), (1.0, 9.0)))) == 9


def test_a_band_of_no_width_is_the_narrowest() -> None:
    assert number(Rule(line=(1.0, 2.0, 0)), window=10) == 21
    with pytest.raises(ValueError, match="half width of 0 or more"):
        Rule(line=(1.0, 2.0, -1))


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (Rule(fixed=5), 5), (Rule(fixed=5, step=3), 11), (Rule(mirror=True), 7), (Rule(mirror=True, step=-1), 5), (Rule(between=(4, 4), step=2), 8),
        (Rule(quantiles=((0.0, 3.0), (1.0, 3.0)), step=2), 7), (Rule(line=(1.0, 0.0, 0), step=10), 21), (Rule(counter=(4, 4, 1), step=2), 8),
    ],
)
def test_the_third_copy_is_two_steps_on(rule: Rule, expected: int) -> None:
    assert number(rule, copy=2) == expected


@pytest.mark.parametrize(
    "rule", [Rule(fixed=255, step=1), Rule(between=(255, 255), step=1), Rule(line=(255.0, 0.0, 0), step=1), Rule(counter=(255, 255, 1), step=1)]
)
def test_a_step_past_the_widest_number_wraps(rule: Rule) -> None:
    """A number that no longer fits its field could not be written."""
    assert [number(rule, modulus=256, copy=copy) for copy in (0, 1, 2)] == [255, 0, 1]


def test_numbers_below_zero_wrap_too() -> None:
    assert number(Rule(fixed=0, step=-1), copy=1) == 65535
    assert number(Rule(line=(-10.0, 1.0, 0)), window=3) == SIXTEEN - 7


@given(low=st.integers(0, 65535), size=st.integers(0, 300), seed=st.integers(0, 1 << 30))
def test_a_drawn_number_lies_between_its_bounds(low: int, size: int, seed: int) -> None:
    high = min(low + size, 65535)
    assert low <= number(Rule(between=(low, high)), seed=seed) <= high


def test_every_number_between_the_bounds_is_drawn() -> None:
    assert {number(Rule(between=(3, 6)), seed=seed) for seed in range(100)} == {3, 4, 5, 6}


def test_a_draw_belongs_to_its_scope_and_its_field() -> None:
    rule = Rule(between=(0, 65535))
    assert number(rule, scope=b"one") == number(rule, scope=b"one") != number(rule, scope=b"two")
    drawn = {compile_rule(rule, box, field, SIXTEEN)(KeyedCoins(0), b"s", {}, 0, 0, 0) for box in "ab" for field in ("ttl", "window")}
    assert len(drawn) == 4


@given(
    steps=st.lists(st.tuples(st.floats(0.01, 1.0), st.floats(0.0, 1000.0)), min_size=1, max_size=6), low=st.floats(0.0, 100.0),
    asked=st.lists(st.floats(0.0, 1.0, exclude_max=True), min_size=2, max_size=20),
)
def test_quantiles_never_fall(steps: list[tuple[float, float]], low: float, asked: list[float]) -> None:
    total, at, value = sum(width for width, _ in steps), 0.0, low
    points = [(0.0, low)]
    for number_, (width, rise) in enumerate(steps, 1):
        at, value = (1.0 if number_ == len(steps) else at + width / total), value + rise
        points.append((at, value))
    law = Rule(quantiles=tuple(points)).law()
    assert isinstance(law, Quantiles)
    drawn = [law.at(quantile) for quantile in sorted(asked)]
    assert drawn == sorted(drawn)
    assert round(low) <= drawn[0] <= drawn[-1] <= round(value)


def test_a_quantile_between_two_points_lies_on_their_line() -> None:
    rule = Rule(quantiles=((0.0, 0.0), (0.25, 100.0), (1.0, 400.0)))
    assert compile_rule(rule, "box", "field", SIXTEEN)(ScriptedCoins(), b"", {}, 0, 0, 0) == 200  # the median


@given(seed=st.integers(0, 1 << 30), window=st.integers(0, 65535), band=st.integers(0, 50))
def test_a_number_on_a_line_stays_within_its_band(seed: int, window: int, band: int) -> None:
    value = number(Rule(line=(500.0, 0.5, band)), modulus=1 << 32, seed=seed, window=window)
    assert abs(value - round(500 + 0.5 * window)) <= band


def test_both_edges_of_a_band_are_reached() -> None:
    assert {number(Rule(line=(100.0, 0.0, 1)), seed=seed) for seed in range(60)} == {99, 100, 101}


@given(seed=st.integers(0, 1 << 30), low=st.integers(0, 300), size=st.integers(1, 40), up=st.integers(1, 50))
def test_a_counter_goes_up_and_round_within_its_bounds(seed: int, low: int, size: int, up: int) -> None:
    high = low + size - 1
    values = count(Rule(counter=(low, high, up)), 2 * size + 2, seed=seed)
    assert all(low <= value <= high for value in values)
    assert all((after - before - up) % size == 0 for before, after in itertools.pairwise(values))


def test_a_counter_starts_where_its_coin_says_and_wraps_to_its_first_number() -> None:
    assert {count(Rule(counter=(1, 3, 1)), 1, seed=seed)[0] for seed in range(60)} == {1, 2, 3}
    counters = {"field": 254}
    compute = compile_rule(Rule(counter=(1, 255, 1)), "box", "field", 256)
    assert [compute(KeyedCoins(0), b"", counters, 0, 0, 0) for _ in range(3)] == [255, 1, 2]


def test_two_fields_of_a_box_count_apart() -> None:
    counters: dict[str, int] = {}
    rule = Rule(counter=(0, 9, 1))
    ttl, window = (compile_rule(rule, "box", name, SIXTEEN) for name in ("ttl", "window"))
    first = [ttl(ScriptedCoins(), b"", counters, 0, 0, 0) for _ in range(3)]
    assert first == [5, 6, 7]
    assert window(ScriptedCoins(), b"", counters, 0, 0, 0) == 5
    assert counters == {"ttl": 7, "window": 5}


@pytest.mark.parametrize(
    ("rule", "varies"),
    [(Rule(fixed=1), False), (Rule(fixed=1, step=1), True), (Rule(between=(1, 9)), False), (Rule(counter=(1, 9, 1)), True), (Rule(mirror=True), False)],
)
def test_copies_differ_only_by_a_step_or_a_count(rule: Rule, varies: bool) -> None:
    assert rule.varies() is varies


def test_only_drawn_numbers_have_a_distribution() -> None:
    drawn = Rule(between=(1, 2)).law()
    assert isinstance(drawn, Uniform)
    assert (drawn.low, drawn.high) == (1, 2)
    assert [Rule(**{way: WAYS[way]}).law() for way in ("fixed", "mirror", "counter", "line")] == [None] * 4
