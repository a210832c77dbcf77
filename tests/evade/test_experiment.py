"""Protocols and walls in; the conversation that the wall would stop, or a sentence why there is none, out."""

import pytest

from crenel.atlas.compile import load_wall
from crenel.coins import KeyedCoins
from crenel.errors import StrategyError
from crenel.evade.experiment import PROTOCOLS, experiment_on
from crenel.net.app.http import Http
from crenel.net.sim.trials import Simulated
from crenel.net.sim.tries import route_to


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_each_protocol_is_stopped_on_some_day(protocol: str) -> None:
    wall = load_wall("gfw", as_of="2025-01-15" if protocol == "quic" else "2020-01-15")
    found = experiment_on(wall, route_to(wall), protocol)
    outcomes = {Simulated(afterglow=0).trial(found.app, wall, route_to(wall), None, None, KeyedCoins(0, trial)).blocked for trial in range(30)}
    assert True in outcomes
    assert 0.0 < found.chance <= 1.0


def test_http_asks_an_innocent_host_for_a_keyword_as_studies_do() -> None:
    wall = load_wall("gfw", as_of="2020-01-15")
    app = experiment_on(wall, route_to(wall), "http").app
    assert isinstance(app, Http)
    assert app.host == "allowed.example"
    assert "blocked.example" in app.target


def test_a_protocol_that_is_not_inspected_on_that_day_is_said() -> None:
    wall = load_wall("gfw", as_of="2017-05-01")
    with pytest.raises(StrategyError, match=r"as of 2017-05-01 stops nothing that quic could show"):
        experiment_on(wall, route_to(wall), "quic")


def test_an_unknown_protocol_is_said() -> None:
    wall = load_wall("gfw", as_of="2020-01-15")
    with pytest.raises(StrategyError, match=r"'gopher': there is http, https"):
        experiment_on(wall, route_to(wall), "gopher")
