"""`--report`: beside everything that is printed as ever, one file; and where it cannot be written, a sentence and a status."""

import json
import shlex
from pathlib import Path

import pytest

from tests.cli.running import DAY, run, run_apart
from tests.report.making import EXAMPLE, query, write_capture

BLOCKED = "https://blocked.example/"


def test_check_prints_the_same_with_and_without(tmp_path: Path) -> None:
    path = tmp_path / "x.html"
    plain, told = run("check", str(EXAMPLE), *DAY), run("check", str(EXAMPLE), *DAY, "--report", str(path))
    assert told == plain
    assert path.read_text("utf-8").startswith("<!doctype html>")
    assert [one.name for one in tmp_path.iterdir()] == ["x.html"]


def test_try_prints_the_same_with_and_without(tmp_path: Path) -> None:
    path = tmp_path / "x.html"
    given = (BLOCKED, "--then", "blocked.example", *DAY, "--repeat", "3")
    assert run("try", *given, "--report", str(path)) == run("try", *given)
    assert "then, 10 s later: blocked.example" in path.read_text("utf-8")


def test_the_command_in_it_gives_the_same_again(tmp_path: Path) -> None:
    path, again = tmp_path / "x.html", tmp_path / "y.html"
    run("try", "--hex", "16 03 01", "--port", "8443", *DAY, "--listed", "a.example", "--report", str(path))
    text = path.read_text("utf-8")
    command = text.partition('<pre class="wrap">')[2].partition("</pre>")[0].replace("&#x27;", "'")
    run(*shlex.split(command)[1:], "--report", str(again))
    assert again.read_text("utf-8") == text


def test_standard_input_is_drawn_too(tmp_path: Path) -> None:
    files = [tmp_path / "a.html", tmp_path / "b.html"]
    run("check", "-", *DAY, "--report", str(files[0]), stdin=EXAMPLE.read_bytes())
    assert run_apart("check", "-", *DAY, "--report", str(files[1]), stdin=EXAMPLE.read_bytes()).status == 1
    assert files[0].read_bytes() == files[1].read_bytes()
    assert files[0].read_text("utf-8").count('class="ladder" viewBox="0 0 392') == 9


def test_the_same_whatever_the_number_of_processes(tmp_path: Path) -> None:
    captures = [write_capture(tmp_path / f"{name}.pcapng", query(b"blocked.example")) for name in "ab"]
    reports = []
    for workers in ("1", "2"):
        run("check", *captures, *DAY, "--workers", workers, "--report", str(tmp_path / "x.html"))
        reports.append((tmp_path / "x.html").read_bytes())
    assert reports[0] == reports[1]


def test_what_could_not_be_judged_is_in_it(tmp_path: Path) -> None:
    path = tmp_path / "x.html"
    ran = run("check", str(EXAMPLE), str(tmp_path / "<absent>.pcap"), *DAY, "--report", str(path))
    assert ran.status == 3
    assert "&lt;absent&gt;.pcap: No such file or directory" in path.read_text("utf-8")


@pytest.mark.parametrize("command", [("check", str(EXAMPLE)), ("try", BLOCKED)])
@pytest.mark.parametrize("output", ["table", "json"])
def test_a_report_that_cannot_be_written_costs_nothing_else(tmp_path: Path, command: tuple[str, ...], output: str) -> None:
    plain = run(*command, *DAY, "--format", output)
    ran = run(*command, *DAY, "--format", output, "--report", str(tmp_path / "absent" / "x.html"))
    assert (ran.status, ran.out) == (2, plain.out)
    assert ran.err.startswith("crenel: --report ")
    assert ran.err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_one_flow_told_and_a_report_exclude_each_other(tmp_path: Path) -> None:
    ran = run("check", str(EXAMPLE), *DAY, "--explain", "1", "--report", str(tmp_path / "x.html"))
    assert (ran.status, ran.out) == (2, "")
    assert "leave one of them out" in ran.err


def test_other_formats_stay_as_they_are(tmp_path: Path) -> None:
    ran = run("check", str(EXAMPLE), *DAY, "--format", "jsonl", "--report", str(tmp_path / "x.html"))
    assert len([json.loads(line) for line in ran.lines]) == 21
