"""Five million flows in, flat memory out: the measurement behind the limits of a run's tables."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from crenel.bench import traffic

FLOWS = 5_000_000
MOST_KILOBYTES = 600_000


@pytest.mark.long
@pytest.mark.timeout(3000)
def test_five_million_flows_stay_under_600_megabytes(tmp_path: Path) -> None:
    """The greatest resident size of `crenel check`, mapped pages of the capture included, however many flows a capture has."""
    capture = tmp_path / "many.pcap"
    with capture.open("wb") as file:
        for chunk in traffic.many_flows(1, FLOWS):
            file.write(chunk)
    command = [sys.executable, "-m", "crenel", "check", str(capture), "--as-of", "2025-01-15", "--format", "jsonl"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        lines = sum(chunk.count(b"\n") for chunk in iter(lambda: process.stdout.read(1 << 20), b""))  # type: ignore[union-attr]
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    print(f"{usage.ru_maxrss} kB at most, {usage.ru_utime:.0f} s")
    assert process.returncode == 1
    assert lines == FLOWS
    assert usage.ru_maxrss < MOST_KILOBYTES
