"""A lab's life: everything of it ends with it, with whoever made it however that ends, and with any part that dies; outside nothing changes."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from crenel.errors import LabError
from crenel.net.lab.lab import Lab
from tests.net.lab.machine import NEEDS_LAB, SOURCE, descendants, echo, near_lab, network, remaining, wait_until_gone

pytestmark = NEEDS_LAB

MAKER = f"""
import sys
sys.path[:0] = [{str(SOURCE)!r}, {str(SOURCE.parent)!r}]
from tests.net.lab.machine import descendants, near_lab, python
import os, threading, time
lab = near_lab()
lab.open()
lab.serve(["sh", "-c", "setsid sleep 1000 & exec sleep 1000"])
threading.Thread(target=lambda: lab.run(["sh", "-c", "nohup sleep 1000 & sleep 1000"]), daemon=True).start()
ends = time.monotonic() + 10
while len(found := descendants(os.getpid())) < 11 and time.monotonic() < ends:
    time.sleep(0.01)
print(*(f"{{number}}/{{began}}" for number, began in found.items()), flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def maker() -> Iterator[tuple[subprocess.Popen[str], dict[int, str]]]:
    """Run a process that makes a lab in which programs run; give it with all processes below it."""
    with subprocess.Popen([sys.executable, "-c", MAKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            found = dict(part.split("/") for part in process.stdout.readline().split())
            processes = {int(number): began for number, began in found.items()}
            assert len(processes) >= 11, "four of the lab, three and four of its commands"
            assert remaining(processes) == processes
            yield process, processes
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_is_left_when_the_maker_is_killed(number: signal.Signals) -> None:
    before = network()
    with maker() as (process, processes):
        process.send_signal(number)
        process.wait(10)
        assert not wait_until_gone(processes)
    assert network() == before


def test_nothing_is_left_when_the_maker_ends_without_closing_its_lab() -> None:
    with maker() as (process, processes):
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(10) == 0
        assert not wait_until_gone(processes)


def test_nothing_is_left_when_the_keeper_is_killed() -> None:
    with maker() as (process, processes):
        (keeper,) = [number for number in processes if parent(number) == process.pid]
        os.kill(keeper, signal.SIGKILL)
        assert not wait_until_gone({number: began for number, began in processes.items() if number != keeper})


def parent(number: int) -> int:
    with open(f"/proc/{number}/stat", encoding="utf-8") as file:  # noqa: PTH123
        return int(file.read().rpartition(")")[2].split()[1])


def test_closing_leaves_nothing_and_outside_nothing_changes() -> None:
    before, ours = network(), descendants(os.getpid())
    descriptors = sorted(os.listdir("/proc/self/fd"))  # noqa: PTH208
    with near_lab() as lab:
        assert echo(lab, b"hello") == b"hello"
        until = time.monotonic() + 5
        while True:  # what ran in it is reaped in a moment
            processes = {number: began for number, began in descendants(os.getpid()).items() if number not in ours}
            if len(processes) == 4 or time.monotonic() > until:
                break
            time.sleep(0.01)
        assert len(processes) == 4
        assert network() == before
    assert not remaining(processes)
    assert network() == before
    assert sorted(os.listdir("/proc/self/fd")) == descriptors  # noqa: PTH208
    lab.close()


def keeper_of(lab: Lab) -> int:
    return lab._made()._keeper.pid


def test_a_lab_whose_keeper_dies_says_so_and_can_be_closed() -> None:
    with near_lab() as lab:
        processes = descendants(keeper_of(lab))
        os.kill(keeper_of(lab), signal.SIGKILL)
        assert not wait_until_gone(processes)
        with pytest.raises(LabError, match=r"client's side of the lab is gone|the lab ended"):
            lab.run(["true"], timeout=5)


def test_a_command_hears_that_the_lab_died() -> None:
    with near_lab() as lab:
        (first,) = [number for number in descendants(keeper_of(lab)) if parent(number) == keeper_of(lab)]
        kill_later = subprocess.Popen(["sh", "-c", f"sleep 0.2; kill -9 {first}"])
        with pytest.raises(LabError, match="the lab ended before the command"):
            lab.run(["sleep", "1000"], timeout=10)
        assert kill_later.wait() == 0


def test_a_program_in_the_lab_cannot_end_what_holds_it() -> None:
    with near_lab() as lab:
        lab.run(["sh", "-c", "kill -INT 1; kill -TERM 1; kill -HUP 1; kill -9 1"], timeout=5)
        assert lab.run(["true"], timeout=5).status == 0


def test_several_labs_at_once_know_nothing_of_each_other() -> None:
    with contextlib.ExitStack() as stack:
        labs = [stack.enter_context(near_lab()) for _ in range(3)]
        assert [echo(lab, b"lab %d" % number) for number, lab in enumerate(labs)] == [b"lab 0", b"lab 1", b"lab 2"]
        spaces = {lab.run(["readlink", "/proc/self/ns/net"], timeout=5).stdout for lab in labs}
        assert len(spaces) == 3


@pytest.mark.long
def test_a_hundred_labs_one_after_the_other_leave_nothing() -> None:
    before = network()
    descriptors = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    took = []
    for number in range(100):
        began = time.monotonic()
        with near_lab() as lab:
            took.append(time.monotonic() - began)
            processes = descendants(keeper_of(lab))
            assert echo(lab, b"%d" % number) == b"%d" % number
        assert not remaining(processes)
    assert network() == before
    assert len(os.listdir("/proc/self/fd")) == descriptors  # noqa: PTH208
    took.sort()
    print(f"start-up: median {took[50] * 1000:.0f} ms, slowest {took[-1] * 1000:.0f} ms")
    assert took[50] < 0.4


@pytest.mark.long
def test_eight_labs_at_once_work_and_leave_nothing() -> None:
    before = network()
    for _ in range(5):
        with contextlib.ExitStack() as stack:
            labs = [stack.enter_context(near_lab()) for _ in range(8)]
            processes = {number: began for lab in labs for number, began in descendants(keeper_of(lab)).items()}
            assert [echo(lab, b"lab %d" % number) for number, lab in enumerate(labs)] == [b"lab %d" % number for number in range(8)]
        assert not remaining(processes)
    assert network() == before


