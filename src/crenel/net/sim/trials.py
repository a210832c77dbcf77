"""An application, a wall and a route in, the exchange that they come to in virtual time out: the ground that needs no kernel."""

import msgspec

from crenel.coins import Coins
from crenel.instant import NANOSECONDS, Instant
from crenel.net.ground import App, Rewrite
from crenel.net.odds import odds_of
from crenel.net.path.path import End, Path, WallEffect
from crenel.net.path.route import Route
from crenel.net.sim.network import Network
from crenel.net.trace import Exchange, Trigger, evidence_of
from crenel.wall.effects import Armed, Because, Drop, Inject, Missed, Throttle
from crenel.wall.wall import Wall

LONGEST = 120 * NANOSECONDS
"""Nanoseconds of virtual time after which an exchange is broken off: longer than the retries of any application here (bench)."""


class Simulated(msgspec.Struct, frozen=True):
    """Carries out trials in virtual time.

    A wall whose profile was compiled for one hour takes any start; another one reads its hour from it.
    """

    start: Instant = Instant(0)
    """When each trial begins."""
    longest: int = LONGEST
    """Nanoseconds after which it is broken off."""

    def trial(self, app: App, wall: Wall, path: Route, client: Rewrite | None, server: Rewrite | None, coins: Coins) -> Exchange:
        """Carry out one exchange from empty memory; `wall` is the one whose effects the exchange tells of, and stands in `path`."""
        carried = Path(path, coins, self.start)
        ends = app.hosts(self.start, coins)
        rewrites = {end: rewrite for end, rewrite in ((End.CLIENT, client), (End.SERVER, server)) if rewrite is not None}
        Network(carried, *ends, rewrites).run(self.start, Instant(self.start + self.longest))
        return exchange_of(carried, wall)


def exchange_of(path: Path, wall: Wall) -> Exchange:
    """Return what one wall did on a path, as an exchange; it is blocked where any box acted.

    The chance is that of the grounds which the boxes had in this run: what they would have met had others acted otherwise is not in it.
    """
    places: dict[int, int] = {}
    for number, event in enumerate(path.trace, 1):
        if event.where == wall.name:
            places.setdefault(event.number, number)
    acted: list[tuple[Because, int]] = []
    grounds: list[tuple[Because, int]] = []
    for told in path.effects:
        if told.wall == wall.name and isinstance(told.effect, Inject | Drop | Throttle | Armed | Missed):
            grounds.append((told.effect.because, told.packet))
            if not isinstance(told.effect, Missed):
                acted.append(grounds[-1])
    odds = odds_of([box for box in wall.boxes if any(because.middlebox == box.id for because, _ in grounds)], _tosses(path.effects, wall))
    evidence = {because.middlebox: evidence_of(because, places.get(packet, 0)) for because, packet in reversed(grounds)}
    actions = {box.id: box.action or "" for box in wall.boxes}
    boxes = {because.middlebox for because, _ in acted}
    first = acted[0][0].middlebox if acted else None
    return Exchange(
        bool(acted), odds.chance > 0.0 or bool(acted), first, None if first is None else actions[first], odds.chance,
        tuple(Trigger(name, actions[name], chance, name in boxes) for name, chance in odds.boxes.items()),
        tuple(evidence[box.id] for box in wall.boxes if box.id in evidence), tuple(path.trace),
    )


def _tosses(effects: list[WallEffect], wall: Wall) -> list[Because]:
    """Return the ground of each toss once: a box that acts tells of it with every packet that it forges."""
    tosses: dict[tuple[int, str, int, bool], Because] = {}
    for told in effects:
        if told.wall == wall.name and isinstance(told.effect, Inject | Drop | Throttle | Armed | Missed):
            because = told.effect.because
            tosses.setdefault((told.packet, because.middlebox, because.offset, because.residual is not None), because)
    return list(tosses.values())
