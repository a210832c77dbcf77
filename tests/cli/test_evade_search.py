"""Arguments of `crenel evade search` in, what it refuses and what its help says out."""

import sys

import click
import pytest
from click.testing import CliRunner

from crenel.cli.evade_search import search


def test_help_names_the_options_and_imports_nothing_heavy() -> None:
    found = CliRunner().invoke(search, ["--help"])
    assert found.exit_code == 0
    for option in ("--protocol", "--side", "--generations", "--population", "--seed", "--workers", "--resume", "--seconds", "--as-of"):
        assert option in found.output


@pytest.mark.parametrize("wrong", [["--generations", "0"], ["--side", "middle"], ["--workers", "0"], ["--seconds", "-1"]])
def test_wrong_options_are_refused(wrong: list[str]) -> None:
    assert CliRunner().invoke(search, wrong).exit_code == 2


def test_the_command_is_one_that_a_group_can_take() -> None:
    assert isinstance(search, click.Command)
    assert search.name == "search"
    assert "crenel.cli.evade_search" in sys.modules
