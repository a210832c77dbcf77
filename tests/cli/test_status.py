"""Whatever goes wrong ends as one sentence and one of the documented statuses."""

import errno
import os
import re
import tempfile
from pathlib import Path

import click
import pytest

from crenel.cli.status import Status, guard, report_bug, say
from crenel.errors import CaptureError
from tests.cli.running import run


def failing(error: BaseException) -> object:
    def work() -> object:
        raise error

    return work


def test_a_result_is_the_status() -> None:
    assert guard(lambda: None) == Status.SAFE
    assert guard(lambda: 3) == 3


@pytest.mark.parametrize(
    ("error", "status", "sentence"),
    [
        (CaptureError("x.pcap: cut"), 2, "crenel: x.pcap: cut\n"),
        (KeyboardInterrupt(), 130, "crenel: interrupted\n"),
    ],
)
def test_errors_become_sentences(error: BaseException, status: int, sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert guard(failing(error)) == status  # type: ignore[arg-type]
    assert capsys.readouterr().err == sentence


def test_a_bug_saves_its_traceback(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert guard(failing(ZeroDivisionError("so\nlong"))) == Status.BUG  # type: ignore[arg-type]
    said = capsys.readouterr().err
    found = re.fullmatch(r"crenel: this is a bug in Crenel \(ZeroDivisionError: so\); please report it with the traceback saved in (.+)\n", said)
    assert found is not None
    assert Path(found[1]).parent == tmp_path
    assert "in work" in Path(found[1]).read_text("utf-8")


def test_a_bug_in_a_command_is_70(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def broken(*_: object, **__: object) -> object:
        message = "broken"
        raise AssertionError(message)

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("crenel.atlas.timeline.happenings", broken)
    ran = run("timeline")
    assert ran.status == 70
    assert "this is a bug in Crenel (AssertionError: broken)" in ran.err
    assert "Traceback" not in ran.err


def test_a_bug_without_words(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert report_bug(KeyError()) == 70
    assert "(KeyError)" in capsys.readouterr().err


def test_errors_of_the_command_line_go_on() -> None:
    with pytest.raises(click.UsageError):
        guard(failing(click.UsageError("x")))  # type: ignore[arg-type]


def test_sentences_go_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    say("so it is")
    assert capsys.readouterr() == ("", "crenel: so it is\n")


def test_a_bug_whose_traceback_cannot_be_saved_is_a_sentence_too(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def full(**_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(tempfile, "mkstemp", full)
    assert report_bug(ValueError("odd")) == Status.BUG
    assert "a bug in Crenel (ValueError: odd)" in (said := capsys.readouterr().err)
    assert said.endswith("its traceback could not be saved: No space left on device\n")
