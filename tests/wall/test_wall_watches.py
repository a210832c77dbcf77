"""Boxes with their scopes in, who watches a kind of flow out; and the hour and the vantage by which a wall is asked."""

from pathlib import Path
from typing import Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.atlas.compile import load_wall
from crenel.coins import ScriptedCoins
from crenel.instant import NANOSECONDS
from crenel.wall.box import Box, Scope
from crenel.wall.effects import Expired, Side
from crenel.wall.wall import Limits, Wall
from crenel.wire.packet import TCP, UDP
from tests.net.made import QUERY, box, wall_with
from tests.wall.making import LISTED, PLAIN, at, compiled, flow, made_box, residual, show, words

LIMITS = Limits(flows=9, residual_entries=9, stream_bytes=999)
HOUR = 3600 * NANOSECONDS


def scope(
    *, ports: tuple[tuple[int, int], ...] = ((1, 65535),),
    versions: tuple[Literal[4, 6], ...] = (4, 6), outside: tuple[Literal[4, 6], ...] | None = None,
    sides: tuple[Literal["inside", "outside"], ...] = ("inside", "outside"), above: bool = False, transport: Literal["tcp", "udp"] = "tcp",
) -> Scope:
    return Scope(transport=transport, ports=ports, versions=versions, opened_from=sides, versions_from_outside=outside, source_port_above=above)


def wall(*scopes: Scope, stateless: bool = False, hour: int | None = None, utc_offset: int = 0) -> Wall:
    boxes = [made_box(f"b{number}", index=number, tcb=None if stateless else compiled(*PLAIN), scope=one) for number, one in enumerate(scopes)]
    return Wall("made", "made", boxes, limits=LIMITS, utc_offset=utc_offset, hour=hour)


def watchers(of: Wall, port: int, *, version: int = 4, inside: bool = True, above: bool = True, transport: int = TCP) -> list[str]:
    watch = of.watch(transport, version, port, inside=inside, above=above)
    return [lane.box.id for lane in watch.lanes.lanes] if watch.lanes is not None else []


# Who watches.


PORT_RANGE = st.tuples(st.integers(0, 65535), st.integers(0, 40000)).map(lambda pair: (pair[0], min(65535, pair[0] + pair[1])))
PORT_RANGES = st.lists(PORT_RANGE, min_size=1, max_size=3)


@given(ranges=st.lists(PORT_RANGES, min_size=1, max_size=4), ports=st.lists(st.integers(0, 65535), max_size=10))
def test_a_port_is_watched_by_the_boxes_whose_ranges_hold_it(ranges: list[list[tuple[int, int]]], ports: list[int]) -> None:
    of = wall(*[scope(ports=tuple(some)) for some in ranges])
    edges = {port for some in ranges for pair in some for edge in pair for port in (edge - 1, edge, edge + 1) if 0 <= port <= 65535}
    for port in {*ports, *edges, 0, 65535}:
        assert watchers(of, port) == [f"b{number}" for number, some in enumerate(ranges) if any(low <= port <= high for low, high in some)]


def test_ports_between_the_same_bounds_share_a_watch() -> None:
    of = wall(scope(ports=((80, 80), (8000, 8999))))
    watch = of.watch(TCP, 4, 8000, inside=True, above=True)
    assert of.watch(TCP, 4, 8999, inside=True, above=True) is watch
    assert of.watch(TCP, 4, 9000, inside=True, above=True) is not watch
    assert of.watch(TCP, 4, 8000, inside=False, above=True) is not watch


@pytest.mark.parametrize("port", [80, 0, 65535])
def test_every_kind_of_flow_is_told_from_every_other(port: int) -> None:
    """Each box watches one kind only, so a watch that was mixed up with another would show."""
    scopes: dict[tuple[int, bool], Scope] = {
        (version, inside): scope(ports=((0, 65535),), versions=(version,), sides=("inside",) if inside else ("outside",))
        for version in (4, 6) for inside in (True, False)
    }
    of = wall(*scopes.values())
    for number, (version, inside) in enumerate(scopes):
        for above in (True, False):
            assert watchers(of, port, version=version, inside=inside, above=above) == [f"b{number}"]
    assert watchers(of, port, transport=UDP) == []


def test_versions_may_differ_by_side() -> None:
    of = wall(scope(versions=(4,), outside=(4, 6)))
    seen = {(version, inside): bool(watchers(of, 80, version=version, inside=inside)) for version in (4, 6) for inside in (True, False)}
    assert seen == {(4, True): True, (4, False): True, (6, True): False, (6, False): True}


def test_a_box_may_want_the_source_port_to_be_the_greater() -> None:
    of = wall(scope(above=True), scope())
    assert watchers(of, 80, above=True) == ["b0", "b1"]
    assert watchers(of, 80, above=False) == ["b1"]


@pytest.mark.parametrize(("sport", "dport", "acts"), [(54, 53, True), (53, 53, False), (52, 53, False)])
def test_equal_ports_are_not_above_one_another(sport: int, dport: int, acts: bool) -> None:
    run = wall(scope(above=True)).start(ScriptedCoins())
    packets = [msgspec.structs.replace(packet, sport=sport, dport=dport) for packet in flow(LISTED)]
    assert bool(show(run, packets)) is acts


def test_boxes_without_a_model_read_single_segments_or_datagrams(tmp_path: Path) -> None:
    of = wall(scope(), stateless=True)
    tcp, udp = (of.watch(number, 4, 80, inside=True, above=True) for number in (TCP, UDP))
    assert (len(tcp.stateless), tcp.datagrams, tcp.lanes) == (1, (), None)
    assert (udp.stateless, udp.datagrams) == ((), ())
    dns = wall_with(tmp_path, box("dns", transport="udp", trigger=QUERY, tcb=None, chance='p = 1.0, per = "event"', reaction=""))
    assert len(dns.watch(UDP, 4, 53, inside=True, above=True).datagrams) == 1
    assert dns.watch(TCP, 4, 53, inside=True, above=True).stateless == ()


def test_an_opening_is_plain_only_where_no_segment_is_read_alone_and_no_coin_chooses_a_model() -> None:
    assert wall(scope()).watch(TCP, 4, 80, inside=True, above=True).plain is not None
    assert wall(scope(), stateless=True).watch(TCP, 4, 80, inside=True, above=True).plain is None
    chosen = made_box(tcb=compiled(*PLAIN), other=(compiled(*PLAIN), 0.5))
    watch = Wall("made", "made", [chosen], limits=LIMITS, utc_offset=0, hour=None).watch(TCP, 4, 80, inside=True, above=True)
    assert watch.plain is None
    assert [(one.id, [share for _, share in options]) for one, options in watch.choices] == [("a", [0.5, 0.5])]
    assert watch.lanes is None


@pytest.mark.parametrize(("share", "lanes"), [(0.0, 1), (1.0, 1), (0.3, 0)])
def test_a_model_that_is_certain_needs_no_choice(share: float, lanes: int) -> None:
    other = compiled(*PLAIN, name="other")
    watch = Wall("made", "made", [made_box(tcb=compiled(*PLAIN), other=(other, share))], limits=LIMITS, utc_offset=0, hour=None).watch(
        TCP, 4, 80, inside=True, above=True
    )
    assert (len(watch.lanes.lanes) if watch.lanes is not None else 0) == lanes
    assert len(watch.choices) == 1 - lanes
    if watch.lanes is not None:
        assert (watch.lanes.lanes[0].tcb is other) is (share == 1.0)


@pytest.mark.parametrize(("other", "acts"), [(True, False), (False, True)])
def test_the_coin_of_a_pair_chooses_the_model(other: bool, acts: bool) -> None:
    """The other model tracks nothing. A choice is tossed in the order of the models."""
    chosen = made_box(tcb=compiled(*PLAIN), other=(compiled(*PLAIN[1:]), 0.4))
    run = Wall("made", "made", [chosen], limits=LIMITS, utc_offset=0, hour=None).start(ScriptedCoins({"device-0": not other}))
    assert bool(show(run, flow(LISTED))) is acts
    assert bool(show(run, flow(LISTED, port=50001))) is acts


# Readers.


def test_readers_are_kept_by_their_bits_and_by_what_they_could_begin_with() -> None:
    of = wall(scope())
    (slot,) = of.slots_of(1)
    assert of.slots_of(0) == of.slots_of(2) == ()
    assert of.slots_of(3) == (slot,)
    assert [byte for byte in range(256) if of.begins[byte]] == [ord("G")]


# Clock and vantage.


@pytest.mark.parametrize("utc_offset", [-11, -1, 0, 8, 14])
@given(now=st.integers(0, 1 << 62))
def test_the_hour_is_that_of_the_wall_s_own_clock(utc_offset: int, now: int) -> None:
    assert wall(utc_offset=utc_offset).hour_at(now) == (now // HOUR + utc_offset) % 24


@pytest.mark.parametrize(
    ("now", "hour"), [(0, 8), (HOUR - 1, 8), (HOUR, 9), (15 * HOUR, 23), (16 * HOUR - 1, 23), (16 * HOUR, 0), (24 * HOUR, 8), (-1, 7)]
)
def test_an_hour_begins_when_it_is_full(now: int, hour: int) -> None:
    assert wall(utc_offset=8).hour_at(now) == hour


@pytest.mark.parametrize("hour", [0, 23])
def test_an_hour_that_was_given_holds_always(hour: int) -> None:
    of = wall(hour=hour, utc_offset=8)
    assert {of.hour_at(number * HOUR) for number in range(48)} == {hour}


@pytest.mark.parametrize(("hour", "expected"), [(13, ["Inject", "Inject"]), (12, ["Missed"]), (None, ["Inject", "Inject"])])
def test_a_chance_is_that_of_the_hour(hour: int | None, expected: list[str]) -> None:
    """The packets come at 12 o'clock UTC; the wall's clock is one hour ahead."""
    model = made_box(tcb=compiled(*PLAIN))
    hours = tuple(1.0 if number == 13 else 0.5 for number in range(24))
    by_hour = Box(
        0, model.facts, scope=model.scope, reader=model.reader, names=model.names, hours=hours, coin_scope="flow", reaction=model.reaction,
        residual=None, pools={}, tcb=model.tcb, other=None, joins=1.0, first_only=None, sees_injected=True,
    )
    run = Wall("made", "made", [by_hour], limits=LIMITS, utc_offset=1, hour=hour).start(ScriptedCoins(otherwise=False))
    assert words(show(run, flow(LISTED))) == expected


def test_a_wall_without_an_atlas_looks_the_same_from_everywhere() -> None:
    of = wall(scope())
    assert of.seen_from("beijing") is of.seen_from(None) is of


def test_a_wall_of_the_atlas_is_compiled_anew_for_another_vantage() -> None:
    of = load_wall(as_of="2022-06-01", seed=7)
    assert of.seen_from(None) is of
    other = of.seen_from("shanghai")
    assert other is not of
    assert [one.id for one in other.boxes] == [one.id for one in of.boxes]
    assert (getattr(other.about, "vantage"), getattr(other.about, "seed"), getattr(other.about, "as_of")) == ("shanghai", 7, "2022-06-01")  # noqa: B009


def test_a_box_alone_keeps_the_wall_s_clock_and_is_compiled_once() -> None:
    of = wall(scope(), scope(ports=((80, 80),)), utc_offset=3, hour=5)
    alone = of.alone(of.boxes[1])
    assert alone is of.alone(of.boxes[1])
    assert alone is not of.alone(of.boxes[0])
    assert ([one.id for one in alone.boxes], alone.hour_at(0), alone.limits) == (["b1"], 5, LIMITS)
    assert watchers(alone, 81) == []


def test_a_box_alone_remembers_wherever_it_stood_in_the_wall() -> None:
    boxes = [made_box("first", tcb=compiled(*PLAIN)), made_box("second", index=1, tcb=compiled(*PLAIN), remembers=residual())]
    of = Wall("made", "made", boxes, limits=LIMITS, utc_offset=0, hour=None)
    run = of.alone(boxes[1]).start(ScriptedCoins())
    assert words(show(run, flow(LISTED), step=0)) == ["Inject", "Inject", "Armed"]
    assert words(show(run, flow(LISTED, port=50001), start=1)) == ["Drop"] * 3
    assert run.ring(at(60)) == [Expired("second", at(60))]
    assert [one.index for one in of.boxes] == [0, 1]


@pytest.mark.parametrize(("mode", "later"), [("live", []), ("forecast", ["Missed"])])
def test_a_run_is_live_or_a_forecast(mode: Literal["live", "forecast"], later: list[str]) -> None:
    """In a forecast the traffic goes on as if the box had not acted."""
    run = wall(scope()).start(ScriptedCoins(), mode)
    packets = flow(LISTED, LISTED)
    assert words(show(run, packets[:3])) == ["Inject", "Inject"]
    assert words(run.see(at(1), Side.INSIDE, packets[3])) == later
