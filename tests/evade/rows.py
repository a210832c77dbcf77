"""The shipped wall without one row of a state model in, the published rates and follow-up experiments that this row decides out."""

import functools
import re
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import NamedTuple

from crenel.atlas.compile import load_wall
from crenel.atlas.strategies import library
from crenel.evade.table import Reproduced, table
from tests.evade.checks import CHECKS, SEEN, Load, carried_out, opened

_ROW = re.compile(r"^\[\[tcb\.(?P<model>[\w-]+)\.row\]\]\n(?:(?!\[)[^\n]*\n)*", re.MULTILINE)
_MUCH = 0.02
"""By how much a rate that was far off already has to get worse to count."""


class Without(NamedTuple):
    """The profile without one row."""

    model: str
    number: int
    """Of the row in its model, from 1."""
    row: str
    text: str


def profile_text() -> str:
    return (resources.files("crenel.atlas") / "walls" / "gfw.toml").read_text("utf-8")


def each_row(text: str) -> Iterator[Without]:
    """Yield the profile without each row of a state model."""
    numbers: dict[str, int] = {}
    for found in _ROW.finditer(text):
        model = found["model"]
        numbers[model] = numbers.get(model, 0) + 1
        yield Without(model, numbers[model], " ".join(found[0].split("\n")[1:]).strip(), text[: found.start()] + text[found.end() :])


def loading(path: str) -> Load:
    """Return what loads the wall of a file, each date and vantage once."""
    return functools.cache(lambda as_of, vantage: load_wall(path, as_of=as_of, vantage=vantage))


def cells_of(load: Load) -> list[Reproduced]:
    return table(library(), lambda wall, as_of, vantage: load(as_of, vantage))


def failures(load: Load, known: list[Reproduced]) -> list[str]:
    """Return the published cells and the checks that do not come out right, those aside that never did; no cells where none is known."""
    found = []
    try:
        for before, now in zip(known, cells_of(load) if known else [], strict=True):
            worse = abs(now.error) > abs(before.error) + _MUCH if before.far else now.far
            if worse:
                found.append(f"{now.strategy}, {now.protocol}: {now.value:.3f} for {now.published:.3f}")
    except Exception as error:  # noqa: BLE001  that a cell cannot be carried out at all is a failure of it like any other
        found.append(f"{type(error).__name__}: {error}")
    for check in CHECKS:
        try:
            share = carried_out(check, load)
        except Exception as error:  # noqa: BLE001  the same
            found.append(f"{check.name}: {type(error).__name__}: {error}")
            continue
        if abs(share - check.expected) > check.within:
            found.append(f"{check.name}: {share:.3f} for {check.expected:.3f}")
    return found + [f"opened by a {seen.first} alone" for seen in SEEN if opened(seen, load) != seen.expected]


def wall_file(folder: Path, text: str) -> str:
    path = folder / "wall.toml"
    path.write_text(text, "utf-8")
    return str(path)
