"""System calls: what they refuse is an OSError that names it, and the timer is exact to less than a millisecond."""

import os
import select
import sys
import time

import pytest

from crenel.net.lab import calls

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux system calls")


def test_a_refused_mount_names_its_place() -> None:
    with pytest.raises(OSError, match="mount on /nowhere: "):
        calls.mount("none", "/nowhere", "tmpfs", 0)


def test_a_refused_namespace_is_an_error() -> None:
    with pytest.raises(OSError, match="unshare: Invalid argument"):
        calls.unshare(0x1)


def test_a_command_to_what_is_no_device_is_an_error() -> None:
    with open(os.devnull, "rb") as file, pytest.raises(OSError, match="ioctl"):  # noqa: PTH123  a descriptor is wanted
        calls.control(file.fileno(), 0x400454CA, bytes(40))


def test_a_signal_at_the_parents_end_is_checked() -> None:
    with pytest.raises(OSError, match="prctl"):
        calls.die_with_parent(1000)


def wait(timer: calls.Timer, milliseconds: int) -> bool:
    poll = select.poll()
    poll.register(timer.descriptor, select.POLLIN)
    return bool(poll.poll(milliseconds))


def test_a_timer_goes_off_when_it_is_due_and_not_before() -> None:
    timer = calls.Timer()
    late = []
    for _ in range(20):
        due = time.monotonic_ns() + 2_500_000
        timer.set(due)
        assert wait(timer, 1000)
        late.append(time.monotonic_ns() - due)
    assert min(late) >= 0
    assert min(late) < 500_000, "a poll that counts in milliseconds would be half of one late"
    timer.close()


def test_a_timer_can_be_put_off_and_switched_off() -> None:
    timer = calls.Timer()
    timer.set(1)
    assert wait(timer, 1000)
    timer.set(time.monotonic_ns() + 10**12)
    assert not wait(timer, 0)
    timer.set(1)
    timer.set(0)
    assert not wait(timer, 5)
    timer.close()
