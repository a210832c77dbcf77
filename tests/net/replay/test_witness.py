"""Witnessed flows keep all their packets within bounds, with the effects that the first reading of the capture was judged by."""

from pathlib import Path

import pytest

from crenel.net.replay.check import witness_flows
from crenel.net.replay.witness import KEPT_BYTES, KEPT_PACKETS
from crenel.wall.effects import Armed, Drop, Inject
from tests.report.making import EXAMPLE, hello, judge, query, tcp, udp, wall_of, write_capture


@pytest.mark.parametrize("seed", range(4))
def test_what_is_witnessed_is_what_was_judged(seed: int) -> None:
    wall = wall_of(seed=seed)
    flows = judge(str(EXAMPLE), wall)
    witnessed = witness_flows(str(EXAMPLE), wall, [flow.flow for flow in flows])
    for flow in flows:
        one = witnessed[flow.flow]
        assert len(one.packets) == flow.packets
        acts = [(at, effect) for at, effect in one.effects if isinstance(effect, Inject | Drop | Armed)]
        assert bool(acts) == (flow.verdict == "blocked")
        if acts:
            at, effect = acts[0]
            assert (one.packets[at][0], effect.because.middlebox) == (flow.at_packet, flow.middlebox)


def test_only_the_wanted_flows_are_kept(tmp_path: Path) -> None:
    path = write_capture(tmp_path / "x.pcapng", query(b"a.example"), tcp([hello(b"b.example")]))
    witnessed = witness_flows(path, wall_of(), [2, 7])
    assert [len(witnessed[number].packets) for number in (2, 7)] == [4, 0]
    assert [second for _, _, second, _ in witnessed[2].packets] == [False, True, False, False]


def test_long_flows_are_kept_within_bounds(tmp_path: Path) -> None:
    many = write_capture(tmp_path / "many.pcapng", udp([b"x"] * (2 * KEPT_PACKETS)))
    large = write_capture(tmp_path / "large.pcapng", udp([bytes(1400)] * 100))
    assert len(witness_flows(many, wall_of(), [1])[1].packets) == KEPT_PACKETS
    assert KEPT_BYTES <= witness_flows(large, wall_of(), [1])[1].size < KEPT_BYTES + 1400
