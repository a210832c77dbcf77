"""A profile compiled: who watches which flow, by ports, sides and versions; the hour that the wall's own clock shows; walls without memory."""

from pathlib import Path

import pytest

from crenel.atlas.compile import load_wall
from crenel.coins import ScriptedCoins
from crenel.instant import NANOSECONDS
from crenel.wall.wall import Wall
from crenel.wire.packet import TCP, UDP

CITADEL = str(Path(__file__).parents[1] / "walls" / "citadel.toml")


def watching(wall: Wall, transport: int, port: int, *, version: int = 4, inside: bool = True) -> set[str]:
    """Return the ids of all boxes that look at flows of a kind, by way of what a run would ask."""
    watch = wall.watch(transport, version, port, inside=inside, above=True)
    found = {lane.box.id for lane in watch.lanes.lanes} if watch.lanes is not None else set()
    found |= {box.id for box, _ in watch.choices} | {box.id for box, _ in watch.headers}
    return found | {box.id for slot in (*watch.stateless, *watch.datagrams) for box in slot.boxes}


@pytest.mark.parametrize("as_of", ["2017-05-01", "2020-01-15", "2022-06-01", "2023-10-01", "2025-01-15", "2025-08-20T01:00"])
def test_a_watch_holds_the_boxes_whose_scope_covers_the_flow(as_of: str) -> None:
    wall = load_wall(as_of=as_of)
    for transport in (TCP, UDP):
        for version in (4, 6):
            for port in (1, 52, 53, 54, 79, 80, 81, 443, 65535):
                for inside in (True, False):
                    covered = {box.id for box in wall.boxes if box.scope.covers(transport, version, port, inside=inside, above=True)}
                    assert watching(wall, transport, port, version=version, inside=inside) == covered


def test_ports_are_told_apart_at_the_edges_of_a_range() -> None:
    wall = load_wall(CITADEL, as_of="2030-03-01")
    assert ["gate" in watching(wall, TCP, port) for port in (442, 443, 444, 7999, 8000, 8999, 9000)] == [False, True, False, False, True, True, False]
    assert ["wall" in watching(wall, TCP, port) for port in (0, 21, 22, 23)] == [False, False, True, False]


def test_the_same_kind_of_flow_has_the_same_watch() -> None:
    wall = load_wall(CITADEL, as_of="2030-03-01")
    assert wall.watch(TCP, 4, 8000, inside=True, above=True) is wall.watch(TCP, 4, 8500, inside=True, above=True)
    assert wall.watch(TCP, 4, 8000, inside=True, above=True) is not wall.watch(TCP, 6, 8000, inside=True, above=True)


def test_boxes_that_read_alike_share_a_reading() -> None:
    """Two ears listen for the same words: one reading serves both."""
    wall = load_wall(CITADEL, as_of="2030-03-01")
    lanes = wall.watch(TCP, 4, 80, inside=True, above=True).lanes
    assert lanes is not None
    slots = {lane.box.id: lane.slot for lane in lanes.lanes}
    assert slots["ear"] is slots["deaf-ear"]
    assert slots["ear"] is not slots["mire"]


def test_readers_that_cannot_begin_so_are_left_out() -> None:
    wall = load_wall(CITADEL, as_of="2030-03-01")
    names = [{type(slot.reader).__name__ for slot in wall.slots_of(wall.begins[byte])} for byte in (b"\x16"[0], b"G"[0], b"\x00"[0])]
    assert [{"TlsSni", "HttpKeyword"} & found for found in names] == [{"TlsSni"}, {"HttpKeyword"}, set()]


@pytest.mark.parametrize(("hour", "shown"), [(0, 21), (2, 23), (3, 0), (23, 20)])
def test_the_wall_has_a_clock_of_its_own(hour: int, shown: int) -> None:
    """The Citadel's is three hours behind UTC."""
    wall = load_wall(CITADEL, as_of="2030-03-01")
    assert wall.hour_at(hour * 3600 * NANOSECONDS) == shown
    assert wall.hour_at((hour + 1) * 3600 * NANOSECONDS - 1) == shown
    assert wall.hour_at((hour + 240) * 3600 * NANOSECONDS) == shown


def test_an_hour_that_was_asked_for_holds_for_every_packet() -> None:
    wall = load_wall(CITADEL, as_of="2030-03-01T13:30")
    assert {wall.hour_at(hour * 3600 * NANOSECONDS) for hour in range(48)} == {13}


def test_a_wall_alone_with_one_box() -> None:
    wall = load_wall(CITADEL, as_of="2030-03-01")
    alone = wall.alone(wall.boxes[1])
    assert [box.id for box in alone.boxes] == ["usher"]
    assert wall.alone(wall.boxes[1]) is alone


def test_runs_do_not_share_their_memory() -> None:
    wall = load_wall(CITADEL, as_of="2030-03-01")
    one, other = wall.start(ScriptedCoins()), wall.start(ScriptedCoins(), mode="forecast")
    assert one.flows is not other.flows
    assert one.memory is not other.memory
    assert (one.forecast, other.forecast) == (False, True)
    assert one.next_alarm() is None
