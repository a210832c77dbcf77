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

_CONVERSATIONS: dict[str, tuple[Callable[[str], App], ...]] = {
    # Studies ask an innocent host for a keyword; where a wall looks for none, the host itself is the listed one.
    "http": (lambda name: Http(host="allowed.example", target=f"/?q={name}"), lambda name: Http(host=name)),
    "https": (lambda name: Tls(host=name, shape=HelloShape.CLASSIC), lambda name: Tls(host=name)),
    "dns-tcp": (lambda name: Dns(name=name, transport="tcp", tries=_TRIES),),
    "dns": (lambda name: Dns(name=name),),
    # The programs of the studies speak first, whatever the server does.
    "ftp": (lambda name: Ftp(path=name, client_first=True),),
    "smtp": (lambda name: Smtp(sender="reader@allowed.example", recipient=f"reader@{name}", client_first=True),),
    "quic": (lambda name: Quic(host=name),),
}
"""For each protocol the conversations that may serve, the best first, about a name."""


class Experiment(msgspec.Struct, frozen=True):
    """A conversation that a wall stops unless somebody does something about it."""

    protocol: str
    app: App
    chance: float
    """Probability that any box acts on it as it is."""


def experiment_on(wall: Wall, route: Route, protocol: str, name: str | None = None) -> Experiment:
    """Return the first conversation of a protocol, about a name that the wall lists, in which it has ground to act.

    Raises:
        StrategyError: there is no such protocol, or the wall has no ground in it at its date.
        UsageError: nothing can be called by that name.
    """
    if protocol not in _CONVERSATIONS:
        raise StrategyError(f"protocol {protocol!r}: there is {', '.join(PROTOCOLS)}")
    for app in _apps(protocol, _LISTED if name is None else name):
        chance = exact_odds(wall, Simulated().calm(app, wall, route, KeyedCoins(0))).chance
        if chance > 0.0:
            return Experiment(protocol, app, chance)
    about = wall.about
    when = f" as of {about.as_of}" if about is not None and hasattr(about, "as_of") else ""
    about_name = "" if name is None else f" about {name!r}"
    raise StrategyError(f"{wall.name}{when} stops nothing that {protocol}{about_name} could show: there is nothing to evade")


@functools.lru_cache(maxsize=256)
def _apps(protocol: str, name: str) -> tuple[App, ...]:
    return tuple(make(name) for make in _CONVERSATIONS[protocol])
