"""The look at a machine: every step is tried, and each that fails says why."""

import json
import subprocess
import sys

import pytest

from crenel.net.lab.namespaces import interpreter
from tests.net.lab.machine import NEEDS_LAB, network

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux system calls")


def probe() -> dict[str, str]:
    done = subprocess.run(interpreter("probe"), capture_output=True, text=True, check=True, timeout=20)
    found: dict[str, str] = json.loads(done.stdout)
    return found


def test_every_step_has_an_answer_and_nothing_is_left() -> None:
    before = network()
    found = probe()
    assert list(found) == ["tun", "root", "user", "lab"]
    assert all(isinstance(reason, str) for reason in found.values())
    assert network() == before


@NEEDS_LAB
def test_where_a_lab_runs_every_step_that_it_takes_succeeds() -> None:
    found = probe()
    assert (found["tun"], found["lab"]) == ("", "")
    assert not found["root"] or not found["user"]
