"""A few simulated exchanges through the bench in; its rows, and that each of them does what its name says, out."""

import re

import pytest

from crenel.atlas.compile import load_wall
from crenel.atlas.describe import bench_dates
from crenel.bench import run as running
from crenel.bench import trials
from crenel.bench.run import EXCHANGES, main
from crenel.net.sim.tries import try_url

DATES = [str(day) for day in bench_dates()]


@pytest.mark.parametrize(("wanted", "status"), [(1, 0), (10**12, 1)])
def test_a_row_for_each_kind_and_day(wanted: int, status: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "SIMULATED", wanted)
    monkeypatch.setattr(running, "PAIRS", wanted)
    monkeypatch.setattr(trials, "_ROUNDS", 1)
    assert main(100, (EXCHANGES,)) == status
    _, head, *lines = [re.split(r" {2,}", line.strip()) for line in capsys.readouterr().out.splitlines()]
    assert head == ["simulated", "as of", "a second", "wanted"]
    assert [line[:2] for line in lines] == [[name, day] for day in DATES for name in (*trials.HOSTS, trials.REMEMBERED)]
    assert all(int(line[2].replace(",", "")) > 0 for line in lines)
    assert {line[-1] == "below" for line in lines} == {bool(status)}


@pytest.mark.parametrize("day", DATES)
def test_the_hosts_fare_as_the_rows_say(day: str) -> None:
    wall = load_wall(as_of=day)
    for name, host in trials.HOSTS.items():
        outcomes: list[str] = [try_url(f"http://{host}/", wall, trial=trial).outcome for trial in range(20)]
        assert outcomes.count(name.rpartition(" ")[2]) >= 18, "boxes miss now and then"
