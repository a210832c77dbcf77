"""Repetitions are counted the same way in one process and in many, each with its own draws."""

import pytest

from crenel.cli import trials
from crenel.cli.options import Judging
from crenel.cli.trials import Steps, carry_out, count_blocked, repeat
from crenel.net.app.target import read_target
from crenel.net.sim.tries import payload_target, try_url
from tests.report.tried import NOISE, wall_of

DAY = "2022-06-01"
STEPS = Steps((payload_target(NOISE, "tcp", 8388), payload_target(b"GET / HTTP/1.1\r\n\r\n", "tcp", 8388)), 1.0)


def judging() -> Judging:
    return Judging(None, DAY, 3, 0.0, None, {}, {}, (), ())


def test_the_first_trial_is_what_a_single_try_gives() -> None:
    wall = wall_of()
    [one] = carry_out(wall, Steps((read_target("https://blocked.example/"),), 10.0), 0)
    assert one.trace == try_url("https://blocked.example/", wall).trace


def test_each_trial_has_its_own_draws() -> None:
    found = [count_blocked(wall_of(DAY, 3), STEPS, range(trial, trial + 1))[0] for trial in range(40)]
    assert 0 < sum(found) < 40
    assert count_blocked(wall_of(DAY, 3), STEPS, range(40))[0] == sum(found)


def test_counts_are_those_of_all_trials_whatever_the_number_of_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "CHUNK", 40)
    monkeypatch.setattr(trials, "SPREAD_FROM", 100)
    wall = wall_of(DAY, 3)
    ticks: list[tuple[int, int]] = []

    def tick(done: int, total: int) -> None:
        ticks.append((done, total))

    alone = repeat([wall], [judging()], STEPS, 100, workers=1, tick=tick)
    assert alone == repeat([wall], [judging()], STEPS, 100, workers=2, tick=tick) == [count_blocked(wall, STEPS, range(100))]
    assert ticks[:3] == [(80, 200), (160, 200), (200, 200)]
    assert alone[0][1] <= alone[0][0]


def test_each_wall_is_counted_by_itself() -> None:
    walls = [wall_of(DAY, 3), wall_of("2025-01-15", 3)]
    counts = repeat(walls, [judging(), judging()._replace(as_of="2025-01-15")], STEPS, 30, workers=1, tick=lambda done, total: None)
    assert counts[0][0] > 0
    assert counts[1] == (0, 0)
