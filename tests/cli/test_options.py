"""The common options reach the wall as they were given."""

import click
import pytest
from click.testing import CliRunner

from crenel.atlas.load import DEFAULT_WALL
from crenel.cli.options import Judging, format_option, judging_options
from crenel.errors import UsageError


@click.command()
@judging_options
@format_option
def command(**given: object) -> None:
    """Print what was given."""
    click.echo(repr(sorted(given.items())))


def given(*arguments: str) -> str:
    return CliRunner().invoke(command, arguments, catch_exceptions=False).output


def test_defaults() -> None:
    assert given() == (
        "[('as_of', None), ('assume', {}), ('inside', ()), ('listed', ()), ('lists', {}), ('output', 'table'), ('seed', 0), ('tolerate', 0.0), "
        "('vantage', None), ('wall', None)]\n"
    )


def test_repeated_options_gather() -> None:
    said = given("--assume", "a.b=1", "--assume", "a.c=x=y", "--list", "n=f=g", "--listed", "x", "--listed", "y", "--inside", "10.0.0.0/8")
    assert "('assume', {'a.b': '1', 'a.c': 'x=y'})" in said
    assert "('lists', {'n': 'f=g'})" in said
    assert "('listed', ('x', 'y'))" in said


@pytest.mark.parametrize("bad", [("--list", "x"), ("--list", "=x"), ("--listed", ".")])
def test_bad_options_are_refused(bad: tuple[str, ...]) -> None:
    assert CliRunner().invoke(command, bad).exit_code == 2


def test_a_bad_assumption_is_refused() -> None:
    with pytest.raises(UsageError, match=r"write BOX\.KEY=VALUE"):
        given("--assume", "x")


def test_help_names_the_default_wall() -> None:
    assert f"[default: {DEFAULT_WALL}]" in given("--help")


def test_the_wall_is_loaded_as_asked() -> None:
    judging = Judging(None, "2025-01-15", 5, 0.0, "guangzhou", {}, {}, ("*",), ())
    about = judging.load().about
    assert judging.name() == DEFAULT_WALL
    assert (getattr(about, "seed", None), getattr(about, "vantage", None), getattr(about, "listed", None)) == (5, "guangzhou", ("*",))
