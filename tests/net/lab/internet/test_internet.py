"""A process in, a small internet out: up in order, told of where it fails, gone when it is closed."""

import os
import time
from pathlib import Path

import pytest

from crenel.errors import LabError
from crenel.net.lab.internet.internet import Internet
from crenel.net.lab.internet.scenario import Program
from tests.net.lab.internet.nearby import Child, internet, setup_in
from tests.net.lab.machine import descendants, wait_until_gone


def test_nothing_runs_after_it_is_closed(tmp_path: Path) -> None:
    before = descendants(os.getpid())
    program = Program("mine", ("sh", "-c", "sleep 60 & sleep 60"))
    with internet(setup_in(tmp_path), programs=(program,)):
        during = {number: began for number, began in descendants(os.getpid()).items() if number not in before}
        assert len(during) >= 2
    assert not wait_until_gone(during)


def test_programs_that_end_are_told_of(tmp_path: Path) -> None:
    with internet(setup_in(tmp_path), programs=(Program("mine", ("sh", "-c", "echo enough; exit 3")),)) as made:
        ends = time.monotonic() + 10
        while not made.problems() and time.monotonic() < ends:
            time.sleep(0.01)
        assert made.problems() == ("the server program mine ended with status 3: enough",)


def test_what_it_lacks_is_noted(tmp_path: Path) -> None:
    with internet(setup_in(tmp_path), wildcards=("127.0.0.1", "2001:db8::1")) as made:
        assert made.notes == (
            "the lab's web servers speak no HTTP/2 and HTTP/3: there is no Caddy; pip install 'crenel[lab]'",
            "the lab's servers have no IPv6",
        )


def test_one_that_is_killed_is_told_of_and_can_be_closed(tmp_path: Path) -> None:
    children: list[Child] = []

    def spawn(argv: object, streams: object) -> Child:
        children.append(Child(argv, streams))  # type: ignore[arg-type]
        return children[0]

    made = Internet(spawn, setup_in(tmp_path))
    made.come_up()
    children[0].end()
    with pytest.raises(LabError, match="the lab's internet is gone"):
        made.problems()
    made.close()
    made.close()


def test_one_that_cannot_begin_says_why(tmp_path: Path) -> None:
    made = Internet(lambda _, streams: Child(["sh", "-c", "echo no such file >&2"], streams), setup_in(tmp_path))
    with pytest.raises(LabError, match="the lab's internet is gone: no such file"):
        made.listen()
    made.close()


def test_a_spawn_that_fails_leaves_nothing_open(tmp_path: Path) -> None:
    def spawn(argv: object, streams: object) -> Child:
        raise LabError("no process")

    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(LabError, match="no process"):
        Internet(spawn, setup_in(tmp_path))
    assert len(list(Path("/proc/self/fd").iterdir())) == before
