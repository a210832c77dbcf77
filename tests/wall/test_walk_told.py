"""Packets in, the rules that were carried out on them told in their order out, and no packet spared because a flow begins plainly."""

from crenel.coins import ScriptedCoins
from crenel.wall.run import Run
from crenel.wall.walk import Told
from crenel.wall.wall import Limits, Wall
from crenel.wire.packet import RST
from tests.wall.making import FREE, ISN, PLAIN, compiled, made_box, opening, show, to_server

TEAR: dict[str, object] = {"in": ["open"], "from": "client", "has": "R", "when": ["seq-expected"], "coin": "tear", "p": 0.5, "do": "off"}


def start(*, tears: bool) -> Run:
    """Return a run of a wall with one box that may lose sight of a connection on a reset."""
    box = made_box(tcb=compiled(*PLAIN, TEAR, name="model"))
    wall = Wall("made", "made", [box], limits=Limits(flows=9, residual_entries=9, stream_bytes=65536), utc_offset=0, hour=0)
    return wall.start(ScriptedCoins({"tear-1": tears}))


def told(run: Run) -> list[Told]:
    """Show a run an opening, a reset and a request, and return what it tells."""
    found: list[Told] = []
    run.told = found
    show(run, (*opening(), to_server(ISN + 1, RST), to_server(ISN + 1, payload=FREE)))
    return found


def test_rules_are_told_in_order_with_their_box_model_and_packet() -> None:
    found = told(start(tears=True))
    assert [(one.boxes, one.tcb, one.row.do) for one in found] == [(("a",), "model", do) for do in ("track", "complete", "off")]
    assert found[-1].packet.flags == RST


def test_a_rule_whose_coin_falls_the_other_way_is_not_told() -> None:
    assert [one.row.do for one in told(start(tears=False))] == ["track", "complete", "read"]


def test_a_run_without_a_list_behaves_alike_and_tells_nothing() -> None:
    run = start(tears=True)
    show(run, (*opening(), to_server(ISN + 1, payload=FREE)))
    assert run.told is None
