"""The cells of published tables in, each with the rate that the rules give for it, its error and the coins that decide it, out."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from crenel.atlas.strategy import Named, Published, Strategies, Study
from crenel.evade.rate import Rate, rate
from crenel.wall.wall import Wall

FAR = 0.07
"""A reproduced rate that is farther from the published one wants an explanation."""

Load = Callable[[str, str, str], Wall]
"""Gives a wall by its name, date and vantage."""


class Reproduced(msgspec.Struct, frozen=True):
    """One cell of a published table, and what the rules make of it."""

    strategy: str
    side: str
    protocol: str
    study: str
    as_of: str
    vantage: str
    published: float
    """The rate that counts: of several published ones the nearest."""
    others: tuple[float, ...]
    """Other published rates of the same strategy."""
    value: float
    error: float
    """Reproduced less published."""
    reset: tuple[float, float] | None
    """Share of trials that ended with resets, published and reproduced, where the study tells."""
    rate: Rate
    explained: str | None
    open: str | None
    sources: tuple[str, ...]

    @property
    def far(self) -> bool:
        """Is it off by more than `FAR`?"""
        return abs(self.error) > FAR + 1e-9


def table(library: Strategies, load: Load, wanted: Callable[[Named, Published], bool] = lambda entry, cell: True) -> list[Reproduced]:
    """Return the published cells, reproduced, in the order of the library.

    Args:
        library: the strategies and their studies.
        load: gives walls; each is asked for once.
        wanted: which cells.
    """
    walls: dict[str, Wall] = {}
    return [
        _reproduced(entry, cell, library.study[cell.study], _wall(cell.study, library.study, load, walls))
        for entry in library.strategy
        for cell in entry.cell
        if wanted(entry, cell)
    ]


def mean_error(cells: Iterable[Reproduced]) -> float:
    """Return the mean absolute error of some cells, nan for none."""
    errors = [abs(cell.error) for cell in cells]
    return sum(errors) / len(errors) if errors else float("nan")


def mean_reset_error(cells: Iterable[Reproduced]) -> float:
    """Return the mean absolute error of the shares of resets, nan where no study tells of any."""
    errors = [abs(cell.reset[1] - cell.reset[0]) for cell in cells if cell.reset is not None]
    return sum(errors) / len(errors) if errors else float("nan")


def _wall(name: str, studies: Mapping[str, Study], load: Load, walls: dict[str, Wall]) -> Wall:
    if name not in walls:
        study = studies[name]
        walls[name] = load(study.wall, study.as_of.isoformat(), study.vantage)
    return walls[name]


def _reproduced(entry: Named, cell: Published, study: Study, wall: Wall) -> Reproduced:
    found = rate(entry.dna, wall, cell.protocol, entry.side, name=cell.name)
    # What failed with nothing to block would have failed here, too.
    value = found.value * (1.0 - cell.control)
    published = min(cell.rates, key=lambda one: abs(one - value))
    others = _without(cell.rates, published)
    reset = None if cell.reset is None else (cell.reset, found.endings.get("reset", 0.0) * (1.0 - cell.control))
    return Reproduced(
        entry.name, entry.side, cell.protocol, cell.study, study.as_of.isoformat(), study.vantage, published, others, value, value - published,
        reset, found, cell.explained, cell.open, tuple(dict.fromkeys((*study.sources, *cell.sources))),
    )  # fmt: skip


def _without(rates: Sequence[float], one: float) -> tuple[float, ...]:
    rest = list(rates)
    rest.remove(one)
    return tuple(rest)
