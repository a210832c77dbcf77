"""A trace of two sources in one, and what is kept of traffic that is too much."""

import msgspec

from crenel.coins import KeyedCoins
from crenel.instant import Instant
from crenel.net.lab.tally import Counts, Kept, tell
from crenel.net.path.path import End, Path
from crenel.net.trace import Event, What
from crenel.wire.ip import serialise
from crenel.wire.packet import Packet, udp_packet
from tests.net.lab.machine import NEAR
from tests.net.telling import check_accounts

CLIENT, SERVER = bytes((192, 0, 2, 2)), bytes((203, 0, 113, 9))
SAID = udp_packet(CLIENT, SERVER, 4000, 5000, b"said")
ANSWERED = udp_packet(SERVER, CLIENT, 5000, 4000, b"answered")


def run(path: Path) -> None:
    while path.next_due() is not None:
        path.pop()


def test_what_was_let_by_is_numbered_with_the_rest_by_time() -> None:
    path = Path(NEAR, KeyedCoins(0), Instant(1000))
    path.send(Instant(1020), End.CLIENT, msgspec.structs.replace(SAID, ttl=4))
    run(path)
    sights = [(Instant(1010), End.CLIENT, serialise(SAID)), (Instant(1030), End.SERVER, serialise(ANSWERED))]
    trace, effects = tell(path, sights)
    check_accounts(trace)
    assert effects == ()
    told = [(event.time, event.number, event.what, event.where, event.packet.ttl, event.cause) for event in trace]
    assert told == [
        (10, 1, "sent", "client", 64, 0), (10, 1, "passed", "open", 62, 0), (10, 1, "arrived", "server", 59, 0),
        (20, 2, "sent", "client", 4, 0), (20, 2, "passed", "open", 2, 0), (20, 2, "died", "hop 4", 0, 0), (20, 3, "answered", "hop 4", 64, 2),
        (20, 3, "passed", "open", 63, 0), (20, 3, "arrived", "client", 61, 0),
        (30, 4, "sent", "server", 64, 0), (30, 4, "passed", "open", 61, 0), (30, 4, "arrived", "client", 59, 0),
    ]  # fmt: skip


def event(what: What, number: int, packet: Packet = SAID) -> Event:
    return Event(0, "client", "server", packet, what=what, number=number)


def test_of_one_flow_only_the_beginning_is_kept_but_whatever_stopped_a_packet() -> None:
    counts = Counts()
    kept = Kept(counts, most=100, most_of_flow=2)
    other = msgspec.structs.replace(SAID, sport=4001)
    packets: list[tuple[int, Packet, What]] = [
        (1, SAID, "arrived"), (2, ANSWERED, "arrived"), (3, SAID, "arrived"), (4, SAID, "dropped"), (5, other, "arrived"),
    ]  # fmt: skip
    for number, packet, last in packets:
        ways: list[What] = ["sent", "passed", last]
        for what in ways:
            kept.append(event(what, number, packet))
    assert [(told.number, told.what) for told in kept] == [
        (1, "sent"), (1, "passed"), (1, "arrived"), (2, "sent"), (2, "passed"), (2, "arrived"), (4, "dropped"),
        (5, "sent"), (5, "passed"), (5, "arrived"),
    ]  # fmt: skip
    assert counts.untold == 2
    assert not kept._skipped


def test_a_trace_stops_growing() -> None:
    counts = Counts()
    kept = Kept(counts, most=2)
    for number in range(5):
        kept.append(event("sent", number + 1))
    assert (len(kept), counts.untold) == (2, 3)
