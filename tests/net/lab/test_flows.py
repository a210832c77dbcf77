"""A trace of several conversations in, its flows: whose packets are whose, and what the wall could have done to each."""

from pathlib import Path

import msgspec

from crenel.instant import Instant
from crenel.net.lab.flows import Setting, follow_flows
from crenel.net.trace import Event
from crenel.wire.packet import ICMP, Packet
from tests.net.lab.machine import OPEN
from tests.net.lab.talk import FAR, NEAR, PORT, Talk
from tests.net.made import box, wall_with

REQUEST = b"GET / HTTP/1.1\r\nHost: blocked.example\r\n\r\n"


def page(talk: Talk) -> Talk:
    return talk.opening().client("A", 1, REQUEST, 1).server("A", 1, b"page", len(REQUEST) + 1)


def shifted(events: list[Event], time: int, number: int, port: int = PORT) -> list[Event]:
    """Return the same conversation later, with other numbers, from another port."""
    found = []
    for event in events:
        packet = event.packet
        ours = {"sport": port} if packet.src == NEAR else {"dport": port}
        moved = msgspec.structs.replace(packet, **ours)
        found.append(msgspec.structs.replace(event, packet=moved, time=event.time + time, number=event.number + number))
    return found


def test_packets_are_told_apart_by_their_ends_and_the_chance_is_that_of_each_alone(tmp_path: Path) -> None:
    wall = wall_with(tmp_path, box("half"))
    events = [msgspec.structs.replace(event, where=wall.name) if event.where == "wall" else event for event in page(Talk(80)).events]
    quiet = [event for event in shifted(events, 5_000_000, 100, 50_001) if not event.packet.payload]
    trace = sorted([*events, *quiet], key=lambda event: event.time)
    first, second = follow_flows(trace, (), Setting(wall, Instant(0)))
    assert (first.number, second.number) == (1, 2)
    assert [len(flow.exchange.trace) for flow in (first, second)] == [len(events), len(quiet)]
    assert (first.exchange.chance, second.exchange.chance) == (0.5, 0.0)
    assert first.exchange.trace[0].time == second.exchange.trace[0].time == 0
    assert second.began == quiet[0].time
    assert (first.packets, first.exchange.outcome) == (5, "passed")


def test_a_new_syn_on_the_same_ports_begins_a_new_flow() -> None:
    events = page(Talk(80)).events
    again = [msgspec.structs.replace(event, packet=_later(event.packet)) for event in shifted(events, 90_000_000, 100)]
    assert len(follow_flows([*events, *again], (), Setting(OPEN, Instant(0)))) == 2
    assert len(follow_flows([*events, *shifted(events, 90_000_000, 100)], (), Setting(OPEN, Instant(0)))) == 1


def _later(packet: Packet) -> Packet:
    return msgspec.structs.replace(packet, seq=packet.seq + 70_000)


def test_what_a_router_answers_belongs_to_what_drew_it_and_other_icmp_to_nothing() -> None:
    events = Talk(80).client("S").events
    icmp = Packet(4, FAR, NEAR, ICMP, payload=b"\x0b\x00" + bytes(6))
    answer = Event(9_000_000, "path", "client", icmp, what="answered", where="hop 2", number=50, cause=1)
    ping = Event(9_500_000, "client", "server", icmp, what="sent", where="client", number=60)
    (flow,) = follow_flows([*events, answer, ping], (), Setting(OPEN, Instant(0)))
    assert {event.number for event in flow.exchange.trace} == {1, 50}


def test_some_ends_can_be_left_out() -> None:
    events = page(Talk(80)).events
    assert not follow_flows(events, (), Setting(OPEN, Instant(0)), without=[(NEAR, PORT)])
