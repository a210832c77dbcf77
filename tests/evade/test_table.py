"""Published rates and a way to load walls in, reproduced ones beside them out."""

import math

import pytest

from crenel.atlas.compile import load_wall
from crenel.atlas.strategies import read_library
from crenel.evade.table import FAR, mean_error, mean_reset_error, table
from crenel.wall.wall import Wall
from tests.atlas.test_strategies import CELL, ENTRY, STUDY


def load(wall: str, as_of: str, vantage: str) -> Wall:
    return load_wall(wall, as_of=as_of, vantage=vantage)


def test_the_nearest_of_several_published_rates_counts() -> None:
    text = STUDY + ENTRY + CELL.replace("[0.5]", "[0.5, 0.04, 0.9]")
    (cell,) = table(read_library(text.encode(), "x"), load)
    assert (cell.published, cell.others, cell.far) == (0.04, (0.5, 0.9), False)
    assert cell.value == pytest.approx(0.03)
    assert cell.error == pytest.approx(-0.01)
    assert (cell.as_of, cell.vantage, cell.sources, cell.reset) == ("2019-01-15", "beijing", ("intang",), None)
    assert [coin.name for coin in cell.rate.coins if coin.name.endswith("/act")]


def test_the_control_column_takes_its_share_of_successes_and_resets() -> None:
    text = STUDY + ENTRY + CELL.replace("rates = [0.5]", "rates = [0.5]\nreset = 0.9\ncontrol = 0.1")
    (cell,) = table(read_library(text.encode(), "x"), load)
    assert cell.value == pytest.approx(0.027)
    assert cell.reset is not None
    assert cell.reset[0] == 0.9
    assert cell.reset[1] == pytest.approx(0.873)
    assert cell.far
    assert mean_reset_error([cell]) == pytest.approx(0.027)


def test_only_wanted_cells_are_carried_out_and_none_have_no_mean() -> None:
    library = read_library((STUDY + ENTRY + CELL + CELL.replace("http", "https")).encode(), "x")
    assert [cell.protocol for cell in table(library, load, lambda _, cell: cell.protocol == "https")] == ["https"]
    assert math.isnan(mean_error([]))
    assert math.isnan(mean_reset_error([]))
    assert FAR == 0.07
