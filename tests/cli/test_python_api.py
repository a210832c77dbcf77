"""What the command line prints is what Python gets."""

import json

import crenel
from tests.cli.running import DAY, run
from tests.report.making import EXAMPLE


def test_python_and_the_command_line_agree() -> None:
    wall = crenel.load_wall("gfw", as_of="2025-01-15", seed=7, listed=("allowed.example",))
    checked = crenel.check_capture(str(EXAMPLE), wall, tolerate=0.5)
    lines = run("check", str(EXAMPLE), *DAY, "--seed", "7", "--listed", "allowed.example", "--tolerate", "0.5", "--format", "jsonl").lines
    assert len(checked) == len(lines) == 21
    for flow, line in zip(checked, lines, strict=True):
        printed = json.loads(line)
        assert (flow.flow, flow.name, flow.verdict, flow.at_risk) == (printed["flow"], printed["name"], printed["verdict"], printed["at_risk"])
        assert (flow.middlebox, flow.chance, flow.residual) == (printed["middlebox"], printed["chance"], printed["residual"])
        assert [one.rule for one in flow.evidence] == [one["rule"] for one in printed["evidence"]]
    assert checked.summary.packets == 252
