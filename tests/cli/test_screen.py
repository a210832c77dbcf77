"""Colours where they can be seen: never in a pipe, never against NO_COLOR."""

import os
import pty
import subprocess
from pathlib import Path

import pytest

from crenel.cli.screen import Screen
from crenel.report.layout import line_of
from tests.cli.running import DAY, command, run_apart
from tests.report.making import hello, query, tcp, write_capture

ESCAPE = b"\x1b["


def on_terminal(*arguments: str, columns: int = 80, cwd: Path | None = None, **environment: str) -> bytes:
    """Run a command on a terminal of its own and return what it showed."""
    ours, theirs = pty.openpty()
    given = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "FORCE_COLOR"}}
    given |= {"COLUMNS": str(columns), "TERM": "xterm-256color", **environment}
    with subprocess.Popen(command(*arguments), stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, env=given, cwd=cwd) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
            if not piece:
                break
            shown += piece
        process.wait(60)
    os.close(ours)
    return shown


@pytest.fixture
def capture(tmp_path: Path) -> str:
    return write_capture(tmp_path / "x.pcapng", query(b"blocked.example"), tcp([hello(b"allowed.example")]))


def test_a_pipe_gets_no_colour(capture: str) -> None:
    assert "\x1b" not in run_apart("check", capture, *DAY).out
    assert "\x1b[" in run_apart("check", capture, *DAY, environment={"FORCE_COLOR": "1", "NO_COLOR": ""}).out


def test_a_terminal_gets_colour_unless_it_is_refused(capture: str) -> None:
    assert ESCAPE in on_terminal("check", capture, *DAY)
    assert ESCAPE not in on_terminal("check", capture, *DAY, NO_COLOR="1")
    assert ESCAPE not in on_terminal("check", capture, *DAY, TERM="dumb")


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_lines_fit_the_terminal(capture: str, columns: int) -> None:
    shown = on_terminal("check", Path(capture).name, *DAY, columns=columns, cwd=Path(capture).parent, NO_COLOR="1").decode().splitlines()
    assert max(map(len, shown)) <= columns


def test_a_short_run_shows_no_bar(capture: str) -> None:
    assert b"judging" not in on_terminal("check", capture, *DAY)


def test_without_a_terminal_there_is_no_width(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    screen = Screen()
    assert screen.width is None
    screen.write([line_of("a \t".rstrip(), "bad"), (("x", "good"), ("  ", ""))])
    assert capsys.readouterr().out == "a\nx\n"


def test_colours_do_not_read_markup(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    Screen().write([line_of("[bold]x[/bold] :smile: " + "y" * 300, "bad")])
    out = capsys.readouterr().out
    assert "[bold]x[/bold] :smile: " + "y" * 300 in out
    assert "\x1b[" in out
