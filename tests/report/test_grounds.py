"""What gave a flow away: the bytes are marked, each box is told of once, and who measured it is said."""

import pytest

from crenel.net.trace import Evidence
from crenel.report.grounds import boxes_markup, ground_markup, hex_view, terms
from tests.report.making import evidence, trigger, wall_of
from tests.report.tried import carried, desk

DATA = bytes(range(100)) + b"blocked.example" + bytes(100)


def where(one: Evidence) -> tuple[bytes, str]:
    return DATA, "the stream"


def test_the_bytes_that_told_are_marked() -> None:
    view = hex_view(DATA, evidence("x", offset=100, length=15))
    assert "<mark>[62 6c 6f 63 6b 65 64 2e 65 78 61 6d</mark>" in view
    assert "<mark>blocked.exam</mark>" in view
    assert view.startswith('<pre tabindex="0" role="group" aria-label="Bytes 100 to 114 are what x read"')
    assert len(hex_view(DATA, evidence("x", offset=100, length=15), "brief")) < len(view)


def test_boxes_that_acted_come_first_and_the_same_bytes_are_shown_once() -> None:
    wall = wall_of()
    names = [box.id for box in wall.boxes][:2]
    found = [evidence(name, offset=100, length=15) for name in names]
    triggers = [trigger(names[0], 0.5, acted=False), trigger(names[1], 0.9)]
    markup = ground_markup(found, triggers, wall, where, "p-")
    assert markup.index(f"#p-box-{names[1]}") < markup.index(f"#p-box-{names[0]}")
    assert markup.count("<pre ") == 1
    assert "acts on 90 % of connections; this draw: acted".replace(" %", "\u00a0%") in markup or "acts on 90 % of connections" in markup


def test_memory_names_the_flow_that_set_it() -> None:
    wall = wall_of()
    one = evidence(wall.boxes[0].id, residual="entry", armed_by=12, packet=137, length=0)
    markup = ground_markup([one], [], wall, where)
    assert "nothing: what flow 12 set still held when packet 137 came" in markup
    assert "what it remembers is enforced on" in markup


def test_who_measured_a_box_is_said_once() -> None:
    exchange = carried(wall_of(), "https://blocked.example/")[0].exchange
    markup = boxes_markup([*exchange.evidence, *exchange.evidence], exchange.wall, desk(None).sources)
    for one in exchange.evidence:
        assert markup.count(f'id="box-{one.middlebox}"') == 1
    assert "A Wall Behind A Wall" in markup
    assert "assumed for lack of a measurement" in markup


@pytest.mark.parametrize("value", ["<script>", "\u202e", "\x00"])
def test_values_are_text(value: str) -> None:
    assert value not in terms([("label", value)])
