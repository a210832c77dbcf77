"""What every carrier returns: a flow with its verdict and evidence, or an exchange with what each end saw."""

from typing import Literal

import msgspec

from crenel.wall.effects import Because
from crenel.wire.packet import Packet

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


class Event(msgspec.Struct, frozen=True):
    """One packet of an exchange at the wall's hop: sent by an end, or put there by a box."""

    time: int
    """Nanoseconds since the exchange began."""
    sender: Literal["client", "server", "wall"]
    """Who really sent it, whatever its addresses say."""
    toward: Literal["client", "server"]
    packet: Packet
    injected_by: str | None = None
    """The box that made it; None for a packet of an end."""
    dropped_by: str | None = None
    """The box that withheld it; None where it goes on."""


class Exchange(msgspec.Struct, frozen=True):
    """A client and a server with a wall between them: what was drawn to happen, and what could have."""

    blocked: bool
    """Did any box act, as this seed drew it?"""
    at_risk: bool
    """Is the chance that any acts above what is tolerated?"""
    middlebox: str | None
    """The first box that acted."""
    action: str | None
    chance: float
    triggers: tuple[Trigger, ...]
    evidence: tuple[Evidence, ...]
    """Of each box with ground to act; `packet` is the 1-based number in the trace, 0 for one that was never sent."""
    trace: tuple[Event, ...]


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
