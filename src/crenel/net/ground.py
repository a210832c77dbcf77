"""What an experiment asks of whoever carries it out: an application, a wall, a route and rewriting at either end in, an exchange out."""

from collections.abc import Callable, Sequence
from typing import Protocol

from crenel.coins import Coins
from crenel.instant import Instant
from crenel.net.app.speaker import App
from crenel.net.exchange import Exchange
from crenel.net.path.route import Route
from crenel.wall.wall import Wall
from crenel.wire.packet import Packet


class Rewriter(Protocol):
    """Stands between an end's stack and the path for one trial."""

    def outbound(self, packet: Packet) -> Sequence[tuple[int, Packet]]:
        """Take a packet that the stack sends; return what is sent instead, in order, each with the nanoseconds until then."""

    def inbound(self, packet: Packet) -> Sequence[tuple[int, Packet]]:
        """Take a packet that has arrived; return what the stack gets instead, in order; nothing is held back."""


Tactic = Callable[[Coins], Rewriter]
"""Gives a rewriter that remembers nothing, for one trial with these coins."""


class Host(Protocol):
    """One end: a stack with the application on top, driven from outside."""

    def receive(self, now: Instant, packet: Packet) -> None:
        """Take a packet that has arrived."""

    def packets(self) -> list[Packet]:
        """Return what is to be sent now, each packet once."""

    def next_timer(self) -> Instant | None:
        """Return when `fire` wants to be called; None while no timer runs."""

    def fire(self, now: Instant) -> None:
        """Let the timers that are due go off."""


class Ground(Protocol):
    """Where trials take place: in virtual time, or on real stacks."""

    def trial(self, app: App, wall: Wall, path: Route, client: Tactic | None, server: Tactic | None, coins: Coins) -> Exchange:
        """Carry out one exchange from empty memory; `wall` is the one whose effects the exchange tells of, and stands in `path`."""
