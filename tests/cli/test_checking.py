"""The work of check: what is printed where a reader leaves early, a user interrupts, or a capture is only half well."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from crenel.bench.traffic import openings
from crenel.cli.checking import warnings
from crenel.net.trace import CaptureSummary
from tests.cli.running import DAY, command, run
from tests.report.making import hello, query, tcp, write_capture


@pytest.fixture(scope="module")
def large_capture(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("large") / "large.pcap"
    with path.open("wb") as file:
        file.writelines(openings(3, 60_000))
    return str(path)


@pytest.mark.parametrize("output", ["table", "jsonl", "json"])
def test_a_reader_that_leaves_ends_it_quietly(large_capture: str, output: str) -> None:
    with subprocess.Popen(command("check", large_capture, *DAY, "--format", output), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        said = process.stderr.read()
        assert process.wait(60) == 141
    assert said == b""


@pytest.mark.parametrize("output", ["table", "jsonl", "json"])
def test_an_interrupt_prints_what_was_judged(large_capture: str, output: str) -> None:
    arguments = command("check", large_capture, *[large_capture] * 20, *DAY, "--format", output)
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        if output == "json":
            time.sleep(2.5)
        else:
            process.stdout.read(10)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err == b"crenel: interrupted; what was judged so far is printed\n"
    assert out.endswith(b"}\n" if output != "table" else b"tells the whole story of that flow\n")


def test_several_captures_in_a_table(tmp_path: Path) -> None:
    one = write_capture(tmp_path / "one.pcapng", query(b"allowed.example"))
    none = write_capture(tmp_path / "none.pcapng")
    two = write_capture(tmp_path / "two.pcapng", tcp([hello(b"blocked.example")]))
    ran = run("check", one, none, two, *DAY)
    assert ran.lines[:6] == [
        one,
        "flow  what       to                      verdict",
        "   1  dns        allowed.example:53      passes",
        none,
        "      no flows",
        two,
    ]
    assert "2 flows: 1 at risk, 1 pass  (5 packets in 3 captures)" in ran.lines


def test_a_path_with_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = os.fsdecode(bytes(tmp_path) + b"/a\xff.pcapng")
    write_capture(Path(path), query(b"blocked.example"))
    for output in ("table", "json", "jsonl"):
        done = subprocess.run(command("check", path, *DAY, "--format", output), capture_output=True, check=False)
        assert done.returncode == 1
        assert done.stderr == b""
        done.stdout.decode()


def test_warnings_name_file_and_place() -> None:
    summary = CaptureSummary("a\x1bb.pcap", 10, 2, 3, ("at byte 7: cut",), lost=True)
    assert list(warnings(summary)) == [
        "a\\u{1b}b.pcap: damaged at byte 7: cut; what could be read is reported",
        "a\\u{1b}b.pcap: 3 frames of 10 hold no IP packet that could be read",
    ]
    assert list(warnings(CaptureSummary("x", 1, 1, 0, (), lost=False))) == []
