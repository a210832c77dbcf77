"""A wall in, how many simulated exchanges a second one core carries through it out."""

import time
from collections.abc import Callable

from crenel.coins import KeyedCoins
from crenel.instant import Instant
from crenel.net.app.http import Http
from crenel.net.sim.trials import Simulated
from crenel.net.sim.tries import Session, route_to
from crenel.wall.wall import Wall

HOSTS = {"exchanges, passed": "allowed.example", "exchanges, blocked": "blocked.example"}
"""Rows of the bench: a whole HTTP exchange, from the SYN to the moment at which the client has its answer or is reset."""
REMEMBERED = "memory, two exchanges"
"""Another row: an exchange that is blocked, 180 seconds of virtual time, and a second one."""
_PAUSE = 180.0
_ROUNDS = 3


def exchanges(wall: Wall, host: str, count: int) -> float:
    """Return how many HTTP exchanges with a host are carried through a wall each second, each from empty memory and with its own draws."""
    app, route = Http(host=host), route_to(wall)
    ground = Simulated(Instant(0), afterglow=0)

    def run() -> None:
        for trial in range(count):
            _ = ground.trial(app, wall, route, None, None, KeyedCoins(0, trial)).outcome

    return count / _best(run)


def remembered(wall: Wall, count: int) -> float:
    """Return how many pairs of exchanges, with a pause between them that costs nothing, are carried through a wall each second."""

    def run() -> None:
        for trial in range(count):
            session = Session(wall, trial=trial)
            session.try_url("http://blocked.example/")
            session.wait(_PAUSE)
            _ = session.try_url("http://allowed.example/").outcome

    return count / _best(run)


def _best(run: Callable[[], None]) -> float:
    """Return the seconds that the fastest of a few rounds took."""
    took = []
    for _ in range(_ROUNDS):
        begun = time.perf_counter()
        run()
        took.append(time.perf_counter() - begun)
    return min(took)
