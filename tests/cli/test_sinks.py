"""Where flows go: lines as they come, heads before them, rows with columns that fit."""

import io
import json

import msgspec
import pytest

from crenel.cli.sinks import Headed, Lines, Rows, sink_for
from crenel.net.trace import CaptureSummary
from crenel.report.result import Asked, RunHead, run_head
from tests.report.making import flow, wall_of

SUMMARY = CaptureSummary("x.pcap", 1, 1, 0, (), lost=False)


def head() -> RunHead:
    return run_head(wall_of(), Asked("1", (), 0.0), [SUMMARY], [])


def test_lines_are_written_as_they_come() -> None:
    out = io.BytesIO()
    lines = Lines(out)
    lines.take(flow())
    assert out.getvalue() == b""
    lines.end()
    lines.take_lines(io.BytesIO(b'{"flow":2}\n'))
    lines.close(head, [])
    assert [json.loads(line)["flow"] for line in out.getvalue().splitlines()] == [1, 2]


def test_many_lines_do_not_wait_for_the_end() -> None:
    out = io.BytesIO()
    lines = Lines(out)
    for number in range(300):
        lines.take(flow(flow=number))
    assert out.getvalue().count(b"\n") > 100


@pytest.mark.parametrize("whole", [True, False])
def test_a_head_comes_first_though_it_is_known_last(whole: bool) -> None:
    out = io.BytesIO()
    sink = Headed(out, whole=whole)
    sink.begin("x.pcap")
    sink.take(flow())
    sink.end()
    sink.take_lines(io.BytesIO(msgspec.json.encode(flow(flow=2)) + b"\n"))
    sink.close(head, [SUMMARY])
    if whole:
        result = json.loads(out.getvalue())
        assert list(result)[-1] == "flows"
        assert [one["flow"] for one in result["flows"]] == [1, 2]
    else:
        first, *rest = map(json.loads, out.getvalue().splitlines())
        assert first["captures"][0]["capture"] == "x.pcap"
        assert [one["flow"] for one in rest] == [1, 2]


def test_one_object_without_flows() -> None:
    out = io.BytesIO()
    Headed(out, whole=True).close(head, [])
    assert json.loads(out.getvalue())["flows"] == []


def test_rows_gather_before_they_are_set(capsys: pytest.CaptureFixture[str]) -> None:
    room = []
    rows = Rows(wall_of(), many=False, before=lambda: room.append(1))
    rows.begin("x.pcap")
    rows.take(flow())
    rows.take_lines(io.BytesIO(msgspec.json.encode(flow(flow=2, name="a.long.name.of.a.host.example")) + b"\n"))
    assert capsys.readouterr().out == ""
    rows.end()
    out = capsys.readouterr().out.splitlines()
    assert [line.index("passes") for line in out[1:]] == [out[0].index("verdict")] * 2
    rows.close(head, [SUMMARY])
    assert "2 flows: 2 pass" in capsys.readouterr().out
    assert room


def test_the_format_decides_the_sink() -> None:
    wall = wall_of()
    assert isinstance(sink_for("table", wall, many=False, before=lambda: None), Rows)
