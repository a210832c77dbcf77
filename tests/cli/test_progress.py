"""A bar shows on a terminal and once it takes long, and nowhere else."""

import io
import sys
from pathlib import Path

import pytest

from crenel.cli.progress import Bar


class Terminal(io.StringIO):
    """A terminal that remembers what was written to it."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    for name, size in (("large", 999), ("small", 99)):
        (tmp_path / name).write_bytes(bytes(size))
    return [str(tmp_path / "large"), str(tmp_path / "small"), "-"]


def test_nobody_watching_sees_nothing(files: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crenel.cli.progress._PATIENCE", -1.0)
    bar = Bar(files)
    assert not bar.watched
    bar.tick(1, 2)
    bar.next()
    bar.hide()
    assert capsys.readouterr() == ("", "")


def test_a_short_run_shows_nothing(files: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    bar = Bar(files)
    bar.tick(1, 2)
    bar.next()
    bar.hide()
    assert terminal.getvalue() == ""


def test_a_long_run_shows_how_far_it_is(files: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crenel.cli.progress._PATIENCE", -1.0)
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    bar = Bar(files)
    assert bar.watched
    bar.tick(500, 1000)
    bar.hide()
    assert "judging" in terminal.getvalue()
    assert "45%" in terminal.getvalue()
    bar.next()
    bar.hide()
    assert "91%" in terminal.getvalue()
    bar.next()
    bar.next()
    bar.tick(1, 2)
    bar.hide()
    assert "100%" in terminal.getvalue()


def test_a_bar_makes_room_only_on_the_same_terminal(files: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    hidden = []
    bar = Bar(files)
    monkeypatch.setattr(bar, "hide", lambda: hidden.append(1))
    bar.make_room()
    assert not hidden
    monkeypatch.setattr(sys, "stdout", Terminal())
    bar.make_room()
    assert hidden
