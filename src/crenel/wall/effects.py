"""What a wall does, as a closed set of values; each carries its because: which box, which bytes, which rule, whose measurement."""

import enum

import msgspec

from crenel.instant import Instant
from crenel.wire.packet import Packet


class Side(enum.IntEnum):
    """The side of the wall that a packet comes from."""

    INSIDE = 0
    OUTSIDE = 1


class Because(msgspec.Struct, frozen=True):
    """Why a box acted, or had ground to."""

    middlebox: str
    epoch: str
    """First day of the epoch in force, as in the profile."""
    read: str
    """The protocol field, such as `tls.sni`."""
    offset: int
    """Where the value begins: byte in the client's stream (TCP) or in the datagram (UDP)."""
    length: int
    value: bytes
    """The value as the box saw it."""
    rule: str
    """The list entry or rule that matched, in words."""
    chance: float
    """Probability of the toss that decided whether the box acted."""
    sources: tuple[str, ...]
    assumed: tuple[str, ...]
    """What this rests on that nobody measured, one sentence each."""
    residual: str | None = None
    """The residual entry that was used, in words; None where the packet itself was the ground."""
    last_seen: str | None = None
    """Last day on which this epoch was observed."""
    armed_by: int | None = None
    """Where a residual entry was used: the number of the flow that set it, or renewed it last."""


class Pass(msgspec.Struct, frozen=True):
    """The packet goes on."""


class Drop(msgspec.Struct, frozen=True):
    """The packet is withheld."""

    because: Because


class Inject(msgspec.Struct, frozen=True):
    """A forged packet leaves the wall's hop `after` nanoseconds toward one of the two ends."""

    packet: Packet
    toward: Side
    after: int
    because: Because


class Throttle(msgspec.Struct, frozen=True):
    """The flow is held to a token bucket from now on."""

    bytes_per_second: int
    burst: int
    toward: Side | None
    """The side that receives slowly; None for both."""
    because: Because


class Missed(msgspec.Struct, frozen=True):
    """The ground was there and this box did not act."""

    because: Because


class Armed(msgspec.Struct, frozen=True):
    """Residual memory was set or renewed; it holds until `until`."""

    until: Instant
    because: Because


class Expired(msgspec.Struct, frozen=True):
    """A residual entry ran out."""

    middlebox: str
    at: Instant


Effect = Pass | Drop | Inject | Throttle | Missed | Armed | Expired
