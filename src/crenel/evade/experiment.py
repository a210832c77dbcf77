"""A protocol and a wall in, the conversation by which strategies are tried there out: one that the wall would stop."""

import functools
from collections.abc import Callable
from typing import Literal, get_args

import msgspec

from crenel.coins import KeyedCoins
from crenel.errors import StrategyError
from crenel.net.app.dns import Dns
from crenel.net.app.ftp import Ftp
from crenel.net.app.http import Http
from crenel.net.app.quic import Quic
from crenel.net.app.smtp import Smtp
from crenel.net.app.speaker import App
from crenel.net.app.tls import Tls
from crenel.net.odds import exact_odds
from crenel.net.path.route import Route
from crenel.net.sim.trials import Simulated
from crenel.wall.wall import Wall
from crenel.wire.tls_build import HelloShape

Protocol = Literal["http", "https", "dns-tcp", "dns", "ftp", "smtp", "quic"]
PROTOCOLS: tuple[Protocol, ...] = get_args(Protocol)

_LISTED = "blocked.example"
_TRIES = 3
"""Resolvers try again when a connection is reset (RFC 7766 section 6.2.4); so many tries in all, as in the published study of servers' strategies."""

_CONVERSATIONS: dict[str, tuple[Callable[[], App], ...]] = {
    # Studies ask an innocent host for a keyword; where a wall looks for none, the host itself is the listed one.
    "http": (lambda: Http(host="allowed.example", target=f"/?q={_LISTED}"), lambda: Http(host=_LISTED)),
    "https": (lambda: Tls(host=_LISTED, shape=HelloShape.CLASSIC), lambda: Tls(host=_LISTED)),
    "dns-tcp": (lambda: Dns(name=_LISTED, transport="tcp", tries=_TRIES),),
    "dns": (lambda: Dns(name=_LISTED),),
    # The programs of the studies speak first, whatever the server does.
    "ftp": (lambda: Ftp(path=_LISTED, client_first=True),),
    "smtp": (lambda: Smtp(sender="reader@allowed.example", recipient=f"reader@{_LISTED}", client_first=True),),
    "quic": (lambda: Quic(host=_LISTED),),
}
"""For each protocol the conversations that may serve, the best first."""


class Experiment(msgspec.Struct, frozen=True):
    """A conversation that a wall stops unless somebody does something about it."""

    protocol: str
    app: App
    chance: float
    """Probability that any box acts on it as it is."""


def experiment_on(wall: Wall, route: Route, protocol: str) -> Experiment:
    """Return the first conversation of a protocol in which a wall has ground to act.

    Raises:
        StrategyError: there is no such protocol, or the wall has no ground in it at its date.
    """
    if protocol not in _CONVERSATIONS:
        raise StrategyError(f"protocol {protocol!r}: there is {', '.join(PROTOCOLS)}")
    for app in _apps(protocol):
        chance = exact_odds(wall, Simulated().calm(app, wall, route, KeyedCoins(0))).chance
        if chance > 0.0:
            return Experiment(protocol, app, chance)
    about = wall.about
    when = f" as of {about.as_of}" if about is not None and hasattr(about, "as_of") else ""
    raise StrategyError(f"{wall.name}{when} stops nothing that {protocol} could show: there is nothing to evade")


@functools.cache
def _apps(protocol: str) -> tuple[App, ...]:
    return tuple(make() for make in _CONVERSATIONS[protocol])
