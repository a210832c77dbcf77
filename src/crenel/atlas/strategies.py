"""The strategy library: the file `strategies.toml` in, checked entries out, all of them or one by its name."""

import functools
import re
from collections.abc import Iterable, Iterator
from importlib import resources

from crenel.atlas.load import read_toml, sources
from crenel.atlas.strategy import Named, Published, Strategies
from crenel.atlas.timeline import span
from crenel.errors import ProfileError, StrategyError, UsageError

_PLACE = "strategies.toml"
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@functools.cache
def library() -> Strategies:
    """Return the strategies that have names, and the studies that measured them.

    Raises:
        ProfileError: the file is wrong; the message names the entry.
    """
    return read_library((resources.files("crenel.atlas") / _PLACE).read_bytes(), _PLACE)


def read_library(text: bytes, place: str) -> Strategies:
    """Return a checked library.

    Raises:
        ProfileError: the text breaks the schema, a name comes twice, something has no source, or a source or a study is not known.
    """
    found = read_toml(text, Strategies, place)
    for fault in _faults(found):
        message = f"{place}: {fault}"
        raise ProfileError(message)
    return found


def named(name: str) -> Named:
    """Return a strategy by its name.

    Raises:
        StrategyError: there is none.
    """
    for entry in library().strategy:
        if entry.name == name:
            return entry
    import difflib  # noqa: PLC0415  only a mistake costs its import

    near = difflib.get_close_matches(name, [entry.name for entry in library().strategy], 2)
    hint = f", but {' and '.join(near)}" if near else ""
    message = f"no strategy is called {name!r}{hint}; crenel evade list prints the names, and a strategy begins with [ or \\/"
    raise StrategyError(message)


def _faults(found: Strategies) -> Iterator[str]:
    for name, study in found.study.items():
        yield from _uncited(f"study.{name}", study.sources)
    names: set[str] = set()
    for entry in found.strategy:
        where = f"strategy {entry.name}"
        if _NAME.fullmatch(entry.name) is None or entry.name in names:
            yield f"{where}: a name is made of small letters, digits and hyphens, and comes once"
        names.add(entry.name)
        yield from _uncited(where, entry.sources)
        for number, cell in enumerate(entry.cell):
            yield from _faults_in(cell, f"{where}.cell[{number}]", found)
        for number, sighting in enumerate(entry.seen):
            place = f"{where}.seen[{number}]"
            yield from _uncited(place, sighting.sources)
            try:
                for text in filter(None, (sighting.from_, sighting.to)):
                    span(text)
            except UsageError as error:
                yield f"{place}: {error}"


def _faults_in(cell: Published, place: str, found: Strategies) -> Iterator[str]:
    if cell.study not in found.study:
        yield f"{place}: there is no study {cell.study!r}"
    if not cell.rates or not all(0.0 <= share <= 1.0 for share in (*cell.rates, cell.reset or 0.0, cell.silent or 0.0, cell.control)):
        yield f"{place}: rates are shares from 0 to 1, and there is at least one"
    if cell.explained is not None and cell.open is not None:
        yield f"{place}: what is explained is not open"
    yield from _unknown(place, cell.sources)


def _uncited(where: str, ids: Iterable[str]) -> Iterator[str]:
    if not ids:
        yield f"{where}: there is no source"
    yield from _unknown(where, ids)


def _unknown(where: str, ids: Iterable[str]) -> Iterator[str]:
    for one in ids:
        if one.partition(":")[0] not in sources():
            yield f"{where}: source {one!r} is not known"
