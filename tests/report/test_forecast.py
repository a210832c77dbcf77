"""The ladder of a captured flow: its packets in their order, and behind the one that draws it what the wall would have added."""

from pathlib import Path

from crenel.net.replay.check import witness_flows
from crenel.net.replay.witness import Witnessed
from crenel.report.forecast import AFTERWARDS, forecast_picture
from crenel.report.picture import Arrow, Picture, Remark
from tests.report.making import EXAMPLE, flow, hello, judge, tcp, udp, wall_of, write_capture


def forecast(path: str, number: int, seed: int = 0) -> Picture:
    wall = wall_of(seed=seed)
    [report] = [one for one in judge(path, wall) if one.flow == number]
    return forecast_picture(report, witness_flows(path, wall, [number])[number], wall.name, "title", "summary")


def test_forged_packets_stand_behind_their_ground() -> None:
    rows = list(forecast(str(EXAMPLE), 10).rows)
    [at] = [at for at, row in enumerate(rows) if isinstance(row, Arrow) and row.acted]
    ground, forged, remark = rows[at], rows[at + 1], rows[at + 2]
    assert isinstance(ground, Arrow)
    assert ground.acted == ("http-keyword",)
    assert isinstance(forged, Arrow)
    assert (forged.kind, forged.source, forged.toward, forged.words, forged.begun) == ("forged", "wall", "both ends", "RST/ACK ×3", ground.begun)
    assert "would be forged by http-keyword" in forged.sentence
    assert len(forged.packets) == 6
    assert isinstance(remark, Remark)
    assert remark.words == AFTERWARDS


def test_what_would_be_stopped_goes_on_in_the_capture() -> None:
    pictures = [forecast(str(EXAMPLE), 19, seed) for seed in range(40)]
    stopped = [row for picture in pictures for row in picture.rows if isinstance(row, Arrow) and "would stop what follows" in row.sentence]
    assert stopped
    assert {row.acted for row in stopped} == {("quic-sni",)}
    assert all((row.reach, row.kind) == ("end", "plain") for row in stopped)


def test_a_flow_that_passes_has_only_its_packets(tmp_path: Path) -> None:
    picture = forecast(write_capture(tmp_path / "x.pcapng", tcp([hello(b"allowed.example")])), 1)
    assert [row.words.partition(",")[0] for row in picture.rows] == ["SYN", "SYN/ACK", "ACK", "ClientHello allowed.example"]
    assert all(isinstance(row, Arrow) and row.kind == "plain" for row in picture.rows)


def test_a_flow_without_packets_has_no_rows() -> None:
    assert forecast_picture(flow(), Witnessed(1), "wall", "", "").rows == ()


def test_a_long_flow_says_that_there_is_more(tmp_path: Path) -> None:
    path = write_capture(tmp_path / "x.pcapng", udp([bytes((number % 251, number // 251)) for number in range(300)]))
    rows = forecast(path, 1).rows
    assert len(rows) < 30
    assert rows[-1].words == "and more: the flow has 300 packets"
