"""The reference pages beside what they describe: every option, field, key and word of the code is there, and nothing else."""

import re
import typing
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec
import pytest

import crenel
from crenel import errors
from crenel.atlas.schema import Profile
from crenel.atlas.vantage import Vantage
from crenel.cli import app, evade_trials, evading
from crenel.cli.trials import SPREAD_FROM
from crenel.evade.rate import MOST_LEAVES
from crenel.evade.table import Reproduced
from crenel.report.compare import GAP, NARROWEST
from crenel.report.result import CheckResult, TryResult
from crenel.report.run import RunOfResult
from crenel.report.tested import Rule, StrategyReport

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


def page(name: str) -> str:
    return (REFERENCE / f"{name}.md").read_text("utf-8")


# Commands.


def all_commands(group: click.Group, above: str) -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        yield f"{above} {name}", command
        if isinstance(command, click.Group):
            yield from all_commands(command, f"{above} {name}")


COMMANDS = dict(all_commands(app, "crenel"))


def sections(text: str) -> dict[str, str]:
    """Return the parts of a page by their headings, without backticks; a part ends where the next heading begins."""
    parts = re.split(r"^##+ (.*)$", text, flags=re.MULTILINE)
    return {heading.replace("`", ""): body for heading, body in zip(parts[1::2], parts[2::2], strict=True)}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_has_a_section_with_each_of_its_options(name: str) -> None:
    written = sections(page("commands"))
    assert name in written
    found = written[name] + (written["Options of all that judge"] if "options of all that judge" in written[name] else "")
    options = {option for parameter in COMMANDS[name].params if isinstance(parameter, click.Option) for option in parameter.opts}
    assert not [option for option in options if option.startswith("--") and option != "--help" and f"`{option}" not in found]


def test_no_option_is_described_that_is_not_there() -> None:
    known = {option for command in COMMANDS.values() for parameter in command.params for option in parameter.opts} | {"--help", "--version"}
    assert not set(re.findall(r"`(--[a-z-]+)", page("commands"))) - known


def test_numbers_of_the_page_are_those_of_the_code() -> None:
    assert f"from {SPREAD_FROM:,} exchanges on" in page("commands")
    assert f"over processes, from {evade_trials.SPREAD_FROM:,} on" in page("commands")
    assert f"Beyond {MOST_LEAVES:,} ways {evading.SAMPLED:,} trials are sampled" in page("commands")
    assert f"samples, {evading.KERNEL_SAMPLED} trials unless" in page("commands")
    assert f"more than {MOST_LEAVES:,}, over {evading.SAMPLED:,} sampled trials" in " ".join(page("python").split())
    assert f"of {2 * NARROWEST + len(GAP)} columns or more" in page("commands")


# JSON.


def keys_of(kind: type) -> set[str]:
    return {field.encode_name for field in msgspec.structs.fields(kind)}


def structs(kind: object, seen: list[type] | None = None) -> list[type]:
    """Return all structs that a type is made of, each once."""
    seen = [] if seen is None else seen
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        if kind in seen:
            return seen
        seen.append(kind)
        for hint in typing.get_type_hints(kind).values():
            structs(hint, seen)
    for part in typing.get_args(kind):
        structs(part, seen)
    return seen


def described(text: str) -> dict[str, dict[str, str]]:
    """Return the tables that `% keys of NAME` announces: their keys, each with the words beside it."""
    tables: dict[str, dict[str, str]] = {}
    for name, body in re.findall(r"^% keys of (\w+)\n\n((?:\|.*\n)+)", text, re.MULTILINE):
        rows = [line.split("|", 2) for line in body.splitlines()[2:]]
        tables[name] = {key: words for _, keys, words in rows for key in re.findall(r"`([^`]+)`", keys)}
    return tables


JSON_STRUCTS = [*structs(RunOfResult, structs(TryResult, structs(CheckResult))), StrategyReport, Rule, Reproduced]
PROFILE_STRUCTS = [*structs(Profile), *(kind for kind in structs(Vantage))]


@pytest.mark.parametrize("kind", JSON_STRUCTS, ids=lambda kind: kind.__name__)
def test_every_field_of_the_json_is_described(kind: type) -> None:
    tables = described(page("json"))
    above = keys_of(kind.__base__) if kind.__base__ is not msgspec.Struct and kind.__base__ is not None else set()
    assert set(tables[kind.__name__]) == keys_of(kind) - above


# Profiles.


@pytest.mark.parametrize("kind", PROFILE_STRUCTS, ids=lambda kind: kind.__name__)
def test_every_key_of_a_profile_is_described(kind: type) -> None:
    assert set(described(page("profile-format"))[kind.__name__]) == keys_of(kind)


@pytest.mark.parametrize("kind", PROFILE_STRUCTS, ids=lambda kind: kind.__name__)
def test_every_word_that_a_key_may_have_is_described(kind: type) -> None:
    text, table = page("profile-format"), described(page("profile-format"))[kind.__name__]
    hints = typing.get_type_hints(kind)
    for field in msgspec.structs.fields(kind):
        beside = table[field.encode_name] + (text if "see below" in table[field.encode_name] else "")
        assert not [word for word in words_of(hints[field.name]) if f"`{word}`" not in beside], field.encode_name


def words_of(kind: object) -> list[str]:
    if typing.get_origin(kind) is typing.Literal:
        return [str(word) for word in typing.get_args(kind)]
    return [word for part in typing.get_args(kind) for word in words_of(part)]


@pytest.mark.parametrize("kind", PROFILE_STRUCTS, ids=lambda kind: kind.__name__)
def test_keys_that_must_be_there_are_bold(kind: type) -> None:
    bold = {name for name in keys_of(kind) if f"| **`{name}`**" in table_of(kind)}
    assert bold == {field.encode_name for field in msgspec.structs.fields(kind) if field.required}


def table_of(kind: type) -> str:
    return page("profile-format").partition(f"% keys of {kind.__name__}\n\n")[2].partition("\n\n")[0]


def test_every_reader_is_described_under_its_name() -> None:
    headings = sections(page("profile-format"))
    kinds = msgspec.inspect.multi_type_info(PROFILE_STRUCTS)
    tags = [kind.tag for kind in kinds if isinstance(kind, msgspec.inspect.StructType) and kind.tag is not None]
    assert tags
    assert not [tag for tag in tags if tag not in headings]


# Python.


def test_every_public_name_is_described() -> None:
    assert not [name for name in crenel.__all__ if not re.search(rf"`crenel\.{name}[(.]", page("python"))]


def test_every_error_is_described() -> None:
    known = [name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, errors.CrenelError)]
    assert not [name for name in known if f"`{name}`" not in page("python")]
