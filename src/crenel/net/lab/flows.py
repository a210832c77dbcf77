"""The trace of a lab in, an exchange for each of its flows out: who talked to whom, how that ended, what the wall did and could have done."""

from collections.abc import Callable, Collection, Sequence

import msgspec

from crenel.flow.key import flow_key, reverse_key
from crenel.instant import Instant
from crenel.net.exchange import Exchange
from crenel.net.lab.endings import experience_of
from crenel.net.odds import Shown
from crenel.net.trace import Event, WallEffect
from crenel.wall.effects import Side
from crenel.wall.wall import Wall
from crenel.wire.ip import serialise
from crenel.wire.packet import ACK, SYN, TCP, UDP, Packet

Endpoint = tuple[bytes, int]
"""An address and a port."""


class LabFlow(msgspec.Struct, frozen=True):
    """A connection, or datagrams between two ports, in a lab."""

    number: int
    """From 1, by the first packet."""
    began: int
    """Nanoseconds since the trace began."""
    exchange: Exchange
    packets: int
    """IP packets that the ends sent, as far as the trace has them."""
    size: int
    """Bytes of those packets."""


class Setting(msgspec.Struct, frozen=True):
    """What flows are followed by."""

    wall: Wall
    start: Instant
    """What the wall's clock showed at time 0 of the trace."""
    client_side: Side = Side.INSIDE
    tolerate: float = 0.0


class _Gathered(msgspec.Struct):
    """The events of one flow, as they are found."""

    opening: int
    events: list[Event] = []
    effects: list[WallEffect] = []


def follow_flows(trace: Sequence[Event], effects: Sequence[WallEffect], setting: Setting, without: Collection[Endpoint] = ()) -> list[LabFlow]:
    """Return the flows of a trace, by their first packets.

    Args:
        trace: by time.
        effects: what the walls did, each with the number of a packet in the trace.
        setting: the wall that is told of, and the moment.
        without: ends whose flows are left out.
    """
    gathered: list[_Gathered] = []
    current: dict[tuple[int, bytes], _Gathered] = {}
    of_packet: dict[int, _Gathered | None] = {}
    for event in trace:
        if event.number not in of_packet:
            found = _flow_of(event, current, gathered)
            of_packet[event.number] = of_packet.get(event.cause) if found is None and event.cause else found
        flow = of_packet[event.number]
        if flow is not None:
            flow.events.append(event)
    for effect in effects:
        flow = of_packet.get(effect.packet)
        if flow is not None:
            flow.effects.append(effect)
    told = [flow for flow in gathered if flow.events and not _ends(flow.events[0].packet) & set(without)]
    return [_told(number, flow, setting) for number, flow in enumerate(told, 1)]


def _ends(packet: Packet) -> set[Endpoint]:
    return {(packet.src, packet.sport), (packet.dst, packet.dport)}


def _flow_of(event: Event, current: dict[tuple[int, bytes], _Gathered], gathered: list[_Gathered]) -> _Gathered | None:
    """Return the flow of a packet that is seen for the first time; None for what belongs to none."""
    packet = event.packet
    if packet.proto not in {TCP, UDP} or not packet.has_transport():
        return None
    key = flow_key(packet.src, packet.dst, packet.sport, packet.dport)
    name = (packet.proto, min(key, reverse_key(key)))
    flow = current.get(name)
    asks = packet.proto == TCP and packet.flags & (SYN | ACK) == SYN and event.what == "sent"
    if flow is None or (asks and packet.seq != flow.opening):
        flow = current[name] = _Gathered(packet.seq)
        gathered.append(flow)
    return flow


def _told(number: int, flow: _Gathered, setting: Setting) -> LabFlow:
    began = flow.events[0].time
    start = Instant(setting.start + began)
    events = [msgspec.structs.replace(event, time=event.time - began) for event in flow.events]
    exchange = Exchange(setting.wall, start, experience_of(events), events, flow.effects, _shown(events, start, setting), setting.tolerate)
    sent = [event.packet for event in events if event.what == "sent"]
    return LabFlow(number, began, exchange, len(sent), sum(len(serialise(packet)) for packet in sent))


def _shown(events: Sequence[Event], start: Instant, setting: Setting) -> Callable[[], Sequence[Shown]]:
    """Return what gives the packets of the ends as they came to the wall, whatever it then did."""
    near, wall = setting.client_side, setting.wall
    sides = {"client": near, "server": Side.OUTSIDE if near is Side.INSIDE else Side.INSIDE}

    def shown() -> Sequence[Shown]:
        return [
            (Instant(start + event.time), sides[event.sender], event.packet)
            for event in events
            if event.where == wall.name and event.sender in sides and event.injected_by is None
        ]

    return shown
