"""Coins repeat, spread evenly, keep to certainties and to their scripts; and all ways in which they can fall add up to 1."""

from __future__ import annotations

import itertools
import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.coins import Coins, EnumeratingCoins, Enumeration, Fall, KeyedCoins, Law, Leaf, Quantiles, ScriptedCoins, Uniform, enumerate_trials

SCOPE = b"192.0.2.1:40000>198.51.100.2:443"
MILLISECONDS = Uniform(1, 9)

names = st.sampled_from(["miss", "copies", "resync"])
scopes = st.binary(max_size=4)
quantiles = st.floats(0, 1, exclude_max=True)


def scope(number: int) -> bytes:
    return number.to_bytes(4, "big")


# --- keyed


@given(st.integers(), st.integers(0, 1 << 32), scopes, names, st.floats(0, 1), st.integers(1, 1000))
def test_the_same_key_gives_the_same_outcome_whatever_was_asked_before(seed: int, trial: int, where: bytes, name: str, p: float, n: int) -> None:
    one, other = KeyedCoins(seed, trial), KeyedCoins(seed, trial)
    other.toss("elsewhere", b"", name, 0.5)
    other.pick("box", where, "other", 5)
    assert one.toss("box", where, name, p) == other.toss("box", where, name, p)
    assert one.pick("box", where, name, n) == other.pick("box", where, name, n)
    assert one.draw("box", where, name, MILLISECONDS) == other.draw("box", where, name, MILLISECONDS)


def test_outcomes_are_the_same_on_every_machine_and_in_every_release() -> None:
    coins = KeyedCoins(7)
    assert [coins.pick("fet", scope(number), "miss", 1000) for number in range(6)] == [250, 289, 853, 116, 64, 322]


@pytest.mark.parametrize("vary", ["seed", "trial", "box", "scope", "name"])
def test_every_part_of_the_key_matters(vary: str) -> None:
    def outcomes(number: int) -> list[int]:
        value = {"seed": 0, "trial": 0, "box": 0, "scope": 0, "name": 0} | {vary: number}
        coins = KeyedCoins(value["seed"], value["trial"])
        return [coins.pick(f"box{value['box']}", scope(value["scope"]) + scope(flow), f"name{value['name']}", 1 << 30) for flow in range(8)]

    seen = [tuple(outcomes(number)) for number in range(20)]
    assert len(set(seen)) == 20
    assert len({outcome for row in seen for outcome in row}) == 160


@pytest.mark.parametrize("p", [0.03, 0.26, 0.5, 0.893])
def test_tosses_come_up_as_often_as_they_should(p: float) -> None:
    coins, trials = KeyedCoins(1), 20_000
    heads = sum(coins.toss("box", scope(number), "miss", p) for number in range(trials))
    # Five standard deviations; the seed is fixed, so this passes always or never.
    assert abs(heads - trials * p) < 5 * math.sqrt(trials * p * (1 - p))


def test_picks_are_roughly_uniform() -> None:
    coins, sides, trials = KeyedCoins(2), 10, 20_000
    counts = Counter(coins.pick("box", scope(number), "copies", sides) for number in range(trials))
    assert set(counts) == set(range(sides))
    expected = trials / sides
    # 0.001 quantile of chi square with 9 degrees of freedom.
    assert sum((count - expected) ** 2 / expected for count in counts.values()) < 27.9


def test_trials_are_independent_of_each_other() -> None:
    pairs = Counter((KeyedCoins(3, trial).toss("a", b"", "x", 0.5), KeyedCoins(3, trial + 1).toss("a", b"", "x", 0.5)) for trial in range(4000))
    assert all(abs(count - 1000) < 5 * math.sqrt(4000 * 0.25 * 0.75) for count in pairs.values())


@given(st.integers(), scopes, names)
def test_certainties_are_certain(seed: int, where: bytes, name: str) -> None:
    for coins in (KeyedCoins(seed), ScriptedCoins(otherwise=False), ScriptedCoins({"miss": True}), EnumeratingCoins()):
        assert coins.toss("box", where, name, 1.0) is True
        assert coins.toss("box", where, name, 1.5) is True
        assert coins.toss("box", where, name, 0.0) is False
        assert coins.toss("box", where, name, -0.5) is False
        assert coins.pick("box", where, name, 1) == 0


@given(st.integers(), scopes, st.integers(1, 1 << 70))
def test_a_pick_is_in_range(seed: int, where: bytes, n: int) -> None:
    for coins in (KeyedCoins(seed), ScriptedCoins(picks={"copies": n + 3}), EnumeratingCoins()):
        assert 0 <= coins.pick("box", where, "copies", n) < n


@given(st.integers(), scopes, st.floats(0, 1), st.floats(0, 1))
def test_what_happens_at_a_low_probability_happens_at_a_higher_one(seed: int, where: bytes, one: float, other: float) -> None:
    coins, (low, high) = KeyedCoins(seed), sorted((one, other))
    assert coins.toss("box", where, "miss", low) <= coins.toss("box", where, "miss", high)


# --- scripted


def test_a_script_names_a_coin_or_a_coin_of_one_box() -> None:
    coins = ScriptedCoins({"miss": False, "dns-1/miss": True}, {"copies": 2, "dns-1/copies": 1}, otherwise=True)
    assert [coins.toss(box, SCOPE, "miss", 0.5) for box in ("dns-1", "dns-2")] == [True, False]
    assert [coins.pick(box, SCOPE, "copies", 3) for box in ("dns-1", "dns-2")] == [1, 2]
    assert coins.toss("dns-1", SCOPE, "resync", 0.001) is True
    assert coins.pick("dns-1", SCOPE, "order", 3) == 0
    assert coins.draw("dns-1", SCOPE, "delay", MILLISECONDS) == 5


def test_what_is_not_in_the_script_falls_as_told() -> None:
    assert ScriptedCoins(otherwise=False).toss("box", SCOPE, "miss", 0.999) is False


# --- laws


@given(st.integers(-(1 << 40), 1 << 40), st.integers(0, 1 << 40), quantiles, quantiles)
def test_uniform_rises_and_stays_in_range(low: int, width: int, one: float, other: float) -> None:
    law, (early, late) = Uniform(low, low + width), sorted((one, other))
    assert low <= law.at(early) <= law.at(late) <= low + width
    assert law.at(0.0) == low
    assert law.at(math.nextafter(1.0, 0.0)) == low + width


def test_uniform_gives_each_number_the_same_share() -> None:
    counts = Counter(Uniform(-2, 2).at((number + 0.5) / 1000) for number in range(1000))
    assert counts == dict.fromkeys(range(-2, 3), 200)


@st.composite
def quantile_laws(draw: st.DrawFn) -> Quantiles:
    inner = sorted(draw(st.sets(st.floats(0.01, 0.99), max_size=5)))
    places = [0.0, *inner, 1.0]
    values = sorted(draw(st.lists(st.integers(-(1 << 30), 1 << 30), min_size=len(places), max_size=len(places))))
    return Quantiles(list(zip(places, values, strict=True)))


@given(quantile_laws(), quantiles, quantiles)
def test_quantiles_rise_and_stay_in_range(law: Quantiles, one: float, other: float) -> None:
    early, late = sorted((one, other))
    assert law.points[0][1] <= law.at(early) <= law.at(late) <= law.points[-1][1]
    assert law.at(1.0) == law.points[-1][1]


@given(quantile_laws())
def test_quantiles_pass_through_their_points(law: Quantiles) -> None:
    for quantile, value in law.points:
        assert law.at(quantile) == value


def test_quantiles_lie_on_straight_lines() -> None:
    law = Quantiles([(0, 10), (0.5, 20), (1, 100)])
    assert [law.at(quantile) for quantile in (0, 0.25, 0.5, 0.75, 0.875)] == [10, 15, 20, 60, 80]


def test_draws_follow_their_law() -> None:
    coins, law, trials = KeyedCoins(4), Quantiles([(0, 0), (0.9, 100), (1, 1000)]), 5000
    below = sum(coins.draw("box", scope(number), "delay", law) < 100 for number in range(trials))
    assert abs(below - 0.9 * trials) < 5 * math.sqrt(trials * 0.9 * 0.1)


# --- enumerating


def test_one_toss_has_two_leaves() -> None:
    every = enumerate_trials(lambda coins: coins.toss("fet", SCOPE, "miss", 0.26))
    assert [leaf.result for leaf in every.leaves] == [True, False]
    assert [leaf.probability for leaf in every.leaves] == pytest.approx([0.26, 0.74])
    assert every.leaves[0].path == (Fall("fet", SCOPE, "miss", outcome=True),)
    assert [leaf.monomial for leaf in every.leaves] == [(("fet/miss", True),), (("fet/miss", False),)]
    assert (every.complete, every.held, every.coins) == (True, (), (("fet/miss", 0.26),))


def test_a_trial_without_chance_has_one_leaf() -> None:
    every = enumerate_trials(lambda coins: (coins.toss("a", b"", "x", 1.0), coins.toss("a", b"", "y", 0.0), coins.pick("a", b"", "z", 1)))
    assert every == Enumeration((Leaf(1.0, (), (True, False, 0)),), complete=True, coins=(), held=())


def three_tries(coins: Coins) -> bool:
    """Return whether one of three queries gets through: a miss shared by all tries, a resynchronisation tossed in each."""
    if coins.toss("dns-1", b"pair", "miss", 0.03):
        return True
    return any(coins.toss("dns-1", scope(attempt), "resync", 0.5) for attempt in range(3))


def test_coins_of_an_event_are_tossed_anew_and_coins_of_a_pair_once() -> None:
    every = enumerate_trials(three_tries)
    assert every.chance(lambda through: through) == pytest.approx(0.03 + 0.97 * 0.875, abs=1e-15)
    assert len(every.leaves) == 5
    assert every.leaves[-1].monomial == (("dns-1/miss", False), *[("dns-1/resync", False)] * 3)
    assert every.coins == (("dns-1/miss", 0.03), ("dns-1/resync", 0.5))


def test_order_is_depth_first_true_before_false_and_low_before_high() -> None:
    def run(coins: Coins) -> tuple[object, ...]:
        return coins.toss("b", b"", "toss", 0.1), coins.pick("b", b"", "pick", 3)

    every = enumerate_trials(run)
    assert [leaf.result for leaf in every.leaves] == list(itertools.product((True, False), range(3)))
    assert every == enumerate_trials(run)
    assert every.coins == (("b/toss", 0.1), ("b/pick", 1 / 3))


def test_the_same_coin_falls_the_same_way_within_a_trial() -> None:
    def run(coins: Coins) -> bool:
        tosses = {coins.toss("b", SCOPE, "x", 0.4), coins.toss("b", SCOPE, "x", 0.4), coins.toss("b", SCOPE, "x", 0.9)}
        picks = {coins.pick("b", SCOPE, "x", 3), coins.pick("b", SCOPE, "x", 3)}
        return len(tosses) == len(picks) == 1

    every = enumerate_trials(run)
    assert [leaf.result for leaf in every.leaves] == [True] * 6
    assert every.chance(bool) == pytest.approx(1)


def test_a_toss_is_no_pick_of_two_and_picks_differ_by_their_sides() -> None:
    def run(coins: Coins) -> tuple[bool, int, int]:
        return coins.toss("b", b"", "x", 0.5), coins.pick("b", b"", "x", 2), coins.pick("b", b"", "x", 5)

    assert len({leaf.result for leaf in enumerate_trials(run).leaves}) == 20


def test_draws_are_held_at_the_median_and_named() -> None:
    class Odd:
        def at(self, quantile: float) -> int:
            return round(quantile * 1000)

    laws: list[Law] = [MILLISECONDS, Odd()]

    def run(coins: Coins) -> list[int]:
        again = coins.draw("b", b"2", "delay", laws[0]) if coins.toss("b", b"", "x", 0.5) else coins.draw("b", b"", "ttl", laws[1])
        return [coins.draw("b", b"1", "delay", laws[0]), again]

    every = enumerate_trials(run)
    assert [leaf.result for leaf in every.leaves] == [[5, 5], [5, 500]]
    assert every.held == ("b/delay", "b/ttl")
    assert all(fall.name == "x" for leaf in every.leaves for fall in leaf.path)


@pytest.mark.parametrize(("cap", "leaves", "complete"), [(7, 7, False), (8, 8, True), (9, 8, True), (1, 1, False), (0, 1, False)])
def test_the_cap_is_kept_and_told(cap: int, leaves: int, complete: bool) -> None:
    every = enumerate_trials(lambda coins: [coins.toss("b", scope(number), "x", 0.5) for number in range(3)], cap=cap)
    assert (len(every.leaves), every.complete) == (leaves, complete)
    assert every.chance(lambda _result: True) == pytest.approx(leaves / 8)


questions = st.tuples(names, st.integers(0, 2), st.floats(0, 1), st.integers(0, 4))
"""Name, scope, probability of a toss, sides of a pick (0: it is a toss)."""


def play(coins: Coins, asked: list[tuple[str, int, float, int]], stop: int) -> tuple[bool | int, ...]:
    """Ask in turn; a number equal to `stop` ends the trial early, so that paths differ in length."""
    said: list[bool | int] = []
    for name, where, p, sides in asked:
        said.append(coins.pick("b", scope(where), name, sides) if sides else coins.toss("b", scope(where), name, p))
        if said[-1] == stop:
            break
    return tuple(said)


@given(st.lists(questions, max_size=6), st.integers(0, 3))
def test_all_leaves_differ_and_their_probabilities_sum_to_one(asked: list[tuple[str, int, float, int]], stop: int) -> None:
    every = enumerate_trials(lambda coins: play(coins, asked, stop))
    assert every.complete
    assert math.fsum(leaf.probability for leaf in every.leaves) == pytest.approx(1, abs=1e-12)
    assert len({leaf.path for leaf in every.leaves}) == len(every.leaves)
    assert all(0 < leaf.probability <= 1 for leaf in every.leaves)


@given(st.lists(questions, max_size=6), st.integers(0, 3))
def test_every_leaf_can_be_replayed_and_its_probability_is_the_product_of_its_coins(asked: list[tuple[str, int, float, int]], stop: int) -> None:
    for leaf in enumerate_trials(lambda coins: play(coins, asked, stop)).leaves:
        coins = EnumeratingCoins(leaf.path)
        assert play(coins, asked, stop) == leaf.result
        assert tuple(coins.falls) == leaf.path
        assert math.prod(coins.chances) == leaf.probability
        assert [label for label, _outcome in leaf.monomial] == [f"b/{fall.name}" for fall in leaf.path]


def test_exact_rates_are_what_sampling_comes_near_to() -> None:
    exact = enumerate_trials(three_tries).chance(bool)
    sampled = sum(three_tries(KeyedCoins(5, trial)) for trial in range(5000)) / 5000
    assert abs(sampled - exact) < 5 * math.sqrt(exact * (1 - exact) / 5000)


def test_a_trial_that_depends_on_more_than_its_coins_is_told_so() -> None:
    turns = itertools.count()
    with pytest.raises(RuntimeError, match=r"asked for b/1 where it asked for b/0 before"):
        enumerate_trials(lambda coins: coins.toss("b", b"", str(next(turns)), 0.5))
