"""A vantage and the walls that stand on its way in, the links and stations from client to server out; immutable, without chance."""

import itertools
from collections.abc import Sequence

import msgspec

from crenel.atlas.vantage import ClientMiddlebox, Vantage
from crenel.instant import NANOSECONDS
from crenel.wall.effects import Side
from crenel.wall.wall import Wall

_MILLISECOND = NANOSECONDS // 1000


class Link(msgspec.Struct, frozen=True):
    """The routers between two stations; the same in both directions."""

    routers: int
    """How many; each takes one from the TTL."""
    delay: int
    """Nanoseconds one way."""
    jitter: int = 0
    """Nanoseconds that are added at most, each number equally likely; packets then may overtake one another."""
    loss: float = 0.0
    """Probability that a packet is lost here."""
    rate: int | None = None
    """Bytes per second in each direction; None: no limit."""


class Standing(msgspec.Struct, frozen=True):
    """A wall at its hop: a packet of the client is seen there if its TTL is at least that number."""

    wall: Wall
    hop: int


class Route(msgspec.Struct, frozen=True):
    """Everything between a client and a server, in the order in which a packet of the client meets it.

    `links` has one member more than `walls`: it stands before, between and behind them. The middleboxes of the client's side stand
    before the first link, those of the server's side behind the last.
    """

    links: tuple[Link, ...]
    walls: tuple[Wall, ...] = ()
    client_side: Side = Side.INSIDE
    client_middleboxes: tuple[ClientMiddlebox, ...] = ()
    """One of them stands in the path, by weight; none where there are none."""
    strict_share: float = 0.0
    """Probability that a strict filter stands before the server."""
    answers: bool = True
    """Do routers say that a TTL ran out?"""
    insertion_loss: float = 0.0
    """Probability, per trial, that what an end sends for the wall alone does not reach it."""
    timestamps: bool = True
    """Do the hosts at its ends put timestamps into their segments?"""
    checks_options: bool = True
    """Do they drop segments whose options make no sense?"""

    @property
    def hops(self) -> int:
        """How many hops away the server is: the TTL that the client's packets need."""
        return 1 + sum(link.routers for link in self.links)


def route_of(vantage: Vantage, walls: Wall | Sequence[Standing]) -> Route:
    """Return the route of a vantage with a wall at its hop, or with several walls, each at its own.

    The client's delay is spread evenly over the hops to the vantage's own wall, the server's over those behind it; loss by delay.

    Raises:
        ValueError: a wall stands at the server or behind it, or before the first hop.
    """
    placed = sorted([Standing(walls, vantage.hops_to_wall)] if isinstance(walls, Wall) else walls, key=lambda standing: standing.hop)
    if placed and not 0 < placed[0].hop <= placed[-1].hop < vantage.hops_to_server:
        raise ValueError(f"{vantage.name}: a wall stands at one of the hops 1 to {vantage.hops_to_server - 1}")
    edges = [1, *(standing.hop for standing in placed), vantage.hops_to_server]
    whole = _reach(vantage, vantage.hops_to_server)
    links = []
    for number, (near, far) in enumerate(itertools.pairwise(edges)):
        delay = _reach(vantage, far) - (_reach(vantage, near) if number else 0)
        links.append(Link(far - near, delay, loss=1.0 - (1.0 - vantage.loss) ** (delay / whole if whole else 1.0 / len(edges))))
    return Route(
        tuple(links), tuple(standing.wall for standing in placed), Side.INSIDE if vantage.side == "inside" else Side.OUTSIDE,
        vantage.client_middlebox, vantage.strict_server_share, insertion_loss=vantage.insertion_loss,
        timestamps=vantage.timestamps, checks_options=vantage.checks_options,
    )


def _reach(vantage: Vantage, hop: int) -> int:
    """Return the nanoseconds from the client to a hop."""
    near, far = vantage.hops_to_wall, vantage.hops_to_server
    if hop <= near:
        return round(vantage.client_delay_ms * _MILLISECOND * hop / near)
    return round((vantage.client_delay_ms + vantage.server_delay_ms * (hop - near) / (far - near)) * _MILLISECOND)
