"""The strategy library: what it holds, that each value has its source, and what is refused with its place."""

import json
import re

import pytest

from crenel.atlas.load import load_vantage, sources
from crenel.atlas.load import walls as wall_names
from crenel.atlas.strategies import library, named, read_library
from crenel.errors import ProfileError, StrategyError
from crenel.evade.experiment import PROTOCOLS
from crenel.evade.parse import parse
from tests.evade.acting import facts_path

STUDY = """
[study.one]
title = "One"
wall = "gfw"
as_of = 2019-01-15
vantage = "beijing"
sources = ["intang"]
"""
ENTRY = """
[[strategy]]
name = "one"
family = "none"
side = "client"
protocols = ["http"]
dna = '\\/'
says = "Nothing."
origin = "tests"
sources = ["intang"]
"""
CELL = """
[[strategy.cell]]
study = "one"
protocol = "http"
rates = [0.5]
"""
SEEN = """
[[strategy.seen]]
from = "2019"
worked = true
says = "It did."
sources = ["intang"]
"""
WHOLE = STUDY + ENTRY + CELL + SEEN


def test_the_library_is_large_and_every_strategy_can_be_read() -> None:
    names = [entry.name for entry in library().strategy]
    assert len(names) > 80
    assert {"tls-record-split", "none", "server-open-rst", "quic-initial-split", "dns-second-answer", "oob", "fakedsplit"} <= set(names)
    for entry in library().strategy:
        parse(entry.dna)
        assert set(entry.protocols) <= set(PROTOCOLS)
        assert {cell.protocol for cell in entry.cell} <= set(entry.protocols)


def test_no_two_names_stand_for_the_same_strategy() -> None:
    texts = [str(parse(entry.dna)) for entry in library().strategy]
    assert len(set(texts)) == len(texts)


def test_every_value_has_a_source() -> None:
    known = library()
    cited = [one for study in known.study.values() for one in study.sources]
    for entry in known.strategy:
        assert entry.sources
        assert all(sighting.sources for sighting in entry.seen)
        assert entry.cell or entry.seen or entry.sources
        cited += [*entry.sources, *(one for cell in entry.cell for one in cell.sources)]
        cited += [one for sighting in entry.seen for one in sighting.sources]
    assert len(cited) > 150
    assert not [one for one in cited if one.partition(":")[0] not in sources()]
    assert all(re.fullmatch(r"[a-z0-9.-]+(:[^\s:]+)?", one) for one in cited)


def test_studies_name_walls_and_vantages_that_there_are() -> None:
    for study in library().study.values():
        assert study.wall in wall_names()
        assert load_vantage(study.vantage).name == study.vantage


def test_every_published_rate_for_the_wall_has_its_cell() -> None:
    """One strategy with two published rates is one cell that holds both."""
    wanted: dict[tuple[str, str], set[float]] = {}
    protocols = {"http": "http", "dns": "dns", "dns_tcp": "dns-tcp"}
    for record in json.loads(facts_path("geneva-strategies.json").read_text("utf-8"))["strategies"]:
        for one in record["reported"]:
            if one["country"] == "china":
                wanted.setdefault((str(parse(record["dna"])), protocols[one["protocol"]]), set()).add(float(one["success_rate"]))
    found: dict[tuple[str, str], set[float]] = {}
    for entry in library().strategy:
        for cell in entry.cell:
            found.setdefault((str(parse(entry.dna)), cell.protocol), set()).update(cell.rates)
    assert not {key: rates for key, rates in wanted.items() if not rates <= found.get(key, set())}


def test_a_name_is_found_and_a_wrong_one_gets_a_hint() -> None:
    assert named("none").dna == "\\/"
    with pytest.raises(StrategyError, match=r"no strategy is called 'tls-recrd-split', but tls-record-split"):
        named("tls-recrd-split")
    with pytest.raises(StrategyError, match=r"no strategy is called 'x'; crenel evade list"):
        named("x")


def test_a_sound_library_is_read() -> None:
    assert read_library(WHOLE.encode(), "x.toml").strategy[0].cell[0].rates == (0.5,)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('says = "Nothing."', 'says = "Nothing."\nspeed = 3', r"unknown field `speed` - at `\$\.strategy\[0\]`"),
        ("rates = [0.5]", "rates = [0.5]\nby = 3", r"unknown field `by` - at `\$\.strategy\[0\]\.cell\[0\]`"),
        ("rates = [0.5]", "rates = []", r"strategy one\.cell\[0\]: rates are shares"),
        ("rates = [0.5]", "rates = [50]", r"strategy one\.cell\[0\]: rates are shares"),
        ("rates = [0.5]", 'rates = [0.5]\nexplained = "x"\nopen = "y"', r"what is explained is not open"),
        ("rates = [0.5]", 'rates = [0.5]\nsources = ["nobody"]', r"strategy one\.cell\[0\]: source 'nobody' is not known"),
        ('study = "one"', 'study = "two"', r"there is no study 'two'"),
        ('from = "2019"', 'from = "19"', r"strategy one\.seen\[0\]: '19' is not a date"),
        ('origin = "tests"\nsources = ["intang"]', 'origin = "tests"\nsources = []', r"strategy one: there is no source"),
        ('vantage = "beijing"\nsources = ["intang"]', 'vantage = "beijing"\nsources = []', r"study\.one: there is no source"),
        ('name = "one"', 'name = "One"', r"strategy One: a name is made of small letters"),
        (CELL + SEEN, ENTRY, r"strategy one: a name is made of small letters, digits and hyphens, and comes once"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(old: str, new: str, message: str) -> None:
    text = WHOLE.replace(old, new)
    assert text != WHOLE
    with pytest.raises(ProfileError, match=rf"^x\.toml: .*{message}"):
        read_library(text.encode(), "x.toml")
