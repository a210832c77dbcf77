"""Commands in a lab: their streams and statuses, and that what they leave running in their session ends with them."""

import time

import pytest

from crenel.errors import LabError
from crenel.net.lab.lab import Lab
from tests.net.lab.machine import python


def test_streams_and_status_are_those_of_the_command(lab: Lab) -> None:
    done = lab.run(["sh", "-c", "cat; echo wrong >&2; exit 7"], stdin=b"said", timeout=20)
    assert (done.stdout, done.stderr, done.status) == (b"said", b"wrong\n", 7)


def test_a_signal_is_a_status_below_zero(lab: Lab) -> None:
    assert lab.run(["sh", "-c", "kill -15 $$"], timeout=20).status == -15


def test_signals_are_set_as_a_program_expects(lab: Lab) -> None:
    script = "import signal\nprint(*[int(signal.getsignal(n) == signal.SIG_IGN) for n in (1, 2, 3, 15, 17, 18, 20, 22)])"
    # An interpreter ignores SIGPIPE itself, so that one is asked for in /proc before it starts.
    assert lab.run(python(script), timeout=20).stdout.split() == [b"0"] * 8
    ignored = lab.run(["grep", "SigIgn", "/proc/self/status"], timeout=20).stdout.split()[1]
    assert int(ignored, 16) & (1 << 31) - 1 == 0, "of the numbered signals; what a shell above ignores of the real-time ones is its own affair"


def test_a_command_gets_no_descriptor_but_its_streams(lab: Lab) -> None:
    assert lab.run(["sh", "-c", "ls /proc/self/fd"], timeout=20).stdout.split() == [b"0", b"1", b"2", b"3"], "3 is the listed folder"


def test_what_a_command_leaves_running_ends_with_it(lab: Lab) -> None:
    began = time.monotonic()
    done = lab.run(["sh", "-c", "sleep 60 & echo begun"], timeout=20)
    assert (done.stdout, done.status) == (b"begun\n", 0)
    assert time.monotonic() - began < 5
    listed = lab.run(["sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"], timeout=20).stdout
    assert b"sleep 60" not in listed


def test_a_command_that_never_ends_is_ended(lab: Lab) -> None:
    done = lab.run(["sh", "-c", "echo begun; trap '' TERM INT; sleep 60"], timeout=0.3)
    assert (done.stdout, done.status) == (b"begun\n", None)


@pytest.mark.parametrize(
    ("argv", "cwd", "message"),
    [
        (["no-such-program"], None, "no-such-program: it cannot be run in the lab: No such file or directory"),
        (["/etc/hosts"], None, "/etc/hosts: it cannot be run in the lab: Permission denied"),
        (["true"], "/no/such/folder", "/no/such/folder: it cannot be run in the lab: No such file or directory"),
    ],
)
def test_what_cannot_be_run_is_an_error_of_one_sentence(lab: Lab, argv: list[str], cwd: str | None, message: str) -> None:
    with pytest.raises(LabError) as problem:
        lab.run(argv, cwd=cwd, timeout=20)
    assert str(problem.value) == message


def test_much_output_and_input_pass_whole(lab: Lab) -> None:
    data = bytes(range(256)) * 8192
    done = lab.run(["sh", "-c", "tee /dev/stderr"], stdin=data, timeout=60)
    assert done.stdout == data
    assert done.stderr == data


def test_a_command_that_reads_nothing_does_not_stop_the_feeding(lab: Lab) -> None:
    assert lab.run(["true"], stdin=bytes(1 << 20), timeout=20).status == 0
