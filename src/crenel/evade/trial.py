"""A strategy at one end, a conversation and coins in, the exchange that they come to and whether it was a success out."""

from typing import Literal

import msgspec

from crenel.coins import Coins, KeyedCoins
from crenel.errors import StrategyError
from crenel.evade.apply import Applied, Prepared
from crenel.evade.experiment import Experiment
from crenel.evade.insertion import Inserting
from crenel.net.exchange import Exchange
from crenel.net.ground import Ground, Rewriter, Tactic
from crenel.net.path.route import Route
from crenel.wall.wall import Wall

Side = Literal["client", "server"]
SIDES: tuple[Side, Side] = ("client", "server")


class Trial(msgspec.Struct, frozen=True):
    """One exchange with a strategy at one end."""

    exchange: Exchange
    fired: bool
    """Did the strategy do anything?"""

    @property
    def success(self) -> bool:
        """Was the client answered by its server, in whatever way? Published studies count an error page as a success, too."""
        experience = self.exchange.experience
        if experience.ending == "answered":
            return True
        return experience.ending == "misled" and self.exchange.answers[0].forged_by is None


class Trials(msgspec.Struct, frozen=True):
    """Trials that differ in nothing but their coins."""

    prepared: Prepared | None
    """The strategy; None for an end that does nothing special."""
    side: Side
    experiment: Experiment
    wall: Wall
    route: Route
    ground: Ground

    def __post_init__(self) -> None:
        if self.side not in SIDES:
            raise StrategyError(f"side {self.side!r}: a strategy works at the client or at the server")

    def narrowed(self) -> "Trials":
        """Return the same trials against only those boxes that have ground in them, whatever any coin says.

        The others watch the same packets and toss coins of their own, which nobody else ever learns of.
        """
        found = {trigger.middlebox for trigger in self.run(KeyedCoins(0)).exchange.triggers}
        plain = msgspec.structs.replace(self, prepared=None).run(KeyedCoins(0)).exchange
        found |= {trigger.middlebox for trigger in plain.triggers}
        few = self.wall.alone(*(box for box in self.wall.boxes if box.id in found))
        walls = tuple(few if wall is self.wall else wall for wall in self.route.walls)
        return msgspec.structs.replace(self, wall=few, route=msgspec.structs.replace(self.route, walls=walls))

    def run(self, coins: Coins) -> Trial:
        """Carry out one trial."""
        applied: list[Applied] = []

        def tactic(coins: Coins) -> Rewriter:
            assert self.prepared is not None  # noqa: S101  it is only handed on where there is one
            own = self.prepared.start(coins, self.side)
            applied.append(own)
            # What adds bytes to the stream itself inserts nothing for the wall alone.
            plain = self.prepared.grows or not self.route.insertion_loss
            return own if plain else Inserting(own, coins, self.route.insertion_loss)

        given: Tactic | None = None if self.prepared is None else tactic
        client, server = (given, None) if self.side == "client" else (None, given)
        exchange = self.ground.trial(self.experiment.app, self.wall, self.route, client, server, coins)
        return Trial(exchange, any(any(one.fired) for one in applied[:1]))
