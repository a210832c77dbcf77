"""Packets of both ends in, where and when each of them is seen and what ends it out."""

from pathlib import Path as File

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crenel.atlas.load import load_vantage
from crenel.coins import KeyedCoins, ScriptedCoins
from crenel.instant import Instant, seconds
from crenel.net.path.path import Arrival, End, Path
from crenel.net.path.route import Link, Route, Standing, route_of
from crenel.wall.effects import Armed, Expired, Inject, Throttle
from crenel.wall.wall import Limits, Wall
from crenel.wire.dns_build import build_query
from crenel.wire.ip import parse_packet, serialise
from crenel.wire.packet import ACK, ICMP, PSH, RST, SYN, Packet, udp_packet
from crenel.wire.result import Unparseable
from tests.net.made import QUERY, RESET, box, wall_with
from tests.net.sim.scripted import CLIENT, ours, theirs
from tests.net.telling import check_accounts, lines_of

REQUEST = b"GET / HTTP/1.1\r\nHost: blocked.example\r\n\r\n"
VANTAGE = load_vantage("eleven-points-2017")
SURE = 'p = 1.0, per = "flow"'
LIMITS = Limits(flows=1000, residual_entries=1000, stream_bytes=1000)
WALL = Wall("none", "A wall without boxes", (), limits=LIMITS, utc_offset=0, hour=0)
NEAR, FAR = Link(6, seconds(0.006)), Link(8, seconds(0.075))


def drain(path: Path) -> list[Arrival]:
    """Let everything happen that is under way."""
    arrivals = []
    while path.next_due() is not None:
        arrival = path.pop()
        if arrival is not None:
            arrivals.append(arrival)
    check_accounts(path.trace)
    return arrivals


def say(path: Path, at: int, end: End, packet: Packet) -> None:
    """Let happen what is due before a moment, then send a packet."""
    while (due := path.next_due()) is not None and due < at:
        path.pop()
    path.send(Instant(at), end, packet)


def opened(path: Path, request: bytes = REQUEST) -> Instant:
    """Open a connection that carries a request, and return when its last packet was sent."""
    for at, end, packet in (
        (0.0, End.CLIENT, ours(SYN, 1000)),
        (0.1, End.SERVER, theirs(SYN | ACK, 5000, 1001)),
        (0.2, End.CLIENT, ours(ACK, 1001, 5001)),
        (0.3, End.CLIENT, ours(PSH | ACK, 1001, 5001, request)),
    ):
        path.send(Instant(seconds(at)), end, packet)
        drain(path)
    return Instant(seconds(0.3))


def made(folder: File, *boxes: str) -> Wall:
    return wall_with(folder, *boxes)


def plain(*walls: Wall) -> Route:
    return Route((NEAR, FAR) if len(walls) == 1 else (NEAR, Link(0, 0), FAR), walls)


def test_a_packet_crosses_all_hops_in_time() -> None:
    path = Path(Route((Link(14, seconds(0.081)),)), KeyedCoins(0))
    path.send(Instant(0), End.CLIENT, ours(SYN, 1))
    assert path.next_due() == seconds(0.081)
    (arrival,) = drain(path)
    assert (arrival.at, arrival.end, arrival.packet.ttl, arrival.number) == (seconds(0.081), End.SERVER, 50, 1)
    assert path.next_due() is None
    with pytest.raises(IndexError):
        path.pop()


@pytest.mark.parametrize(
    ("ttl", "seen", "hop"),
    [
        (1, False, 1), (6, False, 6), (7, True, 7), (8, True, 8), (14, True, 14), (15, True, None),
    ],
)  # fmt: skip
def test_a_ttl_lasts_for_so_many_hops(tmp_path: File, ttl: int, seen: bool, hop: int | None) -> None:
    path = Path(plain(made(tmp_path, box("reset"))), KeyedCoins(0))
    path.send(Instant(0), End.CLIENT, ours(SYN, 1, ttl=ttl))
    arrivals = drain(path)
    assert any(event.where == "made" for event in path.trace) == seen
    if hop is None:
        assert [(arrival.end, arrival.packet.ttl) for arrival in arrivals] == [(End.SERVER, 1)]
        return
    (answer,) = arrivals
    assert (answer.end, answer.packet.proto, answer.packet.dst) == (End.CLIENT, ICMP, CLIENT)
    assert answer.packet.src == bytes((100, 64, 0, hop))
    assert answer.packet.ttl == 64 - (hop - 1)
    died = next(event for event in path.trace if event.what == "died")
    assert (died.where, died.packet.ttl, died.reason) == (f"hop {hop}", 0, "its TTL ran out")
    assert answer.at == 2 * died.time


def test_the_server_is_as_many_hops_from_the_wall_as_behind_it(tmp_path: File) -> None:
    for ttl, seen in ((8, False), (9, True)):
        path = Path(plain(made(tmp_path, box("reset"))), KeyedCoins(0))
        path.send(Instant(0), End.SERVER, theirs(SYN | ACK, 1, 1, ttl=ttl))
        (answer,) = drain(path)
        assert any(event.where == "made" for event in path.trace) == seen
        assert answer.end is End.SERVER
        assert next(event for event in path.trace if event.what == "died").where == ("hop 7" if ttl == 8 else "hop 6")


def test_silent_routers_say_nothing() -> None:
    path = Path(Route((NEAR,), answers=False), KeyedCoins(0))
    path.send(Instant(0), End.CLIENT, ours(SYN, 1, ttl=3))
    assert not drain(path)


def test_forged_resets_start_at_the_wall_and_race_the_real_packets(tmp_path: File) -> None:
    path = Path(plain(made(tmp_path, box("reset", chance=SURE))), KeyedCoins(0))
    sent = opened(path)
    assert lines_of(path.trace)[9:] == [
        "300 client sent #4 > PSH+ACK ttl=64",
        "306 made passed #4 > PSH+ACK ttl=58",
        "306.001 made injected #5 < RST ttl=64 [reset]",
        "306.001 made injected #6 > RST ttl=64 [reset]",
        "312.001 client arrived #5 < RST ttl=58 [reset]",
        "381 server arrived #4 > PSH+ACK ttl=50",
        "381.001 server arrived #6 > RST ttl=56 [reset]",
    ]
    assert {event.cause for event in path.trace if event.what == "injected"} == {4}
    (first, second) = [told for told in path.effects if isinstance(told.effect, Inject)]
    assert (first.at, first.wall, first.packet) == (sent + seconds(0.006), "made", 4)
    assert second.packet == 4


def test_in_the_path_a_box_withholds(tmp_path: File) -> None:
    path = Path(plain(made(tmp_path, box("silence", chance=SURE, reaction="withhold = true", placement="in-path"))), KeyedCoins(0))
    opened(path)
    assert lines_of(path.trace)[-1] == "306 made dropped #4 > PSH+ACK ttl=58 [silence]"
    assert path.trace[-1].reason


def test_from_outside_the_client_is_on_the_outer_side(tmp_path: File) -> None:
    wall = made(tmp_path, box("reset", chance=SURE))
    route = route_of(load_vantage("outside-2020"), wall)
    path = Path(Route(route.links, route.walls, route.client_side), KeyedCoins(0))
    opened(path)
    forged = [event for event in path.trace if event.what == "arrived" and event.injected_by]
    assert sorted((event.where, event.packet.dst == CLIENT, event.packet.ttl) for event in forged) == [("client", True, 50), ("server", False, 54)]


def test_two_walls_see_what_the_other_forges(tmp_path: File) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    first.mkdir()
    second.mkdir()
    far = made(first, box("far", chance=SURE))
    near = made(second, box("near", trigger='reads = "tcp.port", ports = [80], packets = ["syn"]', chance='p = 1.0, per = "event"', tcb=None))
    route = route_of(load_vantage("four-cities-2020"), [Standing(near, 5), Standing(far, 7)])
    path = Path(route, KeyedCoins(0))
    opened(path)
    assert [run.wall for run in path.runs] == [near, far]
    # The reset that the nearer wall sends to the server passes the farther one, and tears its state down there or not as its model says.
    reset = next(event.number for event in path.trace if event.injected_by == "near" and event.toward == "server")
    assert [event.what for event in path.trace if event.number == reset] == ["injected", "passed", "arrived"]
    assert {event.injected_by for event in path.trace} == {None, "near", "far"}
    forged = next(event.number for event in path.trace if event.injected_by == "far" and event.toward == "client")
    assert [event.what for event in path.trace if event.number == forged] == ["injected", "passed", "arrived"]


def test_a_throttled_flow_is_held_to_its_rate_from_then_on(tmp_path: File) -> None:
    slow = 'throttle = { bytes_per_second = 1000, burst = 2000, toward = "client" }'
    path = Path(plain(made(tmp_path, box("slow", chance=SURE, reaction=slow, placement="in-path"))), KeyedCoins(0))
    start = opened(path)
    assert any(isinstance(told.effect, Throttle) for told in path.effects)
    for number in range(400):
        at = start + (2 + number) * seconds(0.1)
        say(path, at, End.SERVER, theirs(ACK, 5001, 1042, b"x" * 960))
        say(path, at, End.CLIENT, ours(ACK, 1042, 5001))
    drain(path)
    arrived = [event.where for event in path.trace if event.what == "arrived" and event.time > start + seconds(0.1)]
    # The burst lets two through, and 1,000 bytes a second one more each second for 40 seconds less a tenth.
    assert (arrived.count("client"), arrived.count("server")) == (41, 400)
    assert {event.dropped_by for event in path.trace if event.what == "dropped"} == {"slow"}


def test_other_flows_are_not_throttled(tmp_path: File) -> None:
    slow = 'throttle = { bytes_per_second = 1, burst = 1, toward = "both" }'
    path = Path(plain(made(tmp_path, box("slow", chance=SURE, reaction=slow, placement="in-path"))), KeyedCoins(0))
    start = opened(path)
    later = Instant(start + seconds(1))
    path.send(later, End.CLIENT, ours(ACK, 1042, 5001))
    path.send(later, End.CLIENT, ours(SYN, 1, sport=50_001))
    assert [arrival.packet.sport for arrival in drain(path)] == [50_001]


def test_a_link_with_a_rate_queues() -> None:
    path = Path(Route((Link(1, 1000, rate=1_000_000),)), KeyedCoins(0))
    for number in range(3):
        path.send(Instant(0), End.CLIENT, ours(ACK, number, 0, b"x" * 60))
    path.send(Instant(0), End.SERVER, theirs(ACK, 0))
    assert [(arrival.at, arrival.end) for arrival in drain(path)] == [
        (41_000, End.CLIENT), (101_000, End.SERVER), (201_000, End.SERVER), (301_000, End.SERVER),
    ]  # fmt: skip


def test_losses_follow_their_probability_and_have_a_name() -> None:
    path = Path(Route((Link(1, 1000, loss=0.25), Link(1, 1000)), (WALL,)), KeyedCoins(3))
    for number in range(2000):
        say(path, number, End.CLIENT, ours(ACK, number))
    drain(path)
    assert 1440 < sum(event.what == "arrived" for event in path.trace) < 1560
    lost = [event for event in path.trace if event.what == "lost"]
    assert {event.reason for event in lost} == {"lost on link 1"}
    certain = Path(Route((Link(1, 1000, loss=0.25),)), ScriptedCoins({"path/loss-0": True}))
    certain.send(Instant(0), End.CLIENT, ours(ACK, 1))
    assert not drain(certain)


def test_jitter_stays_within_its_bounds() -> None:
    path = Path(Route((Link(1, 1000, jitter=500),)), KeyedCoins(3))
    for _ in range(200):
        path.send(Instant(0), End.CLIENT, ours(ACK, 1))
    times = [arrival.at for arrival in drain(path)]
    assert min(times) < 1020
    assert 1480 < max(times) <= 1500
    assert times == sorted(times)


def test_a_wrong_ip_checksum_ends_at_the_first_router_and_a_right_one_is_kept_right() -> None:
    for wrong, ends in ((1, "dropped"), (0, "arrived")):
        whole = serialise(ours(SYN, 1))
        packet = parse_packet(whole[:10] + (int.from_bytes(whole[10:12], "big") ^ wrong).to_bytes(2, "big") + whole[12:])
        assert not isinstance(packet, Unparseable)
        path = Path(Route((NEAR,)), KeyedCoins(0))
        path.send(Instant(0), End.CLIENT, packet)
        for arrival in drain(path):
            assert parse_packet(serialise(arrival.packet)) == parse_packet(serialise(ours(SYN, 1, ttl=58)))
        assert path.trace[-1].what == ends


def test_a_middlebox_of_the_client_stands_before_everything() -> None:
    route = Route((NEAR,), client_middleboxes=VANTAGE.client_middlebox[3:])
    path = Path(route, KeyedCoins(0))
    path.send(Instant(0), End.CLIENT, ours(0, 1))
    path.send(Instant(0), End.SERVER, theirs(0, 1))
    assert [arrival.end for arrival in drain(path)] == [End.CLIENT]
    (dropped,) = [event for event in path.trace if event.what == "dropped"]
    assert (dropped.where, dropped.reason, dropped.dropped_by) == ("unicom-tianjin", "it carries no TCP flag", None)


def test_fragments_wait_for_each_other_near_the_client() -> None:
    path = Path(Route((NEAR,), client_middleboxes=VANTAGE.client_middlebox[1:2]), KeyedCoins(0))
    whole = serialise(ours(PSH | ACK, 5, 6, b"y" * 40))
    for packet in (
        Packet(4, CLIENT, bytes((198, 51, 100, 2)), 6, ident=9, ip_flags=1, payload=whole[20:44], headless=True),
        Packet(4, CLIENT, bytes((198, 51, 100, 2)), 6, ident=9, frag_offset=24, payload=whole[44:]),
    ):
        path.send(Instant(0), End.CLIENT, packet)
    (arrival,) = drain(path)
    assert (arrival.packet.seq, arrival.packet.payload) == (5, b"y" * 40)
    assert [event.what for event in path.trace] == ["sent", "held", "sent", "held", "joined", "arrived"]


def test_a_strict_server_does_not_get_resets_out_of_state() -> None:
    path = Path(Route((NEAR,), strict_share=0.5), ScriptedCoins({"path/strict-server": True}))
    opened(path)
    path.send(Instant(seconds(1)), End.CLIENT, ours(RST, 77))
    path.send(Instant(seconds(1)), End.CLIENT, ours(RST, 1001 + len(REQUEST)))
    assert [arrival.packet.seq for arrival in drain(path)] == [1001 + len(REQUEST)]
    assert [event.where for event in path.trace if event.what == "dropped"] == ["strict-filter"]


def test_a_wall_keeps_its_memory_where_its_run_is_kept(tmp_path: File) -> None:
    residual = 'residual = { tuple = ["client", "server", "server_port"], seconds = 180, refresh = false, from = "client", on = "any", does = "drop", chances = [1.0], onset = { fixed = 0 } }'  # noqa: E501
    wall = made(tmp_path, box("memory", chance=SURE, reaction=RESET, more=residual))
    first = Path(plain(wall), KeyedCoins(0))
    begun = opened(first)
    assert any(isinstance(told.effect, Armed) for told in first.effects)
    for after, passes in ((179, False), (181, True)):
        later = Path(plain(wall), KeyedCoins(1), runs=first.runs)
        later.send(Instant(begun + seconds(after)), End.CLIENT, ours(SYN, 1, sport=50_001))
        assert bool(drain(later)) == passes
    first.ring(Instant(begun + seconds(200)))
    fresh = Path(plain(wall), KeyedCoins(0))
    opened(fresh)
    fresh.ring(Instant(seconds(1000)))
    expired = fresh.effects[-1]
    assert isinstance(expired.effect, Expired)
    assert expired.at == begun + seconds(180.006)


PACKETS = st.tuples(
    st.integers(0, 50_000_000), st.sampled_from(End), st.integers(0, 40), st.integers(0, 255), st.binary(max_size=20), st.integers(0, 3)
)
LINKS = st.builds(
    Link, st.integers(0, 9), st.integers(0, 10_000_000), st.sampled_from([0, 5000]), st.sampled_from([0.0, 0.3]), st.sampled_from([None, 10_000])
)


@settings(max_examples=60)
@given(st.lists(PACKETS, max_size=25), st.lists(LINKS, min_size=1, max_size=3), st.integers(0, 5))
def test_every_packet_is_accounted_for_and_pays_a_ttl_for_each_hop(
    said: list[tuple[int, End, int, int, bytes, int]], links: list[Link], seed: int
) -> None:
    route = Route(tuple(links), (WALL,) * (len(links) - 1), client_middleboxes=VANTAGE.client_middlebox, strict_share=0.4)
    traces = []
    for _ in range(2):
        path = Path(route, KeyedCoins(seed))
        for at, end, ttl, flags, payload, port in sorted(said):
            make = ours if end is End.CLIENT else theirs
            say(path, at, end, make(flags, 7, 8, payload, ttl=ttl, sport=50_000 + port))
        arrivals = drain(path)
        traces.append(path.trace)
        begun = {event.number: event for event in path.trace if event.what == "sent"}
        for arrival in arrivals:
            sent = begun.get(arrival.number)
            if sent is not None:
                assert arrival.packet.ttl == sent.packet.ttl - (route.hops - 1)
                assert arrival.at - sent.time >= sum(link.delay for link in links)
    assert traces[0] == traces[1]


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=30))
def test_without_jitter_packets_keep_their_order(times: list[int]) -> None:
    path = Path(Route((Link(3, 700, rate=100_000), Link(2, 300)), (WALL,)), KeyedCoins(0))
    for number, at in enumerate(sorted(times)):
        say(path, at, End.CLIENT, ours(ACK, number))
    drain(path)
    assert [event.packet.seq for event in path.trace if event.what == "arrived"] == list(range(len(times)))


@pytest.mark.parametrize(("end", "hop"), [(End.CLIENT, "hop 1"), (End.SERVER, "hop 7")])
def test_what_is_shorter_than_its_header_says_goes_no_farther_than_the_first_router(end: End, hop: str) -> None:
    for claimed, ending in ((49, "dropped"), (48, "arrived"), (47, "arrived")):
        path = Path(Route((Link(7, 0),)), KeyedCoins(0))
        path.send(Instant(0), end, msgspec.structs.replace(udp_packet(bytes(4), bytes(4), 1, 2, b"x" * 20), total_length=claimed))
        drain(path)
        assert path.trace[-1].what == ending
        assert ending == "arrived" or path.trace[-1].where == hop


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_wall_reads_the_datagram_that_fragments_make_and_the_fragments_go_on_by_themselves(tmp_path: File, order: tuple[int, int]) -> None:
    query = udp_packet(CLIENT, bytes((198, 51, 100, 9)), 5000, 53, build_query(b"blocked.example"))
    whole = serialise(query)[20:]
    pieces = [
        msgspec.structs.replace(query, payload=whole[:16], headless=True, ip_flags=1, ident=7),
        msgspec.structs.replace(query, payload=whole[16:], headless=True, ip_flags=0, frag_offset=16, ident=7),
    ]
    wall = wall_with(tmp_path, box("dns", transport="udp", trigger=QUERY, chance='p = 1.0, per = "event"', tcb=None))
    path = Path(Route((Link(0, 0), Link(0, 0)), (wall,)), KeyedCoins(0))
    for number in order:
        assert not path.effects
        path.send(Instant(0), End.CLIENT, pieces[number])
        drain(path)
    assert {told.effect.because.middlebox for told in path.effects if isinstance(told.effect, Inject)} == {"dns"}
    arrived = [event.packet.frag_offset for event in path.trace if event.what == "arrived" and event.injected_by is None]
    assert arrived == [pieces[number].frag_offset for number in order]
