"""A watched flow keeps all that its client said, whichever path of the judge its packets take, and changes nothing else."""

from pathlib import Path

import pytest

from crenel.net.replay.watch import KEPT, Watched
from crenel.wire.packet import SYN
from tests.report.making import EXAMPLE, hello, judge, query, tcp, wall_of, watch, write_capture


@pytest.mark.parametrize("number", range(1, 22))
def test_watching_changes_no_report(number: int) -> None:
    wall = wall_of()
    flow, watched = watch(str(EXAMPLE), wall, number)
    assert flow == judge(str(EXAMPLE), wall)[number - 1]
    assert watched.record is not None
    assert watched.record.number == number
    assert watched.packets


def test_packets_carry_their_place_and_side(tmp_path: Path) -> None:
    path = write_capture(tmp_path / "x.pcapng", query(b"a.example"), tcp([hello(b"b.example")]))
    _, watched = watch(path, wall_of(), 2)
    places = [(number, second, bool(packet.flags & SYN), bool(packet.payload)) for number, _, second, packet in watched.packets]
    assert places == [(2, False, True, False), (3, True, True, False), (4, False, False, False), (5, False, False, True)]


def test_a_long_flow_is_kept_within_bounds(tmp_path: Path) -> None:
    path = write_capture(tmp_path / "x.pcapng", [packet for number in range(KEPT // 4) for packet in query(b"a.example") * 5])
    _, watched = watch(path, wall_of(), 1)
    assert len(watched.packets) == KEPT


def test_a_flow_that_is_not_there_stays_empty() -> None:
    watched = Watched(99)
    assert watched.record is None
    assert watched.packets == []
