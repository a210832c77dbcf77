"""Trials and a number of processes in, how each trial went out."""

import pytest

from crenel.atlas.compile import load_wall
from crenel.cli.evade_trials import Sampling, sample_apart
from crenel.cli.options import Judging
from crenel.evade.rate import results_of, trials_of

JUDGING = Judging(None, "2019-01-15", 5, 0.0, None, {}, {}, (), ())


def test_trials_come_in_their_order_from_one_process_or_two(monkeypatch: pytest.MonkeyPatch) -> None:
    trials = trials_of("rst-ttl-early", load_wall("gfw", as_of="2019-01-15", seed=5)).narrowed()
    sampling = Sampling("rst-ttl-early", "http", "client", None)
    expected = results_of(trials, range(90), 5)
    assert sample_apart(trials, JUDGING, sampling, 90, workers=1) == expected
    monkeypatch.setattr("crenel.cli.evade_trials.SPREAD_FROM", 1)
    monkeypatch.setattr("crenel.cli.evade_trials.CHUNK", 40)
    told: list[tuple[int, int]] = []
    assert sample_apart(trials, JUDGING, sampling, 90, workers=2, tick=lambda done, total: told.append((done, total))) == expected
    assert told == [(40, 90), (80, 90), (90, 90)]
    assert len({ending for _, _, ending in expected}) == 2
