"""Random traffic through the short cut and through the path alone: the same packets arrive, the same effects come about, the same is told."""

from pathlib import Path as File

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.atlas.compile import load_wall
from crenel.atlas.vantage import ClientMiddlebox
from crenel.coins import KeyedCoins, ScriptedCoins
from crenel.instant import Instant, seconds
from crenel.net.lab.shortcut import Shortcut, is_direct
from crenel.net.lab.tally import MOST_OF_FLOW, Counts, tell
from crenel.net.path.path import End, Path
from crenel.net.path.route import Link, Route
from crenel.wall.effects import Effect, Inject, Side, Throttle
from crenel.wall.wall import Wall
from crenel.wire.ip import parse_packet, serialise
from crenel.wire.packet import ACK, PSH, RST, SYN, Packet, tcp_packet, udp_packet
from tests.net.lab.machine import NEAR, OPEN
from tests.net.made import box, wall_with
from tests.wall.test_run_interest import WALLS, traffic

CLIENT, SERVER = bytes((192, 0, 2, 2)), bytes((203, 0, 113, 9))
Sent = tuple[Instant, End, bytes]
Carried = tuple[list[tuple[End, bytes]], Path]
START = Instant(1_600_000_000_000_000_000)
JOINER = ClientMiddlebox(id="joiner", title="joins", weight=1, fragments="reassemble", drops=(), sources=())
STRICT = ClientMiddlebox(id="strict", title="drops", weight=1, fragments="pass", drops=("fin",), sources=())
GET = b"GET / HTTP/1.1\r\nHost: blocked.example\r\n\r\n"


def route_past(wall: Wall) -> Route:
    return Route((Link(3, 0), Link(4, 0)), (wall,))


def through_path(route: Route, sent: list[Sent], seed: int) -> Carried:
    path = Path(route, KeyedCoins(seed), START)
    arrived: list[tuple[End, bytes]] = []
    for now, end, data in sent:
        take(path, now, arrived)
        packet = parse_packet(data)
        assert isinstance(packet, Packet)
        path.send(now, end, packet)
        take(path, now, arrived)
    take(path, Instant(START + seconds(10**6)), arrived)
    return arrived, path


def through_shortcut(route: Route, sent: list[Sent], seed: int) -> tuple[Carried, Shortcut]:
    coins = KeyedCoins(seed)
    assert is_direct(route, coins)
    short = Shortcut(route, coins, START, route.walls[0].start(coins), Counts())
    arrived: list[tuple[End, bytes]] = []
    for now, end, data in sent:
        take(short.path, now, arrived)
        later = short.take(now, end, data)
        if later is None:
            packet = parse_packet(data)
            assert isinstance(packet, Packet)
            later = short.show(now, end, packet, data)
        if later is not None:
            arrived.append((end.other, bytes(later)))
        take(short.path, now, arrived)
    take(short.path, Instant(START + seconds(10**6)), arrived)
    return (arrived, short.path), short


def take(path: Path, now: Instant, arrived: list[tuple[End, bytes]]) -> None:
    while (due := path.next_due()) is not None and due <= now:
        arrival = path.pop()
        if arrival is not None:
            arrived.append((arrival.end, serialise(arrival.packet)))


def compare(route: Route, sent: list[Sent], seed: int) -> Shortcut:
    """Carry the same packets both ways, and require the same of both."""
    long_arrived, long_path = through_path(route, sent, seed)
    (short_arrived, short_path), short = through_shortcut(route, sent, seed)
    assert short_arrived == long_arrived
    short_trace, short_effects = tell(short_path, short.sights)
    long_trace, long_effects = tell(long_path, [])
    assert short_effects == long_effects
    if not short._counts.untold:
        plain = [[msgspec.structs.replace(event, packet=plainly(event.packet)) for event in trace] for trace in (short_trace, long_trace)]
        assert plain[0] == plain[1]
    return short


def plainly(packet: Packet) -> Packet:
    """Leave out the number of a header checksum that is right anyway."""
    return msgspec.structs.replace(packet, ip_checksum=None)


def as_sent(seed: int, size: int) -> list[Sent]:
    """Return random packets; one millisecond apart at least, so that their order is that of their times."""
    ends = {Side.INSIDE: End.CLIENT, Side.OUTSIDE: End.SERVER}
    return [(Instant(now + number), ends[side], serialise(packet)) for number, (now, side, packet) in enumerate(traffic(seed, size))]


@pytest.mark.parametrize(("wall", "as_of"), WALLS)
def test_random_traffic_fares_alike(wall: str, as_of: str) -> None:
    made = load_wall(wall, as_of=as_of)
    shorts = [compare(route_past(made), as_sent(seed, 80), seed) for seed in range(40)]
    assert sum(len(short.sights) for short in shorts) > 1000
    assert sum(isinstance(told.effect, Inject) for short in shorts for told in short.path.effects) > 10


@given(st.integers(100, 10_000), st.integers(20, 120))
def test_any_traffic_fares_alike(seed: int, size: int) -> None:
    compare(route_past(load_wall("gfw", as_of="2025-01-15")), as_sent(seed, size), seed)


@pytest.mark.parametrize("wall", [OPEN, load_wall("gfw", as_of="2020-01-15")], ids=["open", "full"])
def test_a_strict_filter_before_the_server_follows_both_ways(wall: Wall) -> None:
    route = msgspec.structs.replace(route_past(wall), strict_share=1.0)
    dropped = 0
    for seed in range(40):
        short = compare(route, as_sent(seed, 80), seed)
        dropped += sum(event.where == "strict-filter" for event in tell(short.path, short.sights)[0])
    assert dropped > 50


def test_a_reset_in_state_passes_the_strict_filter_after_bulk() -> None:
    route = msgspec.structs.replace(route_past(OPEN), strict_share=1.0)
    packets = [*opening(4000), *[(End.CLIENT, tcp_packet(CLIENT, SERVER, 4000, 80, seq=2 + n, ack=101, payload=b"x")) for n in range(20)]]
    resets = [(End.CLIENT, tcp_packet(CLIENT, SERVER, 4000, 80, seq=seq, flags=RST)) for seq in (21, 22, 23)]
    short = compare(route, timed(packets + resets), 0)
    told = [event for event in tell(short.path, short.sights)[0] if event.packet.flags & RST]
    ends = [(event.packet.seq, event.what) for event in told if event.what in {"arrived", "dropped"}]
    assert ends == [(21, "dropped"), (22, "arrived"), (23, "dropped")]


def test_packets_that_die_on_the_way_are_not_heard_beyond() -> None:
    sent = [(Instant(START + ttl), End.CLIENT, serialise(udp_packet(CLIENT, SERVER, 4000, 53, b"x", ttl=ttl))) for ttl in range(1, 12)]
    short = compare(route_past(OPEN), sent, 0)
    assert [event.where for event in tell(short.path, short.sights)[0] if event.what == "died"] == [f"hop {hop}" for hop in range(1, 8)]


def opening(sport: int) -> list[tuple[End, Packet]]:
    return [
        (End.CLIENT, tcp_packet(CLIENT, SERVER, sport, 80, seq=1, flags=SYN)),
        (End.SERVER, tcp_packet(SERVER, CLIENT, 80, sport, seq=100, ack=2, flags=SYN | ACK)),
        (End.CLIENT, tcp_packet(CLIENT, SERVER, sport, 80, seq=2, ack=101)),
    ]


def timed(packets: list[tuple[End, Packet]], gap: int = 1_000_000) -> list[Sent]:
    return [(Instant(START + gap * number), end, serialise(packet)) for number, (end, packet) in enumerate(packets)]


def test_a_throttled_flow_is_admitted_packet_by_packet(tmp_path: File) -> None:
    slow = 'throttle = { bytes_per_second = 1000, burst = 3000, toward = "client" }'
    wall = wall_with(tmp_path, box("slow", chance='p = 1.0, per = "flow"', reaction=slow, placement="in-path"))
    packets = [*opening(4000), (End.CLIENT, tcp_packet(CLIENT, SERVER, 4000, 80, seq=2, ack=101, flags=PSH | ACK, payload=GET))]
    packets += [(End.SERVER, tcp_packet(SERVER, CLIENT, 80, 4000, seq=101 + 1000 * n, ack=2 + len(GET), payload=bytes(1000))) for n in range(20)]
    short = compare(route_past(wall), timed(packets), 0)
    trace, effects = tell(short.path, short.sights)
    assert any(isinstance(told.effect, Throttle) for told in effects)
    assert sum(event.what == "dropped" for event in trace) > 10


def test_of_a_long_flow_only_the_beginning_is_kept() -> None:
    packets = [*opening(4000), *[(End.SERVER, tcp_packet(SERVER, CLIENT, 80, 4000, seq=101 + n, ack=2, payload=b"x")) for n in range(1000)]]
    short = compare(route_past(OPEN), timed(packets), 0)
    assert len(short.sights) == MOST_OF_FLOW
    assert short._counts.untold == len(packets) - MOST_OF_FLOW


def test_bulk_is_not_shown_to_the_wall() -> None:
    wall = load_wall("gfw", as_of="2025-01-15")
    coins = KeyedCoins(0)
    run = wall.start(coins)
    short = Shortcut(route_past(wall), coins, START, run, Counts())
    request = GET.replace(b"blocked", b"allowed")
    packets = [*opening(4000), (End.CLIENT, tcp_packet(CLIENT, SERVER, 4000, 80, seq=2, ack=101, flags=PSH | ACK, payload=request))]
    packets += [(End.SERVER, tcp_packet(SERVER, CLIENT, 80, 4000, seq=101 + 1000 * n, ack=2 + len(request), payload=bytes(1000))) for n in range(50)]
    shown = 0
    for now, end, data in timed(packets):
        if short.take(now, end, data) is None:
            shown += 1
            packet = parse_packet(data)
            assert isinstance(packet, Packet)
            short.show(now, end, packet, data)
    assert shown <= 6


@pytest.mark.parametrize(
    ("route", "direct"),
    [
        (NEAR, True),
        (Route((Link(2, 1), Link(3, 0)), (OPEN,)), False),
        (Route((Link(2, 0), Link(3, 0, jitter=1)), (OPEN,)), False),
        (Route((Link(2, 0, loss=0.1), Link(3, 0)), (OPEN,)), False),
        (Route((Link(2, 0, rate=1000), Link(3, 0)), (OPEN,)), False),
        (Route((Link(2, 0), Link(3, 0), Link(1, 0)), (OPEN, OPEN)), False),
        (Route((Link(2, 0),), ()), False),
        (Route((Link(2, 0), Link(3, 0)), (OPEN,), strict_share=0.5), True),
        (Route((Link(2, 0), Link(3, 0)), (OPEN,), client_middleboxes=(JOINER,)), True),
        (Route((Link(2, 0), Link(3, 0)), (OPEN,), client_middleboxes=(STRICT,)), False),
    ],
)  # fmt: skip
def test_which_routes_have_a_short_cut(route: Route, direct: bool) -> None:
    assert is_direct(route, ScriptedCoins()) is direct


def test_fragments_go_the_long_way_and_are_put_together() -> None:
    route = msgspec.structs.replace(route_past(OPEN), client_middleboxes=(JOINER,))
    whole = serialise(udp_packet(CLIENT, SERVER, 4000, 53, bytes(range(64)), ident=7))
    parts = [Packet(4, CLIENT, SERVER, 17, payload=whole[20 + a : 20 + b], ident=7, ip_flags=b < 72, frag_offset=a) for a, b in ((0, 40), (40, 72))]
    sent = [(Instant(START + number), End.CLIENT, serialise(part)) for number, part in enumerate(parts)]
    (arrived, _), _ = through_shortcut(route, sent, 0)
    assert [len(data) for _, data in arrived] == [len(whole)]
    compare(route, sent, 0)




def test_a_packet_whose_header_checksum_is_wrong_reaches_nobody() -> None:
    packets = [
        (end, msgspec.structs.replace(packet, ip_checksum=0x1234) if packet.flags == SYN else packet) for end, packet in opening(4000)
    ]  # fmt: skip
    short = compare(route_past(load_wall("gfw", as_of="2025-01-15")), timed(packets), 0)
    assert [event.what for event in tell(short.path, short.sights)[0]][:2] == ["sent", "dropped"]


def test_the_wall_sees_a_packet_with_the_ttl_that_it_has_there(monkeypatch: pytest.MonkeyPatch) -> None:
    coins = KeyedCoins(0)
    run = OPEN.start(coins)
    seen: list[int] = []

    def see(now: Instant, side: Side, packet: Packet) -> list[Effect]:
        seen.append(packet.ttl)
        return []

    monkeypatch.setattr(run, "see", see)
    short = Shortcut(route_past(OPEN), coins, START, run, Counts())
    for end, packet in opening(4000)[:2]:
        short.show(START, end, packet, serialise(packet))
    assert seen == [64 - 3, 64 - 4]
