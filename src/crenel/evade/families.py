"""The trial of a strategy in, the rules that the boxes of its wall carried out and the family of ways through that they amount to out.

A family is told from what a box did, never from the text of the strategy: which rows of its state model were carried out, on which
packets, and whether what it read was what the client meant for its server.
"""

from collections.abc import Sequence
from typing import Literal, TypeAlias

import msgspec

from crenel.coins import Coins, Fall, Law
from crenel.evade.trial import Trial
from crenel.flow.key import flow_key, reverse_key
from crenel.instant import Instant
from crenel.net.exchange import Exchange
from crenel.net.path.route import Route
from crenel.wall.effects import Drop, Inject, Missed, Side, Throttle
from crenel.wall.tcb import Row
from crenel.wall.walk import Told
from crenel.wire.packet import SYN, TCP, Packet

Family: TypeAlias = Literal["tear-down", "desynchronisation", "segmentation", "unread", "withstood", "luck"]
"""How a trial came to succeed.

`tear-down`: a box gave the connection up on a packet that it took for its end. `desynchronisation`: it waited for another sequence
number, or read as the client's what the client never meant to say. `segmentation`: it read nothing but the request, in its pieces,
and found no ground in it. `unread`: it read nothing of it. `withstood`: it acted, in vain. `luck`: it had ground and let it pass, as
it does without any strategy.
"""

NAMED: tuple[Family, ...] = ("tear-down", "desynchronisation", "segmentation", "unread", "withstood")
"""The families that are a way through."""

_LOW = (1 << 32) - 1
_MOVES = frozenset({"sync", "resync", "skip", "reverse"})
_ORDINARY = frozenset({"track", "complete", "read"})
_OTHER = {Side.INSIDE: Side.OUTSIDE, Side.OUTSIDE: Side.INSIDE}


class FallenCoins:
    """Coins that fall as they did in one trial out of all possible ones, whatever the order in which they are asked; draws give the median."""

    __slots__ = ("_falls",)

    def __init__(self, falls: Sequence[Fall]) -> None:
        self._falls = {fall[:3]: fall.outcome for fall in falls}

    def toss(self, box: str, scope: bytes, name: str, p: float) -> bool:
        """Return how the coin fell; one that was not tossed falls on its likelier side."""
        return bool(self._falls.get((box, scope, name), p >= 0.5)) if 0.0 < p < 1.0 else p >= 1.0

    def pick(self, box: str, scope: bytes, name: str, n: int) -> int:
        """Return what was picked; 0 where nothing was."""
        return min(int(self._falls.get((box, scope, name), 0)), n - 1)

    def draw(self, box: str, scope: bytes, name: str, law: Law) -> int:
        """Return the median of the law."""
        return law.at(0.5)


class Said(msgspec.Struct, frozen=True):
    """What the client of an experiment means to say, and where its connections start to count."""

    stream: bytes
    base: int
    """Initial sequence number of a connection less its source port."""

    def meant(self, packet: Packet) -> bool:
        """Say whether a packet carries what the client means to say, at its place."""
        at = (packet.seq - self.base - packet.sport - 1) & _LOW
        return self.stream[at : at + len(packet.payload)] == packet.payload


def said_in(exchange: Exchange) -> Said:
    """Return what the client says in an exchange in which nothing disturbs it: all that passes before any answer with data."""
    client = [event.packet for event in exchange.trace if event.where == "client" and event.what == "sent"]
    opened = next((packet for packet in client if packet.proto == TCP and packet.flags & SYN), None)
    if opened is None:
        return Said(b"", 0)
    stream = b""
    for packet in client:
        if packet.sport == opened.sport and packet.payload and (packet.seq - opened.seq - 1) & _LOW == len(stream):
            stream += packet.payload
    return Said(stream, opened.seq - opened.sport)


def retold(exchange: Exchange, route: Route, coins: Coins) -> list[Told]:
    """Return the rules that the boxes of an exchange's wall carried out in it, in order; the coins have to fall as they did in it."""
    wall, found = exchange.wall, list[Told]()
    run = wall.start(coins)
    run.told = found
    for event in exchange.trace:
        if event.where == wall.name and event.what in {"passed", "dropped"} and event.injected_by is None and event.sender != "path":
            side = route.client_side if event.toward == "server" else _OTHER[route.client_side]
            run.see(Instant(exchange.start + event.time), side, event.packet)
    return found


def family_of(exchange: Exchange, told: Sequence[Told], said: Said) -> Family:
    """Return how an exchange that was a success came to be one."""
    effects = [known.effect for known in exchange.events if known.wall == exchange.wall.name]
    if any(isinstance(effect, Inject | Drop | Throttle) for effect in effects):
        return "withstood"
    if any(isinstance(effect, Missed) for effect in effects):
        return "luck"
    last = _of_answered(told, exchange)
    deeds = {one.row.do for one in last}
    if "off" in deeds:
        return "tear-down"
    read = [one.packet for one in last if one.row.do == "read"]
    if deeds & _MOVES or not all(map(said.meant, read)):
        return "desynchronisation"
    return "segmentation" if read else "unread"


def _of_answered(told: Sequence[Told], exchange: Exchange) -> list[Told]:
    """Return what was told of the connection on which the client got its answer."""
    arrived = [event for event in exchange.trace if event.where == "client" and event.what == "arrived"]
    # What routers say on the way carries a part of the client's own packet.
    answers = [event.packet for event in arrived if event.packet.payload and event.sender != "path"]
    if not answers:
        return list(told)
    key = _key(answers[-1])
    return [one for one in told if _key(one.packet) in {key, reverse_key(key)}]


def _key(packet: Packet) -> bytes:
    return flow_key(packet.src, packet.dst, packet.sport, packet.dport)


def telling_rows(told: Sequence[Told], said: Said) -> tuple[str, ...]:
    """Return the rules, in words and each once, that a plain conversation would not have set off."""
    rows: dict[str, None] = {}
    for one in told:
        if one.row.do not in _ORDINARY:
            rows[row_text(one.row)] = None
        elif one.row.do == "read" and not said.meant(one.packet):
            rows["read what the client does not say"] = None
    return tuple(rows)


def row_text(row: Row) -> str:
    """Return a rule in a few words: state, sender, packet, guards and what follows."""
    flags = "".join((row.has, *(f"-{row.lacks}" if row.lacks else "")))
    load = {None: "", True: " with data", False: " without data"}[row.load]
    guards = f" ({', '.join(row.when)})" if row.when else ""
    return f"{'/'.join(row.in_)}: {row.from_} {flags or 'any'}{load}{guards} -> {row.do}"


def ended(trial: Trial) -> str:
    """Return in a word how a trial ended."""
    return trial.exchange.experience.ending
