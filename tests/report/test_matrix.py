"""Tests of strategies against several walls in, a table out."""

from crenel.atlas.compile import load_wall
from crenel.evade.rate import trials_of
from crenel.evade.tested import go_through
from crenel.report.layout import plain
from crenel.report.matrix import Cell, matrix_lines
from crenel.report.tested import strategy_report


def test_rates_stand_under_their_walls_and_notes_below() -> None:
    found = go_through(trials_of("", load_wall("gfw", as_of="2019-01-15")))
    assert found is not None
    cell = Cell("http", "client", strategy_report(found, "", None, "sim"), None)
    absent = Cell("http", "client", None, "nothing to evade")
    lines = [plain(line) for line in matrix_lines(["a", "b"], ["w@1", "w@2"], [[cell, absent], [absent, cell]], None)]
    assert lines[0].split() == ["strategy", "protocol", "side", "w@1", "w@2"]
    assert lines[1].split() == ["a", "http", "client", "3", "%", "--", "(1)"]
    assert lines[2].split() == ["b", "http", "client", "--", "(1)", "3", "%"]
    assert lines[3:] == ["(1)  nothing to evade"]
