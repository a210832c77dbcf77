"""Ids of sources in, what a reader needs to find the works out: authors, title, venue, year and the places in them."""

from collections.abc import Iterable, Mapping

from crenel.atlas.load import load_profile, sources
from crenel.atlas.schema import Source
from crenel.report.text import listed, safe

_YOURS = {"user": "your own list (--list)", "listed": "you (--listed)"}


def known_sources(wall: str) -> Mapping[str, Source]:
    """Return the sources of the atlas and those that only this wall file has, by id.

    Raises:
        ProfileError: no such wall, or the file is wrong.
    """
    return {**sources(), **load_profile(wall)[0].source}


def cite(ids: Iterable[str], known: Mapping[str, Source]) -> list[str]:
    """Return one sentence for each work, the places in it put together, in the order of the ids."""
    places: dict[str, list[str]] = {}
    for one in ids:
        work, _, place = one.partition(":")
        places.setdefault(work, [])
        if place and place not in places[work]:
            places[work].append(place)
    return [_work(work, where, known) for work, where in places.items()]


def _work(work: str, places: list[str], known: Mapping[str, Source]) -> str:
    if work in _YOURS:
        return _YOURS[work]
    source = known.get(work)
    if source is None:
        return safe(work)
    said = [safe(source.authors, 200), f"“{safe(source.title, 300)}”", safe(source.venue, 200), year_of(source)]
    where = f" ({listed([safe(place).replace('-', ' ') for place in places])})" if places else ""
    return ", ".join(part for part in said if part) + where + f" [{work}]"


def year_of(source: Source) -> str:
    """Return the year of a work, unless its venue says it already."""
    return "" if source.year is None or str(source.year) in source.venue else str(source.year)
