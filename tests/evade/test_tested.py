"""Strategies against walls in; a success and a failure with the rules that were carried out, and what never did anything, out."""

import msgspec

from crenel.atlas.compile import load_wall
from crenel.evade.rate import sample_of, trials_of
from crenel.evade.tested import examined, go_through

WALL = load_wall("gfw", as_of="2019-01-15")
LATE = "[TCP:flags:A]-duplicate(,tamper{TCP:flags:replace:R}(tamper{IP:ttl:replace:10},))-|"


def test_the_likeliest_success_is_shown_with_the_rule_that_it_takes_advantage_of() -> None:
    found = go_through(trials_of(LATE, WALL))
    assert found is not None
    assert found.success is not None
    assert found.failure is not None
    assert (found.success.family, found.failure.family, found.idle, found.doubts) == ("tear-down", None, False, ())
    assert [one.row.do for one in found.success.told] == ["track", "complete", "off"]
    assert found.success.trial.success
    assert not found.failure.trial.success
    assert found.success.share is not None
    assert 0.5 < found.success.share < found.rate.value
    assert found.plain.ending == "reset"


def test_a_success_that_is_more_than_luck_is_preferred() -> None:
    """One time in ten the box ignores the junk's acknowledgement; that it misses a request is much rarer still."""
    found = go_through(trials_of("[TCP:flags:PA]-fake{zeros:badack}-|", WALL))
    assert found is not None
    assert found.success is not None
    assert found.success.family == "desynchronisation"
    lucky = go_through(trials_of("", WALL))
    assert lucky is not None
    assert lucky.success is not None
    assert lucky.success.family == "luck"


def test_a_strategy_that_never_fires_is_idle_and_none_is_not() -> None:
    idle, none = go_through(trials_of("[TCP:flags:U]-drop-|", WALL)), go_through(trials_of("\\/", WALL))
    assert idle is not None
    assert none is not None
    assert (idle.idle, none.idle) == (True, False)
    assert none.doubts


def test_too_many_ways_are_left_to_sampling() -> None:
    trials = trials_of(LATE, WALL)
    assert go_through(trials, cap=2) is None
    found = examined(trials, sample_of(trials, range(40), 0))
    assert found.success is not None
    assert (found.success.share, found.success.family, found.rate.exact) == (None, "tear-down", False)


def test_examples_go_on_after_the_client_is_done() -> None:
    trials = trials_of(LATE, WALL)
    found = go_through(trials)
    assert found is not None
    assert found.success is not None
    late = [event for event in found.success.trial.exchange.trace if event.time > found.success.trial.exchange.experience.time]
    assert late
    assert msgspec.structs.asdict(found.trials)["side"] == "client"
