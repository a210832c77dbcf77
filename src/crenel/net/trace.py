"""What carriers tell: a judged flow with its evidence, and the events of an exchange, which can be written as a capture."""

from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from crenel.instant import Instant
from crenel.wall.effects import Because, Effect
from crenel.wire.ip import serialise
from crenel.wire.packet import Packet
from crenel.wire.pcapng_writer import RAW_IP, interface, packet_block, section_header

Protocol = Literal["tls", "http", "dns", "quic", "smtp", "ftp", "encrypted", "unknown"]
Verdict = Literal["pass", "blocked", "undetermined"]


class Evidence(msgspec.Struct, frozen=True):
    """What gave a flow away: the bytes, the rule, the box, the sources, and what nobody measured."""

    read: str
    offset: int
    """Byte in the client's stream (TCP) or in the datagram (UDP)."""
    length: int
    value: str
    rule: str
    middlebox: str
    epoch: str
    sources: tuple[str, ...]
    assumed: tuple[str, ...]
    packet: int
    """1-based index in the capture of the packet on which it was read."""
    chance: float
    last_observed: str | None
    """Last day on which the box was observed to work so."""
    residual: str | None
    armed_by: int | None = None
    """Where a residual entry hit: the number of the flow that set it, or renewed it last."""


class Trigger(msgspec.Struct, frozen=True):
    """A box with ground to act."""

    middlebox: str
    action: str
    chance: float
    acted: bool


class FlowReport(msgspec.Struct, frozen=True):
    """One flow of a capture, judged."""

    capture: str
    flow: int
    transport: Literal["tcp", "udp"]
    client: str
    client_port: int
    server: str
    server_port: int
    start: str
    """Seconds since 1970 with nine decimals."""
    packets: int
    bytes: int
    protocol: Protocol
    name: str | None
    names: tuple[str, ...]
    basis: str | None
    complete: bool
    verdict: Verdict
    at_risk: bool
    middlebox: str | None
    action: str | None
    residual: bool
    at_packet: int | None
    chance: float
    triggers: tuple[Trigger, ...]
    evidence: tuple[Evidence, ...]


class CaptureSummary(msgspec.Struct, frozen=True):
    """What became of one capture as a whole."""

    capture: str
    packets: int
    flows: int
    undecoded: int
    """Frames that held no IP packet that could be read."""
    damaged: tuple[str, ...]
    """What is wrong with the file, each with its place; empty for a sound capture."""
    lost: bool
    """Did the damage keep packets from being read?"""
    evictions: int = 0
    """Flows and residual entries that were let go early because a table was full."""


What = Literal["sent", "passed", "injected", "answered", "joined", "held", "arrived", "dropped", "died", "lost"]
"""What a trace says of a packet at one place. It begins as sent by an end, injected by a box, answered by a router, or joined from
fragments; it passes walls; it ends by arriving, being held for its other fragments, dropped, out of TTL, or lost on a link."""

BEGINNINGS: frozenset[What] = frozenset({"sent", "injected", "answered", "joined"})
ENDINGS: frozenset[What] = frozenset({"held", "arrived", "dropped", "died", "lost"})


class Event(msgspec.Struct, frozen=True, gc=False):
    """One packet of an exchange at one place: who saw it when, as it was there, and what happened to it."""

    time: int
    """Nanoseconds since the exchange began."""
    sender: Literal["client", "server", "wall", "path"]
    """Who really sent it, whatever its addresses say; `path` is a router or a middlebox that is no wall."""
    toward: Literal["client", "server"]
    packet: Packet
    injected_by: str | None = None
    """The box that made it; None for a packet of an end."""
    dropped_by: str | None = None
    """The box that withheld it; None where it goes on."""
    what: What = "passed"
    where: str = "wall"
    """`client`, `server`, the name of a wall, the id of a middlebox, `hop 9`, or `path` for a loss between two places."""
    number: int = 0
    """The same for a packet wherever it is seen, counted from 1; a packet that a box makes has its own. 0: not counted."""
    reason: str | None = None
    """Why it ended, or began other than by being sent, in words."""
    cause: int = 0
    """The number of the packet that drew it: the ground of an injection, what a router answers, the fragment that completed it."""


class WallEffect(msgspec.Struct, frozen=True):
    """What a wall did, on which packet."""

    at: Instant
    wall: str
    effect: Effect
    packet: int
    """The number of the packet in the trace; 0 where time alone did it."""


def show_value(value: bytes) -> str:
    """Return bytes as text where they are printable, otherwise as hex."""
    text = value.decode("utf-8", "replace")
    return text if text.isprintable() and "\ufffd" not in text else value.hex()


def evidence_of(because: Because, packet: int) -> Evidence:
    """Return the evidence that an effect's because gives, for a packet of a capture or trace."""
    return Evidence(
        because.read, because.offset, because.length, show_value(because.value), because.rule, because.middlebox, because.epoch,
        because.sources, because.assumed, packet, because.chance, because.last_seen, because.residual, because.armed_by,
    )


def trace_capture(events: Iterable[Event], start: int = 0) -> Iterator[bytes]:
    """Yield a trace as a pcapng capture in pieces: an interface for each place, and comments that say who made or stopped a packet.

    A packet that no wire can hold is written as an empty frame, and its comment says why.

    Args:
        events: by time.
        start: nanoseconds since 1970 at which the exchange began.
    """
    events = list(events)
    places = list(dict.fromkeys(["client", *(event.where for event in events if event.where not in {"client", "server"}), "server"]))
    yield section_header()
    for place in places:
        yield interface(RAW_IP, place)
    numbers = {place: number for number, place in enumerate(places)}
    for event in events:
        try:
            frame, comment = serialise(event.packet), _comment(event)
        except ValueError as problem:
            frame, comment = b"", f"{_comment(event)}; {problem}"
        yield packet_block(start + event.time, frame, comment, interface_id=numbers[event.where])


def _comment(event: Event) -> str:
    """Return what a reader of the capture is told about a packet."""
    words = [f"{event.what} toward the {event.toward}"]
    if event.number:
        words.insert(0, f"packet {event.number}")
    if event.injected_by is not None:
        words.append(f"forged by {event.injected_by}")
    if event.dropped_by is not None:
        words.append(f"withheld by {event.dropped_by}")
    if event.cause:
        words.append(f"because of packet {event.cause}")
    if event.reason is not None:
        words.append(event.reason)
    return "; ".join(words)
