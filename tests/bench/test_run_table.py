"""Small captures through the bench, with targets and peers made up, in; its table, its status and that it judged every flow out."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crenel.atlas.compile import load_wall
from crenel.atlas.describe import bench_dates
from crenel.bench import run as running
from crenel.bench import traffic
from crenel.bench.run import TARGETS, Target, main

DATES = [str(day) for day in bench_dates()]
Peer = tuple[str, Callable[[Path, int], float | None], int]


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., None]:
    def make(wanted: int = 1, peers: tuple[Peer, ...] = (), share: int = 1, packets_per_flow: int = 2) -> None:
        monkeypatch.setattr(running, "TARGETS", (Target("openings", traffic.openings, share, wanted, packets_per_flow),))
        monkeypatch.setattr(running, "_PEERS", {"openings": peers})
        monkeypatch.setattr(running, "_ROUNDS", 1)
        monkeypatch.setattr(running, "_simulate", lambda only, packets: True)

    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    return make


def rows(text: str) -> list[list[str]]:
    """Return the cells of a table whose columns are two blanks or more apart."""
    return [re.split(r" {2,}", line.strip()) for line in text.splitlines()]


def test_a_row_for_each_day(bench: Callable[..., None], capsys: pytest.CaptureFixture[str]) -> None:
    bench()
    assert main(200) == 0
    head, *lines = rows(capsys.readouterr().out)
    assert head == ["capture", "as of", "packets/s", "wanted", "flows/s"]
    assert [line[:2] for line in lines] == [["openings", day] for day in DATES]
    for _, _, packets, wanted, flows in lines:
        assert int(packets.replace(",", "")) > 0
        assert int(packets.replace(",", "")) == pytest.approx(2 * int(flows.replace(",", "")), rel=0.01)
        assert wanted == "1"


def test_a_target_that_is_missed_is_told_and_decides_the_status(bench: Callable[..., None], capsys: pytest.CaptureFixture[str]) -> None:
    bench(wanted=10**12)
    assert main(200) == 1
    assert [line[-1] for line in rows(capsys.readouterr().out)[1:]] == ["below"] * len(DATES)


@pytest.mark.parametrize(("peer", "factor", "status", "end"), [(1.0, 2, 0, "x"), (1e15, 2, 1, "below")])
def test_a_peer_is_compared_by_its_ratio(
    bench: Callable[..., None], capsys: pytest.CaptureFixture[str], peer: float, factor: int, status: int, end: str
) -> None:
    seen: list[tuple[bytes, int]] = []

    def run(path: Path, packets: int) -> float:
        seen.append((path.read_bytes()[:4], packets))
        return peer

    bench(peers=(("somebody", run, factor),))
    assert main(200) == status
    last = rows(capsys.readouterr().out)[-1]
    assert last[0] == "somebody"
    assert last[2] == "2x"
    assert last[-1].endswith(end)
    assert seen == [(bytes.fromhex("d4c3b2a1"), 200)]


def test_a_peer_that_is_absent_misses_nothing(bench: Callable[..., None], capsys: pytest.CaptureFixture[str]) -> None:
    bench(peers=(("somebody", lambda path, packets: None, 2),))
    assert main(200) == 0
    assert rows(capsys.readouterr().out)[-1] == ["somebody", "not installed"]


def test_only_the_captures_that_were_asked_for(bench: Callable[..., None], capsys: pytest.CaptureFixture[str]) -> None:
    bench()
    assert main(200, only=("established",)) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_a_share_of_the_packets(bench: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    bench(share=10)
    asked: list[tuple[int, int]] = []

    def make(seed: int, packets: int) -> Iterator[bytes]:
        asked.append((seed, packets))
        return traffic.openings(seed, packets)

    monkeypatch.setattr(running, "TARGETS", (Target("openings", make, 10, 1, 2),))
    main(1000, seed=5)
    assert asked == [(5, 100)]


def test_flows_that_are_not_judged_are_no_result(bench: Callable[..., None]) -> None:
    bench(packets_per_flow=1)
    with pytest.raises(AssertionError, match=r"^openings\.pcap: 100 of 200 flows were judged$"):
        main(200)


def test_the_bench_leaves_nothing_behind(bench: Callable[..., None], tmp_path: Path) -> None:
    bench()
    main(200)
    assert os.listdir(tmp_path) == []  # noqa: PTH208


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_every_flow_of_the_real_captures_is_judged_on_every_day(target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "_ROUNDS", 1)
    packets = 1280 // target.share
    path = tmp_path / "x.pcap"
    path.write_bytes(b"".join(target.make(0, packets)))
    for day in DATES:
        speed, flows = running._judge(path, load_wall(as_of=day), -(-packets // target.packets_per_flow))
        assert speed == pytest.approx(flows * target.packets_per_flow)


def test_every_peer_is_compared_on_a_capture_of_the_bench() -> None:
    assert set(running._PEERS) <= {target.name for target in TARGETS}
    assert len({target.name for target in TARGETS}) == len(TARGETS)


def test_the_peers_read_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "x.pcap"
    path.write_bytes(b"".join(traffic.openings(0, 100)))
    for peer in (running._dpkt, running._tshark):
        speed = peer(path, 100)
        assert speed is None or speed > 0
