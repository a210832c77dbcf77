"""Strategies and walls in; exact rates, what decides them and what sampling makes of them out."""

from pathlib import Path

import pytest

from crenel.atlas.compile import load_wall
from crenel.errors import StrategyError
from crenel.evade.rate import rate, rate_of, sample, summed, trials_of
from tests.net.made import box, wall_with

CERTAIN, HALF = 'p = 1.0, per = "flow"', 'p = 0.5, per = "flow"'
TAMPERED = "[TCP:flags:PA]-tamper{TCP:load:replace:hi}-|"
IDLE = "[TCP:flags:U]-drop-|"


def test_without_a_strategy_the_box_decides(tmp_path: Path) -> None:
    none = rate("", wall_with(tmp_path, box("a", chance=HALF)))
    assert (none.value, none.exact, none.interval, none.trials, none.fired) == (0.5, True, (0.5, 0.5), none.trials, 0.0)
    decides = {coin.name: (coin.p, coin.if_so, coin.if_not) for coin in none.coins}
    assert decides["a/act"] == (0.5, 0.0, 1.0)
    assert none.endings == {"answered": 0.5, "reset": 0.5}


def test_what_the_server_cannot_read_is_answered_with_an_error_and_counts(tmp_path: Path) -> None:
    wall = wall_with(tmp_path, box("a", chance=CERTAIN))
    assert rate("", wall).value == 0.0
    hidden = rate("[TCP:flags:PA]-tamper{TCP:load:replace:hello%0d%0a%0d%0a}-|", wall)
    assert (hidden.value, hidden.fired, hidden.endings) == (1.0, 1.0, {"misled": 1.0})


def test_a_strategy_that_never_fires_says_so(tmp_path: Path) -> None:
    assert rate(IDLE, wall_with(tmp_path, box("a", chance=HALF))).fired == 0.0


def test_published_rates_come_out_of_the_rules() -> None:
    """A teardown before the handshake ends works on one path of two, whatever the box misses; after it nearly always (CCS'19)."""
    wall = load_wall("gfw", as_of="2019-01-15")
    first = rate("[TCP:flags:A]-duplicate(tamper{TCP:flags:replace:R}(tamper{IP:ttl:replace:9},),)-|", wall)
    then = rate("[TCP:flags:A]-duplicate(,tamper{TCP:flags:replace:R}(tamper{IP:ttl:replace:10},))-|", wall)
    assert first.value == pytest.approx(0.52, abs=0.02)
    assert then.value == pytest.approx(0.87, abs=0.05)
    assert first.coins[0].p == 0.5


def test_a_sample_is_near_the_exact_rate_and_its_interval_holds_it() -> None:
    wall = load_wall("gfw", as_of="2019-01-15", seed=3)
    dna = "[TCP:flags:A]-duplicate(tamper{TCP:flags:replace:R}(tamper{IP:ttl:replace:9},),)-|"
    exact, sampled = rate(dna, wall), sample(dna, wall, trials=300)
    assert (sampled.exact, sampled.trials, sampled.coins) == (False, 300, ())
    low, high = sampled.interval
    assert low < exact.value < high
    assert low < sampled.value < high
    assert sampled == sample(dna, wall, trials=300)
    assert sum(sampled.endings.values()) == pytest.approx(1.0)


def test_beyond_the_cap_trials_are_sampled_and_what_was_held_is_told() -> None:
    trials = trials_of("", load_wall("gfw", as_of="2020-01-15"), "http")
    assert rate_of(trials).exact
    few = rate_of(trials, cap=1)
    assert not few.exact
    assert few.held


def test_retries_share_what_the_box_decided_for_the_pair() -> None:
    """Three tries and a box that misses 3 % of pairs: 3 % in all, not three chances."""
    wall = load_wall("gfw", as_of="2020-01-15")
    assert rate("", wall, "dns-tcp").value == pytest.approx(0.03)


def test_a_side_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StrategyError, match="at the client or at the server"):
        rate("", wall_with(tmp_path, box("a")), side="middle")  # type: ignore[arg-type]


def test_samples_are_summed() -> None:
    whole = summed([(True, True, "answered"), (False, True, "reset"), (False, False, "reset"), (True, True, "misled")])
    assert (whole.value, whole.fired, whole.endings) == (0.5, 0.75, {"answered": 0.25, "reset": 0.5, "misled": 0.25})
