"""The shipped wall in; that its claims hang together, cite what is known and never block what is set aside for allowed names, out."""

import re
from collections.abc import Iterator

import pytest

from crenel.atlas.compile import load_wall
from crenel.atlas.load import load_profile, sources, walls
from crenel.atlas.schema import Epoch, ListEntry, Middlebox
from crenel.wall.match import Entry, NameList

OF_NO_KEY = {"lineage"}
"""What may be assumed of an epoch as a whole: that the box is still the same one."""

DAYS = ("2017-05-01", "2019-07-01", "2020-08-15", "2022-06-01", "2023-10-15", "2025-01-15", "2025-03-28")


def epochs(name: str) -> Iterator[tuple[Middlebox, Epoch]]:
    profile, _, _ = load_profile(name)
    return ((box, epoch) for box in profile.middlebox for epoch in box.epoch)


def matches(entries: tuple[ListEntry, ...], name: bytes) -> bool:
    return NameList(Entry(entry.name, entry.form, entry.source) for entry in entries).find(name) is not None


@pytest.mark.parametrize("name", walls())
def test_every_citation_of_a_wall_resolves(name: str) -> None:
    profile, _, _ = load_profile(name)
    known = {*sources(), *profile.source}
    cited = [source for _, epoch in epochs(name) for source in epoch.sources]
    cited += [source for _, epoch in epochs(name) for one in epoch.alternative for source in one.sources]
    cited += [source for table in profile.tcb.values() for source in table.sources]
    cited += [source for table in profile.tcb.values() for row in table.row for source in row.sources]
    cited += [source for names in profile.list.values() for source in names.sources]
    cited += [entry.source for names in profile.list.values() for entry in names.entries]
    cited += [source for vantage in profile.vantage for source in vantage.sources]
    assert len(cited) > 100
    assert sorted({source for source in cited if source.partition(":")[0] not in known}) == []
    assert all(re.fullmatch(r"[a-z0-9.-]+(:[^\s:]+)?", source) for source in cited)


@pytest.mark.parametrize("name", walls())
def test_every_list_of_names_has_the_blocked_example_and_none_the_allowed_one(name: str) -> None:
    profile, _, _ = load_profile(name)
    kinds = {kind: [names for names in profile.list.values() if names.kind == kind] for kind in ("names", "keywords")}
    assert all(kinds.values())
    for listed in (*kinds["names"], *kinds["keywords"]):
        assert matches(listed.entries, b"x@blocked.example" if listed.kind == "keywords" else b"blocked.example"), listed.title
        for free in (b"allowed.example", b"www.allowed.example", b"x@allowed.example", b"allowed.test", b"example.com"):
            assert not matches(listed.entries, free), listed.title
    assert all(matches(listed.entries, b"www.blocked.example") for listed in kinds["names"])
    assert not any(matches(listed.entries, b"unblocked.example") for listed in kinds["names"])


@pytest.mark.parametrize("name", walls())
def test_every_entry_of_a_list_stands_there_once(name: str) -> None:
    profile, _, _ = load_profile(name)
    for key, names in profile.list.items():
        once = [(entry.name, entry.form, entry.from_, entry.until) for entry in names.entries]
        assert len(set(once)) == len(once), key
        assert all(entry.from_ is None or entry.until is None or entry.from_ <= entry.until for entry in names.entries), key


@pytest.mark.parametrize("name", walls())
def test_everything_in_a_file_is_used(name: str) -> None:
    profile, _, _ = load_profile(name)
    lists = {getattr(epoch.trigger, "list", None) for _, epoch in epochs(name)}
    answers = [epoch.reaction.answer for _, epoch in epochs(name) if epoch.reaction.answer is not None]
    lists |= {pool for answer in answers for pool in (answer.pool, answer.pool6)}
    assert set(profile.list) - lists == set()
    tables = {epoch.tcb for _, epoch in epochs(name)}
    tables |= {epoch.other_device.tcb for _, epoch in epochs(name) if epoch.other_device is not None}
    assert set(profile.tcb) - tables == set()


@pytest.mark.parametrize("name", walls())
def test_what_is_assumed_or_given_otherwise_names_a_key_of_its_epoch(name: str) -> None:
    wrong = []
    for box, epoch in epochs(name):
        for key in (*(key for key in epoch.assumed if key not in OF_NO_KEY), *(one.key for one in epoch.alternative)):
            at: object = epoch
            for step in key.split("."):
                field = {"from": "from_", "tuple": "parts"}.get(step, step)
                at = at[0] if isinstance(at, tuple) and at and not isinstance(at[0], str | int) else at
                if not hasattr(at, field) and not isinstance(at, dict):
                    wrong.append(f"{box.id} {epoch.first_seen}: {key}")
                    break
                at = getattr(at, field, None)
    assert wrong == []


@pytest.mark.parametrize("day", DAYS)
def test_the_shipped_wall_compiles_on_any_day(day: str) -> None:
    wall = load_wall(as_of=day)
    assert wall.boxes
    assert [one.index for one in wall.boxes] == list(range(len(wall.boxes)))
    assert all(len(one.hours) == 24 and all(0 <= p <= 1 for p in one.hours) for one in wall.boxes)
    assert all(one.facts.sources for one in wall.boxes)
