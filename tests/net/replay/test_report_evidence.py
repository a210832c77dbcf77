"""Flows whose fate coins decide in, and that their reports say what could have happened, and on which packet, whatever was drawn out."""

from pathlib import Path

import pytest

from crenel.net.replay.check import check_capture
from crenel.net.trace import FlowReport
from crenel.wire.ip import serialise
from crenel.wire.packet import RST, Packet, tcp_packet
from crenel.wire.pcapng_writer import write_pcapng
from tests.net.made import box, wall_with
from tests.net.test_odds import LISTED, TOSSING, UNLISTED, shown

SEEDS = range(30)


def reports(folder: Path, *steps: bytes | int, others: int = 0) -> list[FlowReport]:
    """Return what check says of a connection under each seed; between its packets stand as many of others."""
    stray = tcp_packet(bytes(4), bytes(4), 1, 2, seq=7)
    packets: list[Packet] = []
    for _, _, packet in shown(*steps):
        assert isinstance(packet, Packet)
        packets += [*[stray] * others, packet]
    path = folder / "made.pcapng"
    path.write_bytes(b"".join(write_pcapng((number * 1_000_000, serialise(packet), None) for number, packet in enumerate(packets))))
    found = []
    for seed in SEEDS:
        wall = wall_with(folder, box("a", tcb="tossing"), TOSSING, seed=seed)
        found += [flow for flow in check_capture(str(path), wall) if flow.client_port == 50000]
    assert len(found) == len(SEEDS)
    return found


@pytest.mark.parametrize("others", [0, 2])
def test_a_ground_that_this_draw_took_away_is_told_with_its_packet(tmp_path: Path, others: int) -> None:
    flows = reports(tmp_path, RST, LISTED, others=others)
    assert {flow.chance for flow in flows} == {0.375}
    assert {trigger.chance for flow in flows for trigger in flow.triggers} == {0.375}
    assert {(one.middlebox, one.value, one.packet) for flow in flows for one in flow.evidence} == {("a", "blocked.example", 5 * (others + 1))}
    assert {flow.verdict for flow in flows} == {"pass", "blocked"}
    assert all(len(flow.evidence) == len(flow.triggers) == 1 for flow in flows)


def test_packets_before_anything_happened_do_not_shift_the_number(tmp_path: Path) -> None:
    flows = reports(tmp_path, UNLISTED, UNLISTED, RST, LISTED, others=1)
    assert {one.packet for flow in flows for one in flow.evidence} == {14}
    assert {flow.chance for flow in flows} == {0.375}


def test_a_coin_that_falls_after_everything_was_said_changes_nothing(tmp_path: Path) -> None:
    flows = reports(tmp_path, LISTED, RST)
    assert {flow.chance for flow in flows} == {0.5}
    assert {one.packet for flow in flows for one in flow.evidence} == {4}
    assert {(flow.verdict == "blocked", flow.triggers[0].acted, flow.at_packet) for flow in flows} == {(True, True, 4), (False, False, None)}
