"""The entry point leaves with the status of the command, and starts quickly."""

import subprocess
import sys
import time

import pytest

from crenel.cli import main
from tests.cli.running import command, run_apart


def test_main_leaves_with_the_status(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["crenel", "check", "no-such-file.pcap", "--as-of", "2025-01-15"])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 2
    assert capsys.readouterr().err == "crenel: no-such-file.pcap: No such file or directory\n"


def test_as_a_module() -> None:
    assert run_apart("--version").out.startswith("crenel, version ")


@pytest.mark.long
def test_help_comes_at_once() -> None:
    took = []
    for _ in range(5):
        begun = time.perf_counter()
        subprocess.run(command("--help"), capture_output=True, check=True)
        took.append(time.perf_counter() - begun)
    print(f"crenel --help: {min(took):.3f} s")
    assert min(took) < 0.25
