"""An application, a wall and a route in, the exchange that they come to in virtual time out: the ground that needs no kernel."""

import functools
from collections.abc import Mapping, Sequence

import msgspec

from crenel.coins import Coins, Uniform
from crenel.instant import NANOSECONDS, Instant
from crenel.net.app.speaker import App
from crenel.net.exchange import Exchange
from crenel.net.ground import Tactic
from crenel.net.host.host import Host
from crenel.net.host.options import HostOptions
from crenel.net.odds import Aside, Shown
from crenel.net.path.path import End, Path
from crenel.net.path.route import Route
from crenel.net.sim.ends import ClientEnd, ServerEnd
from crenel.net.sim.network import Network
from crenel.wall.effects import Side
from crenel.wall.wall import Wall

LONGEST = 150 * NANOSECONDS
"""Nanoseconds of virtual time after which an exchange is broken off: longer than the patience of any application here (bench)."""
AFTERGLOW = NANOSECONDS
"""Nanoseconds within which late answers and farewells are seen (bench)."""

_ISN = Uniform(0, (1 << 30) - 1)
"""Where connections begin: far from the middle of all 32-bit numbers, at which a random field is held where chances are worked out."""
_OTHER = {Side.INSIDE: Side.OUTSIDE, Side.OUTSIDE: Side.INSIDE}


class Between(msgspec.Struct, frozen=True):
    """Who talks: the addresses of both ends, of 4 or 16 bytes and the same version, and the client's port."""

    client: bytes = bytes((192, 0, 2, 2))
    server: bytes = bytes((198, 51, 100, 2))
    sport: int = 50_000
    """Of the first connection; each further one takes the next port."""


def initial_numbers(coins: Coins) -> tuple[int, int]:
    """Return the initial sequence numbers of client and server, to each of which the client's port is added."""
    return coins.draw("client", b"", "isn", _ISN), coins.draw("server", b"", "isn", _ISN)


class Simulated(msgspec.Struct, frozen=True):
    """Carries out trials in virtual time.

    A wall whose profile was compiled for one hour takes any start; another one reads its hour from it.
    """

    start: Instant = Instant(0)
    """When each trial begins."""
    longest: int = LONGEST
    """Nanoseconds after which it is broken off."""
    between: Between = Between()
    tolerate: float = 0.0
    """An exchange is at risk where its chance is above this."""
    afterglow: int = AFTERGLOW
    """Nanoseconds for which it goes on once the client has its answer or has given up; 0 where only that end is of interest."""

    def trial(self, app: App, wall: Wall, path: Route, client: Tactic | None, server: Tactic | None, coins: Coins) -> Exchange:
        """Carry out one exchange from empty memory; `wall` is the one whose effects the exchange tells of, and stands in `path`."""
        tactics = {end: tactic for end, tactic in ((End.CLIENT, client), (End.SERVER, server)) if tactic is not None}
        return self.carry(app, wall, Path(path, coins, self.start), coins, tactics)

    def carry(self, app: App, wall: Wall, path: Path, coins: Coins, tactics: Mapping[End, Tactic] | None = None) -> Exchange:
        """Carry out one exchange over a path, whose walls may remember earlier ones; the chance is that from empty memory all the same."""
        first = len(path.trace), len(path.effects)
        client = self._play(app, path, coins, tactics)
        ending = client.finished(Instant(self.start + self.longest))
        return Exchange(
            wall, self.start, ending, path.trace[first[0] :], path.effects[first[1] :], lambda: self.calm(app, wall, path.route, coins, tactics),
            self.tolerate,
        )  # fmt: skip

    def calm(self, app: App, wall: Wall, path: Route, coins: Coins, tactics: Mapping[End, Tactic] | None = None) -> Sequence[Shown]:
        """Let the same ends meet where no box acts, from empty memory; return what passes a wall, with times and sides."""
        aside = Aside(coins)
        carried = Path(path, aside, self.start, tuple(wall.start(aside, mode="forecast") for wall in path.walls))
        self._play(app, carried, aside, tactics)
        sides = {"server": path.client_side, "client": _OTHER[path.client_side]}
        return [
            (Instant(self.start + event.time), sides[event.toward], event.packet)
            for event in carried.trace
            if event.where == wall.name and event.injected_by is None and event.sender != "path"
        ]

    def _play(self, app: App, path: Path, coins: Coins, tactics: Mapping[End, Tactic] | None) -> ClientEnd:
        start, between = self.start, self.between
        ours, theirs = initial_numbers(coins)
        options = options_of(path.route)
        server = ServerEnd(app, Host(between.server, options, lambda peer, port, own: theirs + port))
        client = ClientEnd(app, Host(between.client, options, lambda peer, port, own: ours + own), between.server, between.sport, start)
        rewriters = {end: tactic(coins) for end, tactic in tactics.items()} if tactics else None
        network = Network(path, client, server, rewriters)
        end = Instant(start + self.longest)
        stop = network.run(start, end, done=lambda: client.experience)
        if self.afterglow:
            network.run(stop.at, min(end, Instant(stop.at + self.afterglow)))
        return client


@functools.lru_cache(maxsize=4)
def _options(*, timestamps: bool, checks_options: bool) -> HostOptions:
    return HostOptions(timestamps=timestamps, checks_options=checks_options)


def options_of(route: Route) -> HostOptions:
    """Return what the hosts at the ends of a route are set to."""
    return _options(timestamps=route.timestamps, checks_options=route.checks_options)
