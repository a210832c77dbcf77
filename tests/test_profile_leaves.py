"""The profile is what runs: each value of the shipped wall that is not prose is changed, one at a time, and something must come out otherwise.

The conversations are fixed (`tests.probes`): they are made from the profile as it is. What they give is every effect with its because,
every chance that was asked of the coins, and what explanations say of the box. A changed value may also be refused, where no other
value would do. A value that changes nothing of this is read by nothing, and is listed.
"""

import datetime as dt
import functools
import itertools
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatch
from importlib import resources
from typing import Any, NamedTuple

import msgspec
import pytest

from crenel.atlas.check import check_profile
from crenel.atlas.compile import compile_profile, default_vantage
from crenel.atlas.load import load_vantage
from crenel.atlas.moment import parse_moment, take_moment
from crenel.atlas.schema import Profile
from crenel.errors import CrenelError
from crenel.wall.wall import Wall
from tests.probes.coins import ToldCoins
from tests.probes.epochs import Probe, Setting, Subject, probes_of

Path = tuple[str | int, ...]
Tree = Mapping[str, Any]

PROSE = {"title", "note", "assumed", "says"}
"""Keys whose text is for people, whatever stands below them."""
CITED = {("middlebox", "epoch", "sources"), ("list", "entries", "source")}
"""Sources that every explanation names; those of rows, lists and vantages are for the reader of the file."""

WHOLE = frozenset(
    ("middlebox", "epoch", "vantage", "alternative", "between", "counter", "line", "printable", "bits_low", "bits_high", "printable_share", "ports")
)
"""Lists from which nothing can be taken: pairs, triples and ranges, and tables of which each stands for itself."""

GROUPS = ("draws", "days", "flows", "names", "ends", "hours", "memory", "payloads", "states", "alternatives", "vantages")

GONE = object()
"""What stands in place of a value that is taken away."""


class Leaf(NamedTuple):
    """One value of the profile, and what to try in its place."""

    path: Path
    candidates: tuple[Any, ...]

    def __str__(self) -> str:
        """Return its place in the file."""
        return ".".join(map(str, self.path)) + (" (taken away)" if self.candidates == (GONE,) else "")


def profile_tree() -> Tree:
    return tomllib.loads((resources.files("crenel.atlas") / "walls" / "gfw.toml").read_text("utf-8"))


def names_of(path: Path) -> tuple[str, ...]:
    return tuple(step for step in path if isinstance(step, str))


def kind_of(path: Path) -> tuple[str, ...]:
    """Return the keys of a path without the names of tables that the file itself gives."""
    names = names_of(path)
    return (names[0], *names[2:]) if names[0] in {"list", "tcb"} else names


def in_pool(tree: Tree, path: Path) -> bool:
    """Say whether a path leads into a pool of forged addresses."""
    return path[0] == "list" and tree["list"][path[1]]["kind"] == "pool"


def leaves(tree: Tree) -> list[Leaf]:
    """Return every value that is not prose, and every row, template and list item as something that can be taken away."""
    found: list[tuple[Path, Any]] = []
    taken: list[Path] = []

    def walk(node: Any, path: Path) -> None:
        names = names_of(path)
        if names and (names[-1] in PROSE or (names[-1] in {"sources", "source"} and (kind_of(path) not in CITED or in_pool(tree, path)))):
            return
        if isinstance(node, dict):
            for key, value in node.items():
                walk(value, (*path, key))
        elif isinstance(node, list):
            for number, value in enumerate(node):
                walk(value, (*path, number))
                if len(node) > 1 and names[-1] not in WHOLE and names[-2:-1] != ("by_hour",):
                    taken.append((*path, number))
        else:
            found.append((path, node))

    walk(tree, ())
    seen: dict[tuple[str, ...], dict[Any, None]] = {}
    for path, value in found:
        if isinstance(value, str):
            seen.setdefault(names_of(path)[-2:], {})[value] = None
    changed = [Leaf(path, tuple(candidates(path, value, seen))) for path, value in found]
    return changed + [Leaf(path, (GONE,)) for path in taken]


def literals() -> dict[str, dict[Any, None]]:
    """Return the words that each key of the schema may have, where it names them."""
    words: dict[str, dict[Any, None]] = {}

    def walk(kind: Any, key: str, known: set[type]) -> None:
        match kind:
            case msgspec.inspect.LiteralType():
                words.setdefault(key, {}).update(dict.fromkeys(kind.values))
            case msgspec.inspect.StructType():
                if kind.cls not in known:
                    known.add(kind.cls)
                    for field in kind.fields:
                        walk(field.type, field.encode_name, known)
            case msgspec.inspect.UnionType():
                for one in kind.types:
                    walk(one, key, known)
            case msgspec.inspect.DictType():
                walk(kind.value_type, key, known)
            case msgspec.inspect.VarTupleType():
                walk(kind.item_type, key, known)
            case _:
                pass

    walk(msgspec.inspect.type_info(Profile), "", set())
    return words


LITERALS = literals()


def candidates(path: Path, value: Any, seen: Mapping[tuple[str, ...], Mapping[Any, None]]) -> Iterator[Any]:
    """Yield other values that could stand in the place of one."""
    names = names_of(path)
    match value:
        case bool():
            yield not value
        case int():
            if names[0] == "limits":
                yield 1
                return
            if names[-1] in {"versions", "versions_from_outside"}:
                yield 10 - value
                return
            yield from dict.fromkeys(number for number in (value + 1, value - 1, value + 3, 2 * value, value // 2, 1, 0, 40) if number != value)
        case float():
            yield from (number for number in (value / 2, (value + 1) / 2, value + 0.01, value + 0.5, value + 20, value - 20) if number != value)
        case dt.datetime():
            yield from (value + step * dt.timedelta(minutes=1) for step in (1, -1))
        case dt.date():
            yield from (value + step * dt.timedelta(days=1) for step in (1, -1, 3650))
        case str():
            if names[-1] == "prefix_bytes":
                yield value.replace("9", "8")
            if names[-1] in {"has", "lacks"}:
                yield from (value.replace(letter, "") for letter in value)
            known = LITERALS.get(names[-1], {})
            yield from (other for other in itertools.islice((one for one in known or seen[names[-2:]] if one != value), 12))
            if value not in known:
                yield value + "x"
        case _:
            raise AssertionError(f"{path}: a value of an unknown kind, {value!r}")


def with_value(node: Any, path: Path, value: Any) -> Any:
    """Return a tree that differs in one place, sharing all else."""
    if not path:
        return value
    step: Any = path[0]
    copy: Any = dict(node) if isinstance(node, dict) else list(node)
    if len(path) == 1 and value is GONE:
        del copy[step]
    else:
        copy[step] = with_value(node[step], path[1:], value)
    return copy


class Unit(NamedTuple):
    """One epoch of one box."""

    box: int
    epoch: int


class Bench:
    """The probes of every epoch, and what they give where nothing is changed."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self._groups: dict[tuple[Unit, str], list[Probe]] = {}
        self._plain_walls: dict[tuple[Unit, Setting], Wall | None] = {}
        self._plain_said: dict[tuple[Unit, Setting], object] = {}
        self._plain_given: dict[tuple[Unit, str, int], object] = {}
        self.units = [Unit(box, epoch) for box, one in enumerate(tree["middlebox"]) for epoch in range(len(one["epoch"]))]

    def part(self, tree: Tree, unit: Unit) -> dict[str, Any]:
        """Return the profile with one epoch of one box, and what it refers to."""
        box = tree["middlebox"][unit.box]
        epoch = box["epoch"][unit.epoch]
        tables, lists = referred(epoch)
        return {
            **{key: value for key, value in tree.items() if key not in {"middlebox", "tcb", "list", "source"}},
            "middlebox": [{**box, "epoch": [epoch]}],
            "tcb": {name: table for name, table in tree.get("tcb", {}).items() if name in tables},
            "list": {name: table for name, table in tree.get("list", {}).items() if name in lists},
            "source": tree.get("source", {}),
        }

    def subject(self, unit: Unit) -> Subject:
        """Return an epoch as it stands, for its probes."""
        box = self.tree["middlebox"][unit.box]
        epoch = box["epoch"][unit.epoch]
        name = epoch["trigger"].get("list")
        return Subject(box["id"], epoch, self.tree["list"][name]["entries"] if name else ())

    def group(self, unit: Unit, name: str) -> list[Probe]:
        """Return a group of probes of an epoch."""
        key = (unit, name)
        if key not in self._groups:
            if name == "vantages":
                begins = [vantage["from"] for vantage in self.tree["vantage"]]
                moments = [(begin + step * dt.timedelta(days=1)).isoformat() for begin in begins for step in (-1, 0, 1)]
                self._groups[key] = [Probe(Setting(moment), ()) for moment in moments]
            else:
                self._groups[key] = list(probes_of(self.subject(unit))[name]())
        return self._groups[key]

    def changes(self, leaf: Leaf) -> bool:
        """Say whether some other value in the place of this one makes a difference."""
        refused = 0
        for value in leaf.candidates:
            tree = with_value(self.tree, leaf.path, value)
            for unit in self.touched(leaf.path):
                try:
                    profile = converted(self.part(tree, unit))
                except CrenelError:
                    refused += 1
                    break
                if self._differs(profile, unit, leaf.path):
                    return True
        return refused == len(leaf.candidates)

    def _differs(self, profile: Profile, unit: Unit, path: Path) -> bool:
        walls: dict[Setting, Wall | None] = {}
        for name in order_of(path):
            for number, probe in enumerate(self.group(unit, name)):
                setting = probe.setting
                if setting not in walls:
                    walls[setting] = compiled(profile, setting)
                    if said(walls[setting]) != self._said(unit, setting):
                        return True
                wall = walls[setting]
                if wall is not None and given(wall, probe) != self._given(unit, name, number, probe):
                    return True
        return False

    def _wall(self, unit: Unit, setting: Setting) -> Wall | None:
        key = (unit, setting)
        if key not in self._plain_walls:
            self._plain_walls[key] = compiled(converted(self.part(self.tree, unit)), setting)
        return self._plain_walls[key]

    def _said(self, unit: Unit, setting: Setting) -> object:
        key = (unit, setting)
        if key not in self._plain_said:
            self._plain_said[key] = said(self._wall(unit, setting))
        return self._plain_said[key]

    def _given(self, unit: Unit, name: str, number: int, probe: Probe) -> object:
        key = (unit, name, number)
        if key not in self._plain_given:
            wall = self._wall(unit, probe.setting)
            self._plain_given[key] = given(wall, probe) if wall is not None else None
        return self._plain_given[key]

    def touched(self, path: Path) -> Sequence[Unit]:
        """Return the epochs in which a value could be read."""
        if path[0] == "middlebox":
            box = self.tree["middlebox"][path[1]]
            epochs = [path[3]] if len(path) > 3 and path[2] == "epoch" else range(len(box["epoch"]))
            return [Unit(path[1], epoch) for epoch in epochs]  # type: ignore[arg-type]
        if path[0] in {"limits", "utc_offset", "vantage", "name", "format"}:
            # Whatever box: one that drops by the hour, one that waits for bytes, one that was there from the first day on.
            return [unit for unit in self.units if self.subject(unit).box in {"quic-sni", "tls-sni-triple", "http-host"}]
        if path[0] in {"tcb", "list"}:
            kind = 0 if path[0] == "tcb" else 1
            return [unit for unit in self.units if path[1] in referred(self.tree["middlebox"][unit.box]["epoch"][unit.epoch])[kind]]
        return self.units


def referred(epoch: Tree) -> tuple[set[str], set[str]]:
    """Return the state models and the lists that an epoch names."""
    tables = {epoch.get("tcb"), epoch.get("other_device", {}).get("tcb")}
    answer = epoch.get("reaction", {}).get("answer", {})
    lists = {epoch["trigger"].get("list"), answer.get("pool"), answer.get("pool6")}
    return {name for name in tables if name}, {name for name in lists if name}


def order_of(path: Path) -> list[str]:
    """Return all groups of probes, those first that are likely to meet a value."""
    names = names_of(path)
    first = {
        "tcb": ["states", "draws"], "list": ["names", "draws"], "trigger": ["payloads", "ends"], "residual": ["memory", "alternatives"],
        "alternative": ["alternatives"],
        "scope": ["ends"], "first_only": ["ends"], "chance": ["draws", "hours"], "reaction": ["draws", "payloads"],
        "limits": ["flows", "memory"], "vantage": ["vantages", "hours"], "utc_offset": ["hours"],
    }.get(names[2] if names[0] == "middlebox" and len(names) > 2 else names[0], ["draws", "days"])
    return [*first, *(name for name in GROUPS if name not in first)]


def converted(part: Tree) -> Profile:
    """Return a checked profile; CrenelError where it is refused."""
    try:
        profile = msgspec.convert(part, Profile, dec_hook=take_moment)
    except msgspec.ValidationError as error:
        raise CrenelError(str(error)) from error
    check_profile(profile, "profile")
    return profile


def compiled(profile: Profile, setting: Setting) -> Wall | None:
    """Return the wall at a moment; None where what is assumed cannot be."""
    moment = parse_moment(setting.moment)
    try:
        point = load_vantage(setting.vantage or default_vantage(profile, moment))
        return compile_profile(profile, moment, point, assume=dict(setting.assume))
    except CrenelError:
        return None


def said(wall: Wall | None) -> object:
    """Return what explanations and reports say of a wall and its boxes."""
    if wall is None:
        return None
    about: Any = wall.about
    return wall.name, about.vantage, about.notes, tuple(box.facts for box in wall.boxes)


def given(wall: Wall, probe: Probe) -> object:
    """Return every effect of a conversation, and every chance that was asked."""
    coins = ToldCoins(yes=probe.yes, quantile=probe.quantile, acting=probe.acting)
    run = wall.start(coins)
    return [list(run.see(now, side, packet)) for now, side, packet in probe.shown], coins.asked


# The tests.

AWAITED = {"tcb.gfw-fet.ahead": "the box reads the first segment and no other; the number makes it share a strand with the other boxes"}
"""Values that nothing reads and that are to be taken out of the profile."""


@functools.cache
def bench() -> Bench:
    return Bench(profile_tree())


@functools.cache
def parts() -> dict[str, list[Leaf]]:
    """Return all leaves by the table of the file in which they stand."""
    tree = profile_tree()
    by_part: dict[str, list[Leaf]] = {}
    for leaf in leaves(tree):
        top, *rest = leaf.path
        name = tree["middlebox"][rest[0]]["id"] if top == "middlebox" else rest[0] if top in {"tcb", "list"} else ""
        by_part.setdefault(f"{top}.{name}".rstrip("."), []).append(leaf)
    return by_part


def called(leaf: Leaf) -> str:
    """Return the place of a leaf with the id of its box."""
    return re.sub(r"^middlebox\.(\d+)", lambda found: f"middlebox.{bench().tree['middlebox'][int(found[1])]['id']}", str(leaf))


@functools.cache
def unread(part: str) -> tuple[str, ...]:
    """Return the values of one table that nothing reads."""
    return tuple(called(leaf) for leaf in parts()[part] if not bench().changes(leaf))


@pytest.mark.parametrize("part", list(parts()))
def test_every_value_is_read(part: str) -> None:
    assert not [name for name in unread(part) if not any(fnmatch(name, pattern) for pattern in AWAITED)]


def test_what_is_to_be_taken_out_is_still_there() -> None:
    """An entry of AWAITED goes when the profile has changed."""
    names = [name for part in parts() for name in unread(part)]
    assert not [pattern for pattern in AWAITED if not any(fnmatch(name, pattern) for name in names)]


def test_there_are_leaves_of_every_kind() -> None:
    """The walk through the file misses nothing: dates, flags, probabilities, words, rows that could be taken away."""
    found = {type(value) for leaves_of in parts().values() for leaf in leaves_of for value in leaf.candidates}
    assert {bool, int, float, str, dt.date, dt.datetime, object} <= found
    assert sum(map(len, parts().values())) > 3000


def test_a_value_that_nothing_reads_is_found() -> None:
    """The first test can fail: a title, which is prose, is read by nothing but the explanation that names the box."""
    assert not bench().changes(Leaf(("limits", "assumed"), ("something else",)))
    assert not bench().changes(Leaf(("tcb", "gfw-http-2017", "title"), ("something else",)))
    assert bench().changes(Leaf(("middlebox", 0, "title"), ("something else",)))
