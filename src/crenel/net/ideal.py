"""A first client payload in, what a wall does to the exchange that begins with it out, on a path without delay, loss or surprises.

TCP is the shortest connection that has a payload: SYN, SYN and ACK, ACK, the payload in one segment. UDP is one datagram. Both ends
have documentation addresses (RFC 5737), and the source port is above the destination port.
"""

from typing import Literal

import msgspec

from crenel.coins import KeyedCoins
from crenel.errors import UsageError
from crenel.instant import NANOSECONDS, Instant
from crenel.net.odds import Odds, exact_odds
from crenel.net.trace import Event, Exchange, Trigger, evidence_of
from crenel.wall.effects import Armed, Because, Drop, Inject, Side, Throttle
from crenel.wall.wall import Wall
from crenel.wire.packet import ACK, PSH, RST, SYN, Packet, tcp_packet, udp_packet

Transport = Literal["tcp", "udp"]

LONGEST_PAYLOAD = 1 << 20
"""Bytes; what a person would call a first payload is far shorter."""
_LONGEST_DATAGRAM = 65_507  # 65,535 bytes of IPv4 packet without the 28 of its headers (RFC 791 section 3.1, RFC 768)

_CLIENT, _SERVER = bytes((192, 0, 2, 2)), bytes((198, 51, 100, 2))
_SOURCE_PORT = 50_000
_CLIENT_START, _SERVER_START = 1_000_000, 2_000_000
_STEP = 1_000_000
"""Nanoseconds between packets."""
_NOON = 12


class _Sent(msgspec.Struct, frozen=True):
    """One packet of the exchange as its ends mean it."""

    at: Instant
    side: Side
    packet: Packet


def chance(payload: bytes, wall: Wall, transport: Transport = "tcp", port: int = 443, vantage: str | None = None) -> float:
    """Return the probability that a wall acts on a fresh flow with this first client payload, over all outcomes of its coins.

    Args:
        payload: the first segment or the datagram, 1 byte to 1 MiB.
        wall: from `load_wall`; where its date is bare it is noon.
        transport: `tcp` or `udp`.
        port: destination port.
        vantage: another vantage than the wall's, by name or path.

    Raises:
        ProfileError: there is no such vantage.
        UsageError: the payload is empty or too long, or there is no such transport or port.
    """
    wall = wall.seen_from(vantage)
    return _odds(_script(payload, wall, transport, port), wall).chance


def try_payload(
    payload: bytes, wall: Wall, *, transport: Transport = "tcp", port: int = 443, tolerate: float = 0.0, vantage: str | None = None
) -> Exchange:
    """Send a first client payload through a wall, with the wall's seed, and return what happened and what could have.

    Args:
        payload: the first segment or the datagram, 1 byte to 1 MiB.
        wall: from `load_wall`; where its date is bare it is noon.
        transport: `tcp` or `udp`.
        port: destination port.
        tolerate: the exchange is at risk where its chance is above this.
        vantage: another vantage than the wall's, by name or path.

    Raises:
        ProfileError: there is no such vantage.
        UsageError: the payload is empty or too long, or there is no such transport or port.
    """
    wall = wall.seen_from(vantage)
    script = _script(payload, wall, transport, port)
    odds = _odds(script, wall)
    trace, acted = _carry(script, wall)
    boxes = {because.middlebox for because, _ in acted}
    numbers = {id(event.packet): number for number, event in enumerate(trace, 1)}
    grounds = [*acted, *((because, script[number].packet) for number, because in odds.grounds)]
    evidence = {because.middlebox: evidence_of(because, numbers.get(id(packet), 0)) for because, packet in reversed(grounds)}
    actions = {box.id: box.action or "" for box in wall.boxes}
    first = acted[0][0].middlebox if acted else None
    return Exchange(
        bool(acted), odds.chance > tolerate, first, None if first is None else actions[first], odds.chance,
        tuple(Trigger(name, actions[name], p, name in boxes) for name, p in odds.boxes.items()),
        tuple(evidence[box.id] for box in wall.boxes if box.id in evidence), tuple(trace),
    )


def _odds(script: list[_Sent], wall: Wall) -> Odds:
    return exact_odds(wall, [(sent.at, sent.side, sent.packet) for sent in script])


def _carry(script: list[_Sent], wall: Wall) -> tuple[list[Event], list[tuple[Because, Packet]]]:
    """Send the packets until one is withheld or a reset is forged; return all packets by time, and why boxes acted, on which of them."""
    # What an atlas knows of a wall has the seed; one built by hand has none.
    run = wall.start(KeyedCoins(getattr(wall.about, "seed", 0)))
    trace: list[Event] = []
    acted: list[tuple[Because, Packet]] = []
    start = script[0].at
    for sent in script:
        effects = run.see(sent.at, sent.side, sent.packet)
        acts = [effect for effect in effects if isinstance(effect, Inject | Drop | Throttle | Armed)]
        acted += [(effect.because, sent.packet) for effect in acts]
        by = next((effect.because.middlebox for effect in acts if isinstance(effect, Drop)), None)
        sender, toward = _ends(sent.side)
        trace.append(Event(sent.at - start, sender, toward, sent.packet, dropped_by=by))
        forged = [effect for effect in acts if isinstance(effect, Inject)]
        for one in forged:
            toward, _ = _ends(one.toward)
            trace.append(Event(sent.at - start + one.after, "wall", toward, one.packet, injected_by=one.because.middlebox))
        if by is not None or any(one.packet.flags & RST for one in forged):
            break
    return sorted(trace, key=lambda event: event.time), acted


def _ends(side: Side) -> tuple[Literal["client", "server"], Literal["client", "server"]]:
    """Return who stands on a side of the wall, and who on the other."""
    return ("client", "server") if side == Side.INSIDE else ("server", "client")


def _script(payload: bytes, wall: Wall, transport: str, port: int) -> list[_Sent]:
    """Return the packets of the exchange.

    Raises:
        UsageError: the payload is empty or too long, or there is no such transport or port.
    """
    longest = {"tcp": LONGEST_PAYLOAD, "udp": _LONGEST_DATAGRAM}.get(transport)
    if longest is None:
        message = f"transport {transport!r}: a payload goes over tcp or udp"
        raise UsageError(message)
    if not payload:
        message = "the payload is empty: a flow is judged by its first bytes"
        raise UsageError(message)
    if len(payload) > longest:
        message = f"the payload has {len(payload)} bytes: over {transport} at most {longest} can be tried"
        raise UsageError(message)
    if not 0 < port < 1 << 16:
        message = f"port {port}: a destination port is a number from 1 to 65535"
        raise UsageError(message)
    sport = _SOURCE_PORT if port < _SOURCE_PORT else min(port + 1, 65535)
    if transport == "udp":
        packets = [(Side.INSIDE, udp_packet(_CLIENT, _SERVER, sport, port, payload))]
    else:
        theirs, ours = _CLIENT_START + 1, _SERVER_START + 1
        packets = [
            (Side.INSIDE, tcp_packet(_CLIENT, _SERVER, sport, port, seq=_CLIENT_START, flags=SYN)),
            (Side.OUTSIDE, tcp_packet(_SERVER, _CLIENT, port, sport, seq=_SERVER_START, ack=theirs, flags=SYN | ACK)),
            (Side.INSIDE, tcp_packet(_CLIENT, _SERVER, sport, port, seq=theirs, ack=ours)),
            (Side.INSIDE, tcp_packet(_CLIENT, _SERVER, sport, port, seq=theirs, ack=ours, flags=PSH | ACK, payload=payload)),
        ]
    start = _noon(wall)
    return [_Sent(Instant(start + number * _STEP), side, packet) for number, (side, packet) in enumerate(packets)]


def _noon(wall: Wall) -> int:
    """Return an instant at which the wall's own clock shows noon; any will do where the wall was compiled for one hour."""
    hours = (hour * 3600 * NANOSECONDS for hour in range(24))
    return next((instant for instant in hours if wall.hour_at(instant) == _NOON), 0)
