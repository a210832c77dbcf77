"""A route in, the same without the time that things take on it out, and runs of its walls that take no time either."""

import enum

import msgspec

from crenel.coins import Coins
from crenel.instant import Instant
from crenel.net.path.route import Link, Route
from crenel.wall.effects import Effect, Inject, Side
from crenel.wall.run import Run
from crenel.wall.wall import Wall
from crenel.wire.packet import Packet

_replace = msgspec.structs.replace


class Pace(enum.Enum):
    """How much of the time that things take on a path is spent."""

    REAL = "real"
    """All of it: what a wall forges races what the other end really says."""
    STILL = "still"
    """None: packets arrive at once, and what a wall forges leaves with the packet that drew it."""


class PromptRun(Run):
    """A run that lets what it forges leave at once: the race that its delay decides is against distances that are not there."""

    def __init__(self, wall: Wall, coins: Coins) -> None:
        super().__init__(wall, coins, forecast=False)

    def see(self, now: Instant, side: Side, packet: Packet) -> list[Effect]:
        """Take one packet as it passes the wall's hop and return what the wall does."""
        effects = super().see(now, side, packet)
        return [_replace(effect, after=0) if isinstance(effect, Inject) else effect for effect in effects] if effects else effects


def start_runs(route: Route, coins: Coins, pace: Pace) -> tuple[Run, ...]:
    """Return runs of a route's walls with empty memory."""
    return tuple(wall.start(coins) if pace is Pace.REAL else PromptRun(wall, coins) for wall in route.walls)


def still(route: Route) -> Route:
    """Return a route on which nothing is delayed, lost or queued; what it does to packets stays."""
    return _replace(route, links=tuple(Link(link.routers, 0) for link in route.links))
