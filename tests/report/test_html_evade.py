"""Tested strategies in, their reports out: the rate, why, both pictures, and whatever was typed as text."""

from pathlib import Path

import pytest

from crenel.atlas.compile import load_wall
from crenel.cli.evading import Asking, try_strategies
from crenel.cli.options import Judging
from crenel.cli.status import Status
from crenel.errors import UsageError
from crenel.evade.rate import trials_of
from crenel.evade.tested import go_through
from crenel.report.citing import known_sources
from crenel.report.html_evade import evade_html

EARLY = "[TCP:flags:A]-duplicate(tamper{TCP:flags:replace:R}(tamper{TCP:chksum:corrupt},),)-|"
JUDGING = Judging(None, "2019-06-01", 0, 0.0, None, {}, {}, (), ())


def html_of(dna: str, given: dict[str, str]) -> str:
    found = go_through(trials_of(dna, load_wall("gfw", as_of="2019-06-01")))
    assert found is not None
    return evade_html(found, given, known_sources("gfw"), "crenel evade test x", "0")


def test_it_has_the_rate_the_reason_and_both_pictures() -> None:
    html = html_of(EARLY, {"strategy": "early"})
    for words in ("52 %, exactly", "tear-down", "A success", "A failure", "bock2019geneva", "crenel evade test x"):
        assert words in html
    assert html.count("<svg ") >= 2
    assert "http://" not in html.replace("http://www.w3.org/", "")
    assert len(html) < 60_000


def test_what_always_works_has_one_picture() -> None:
    html = html_of("\\/ [TCP:flags:RA]-drop-|", {"strategy": "deaf"})
    assert "A success" in html
    assert "A failure" not in html


def test_what_was_typed_is_text() -> None:
    html = html_of(EARLY, {"strategy": "<script>alert(1)</script>", "what": "a\u202eb"})
    assert "<script>alert" not in html
    assert "\u202e" not in html


def asking(*strategies: str, report: str, against: tuple[str, ...] = ()) -> Asking:
    return Asking(strategies, "http", None, None, against, None, 1, strict=False, ground="sim", report=report)


def test_the_command_writes_it_beside_what_it_prints(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "out.html"
    assert try_strategies(asking("rst-badsum-early", report=str(path)), JUDGING, "table") == Status.SAFE
    assert "52 %" in capfd.readouterr().out
    html = path.read_text("utf-8")
    assert "crenel evade test --protocol http --as-of 2019-06-01 --seed 0 rst-badsum-early" in html
    assert [one.name for one in tmp_path.iterdir()] == ["out.html"]


def test_a_path_that_cannot_be_written_and_a_table_are_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError, match="No such file"):
        try_strategies(asking("rst-badsum-early", report=str(tmp_path / "no" / "out.html")), JUDGING, "table")
    assert "52 %" in capfd.readouterr().out, "what was computed is printed all the same"
    with pytest.raises(UsageError, match="one strategy against one wall"):
        try_strategies(asking("rst-badsum-early", "rst-ttl-early", report="x.html"), JUDGING, "table")
