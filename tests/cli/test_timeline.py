"""`crenel timeline`: filters, formats, dates that cannot be."""

import json

import pytest

from crenel.atlas.timeline import happenings
from tests.cli.running import run


def test_all_of_it() -> None:
    assert len(run("timeline").lines) == len(happenings())
    assert len(json.loads(run("timeline", "--format", "json").out)["events"]) == len(happenings())
    assert len(run("timeline", "--format", "jsonl").lines) == len(happenings())


def test_filters_narrow() -> None:
    found = [json.loads(line) for line in run("timeline", "--since", "2024", "--until", "2024-06", "--kind", "mechanism", "--format", "jsonl").lines]
    assert found
    assert all(event["kind"] == "mechanism" and event["date"].startswith("2024-0") for event in found)
    assert all("quic" in line.lower() for line in run("timeline", "--search", "QUIC").lines)
    both = run("timeline", "--kind", "rule", "--kind", "company", "--format", "jsonl").lines
    assert {json.loads(line)["kind"] for line in both} == {"rule", "company"}


def test_nothing_found_is_no_error() -> None:
    assert run("timeline", "--search", "no such thing") == (0, "", "crenel: no event is like that\n")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--until", "1990"), "crenel: nothing is told of before 1994-02; 1990 is too early\n"),
        (("--since", "x"), "crenel: 'x' is not a date: write YYYY, YYYY-MM or YYYY-MM-DD\n"),
        (("--since", "2021", "--until", "2020"), "crenel: the span from 2021 to 2020 ends before it begins\n"),
        (("--kind", "x"), "crenel: --kind x: there is company, directive, enforcement, infrastructure, mechanism, rule\n"),
    ],
)
def test_what_is_wrong_is_one_sentence(arguments: tuple[str, ...], sentence: str) -> None:
    assert run("timeline", *arguments) == (2, "", sentence)
