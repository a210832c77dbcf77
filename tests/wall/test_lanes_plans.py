"""Boxes with their models in, which of them go on as one for each packet out."""

from typing import Any

import pytest

from crenel.flow.key import CLASS_ACK, CLASS_LOAD, CLASS_RST, CLASS_SECOND, CLASS_SYN, CLASSES
from crenel.wall.lanes import (
    ACK_ODD, EXPECTED, REPEATED, SERVER_LOADS, SERVER_SYN_ACK, SERVER_SYN_ACK_LOAD, TARGETED, LaneSet, ReaderSlot,
)  # fmt: skip
from crenel.wall.tcb import NONE, OFF, OPEN, OPENING, RESYNC, CompiledTcb
from crenel.wall.wall import Limits, Wall
from tests.wall.making import COMPLETE, LISTED, PLAIN, READ, TRACK, compiled, host_reader, made_box

DATA = OPEN * CLASSES + (CLASS_ACK | CLASS_LOAD)
SYN = NONE * CLASSES + CLASS_SYN
TEAR: dict[str, Any] = {"in": ["open"], "from": "client", "has": "R", "do": "off"}
RST = OPEN * CLASSES + CLASS_RST


def lanes(*tables: CompiledTcb, joins: float = 1.0) -> LaneSet:
    """Return the lanes of boxes with these tables; all of them read Host headers."""
    boxes = [made_box(f"b{number}", index=number, tcb=table, joins=joins) for number, table in enumerate(tables)]
    wall = Wall("made", "made", boxes, limits=Limits(flows=9, residual_entries=9, stream_bytes=99), utc_offset=0, hour=None)
    watch = wall.watch(6, 4, 80, inside=True, above=True)
    assert watch.lanes is not None
    return watch.lanes


def parts(of: LaneSet, cell: int, bits: int = 0, cause: str | None = None) -> list[tuple[list[int], list[str]]]:
    """Return the plan of a cell: numbers of lanes with what their rows do."""
    return [([lane.number for lane in part.lanes.lanes], [row.do for row in part.rows]) for part in of.plan(cell, bits, cause)]


def test_boxes_with_equal_rows_go_on_as_one() -> None:
    """Equal, though of two tables with other titles and sources."""
    of = lanes(compiled(*PLAIN, name="one"), compiled(*PLAIN, name="two"), compiled(*[row | {"sources": ["x"]} for row in PLAIN], name="three"))
    assert parts(of, SYN) == [([0, 1, 2], ["track"])]
    assert parts(of, DATA) == [([0, 1, 2], ["read"])]


def test_boxes_part_only_where_their_rows_differ() -> None:
    of = lanes(compiled(*PLAIN), compiled(*PLAIN, TEAR), compiled(*PLAIN))
    assert parts(of, DATA) == [([0, 1, 2], ["read"])]
    assert parts(of, RST) == [([0, 2], []), ([1], ["off"])]


def test_what_no_box_asks_about_has_no_plan() -> None:
    of = lanes(compiled(*PLAIN), compiled(*PLAIN, TEAR))
    assert parts(of, OPENING * CLASSES + CLASS_RST) == []
    assert parts(of, RST | CLASS_SECOND) == []


@pytest.mark.parametrize(
    ("change", "together"),
    [({}, True), ({"to": "ack"}, False), ({"go-on": True}, False), ({"when": ["seq-odd"]}, True), ({"assumed": "something"}, True)],
)
def test_rows_are_alike_in_what_they_do(change: dict[str, Any], together: bool) -> None:
    """Guards are met already, and the prose does nothing."""
    row = {"in": ["open"], "from": "client", "has": "R", "do": "sync", "to": "seq"}
    assert len(parts(lanes(compiled(row), compiled(row | change)), RST)) == (1 if together else 2)


@pytest.mark.parametrize(("limits", "together"), [({"ahead": 5}, False), ({"keeps_newer": 1.0}, False), ({"keeps_newer": 0.5}, False), ({}, True)])
def test_boxes_that_hold_segments_otherwise_part_where_they_read(limits: dict[str, float], together: bool) -> None:
    of = lanes(compiled(*PLAIN), compiled(*PLAIN, **limits))
    assert len(parts(of, SYN)) == 1
    assert len(parts(of, DATA)) == (1 if together else 2)


def test_the_coin_of_a_pair_parts_boxes_with_the_same_chance_to_keep_the_newer() -> None:
    """Each tosses for itself, so that they are not one even where the numbers are the same."""
    assert len(parts(lanes(compiled(*PLAIN, keeps_newer=0.5), compiled(*PLAIN, keeps_newer=0.5)), DATA)) == 2
    assert len(parts(lanes(compiled(*PLAIN, keeps_newer=1.0), compiled(*PLAIN, keeps_newer=1.0)), DATA)) == 1


def test_a_coin_of_a_row_parts_each_box_from_all_others() -> None:
    tossing = compiled(*PLAIN, TEAR | {"p": 0.5, "coin": "tear"})
    of = lanes(tossing, tossing, compiled(*PLAIN), compiled(*PLAIN, TEAR))
    assert parts(of, RST) == [([0], ["off"]), ([1], ["off"]), ([2], []), ([3], ["off"])]


def test_rows_behind_a_certain_one_are_not_tried() -> None:
    coin = TEAR | {"p": 0.5, "coin": "tear"}
    of = lanes(compiled(coin, TEAR | {"do": "ignore"}, TEAR | {"do": "read"}))
    assert parts(of, RST) == [([0], ["off", "ignore"])]


GUARDED = [
    ("seq-expected", EXPECTED, 0), ("seq-odd", 0, EXPECTED), ("ack-right", 0, ACK_ODD), ("ack-odd", ACK_ODD, 0), ("repeated", REPEATED, 0),
    ("targeted", TARGETED, 0),
]


@pytest.mark.parametrize(("guard", "met", "unmet"), GUARDED)
def test_a_guard_is_met_by_its_bit_alone(guard: str, met: int, unmet: int) -> None:
    of = lanes(compiled(TEAR | {"when": [guard]}))
    others = sum({bit for _, *bits in GUARDED for bit in bits} - {met, unmet})
    for noise in (0, others):
        assert parts(of, RST, met | noise) == [([0], ["off"])]
        assert parts(of, RST, unmet | noise) == []


def test_two_guards_must_both_be_met() -> None:
    of = lanes(compiled(TEAR | {"when": ["seq-expected", "ack-odd"]}))
    assert [bool(parts(of, RST, bits)) for bits in (0, EXPECTED, ACK_ODD, EXPECTED | ACK_ODD)] == [False, False, False, True]


def test_a_row_for_a_cause_waits_for_that_cause() -> None:
    of = lanes(compiled({"in": ["resync"], "from": "client", "cause": "rst", "do": "off"}))
    cell = RESYNC * CLASSES + CLASS_ACK
    assert [bool(parts(of, cell, 0, cause)) for cause in ("rst", "syn", None)] == [True, False, False]
    assert of.guards(cell) == (0, True)
    assert of.guards(OPEN * CLASSES + CLASS_ACK) == (0, False)


def test_a_cell_asks_for_the_guards_of_all_its_rows() -> None:
    of = lanes(compiled(TEAR | {"when": ["seq-odd"]}, TEAR | {"when": ["ack-right"]}), compiled(TEAR | {"when": ["targeted"]}))
    assert of.guards(RST) == (EXPECTED | ACK_ODD | TARGETED, False)
    assert of.guards(DATA) == (0, False)


# Sets of lanes.


def test_the_same_lanes_are_the_same_set() -> None:
    of = lanes(*[compiled(*PLAIN)] * 3)
    first, second, third = of.lanes
    assert of.subset([first, third]) is of.subset(iter((first, third)))
    assert of.subset(of.lanes) is of
    assert of.subset([first]).subset([first]) is of.subset([first])


def test_a_box_can_be_taken_out() -> None:
    of = lanes(*[compiled(*PLAIN)] * 2)
    first, second = of.lanes
    assert of.without(first.box) == (of.subset([second]), of.subset([first]))
    assert of.subset([first]).without(first.box) == (None, of.subset([first]))
    assert of.subset([first]).without(second.box) == (of.subset([first]), None)


def test_boxes_that_read_alike_share_a_reader_unless_a_coin_parts_them() -> None:
    shared, own = lanes(*[compiled(*PLAIN)] * 2), lanes(*[compiled(*PLAIN)] * 2, joins=0.5)
    assert [lane.slot.number for lane in shared.lanes] == [0, 0]
    assert [lane.slot.number for lane in own.lanes] == [0, 1]
    assert (shared.readers, own.readers) == (1, 3)
    assert [box.id for box in shared.of_slot[0]] == ["b0", "b1"]
    assert [box.id for box in own.subset(own.lanes[1:]).of_slot[1]] == ["b1"]


# Which packets matter.


def classes_of(mask: int) -> set[int]:
    return {packet_class for packet_class in range(CLASSES) if mask >> packet_class & 1}


def test_what_is_only_read_matters_while_a_reader_lives() -> None:
    of = lanes(compiled(*PLAIN))
    assert classes_of(of.mask(OPEN, live=True)) == {CLASS_ACK | CLASS_LOAD}
    assert classes_of(of.mask(OPEN, live=False)) == set()
    assert classes_of(of.mask(OPENING, live=False)) == {CLASS_ACK, CLASS_ACK | CLASS_LOAD}
    assert of.mask(NONE, live=False) == of.mask(OFF, live=False) != 0


def test_client_data_matter_where_sequence_numbers_are_asked_about() -> None:
    of = lanes(compiled(TRACK, COMPLETE, READ, TEAR | {"when": ["seq-odd"]}))
    assert CLASS_ACK | CLASS_LOAD in classes_of(of.mask(OPEN, live=False))


def test_what_any_box_acts_on_matters() -> None:
    of = lanes(compiled(*PLAIN), compiled(*PLAIN, TEAR))
    assert CLASS_RST in classes_of(of.mask(OPEN, live=False))
    assert CLASS_RST not in classes_of(of.subset(of.lanes[:1]).mask(OPEN, live=False))


@pytest.mark.parametrize("guard", ["ack-odd", "ack-right"])
@pytest.mark.parametrize(("sender", "asks"), [("client", True), ("server", False)])
def test_the_answer_of_the_server_matters_where_acknowledgements_are_asked_about(guard: str, sender: str, asks: bool) -> None:
    of = lanes(compiled(*PLAIN, TEAR | {"when": [guard], "from": sender}))
    assert of.asks_ack is asks
    for state, here in ((NONE, False), (OPENING, True), (OPEN, True), (RESYNC, True), (OFF, False)):
        assert bool(of.mask(state, live=True) & SERVER_SYN_ACK) is (asks and here)
        assert bool(of.mask(state, live=False) & SERVER_SYN_ACK_LOAD) is (asks and here)


def test_the_classes_of_a_server_that_speaks() -> None:
    assert all(packet_class & CLASS_SECOND and packet_class & CLASS_LOAD for packet_class in classes_of(SERVER_LOADS))
    assert len(classes_of(SERVER_LOADS)) == 16


# Readers.


def test_a_slot_asks_a_reader_that_has_no_other_way_for_one_segment() -> None:
    reader = host_reader()
    slot = ReaderSlot(3, reader, joins=1.0, boxes=[made_box()])
    assert slot.bit == 8
    assert [found.value for found in slot.read_apart(LISTED, True).found] == [b"blocked.example"]
    assert slot.read_bare(LISTED) == reader.read(LISTED, (len(LISTED),), False)


def test_a_slot_looks_a_value_up_in_all_lists_at_once() -> None:
    slot = ReaderSlot(0, host_reader(), joins=1.0, boxes=[made_box(), made_box("b", index=1)])
    assert slot.union is not None
    assert slot.union.find(b"www.blocked.example") is not None
    assert slot.union.find(b"allowed.example") is None
