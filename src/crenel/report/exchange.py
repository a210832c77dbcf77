"""An exchange in, the value that is written of it as JSON out, and the same as a flow, for the words that are said of flows."""

from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec

from crenel.atlas.describe import encrypted_rule
from crenel.net.app.speaker import Answer, Ending
from crenel.net.app.target import Target
from crenel.net.exchange import Exchange, Outcome
from crenel.net.odds import interval_of
from crenel.net.replay.notes import FlowNotes, is_reserved, shown_name
from crenel.net.replay.report import show_address
from crenel.net.trace import Event, Evidence, FlowReport, Protocol, Trigger, Verdict, What
from crenel.report.content import packet_words
from crenel.report.layout import GLUE
from crenel.report.table import about_of
from crenel.report.text import plain_path
from crenel.wire.packet import SYN, TCP, Packet

_VERDICTS: dict[Outcome, Verdict] = {"passed": "pass", "blocked": "blocked", "tampered": "blocked", "failed": "undetermined"}
_NANOSECONDS = 1_000_000_000
_FLAGS = "FSRPAUEC"
"""Letters of the TCP flags, lowest bit first."""


class Went(msgspec.Struct, frozen=True):
    """What the client's application went through."""

    ending: Ending
    time: int
    says: str


class TryRate(msgspec.Struct, frozen=True):
    """How often repetitions were blocked, with the Wilson interval of 95 %."""

    trials: int
    blocked: int
    value: float
    low: float
    high: float


class PacketEvent(msgspec.Struct, frozen=True):
    """A packet at one place."""

    time: int
    number: int
    what: What
    where: str
    sender: Literal["client", "server", "wall", "path"]
    toward: Literal["client", "server"]
    injected_by: str | None
    dropped_by: str | None
    cause: int
    reason: str | None
    says: str
    source: str
    source_port: int
    destination: str
    destination_port: int
    flags: str
    seq: int
    ack: int
    ttl: int
    length: int


class ExchangeReport(msgspec.Struct, frozen=True):
    """One exchange, carried out and judged."""

    target: str
    as_of: str
    start: str
    transport: Literal["tcp", "udp"]
    client: str
    client_port: int
    server: str
    server_port: int
    protocol: Protocol
    name: str | None
    names: tuple[str, ...]
    basis: str | None
    outcome: Outcome
    verdict: Verdict
    at_risk: bool
    middlebox: str | None
    action: str | None
    residual: bool
    chance: float
    triggers: tuple[Trigger, ...]
    evidence: tuple[Evidence, ...]
    experience: Went
    answers: tuple[Answer, ...]
    rate: TryRate | None
    events: tuple[PacketEvent, ...]


def wilson(blocked: int, trials: int) -> TryRate:
    """Return a rate with the interval in which the true one lies with 95 % confidence (Wilson 1927), for at least one trial."""
    low, high = interval_of(blocked, trials)
    return TryRate(trials, blocked, blocked / trials, low, high)


def exchange_report(exchange: Exchange, target: Target | str, rate: TryRate | None = None) -> ExchangeReport:
    """Return what is told of an exchange.

    Args:
        exchange: what happened.
        target: what was asked for, or the words for it.
        rate: how often repetitions of it were blocked.
    """
    about = about_of(exchange.wall)
    first = exchange.trace[0].packet
    notes = _notes(exchange.trace)
    names = tuple(shown_name(name) for name in notes.names)
    name = names[0] if names else None
    examples = about is not None and about.example_boxes
    told = exchange.experience
    whole, fraction = divmod(exchange.start, _NANOSECONDS)
    shown = target if isinstance(target, str) else target.shown
    return ExchangeReport(
        target=plain_path(shown), as_of=about.as_of if about is not None else "", start=f"{whole}.{fraction:09d}",
        transport="tcp" if first.proto == TCP else "udp", client=show_address(first.src), client_port=first.sport,
        server=show_address(first.dst), server_port=first.dport, protocol=_protocol(notes), name=name, names=names,
        basis="example-list" if name is not None and examples and not is_reserved(name) else None,
        outcome=exchange.outcome, verdict=_VERDICTS[exchange.outcome], at_risk=exchange.at_risk, middlebox=exchange.middlebox,
        action=exchange.action, residual=exchange.residual, chance=exchange.chance, triggers=exchange.triggers, evidence=exchange.evidence,
        experience=Went(told.ending, told.time, told.says), answers=exchange.answers, rate=rate, events=tuple(map(_event, exchange.trace)),
    )


def flow_of(report: ExchangeReport) -> FlowReport:
    """Return an exchange as the flow that it would be in a capture, so that the same is said of it."""
    return FlowReport(
        report.target, 1, report.transport, report.client, report.client_port, report.server, report.server_port, report.start, 0, 0,
        report.protocol, report.name, report.names, report.basis, True, report.verdict, report.at_risk, report.middlebox, report.action,
        report.residual, None, report.chance, report.triggers, report.evidence,
    )


def client_packets(trace: Sequence[Event], sport: int | None = None) -> Iterator[Packet]:
    """Yield the packets that the client's host sent from one port, as it sent them; None: from its first one."""
    for event in trace:
        if event.sender == "client" and event.what == "sent":
            sport = event.packet.sport if sport is None else sport
            if event.packet.sport == sport:
                yield event.packet


def _notes(trace: Sequence[Event]) -> FlowNotes:
    """Read what the client sent over its first connection."""
    notes = FlowNotes()
    for packet in client_packets(trace):
        if packet.proto != TCP:
            notes.hear_datagram(bytes(packet.payload))
        elif packet.flags & SYN:
            notes.next_seq = (packet.seq + 1) & 0xFFFFFFFF
        elif packet.payload and notes.unread:
            notes.hear(packet.seq, bytes(packet.payload))
    return notes


def _protocol(notes: FlowNotes) -> Protocol:
    payload = notes.first_payload
    if notes.protocol == "unknown" and payload and encrypted_rule().read(payload, (len(payload),), False).found:
        return "encrypted"
    return notes.protocol  # type: ignore[return-value]


def _event(event: Event) -> PacketEvent:
    packet = event.packet
    return PacketEvent(
        event.time, event.number, event.what, event.where, event.sender, event.toward, event.injected_by, event.dropped_by, event.cause,
        event.reason, packet_words((packet,)).replace(GLUE, " "), show_address(packet.src), packet.sport, show_address(packet.dst), packet.dport,
        "".join(letter for bit, letter in enumerate(_FLAGS) if packet.flags >> bit & 1), packet.seq, packet.ack, packet.ttl, len(packet.payload),
    )
