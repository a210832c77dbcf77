"""The commands put together: what --help lists, and that every way to end is one of the documented ones."""

import importlib.util
import sys
from pathlib import Path

import click
import pytest

from crenel import __version__
from crenel.cli.app import Commands, app
from tests.cli.running import run, run_apart


def test_help_lists_the_commands_in_the_order_of_use() -> None:
    ran = run("--help")
    listed = [line.split()[0] for line in ran.out.partition("Commands:")[2].splitlines() if line.strip()]
    bench = ["bench"] if importlib.util.find_spec("crenel.bench.run") else []
    assert [name for name in listed if name not in {"run", "lab", "web"}] == ["check", "try", "evade", "walls", "timeline", "schema", *bench]
    assert ran.status == 0
    assert run("-h").out == ran.out


def test_a_command_whose_work_is_not_done_is_absent() -> None:
    assert not {"diagnose", "corpus"} & set(app.commands)


@pytest.mark.parametrize(
    "path",
    [
        (), ("check",), ("try",), ("evade",), ("evade", "list"), ("evade", "test"), ("evade", "table"), ("evade", "search"), ("walls",),
        ("walls", "show"), ("walls", "schema"), ("timeline",), ("schema",), ("bench",),
    ],
)
def test_every_command_has_help(path: tuple[str, ...]) -> None:
    ran = run(*path, "--help")
    assert ran.status == 0
    assert ran.out.startswith("Usage: crenel")
    assert max(map(len, ran.lines)) <= 100


def test_version() -> None:
    assert run("--version").out == f"crenel, version {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("frob",), "crenel: No such command 'frob'. (crenel --help lists the options)"),
        (("--frob",), "crenel: No such option '--frob'. (crenel --help lists the options)"),
        (("walls", "show"), "crenel walls show: Missing argument 'NAME|FILE'. (crenel walls show --help lists the options)"),
        (("walls", "frob"), "crenel walls: No such command 'frob'. (crenel walls --help lists the options)"),
    ],
)
def test_wrong_arguments_are_one_sentence(arguments: tuple[str, ...], sentence: str) -> None:
    assert run(*arguments) == (2, "", sentence + "\n")


def test_no_command_shows_the_help() -> None:
    ran = run()
    assert ran.status == 2
    assert "Usage: crenel" in ran.err


def test_a_terminal_that_knows_no_unicode_gets_numbers(tmp_path: Path) -> None:
    ran = run_apart("timeline", "--search", "Global Connect", environment={"PYTHONIOENCODING": "ascii"})
    assert ran.status == 0
    walls = run_apart("walls", "show", "gfw", "--as-of", "2025-01-15", environment={"PYTHONIOENCODING": "ascii"})
    assert walls.status == 0
    assert "\\xd7" in walls.out


def test_a_group_of_commands_returns_their_status() -> None:
    group = Commands("x")
    group.add_command(click.Command("three", callback=lambda: 3))
    with pytest.raises(SystemExit) as left:
        group.main(["three"])
    assert left.value.code == 3
    assert sys.stdout is not None
