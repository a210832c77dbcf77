"""A command as this process sees it: its status asked for again, while it runs and after the lab has ended."""

import os
import pty
import select
import shutil
import subprocess
import sys

import pytest

from crenel.errors import LabError
from crenel.net.lab.command import Command
from crenel.net.lab.namespaces import Namespaces
from crenel.net.lab.plan import Plan, environment
from crenel.net.path.path import End
from tests.net.lab.machine import NEEDS_LAB, SOURCE

pytestmark = NEEDS_LAB


def spawn(made: Namespaces, *argv: str) -> Command:
    with open(os.devnull, "r+b") as nothing:  # noqa: PTH123  a descriptor is wanted
        number = nothing.fileno()
        return made.spawn(End.CLIENT, argv, (number, number, number), environment(End.CLIENT), "/", own_session=True)


def test_a_status_can_be_waited_for_and_asked_again() -> None:
    made = Namespaces(Plan())
    try:
        command = spawn(made, "sh", "-c", "exit 3")
        assert (command.wait(10), command.wait(), command.poll(), command.fileno()) == (3, 3, 3, -1)
        command.end()
        assert command.wait() == 3
    finally:
        made.close()


def test_a_command_that_runs_has_no_status_until_it_is_ended() -> None:
    made = Namespaces(Plan())
    try:
        command = spawn(made, "sleep", "60")
        assert command.poll() is None
        with pytest.raises(TimeoutError):
            command.wait(0.05)
        command.end()
        assert command.poll() == -9
    finally:
        made.close()


def test_where_the_lab_ends_first_the_command_says_so() -> None:
    made = Namespaces(Plan())
    command = spawn(made, "sleep", "60")
    made.close()
    with pytest.raises(LabError, match="sleep: the lab ended before the command"):
        command.wait(5)


SHELL = f"""
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
sys.path[:0] = [{str(SOURCE)!r}, {str(SOURCE.parent)!r}]
from tests.net.lab.machine import near_lab
with near_lab() as lab:
    status = lab.attach([sys.argv[1], "-i"])
    print("status", status, "ours", os.tcgetpgrp(0) == os.getpgrp(), flush=True)
    print("still", input(), flush=True)
"""


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is absent")
def test_a_shell_with_job_control_gives_the_terminal_back() -> None:
    terminal, theirs = pty.openpty()
    said = b""
    with subprocess.Popen(
        [sys.executable, "-c", SHELL, "bash"], stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    ) as process:
        os.close(theirs)
        try:
            begin = (b"# ", b"sleep 50 & echo $((6 * 7)) $CRENEL_LAB\n")
            for wanted, answer in (begin, (b"42 client", b"kill %1; wait; exit 3\n"), (b"ours True", b"here\n")):
                said = read_until(terminal, said, wanted)
                os.write(terminal, answer)
            said = read_until(terminal, said, b"still here")
        finally:
            process.kill()
            os.close(terminal)
    assert b"status 3 ours True" in said


def read_until(terminal: int, said: bytes, wanted: bytes) -> bytes:
    while wanted not in said:
        assert select.select([terminal], [], [], 10)[0], said
        said += os.read(terminal, 4096)
    return said
