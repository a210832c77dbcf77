"""Strategies in, their worth to a search out: rates, families, behaviours, and nothing for those that never do anything."""

import pytest

from crenel.atlas.compile import load_wall
from crenel.errors import StrategyError
from crenel.evade.rate import rate_of, trials_of
from crenel.evade.search_judge import PENALTY, Judge
from tests.evade.seeking import DAY, judge

TEAR = r"[TCP:flags:A]-duplicate(,tamper{TCP:flags:replace:R}(tamper{TCP:chksum:corrupt},))-| \/"


def test_the_worth_of_a_strategy_is_its_exact_rate_less_its_length() -> None:
    found = judge()(TEAR)
    assert found.success == pytest.approx(rate_of(trials_of(TEAR, load_wall("gfw", DAY))).value)
    assert (found.family, found.size, found.fired) == ("tear-down", 4, 1.0)
    assert found.fitness == pytest.approx(found.success - 4 * PENALTY)
    assert found.worth_as("tear-down") == pytest.approx(found.families["tear-down"] - 4 * PENALTY)
    assert found.worth_as("segmentation") < 0
    assert "open: client R (seq-expected) -> off" in found.rows


def test_what_never_fires_is_worth_least() -> None:
    idle, losing = judge()(r"[TCP:flags:UE]-drop-| \/"), judge()(r"[TCP:flags:PA]-drop-| \/")
    assert idle.fired == 0.0
    assert idle.success > losing.success == 0.0
    assert idle.fitness < losing.fitness


def test_an_error_page_is_no_success_here() -> None:
    dna = r"[TCP:flags:PA]-duplicate(tamper{TCP:load:corrupt},)-| \/"
    assert rate_of(trials_of(dna, load_wall("gfw", DAY))).value > 0.9
    assert judge()(dna).success == 0.0


def test_strategies_that_make_boxes_behave_alike_have_one_behaviour() -> None:
    same = judge()(TEAR.replace("TCP:chksum:corrupt", "TCP:chksum:replace:1"))
    assert same.behaviour == judge()(TEAR).behaviour
    assert judge()(r"[TCP:flags:PA]-drop-| \/").behaviour != same.behaviour


def test_what_falls_in_too_many_ways_is_sampled_and_gives_the_same_each_time() -> None:
    dna = r"[TCP:flags:A]-tamper{TCP:flags:corrupt}(tamper{TCP:dataofs:corrupt},)-| [TCP:flags:PA]-tamper{TCP:flags:corrupt}-| \/"
    assert judge()(dna) == Judge(trials_of("", load_wall("gfw", DAY)))(dna)
    assert 0.0 < judge()(dna).fired <= 1.0


def test_a_strategy_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(StrategyError, match="column 1"):
        judge()("drop")


def test_what_gets_through_in_two_ways_is_of_neither_family() -> None:
    early = "duplicate(tamper{TCP:flags:replace:R}(tamper{TCP:chksum:corrupt},),)"
    junk = "duplicate(tamper{TCP:load:corrupt}(tamper{TCP:chksum:corrupt},),)"
    both = judge()(f"[TCP:flags:PA]-{junk}-| [TCP:flags:A]-{early}-| \\/")
    assert both.families == {"tear-down": pytest.approx(0.5), "desynchronisation": pytest.approx(0.5)}
    assert both.family is None
