"""A wall in, what tests of the search need of it out: a judge of strategies against it, and the wall with some of its rules taken out."""

import functools
import re
from collections.abc import Callable
from importlib import resources
from pathlib import Path

from crenel.atlas.compile import load_wall
from crenel.evade.rate import trials_of
from crenel.evade.search_judge import Judge
from crenel.evade.trial import Side

DAY = "2019-06-01"
NAMED = ("tear-down", "desynchronisation", "segmentation")


@functools.cache
def judge(wall: str = "gfw", side: Side = "client", protocol: str = "http", day: str = DAY) -> Judge:
    """Return what judges strategies against a wall, by name or path, on a day."""
    return Judge(trials_of("", load_wall(wall, day), protocol, side))


def without_rows(unwanted: Callable[[str], bool], place: Path) -> Path:
    """Write the wall with those rows of its state models left out whose text is unwanted, and return where it is."""
    text = (resources.files("crenel.atlas") / "walls" / "gfw.toml").read_text("utf-8")
    pieces = re.split(r"(?m)^(?=\[)", text)
    kept = [piece for piece in pieces if not (re.match(r"\[\[tcb\.[\w-]+\.row\]\]", piece) and unwanted(piece))]
    assert len(kept) < len(pieces)
    place.write_text("".join(kept), "utf-8")
    return place
