"""A seed in, strategies found from nothing out: the same however the work is spread, and nothing that the library of strategies knows."""

import multiprocessing
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import grimp
import msgspec
import pytest

from crenel.errors import UsageError
from crenel.evade.parse import parse
from crenel.evade.search import LEAST, Plan, Search, Snapshot, carry_out, shorten
from crenel.evade.search_judge import Judge, Judged
from tests.evade.seeking import NAMED, judge, without_rows

SEED = 8
"""A seed that is quick to find what is looked for."""
MOST = 12
"""Generations after which a search that found too little has failed."""
SEARCHING = ("crenel.evade.search", "crenel.evade.search_judge", "crenel.evade.genome", "crenel.evade.families")


def tried(asked: Sequence[str], given: Judge | None = None) -> list[Judged]:
    """Return the worth of strategies."""
    return [(given or judge())(dna) for dna in asked]


def search_of(seed: int = SEED, population: int = 60, snapshot: Snapshot | None = None) -> Search:
    """Return a search that has tried nothing yet, or goes on."""
    return Search(Plan(seed, population), judge().alphabet(), snapshot)


def test_a_search_from_nothing_finds_the_known_families() -> None:
    search = search_of(population=200)
    while search.generation < MOST and not set(NAMED) <= set(search.best()):
        search.tell(tried(search.ask()))
    shorten(search, tried)
    best = search.best()
    assert set(NAMED) <= set(best)
    for family, one in best.items():
        assert one.families[family] >= LEAST
        assert str(parse(one.dna)).strip() == one.dna


def test_without_the_rule_of_resets_no_tear_down_is_found(tmp_path: Path) -> None:
    place = without_rows(lambda row: 'do = "off"' in row and 'has = "R"' in row, tmp_path / "made.toml")
    against = judge(str(place))
    search = Search(Plan(SEED, 200), against.alphabet())
    carry_out(search, lambda asked: tried(asked, against), 5)
    assert {"desynchronisation", "segmentation"} <= set(search.best())
    assert not [one for one in search.fittest.values() if "tear-down" in one.families]


def test_a_search_does_not_depend_on_who_does_the_work() -> None:
    alone, spread = search_of(), search_of()
    carry_out(alone, tried, 3)
    with ThreadPoolExecutor(4) as pool:
        carry_out(spread, lambda asked: pool.map(judge(), asked), 3)
    assert alone.snapshot() == spread.snapshot()
    assert search_of(SEED + 1).ask() != search_of(SEED).ask()


def test_a_search_that_is_taken_up_ends_like_one_that_was_not_interrupted() -> None:
    whole, first = search_of(), search_of()
    for search, count in ((whole, 4), (first, 2)):
        for _ in range(count):
            search.tell(tried(search.ask()))
    stored = msgspec.json.decode(msgspec.json.encode(first.snapshot()), type=Snapshot)
    second = search_of(snapshot=stored)
    for _ in range(2):
        second.tell(tried(second.ask()))
    assert second.generation == 4
    assert second.snapshot() == whole.snapshot()


def test_nothing_is_tried_twice() -> None:
    search = search_of()
    seen: list[str] = []
    for _ in range(3):
        asked = search.ask()
        seen += asked
        search.tell(tried(asked))
    assert len(seen) == len(set(seen)) == search.tried


def test_the_state_of_another_search_is_refused() -> None:
    with pytest.raises(UsageError, match="another search: seed 8, not 9"):
        search_of(SEED + 1, snapshot=search_of().snapshot())


def test_what_does_not_earn_its_place_is_taken_out() -> None:
    junk = "tamper{TCP:load:corrupt}(tamper{IP:tos:replace:1}(tamper{TCP:chksum:corrupt},),)"
    long = f"[TCP:flags:PA]-duplicate({junk},)-| [TCP:flags:S:1]-duplicate-| \\/"
    search = search_of()
    search.tell([judge()(long)])
    shorten(search, tried)
    found = search.best()["desynchronisation"]
    assert found.size < judge()(long).size - 2
    assert found.success == pytest.approx(1.0)


def test_no_module_of_the_search_reaches_the_library_of_strategies() -> None:
    graph = grimp.build_graph("crenel", cache_dir=None)
    libraries = {module for module in graph.modules if module.startswith("crenel.atlas.strateg")}
    assert libraries
    for module in SEARCHING:
        for known in libraries:
            assert graph.find_shortest_chain(importer=module, imported=known) is None
        for place in {module, *graph.find_upstream_modules(module)}:
            source = Path(__file__).parents[2].joinpath("src", *place.split("."))
            path = source / "__init__.py" if source.is_dir() else source.with_suffix(".py")
            assert "strategies.toml" not in path.read_text("utf-8")


_kept: list[Judge] = []


def _prepare() -> None:
    _kept.append(judge())


def _judge(dna: str) -> Judged:
    return _kept[0](dna)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_nine_of_ten_seeds_find_the_known_families_in_a_minute_on_two_cores() -> None:
    # Not a measurement: the minute is far above the seconds that it takes, and bounds a search that finds nothing.
    found = 0
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn"), _prepare) as pool:

        def spread(asked: Sequence[str]) -> Iterator[Judged]:
            return pool.map(_judge, asked, chunksize=20)

        for seed in range(10):
            search, begun = search_of(seed, 200), time.monotonic()
            while time.monotonic() - begun < 60 and not set(NAMED) <= set(search.best()):
                search.tell(spread(search.ask()))
            found += set(NAMED) <= set(search.best())
    assert found >= 9
