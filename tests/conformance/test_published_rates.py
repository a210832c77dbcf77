"""Published rates of strategies in, the rates that the rules give beside them; how far off they are, and with how many fitted numbers."""

import functools
import re
from importlib import resources
from pathlib import Path

import pytest

from crenel.atlas.compile import load_wall
from crenel.atlas.strategies import library
from crenel.evade.table import Reproduced, mean_error, mean_reset_error, table

MOST_FITTED = 13
PAGE = (Path(__file__).parents[2] / "docs" / "explanation" / "how-rates-come-about.md").read_text("utf-8")
_FITTED = re.compile(r"fitted|encodes|read from one rate|here always", re.IGNORECASE)
_ROW = re.compile(r"^\[\[tcb\..*?(?=^\[|\Z)", re.MULTILINE | re.DOTALL)


@functools.cache
def cells() -> list[Reproduced]:
    return table(library(), lambda wall, as_of, vantage: load_wall(wall, as_of=as_of, vantage=vantage))


def test_the_mean_error_is_small_and_all_rates_are_exact() -> None:
    assert len(cells()) == 89
    assert all(cell.rate.exact for cell in cells())
    assert mean_error(cells()) <= 0.035
    assert mean_reset_error(cells()) <= 0.035


@pytest.mark.parametrize(("study", "most"), [("imc17", 0.02), ("ccs19", 0.04), ("sig20", 0.035), ("geneva-client", 0.04)])
def test_so_it_is_for_each_study(study: str, most: float) -> None:
    assert mean_error(cell for cell in cells() if cell.study == study) <= most


def test_what_is_far_off_is_explained_or_open_and_nothing_else_is() -> None:
    told = {(cell.strategy, cell.protocol, cell.study) for cell in cells() if cell.explained or cell.open}
    far = {(cell.strategy, cell.protocol, cell.study) for cell in cells() if cell.far}
    assert told == far


def test_strategies_do_something_wherever_a_rate_is_published() -> None:
    assert not [cell.strategy for cell in cells() if not cell.rate.fired and cell.strategy != "none"]


def test_each_rate_names_what_decides_it() -> None:
    certain = [cell for cell in cells() if not cell.rate.coins]
    assert all(cell.value in {0.0, 1.0} for cell in certain)


def listed() -> set[float]:
    part = PAGE.partition("## What is fitted")[2].partition("## Every")[0]
    return {float(number) for number in re.findall(r"^\| ([0-9.]+) \|", part, re.MULTILINE)}


def fitted() -> set[float]:
    """Return the numbers of the profile and the vantages that are said to be fitted."""
    atlas = resources.files("crenel.atlas")
    text = (atlas / "walls" / "gfw.toml").read_text("utf-8")
    found: set[float] = set()
    for row in _ROW.findall(text):
        said = re.search(r'^assumed = "(.*)"', row, re.MULTILINE)
        if said and _FITTED.search(said[1]):
            number = re.search(r"^p = ([0-9.]+)", row, re.MULTILINE)
            found.add(float(number[1]) if number else 1.0)
    for key, value in re.findall(r"^(keeps_newer) = ([0-9.]+)", text, re.MULTILINE):
        if re.search(rf'^{key} = "fitted', text, re.MULTILINE) and 0.0 < float(value) < 1.0:
            found.add(float(value))
    found |= {float(share) for share in re.findall(r"other_device = \{ tcb = \"[^\"]+\", share = ([0-9.]+)", text)}
    found |= {float(share) for share in re.findall(r"reassembles = \{ tcp = (0\.[0-9]+) \}", text) if 0.0 < float(share) < 1.0}
    for place in (atlas / "vantages").iterdir():
        vantage = place.read_text("utf-8")
        for key in re.findall(r'^(\w+) = "Fitted', vantage, re.MULTILINE):
            found |= {float(number) for number in re.findall(rf"^{key} = ([0-9.]+)", vantage, re.MULTILINE)}
    return found


def test_few_numbers_are_fitted_and_each_is_listed_with_its_reason() -> None:
    assert listed() == fitted()
    assert len(listed()) <= MOST_FITTED
