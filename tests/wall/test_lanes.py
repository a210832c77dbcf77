"""Boxes that see a connection alike walk it together, and part where their models differ; what is of no interest is what no row could act on."""

import pytest

from crenel.atlas.compile import load_wall
from crenel.flow.key import CLASS_ACK, CLASS_FIN, CLASS_LOAD, CLASS_RST, CLASS_SECOND, CLASS_SYN, CLASSES
from crenel.wall.lanes import EXPECTED, SERVER_SYN_ACK, LaneSet
from crenel.wall.tcb import NONE, OPEN, OPENING, RESYNC, STATES
from crenel.wire.packet import TCP

DATES = ("2017-05-01", "2019-06-01", "2020-01-15", "2022-06-01", "2025-01-15")


def lanes(as_of: str = "2020-01-15") -> LaneSet:
    """Return the lanes of all boxes that watch a port, the last of their devices where there are several."""
    wall = load_wall(as_of=as_of)
    watch = wall.watch(TCP, 4, 80, inside=True, above=True)
    chosen = [options[-1][0] for _, options in watch.choices]
    return wall.lane_set([*(watch.lanes.lanes if watch.lanes is not None else ()), *chosen])


def test_the_same_lanes_are_the_same_set() -> None:
    every = lanes()
    half = every.subset(every.lanes[::2])
    assert half is every.subset(every.lanes[::2])
    assert half is half.subset(half.lanes)


def test_a_box_can_be_taken_out() -> None:
    every = lanes()
    box = every.lanes[0].box
    rest, own = every.without(box)
    assert own is not None
    assert rest is not None
    assert {lane.box for lane in own.lanes} == {box}
    assert set(rest.lanes) | set(own.lanes) == set(every.lanes)
    assert rest.without(box) == (rest, None)
    assert own.without(box) == (None, own)


def test_all_boxes_open_a_connection_together() -> None:
    parts = lanes().plan(NONE * CLASSES + CLASS_SYN, 0, None)
    assert len(parts) == 1
    assert parts[0].rows[0].do == "track"


def test_boxes_part_where_their_models_do() -> None:
    """One box resynchronises on a wrong acknowledgement, the others leave it alone."""
    odd = {"ack-odd"}
    parts = lanes().plan(OPENING * CLASSES + (CLASS_SECOND | CLASS_SYN | CLASS_ACK), 2, None)
    acting = [part for part in parts if part.rows]
    assert len(parts) == 2
    assert [lane.box.id for part in acting for lane in part.lanes.lanes] == ["ftp"]
    assert set(acting[0].rows[0].when) == odd


def test_boxes_part_where_each_tosses_a_coin() -> None:
    every = lanes()
    parts = every.plan(OPEN * CLASSES + CLASS_RST, EXPECTED, None)
    tossing = [part for part in parts if part.rows[0].p < 1.0]
    assert len(tossing) > 2
    assert all(len(part.lanes.lanes) == 1 for part in tossing)
    assert [row.do for row in tossing[0].rows] == ["off", "resync"]


def test_a_row_that_asks_for_a_cause_is_met_by_that_cause_only() -> None:
    cell = RESYNC * CLASSES + (CLASS_SECOND | CLASS_SYN | CLASS_ACK | CLASS_LOAD)
    bits, asks = lanes().guards(cell)
    assert bits
    assert asks
    for cause, acts in (("load", True), ("reset", False), (None, False)):
        assert any(part.rows for part in lanes().plan(cell, 0b1000, cause)) == acts


@pytest.mark.parametrize("as_of", DATES)
def test_what_no_row_speaks_of_is_of_no_interest(as_of: str) -> None:
    every = lanes(as_of)
    for state in range(STATES):
        for packet_class in range(CLASSES):
            rows = [row for lane in every.lanes for row in lane.tcb.rows[state * CLASSES + packet_class]]
            asked = every.mask(state, live=True) >> packet_class & 1
            assert asked or not rows
            told = every.asks_ack and 1 << packet_class & (SERVER_SYN_ACK | SERVER_SYN_ACK << CLASS_LOAD)
            assert rows or told or not asked


def test_a_strand_that_reads_no_more_has_no_interest_in_data_that_only_moves_on() -> None:
    """The model of 2023 tears down on a reset at the expected place, so it goes on counting; one without such a rule does not."""
    data = 1 << (CLASS_ACK | CLASS_LOAD)
    every = lanes("2020-01-15")
    assert every.mask(OPEN, live=True) & data
    assert every.mask(OPEN, live=False) & data
    fet = [lane for lane in lanes("2022-06-01").lanes if not lane.tcb.asks_expected]
    assert fet
    alone = every.subset(()) if not fet else lanes("2022-06-01").subset(fet)
    assert alone.mask(OPEN, live=True) & data
    assert not alone.mask(OPEN, live=False) & data
    assert not alone.mask(OPEN, live=False) >> (CLASS_FIN | CLASS_ACK) & 1
