"""One middlebox in one epoch, compiled: what it watches, how it reads, what it matches, how often and with what it reacts."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from crenel.wall.law import Rule, compile_rule
from crenel.wall.match import AddressList, NameList
from crenel.wall.reaction import Answerer, Forger, Reaction
from crenel.wall.readers import HeaderReader, PayloadReader, Reader
from crenel.wall.readers.header import IpAddress, TcpPort
from crenel.wall.residual import Residual, classes_hit
from crenel.wall.tcb import CompiledTcb
from crenel.wire.packet import TCP, UDP

ANY_PORT = ((1, 65535),)


class Scope(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which flows a box looks at."""

    transport: Literal["tcp", "udp"]
    ports: tuple[tuple[int, int], ...] = ANY_PORT
    """Ranges of destination ports of the opener's packets, both ends included."""
    versions: tuple[Literal[4, 6], ...]
    opened_from: tuple[Literal["inside", "outside"], ...]
    """From which side of the wall the flow, or for UDP the packet, must come."""
    versions_from_outside: tuple[Literal[4, 6], ...] | None = None
    """IP versions watched for flows from outside, where they differ."""
    source_port_above: bool = False
    """Only packets whose source port is strictly greater than their destination port."""

    def covers(self, transport: int, version: int, port: int, *, inside: bool, above: bool) -> bool:
        """Say whether a flow or packet to this destination port, opened from this side, is watched."""
        side = "inside" if inside else "outside"
        versions = self.versions if inside or self.versions_from_outside is None else self.versions_from_outside
        return (
            transport == (TCP if self.transport == "tcp" else UDP)
            and version in versions
            and side in self.opened_from
            and (above or not self.source_port_above)
            and any(low <= port <= high for low, high in self.ports)
        )


class FirstOnly(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Only the first datagram of a flow is read; silence of `seconds` makes the next one a first again."""

    datagrams: int
    seconds: float


class Reassembles(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether segments are joined before they are read: a probability, drawn for a client and server pair."""

    tcp: float


class OtherDevice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A share of pairs meets a device with another state model."""

    tcb: str
    share: float


class Facts(msgspec.Struct, frozen=True):
    """What every explanation of a box carries."""

    middlebox: str
    title: str
    placement: Literal["on-path", "in-path"]
    epoch: str
    last_seen: str | None
    confidence: str
    sources: tuple[str, ...]
    assumed: tuple[str, ...]
    list_name: str | None
    example_list: bool


class Box:
    """A middlebox as it stands in one epoch, ready to run; it holds no memory."""

    __slots__ = (
        "action",
        "answerer",
        "coin_scope",
        "facts",
        "first_only",
        "forgers",
        "header",
        "hours",
        "index",
        "joins",
        "names",
        "other",
        "payload",
        "reaction",
        "reader",
        "residual",
        "residual_forgers",
        "residual_mask",
        "residual_onset",
        "scope",
        "sees_injected",
        "tcb",
    )

    def __init__(
        self,
        index: int,
        facts: Facts,
        *,
        scope: Scope,
        reader: Reader,
        names: NameList | AddressList | None,
        hours: tuple[float, ...],
        coin_scope: Literal["event", "flow", "pair"],
        reaction: Reaction,
        residual: Residual | None,
        pools: Mapping[str, tuple[bytes, ...]],
        tcb: CompiledTcb | None,
        other: tuple[CompiledTcb, float] | None,
        joins: float,
        first_only: FirstOnly | None,
        sees_injected: bool,
    ) -> None:
        self.index = index
        self.facts = facts
        self.scope = scope
        self.reader = reader
        self.header: HeaderReader | None = reader if isinstance(reader, IpAddress | TcpPort) else None
        """The reader, where it reads headers."""
        self.payload: PayloadReader | None = None if isinstance(reader, IpAddress | TcpPort) else reader
        """The reader, where it reads payloads."""
        self.names = names
        self.hours = hours
        """Probability of acting on a ground, by hour of the day."""
        self.coin_scope = coin_scope
        self.reaction = reaction
        self.residual = residual
        self.tcb = tcb
        self.other = other
        self.joins = joins
        self.first_only = first_only
        self.sees_injected = sees_injected
        name = facts.middlebox
        self.forgers = tuple(Forger(name, number, template) for number, template in enumerate(reaction.inject))
        self.answerer = Answerer(name, reaction.answer, pools) if reaction.answer is not None else None
        self.action = reaction.action()
        self.residual_mask = 0
        self.residual_forgers: tuple[Forger, ...] = ()
        self.residual_onset = compile_rule(Rule(fixed=0), name, "onset", 1 << 62)
        if residual is not None:
            self.action = self.action or residual.does
            self.residual_mask = classes_hit(residual)
            self.residual_forgers = tuple(Forger(name, 100 + number, template) for number, template in enumerate(residual.inject))
            self.residual_onset = compile_rule(residual.onset, name, "onset", 1 << 62)

    @property
    def id(self) -> str:
        """The id of the middlebox in its wall."""
        return self.facts.middlebox
