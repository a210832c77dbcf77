"""The name of a wall and a day in, the wall as it was on that day out."""

from collections.abc import Mapping, Sequence
from typing import cast

from crenel.atlas.compile import About, load_wall
from crenel.atlas.load import load_profile
from crenel.atlas.moment import parse_moment
from crenel.errors import UsageError
from crenel.report.walls import Shown, as_of_day


def load_shown(name: str, as_of: str | None, assume: Mapping[str, str], boxes: Sequence[str]) -> Shown:
    """Return a wall as of a day, today where none is given.

    Raises:
        CrenelError: no such wall or box, a wrong date, or an assumption that does not fit.
    """
    profile, _, _ = load_profile(name)
    about = cast("About", load_wall(name, as_of, assume=assume).about)
    known = [box.id for box in profile.middlebox]
    for box in boxes:
        if box not in known:
            message = f"--box {box}: this wall has {', '.join(known)}"
            raise UsageError(message)
    return as_of_day(profile, about.sha256, parse_moment(about.as_of), about.vantage, assume)
