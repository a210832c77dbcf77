"""A URL or a first payload and a wall in, the simulated exchange or its chance out; a session keeps the wall's memory from one to the next."""

import ipaddress
from collections.abc import Sequence
from typing import Literal, Protocol, runtime_checkable

import msgspec

from crenel.atlas.vantage import Vantage
from crenel.coins import Coins, KeyedCoins
from crenel.errors import UsageError
from crenel.instant import NANOSECONDS, Instant, seconds
from crenel.net.app.script import Script
from crenel.net.app.target import Target, read_target
from crenel.net.exchange import Exchange
from crenel.net.odds import exact_odds
from crenel.net.path.path import Path
from crenel.net.path.route import Link, Route, route_of
from crenel.net.sim.trials import Between, Simulated
from crenel.wall.run import Run
from crenel.wall.wall import Wall

Transport = Literal["tcp", "udp"]

LONGEST_PAYLOAD = 1 << 20
"""Bytes; what a person would call a first payload is far shorter."""
_LONGEST_DATAGRAM = 65_507  # 65,535 bytes of IPv4 packet without the 28 of its headers (RFC 791 section 3.1, RFC 768)
_NOON = 12
_SIXES = Between(ipaddress.ip_address("2001:db8:1::2").packed, ipaddress.ip_address("2001:db8:2::2").packed)
_NEAR = Link(4, 5_000_000)
"""Half of a path for a wall that no atlas knows, so that no vantage belongs to it."""


@runtime_checkable
class _Known(Protocol):
    """What an atlas knows of a wall."""

    seed: int
    place: Vantage
    noon: int


def try_url(url: str, wall: Wall, *, tolerate: float = 0.0, vantage: str | None = None, trial: int = 0) -> Exchange:
    """Ask for a URL, or for the address of a bare domain name, from behind a wall, with the wall's seed.

    Args:
        url: `http`, `https`, `quic`, `dns`, `dns-tcp`, `ftp` or `smtp`.
        wall: from `load_wall`; where its date is bare it is noon.
        tolerate: the exchange is at risk where its chance is above this.
        vantage: another vantage than the wall's, by name or path.
        trial: number of the repetition; each has its own draws.

    Raises:
        ProfileError: there is no such vantage.
        UsageError: it is no URL and no name, or the scheme is not known.
    """
    return try_target(read_target(url), wall.seen_from(vantage), tolerate=tolerate, trial=trial)


def try_payload(
    payload: bytes | Sequence[bytes],
    wall: Wall,
    *,
    transport: Transport = "tcp",
    port: int = 443,
    tolerate: float = 0.0,
    vantage: str | None = None,
    trial: int = 0,
) -> Exchange:
    """Send a first client payload from behind a wall, with the wall's seed, to a server that answers, and go on from there.

    Args:
        payload: of 1 byte to 1 MiB; or several, each sent once the one before it was answered.
        wall: from `load_wall`; where its date is bare it is noon.
        transport: `tcp` or `udp`.
        port: destination port.
        tolerate: the exchange is at risk where its chance is above this.
        vantage: another vantage than the wall's, by name or path.
        trial: number of the repetition; each has its own draws.

    Raises:
        ProfileError: there is no such vantage.
        UsageError: the payload is empty or too long, or there is no such transport or port.
    """
    return try_target(payload_target(payload, transport, port), wall.seen_from(vantage), tolerate=tolerate, trial=trial)


def chance(payload: bytes, wall: Wall, transport: Transport = "tcp", port: int = 443, vantage: str | None = None) -> float:
    """Return the probability that a wall acts on a fresh flow with this first client payload, over all outcomes of its coins.

    The arguments and what is raised are those of `try_payload`.
    """
    wall, target = wall.seen_from(vantage), payload_target(payload, transport, port)
    ground, coins = _ground(wall, target), _coins(wall, 0)
    return exact_odds(wall, ground.calm(target.app, wall, route_to(wall), coins)).chance


def payload_target(payload: bytes | Sequence[bytes], transport: str = "tcp", port: int = 443) -> Target:
    """Return the target that stands for payloads.

    Raises:
        UsageError: one of them is empty or too long, or there is no such transport or port.
    """
    messages = (payload,) if isinstance(payload, bytes | bytearray | memoryview) else tuple(payload)
    longest = {"tcp": LONGEST_PAYLOAD, "udp": _LONGEST_DATAGRAM}.get(transport)
    if longest is None:
        message = f"transport {transport!r}: a payload goes over tcp or udp"
        raise UsageError(message)
    if not messages or not all(messages):
        message = "the payload is empty: a flow is judged by its first bytes"
        raise UsageError(message)
    size = max(len(one) for one in messages)
    if size > longest:
        message = f"the payload has {size} bytes: over {transport} at most {longest} can be tried"
        raise UsageError(message)
    if not 0 < port < 1 << 16:
        message = f"port {port}: a destination port is a number from 1 to 65535"
        raise UsageError(message)
    app = Script(messages=tuple(bytes(one) for one in messages), transport="udp" if transport == "udp" else "tcp", port=port)
    return Target(f"{size} bytes to port {port}", app, "")


def try_target(target: Target, wall: Wall, *, tolerate: float = 0.0, trial: int = 0) -> Exchange:
    """Carry out one exchange from empty memory; `trial` numbers repetitions."""
    coins = _coins(wall, trial)
    return _ground(wall, target, tolerate=tolerate).trial(target.app, wall, route_to(wall), None, None, coins)


def route_to(wall: Wall) -> Route:
    """Return the way through a wall as its vantage describes it."""
    about = wall.about
    return route_of(about.place, wall) if isinstance(about, _Known) else Route((_NEAR, _NEAR), (wall,))


def _coins(wall: Wall, trial: int) -> Coins:
    # What an atlas knows of a wall has the seed; one built by hand has none.
    return KeyedCoins(wall.about.seed if isinstance(wall.about, _Known) else 0, trial)


def _ground(wall: Wall, target: Target, *, start: Instant | None = None, tolerate: float = 0.0, sport: int | None = None) -> Simulated:
    between = _SIXES if target.address is not None and len(target.address) == 16 else Between()
    if target.address is not None:
        between = msgspec.structs.replace(between, server=target.address)
    port = target.app.port
    # Above the server's port where there is such a port: some boxes look at that.
    sport = (between.sport if port < between.sport else min(port + 1, 65535)) if sport is None else sport
    if start is None:
        start = _start(wall)
    return Simulated(start, between=msgspec.structs.replace(between, sport=sport), tolerate=tolerate)


def _start(wall: Wall) -> Instant:
    """Return an instant at which the wall's own clock shows the hour that was asked for, or noon."""
    if isinstance(wall.about, _Known):
        return Instant(wall.about.noon)
    hours = (hour * 3600 * NANOSECONDS for hour in range(24))
    return Instant(next((instant for instant in hours if wall.hour_at(instant) == _NOON), 0))


class Session:
    """Exchanges of one client, one after the other, with a wall that remembers them.

    Args:
        wall: from `load_wall`.
        vantage: another vantage than the wall's, by name or path.
        trial: number of the repetition; each has its own draws.
        tolerate: an exchange is at risk where its chance is above this.

    Attributes:
        now: the clock of the session.

    Raises ProfileError where there is no such vantage.
    """

    def __init__(self, wall: Wall, *, vantage: str | None = None, trial: int = 0, tolerate: float = 0.0) -> None:
        self._wall = wall.seen_from(vantage)
        self._route = route_to(self._wall)
        self._coins = _coins(self._wall, trial)
        self._runs: tuple[Run, ...] = tuple(one.start(self._coins) for one in self._route.walls)
        self._tolerate = tolerate
        self._tries = 0
        self._packets = 0
        self.now = self._seen = _start(self._wall)

    def wait(self, duration: float) -> None:
        """Let virtual time pass, in seconds; nothing is waited for.

        Raises UsageError for less than nothing.
        """
        if duration < 0:
            message = f"{duration} seconds: time does not run backwards"
            raise UsageError(message)
        self.now = Instant(self.now + seconds(duration))

    def try_url(self, url: str) -> Exchange:
        """Ask for a URL or a name now; raises UsageError where it is none."""
        return self.try_target(read_target(url))

    def try_payload(self, payload: bytes | Sequence[bytes], *, transport: Transport = "tcp", port: int = 443) -> Exchange:
        """Send a first payload now; raises UsageError for what cannot be sent."""
        return self.try_target(payload_target(payload, transport, port))

    def try_target(self, target: Target) -> Exchange:
        """Carry out an exchange now, from a fresh port; afterwards it is the moment at which its client was done."""
        # The last packets of the exchange before are still on their way for a moment.
        start = Instant(max(self.now, self._seen))
        ground = _ground(self._wall, target, start=start, tolerate=self._tolerate)
        used = self._tries * 8
        ground = msgspec.structs.replace(ground, between=msgspec.structs.replace(ground.between, sport=min(ground.between.sport + used, 65535)))
        self._tries += 1
        path = Path(self._route, self._coins, start, self._runs, self._packets)
        exchange = ground.carry(target.app, self._wall, path, self._coins)
        self._packets = max((event.number for event in path.trace), default=self._packets)
        self._seen = Instant(start + max((event.time for event in path.trace), default=0))
        self.now = Instant(start + exchange.experience.time)
        return exchange
