"""Servers in a lab: they are there once they listen, and one that does not come up is told of with its last words."""

import time

import pytest

from crenel.errors import LabError
from crenel.net.lab.lab import Lab
from tests.net.lab.machine import ASK, ECHO, SERVER, python


def test_a_server_that_listens_is_reached(lab: Lab) -> None:
    late = "import time\ntime.sleep(0.2)\n"
    server = lab.serve(python(late + ECHO.format(port=7010)), port=7010)
    assert server.status is None
    assert lab.run(python(ASK.format(address=SERVER, port=7010, data=b"said")), timeout=20).stdout == b"said"
    server.stop()
    assert server.status == -9
    server.stop()


def test_a_server_that_ends_is_told_of_with_what_it_printed(lab: Lab) -> None:
    with pytest.raises(LabError) as problem:
        lab.serve(["sh", "-c", "echo no such certificate >&2; exit 4"], port=7011)
    assert str(problem.value) == "sh ended with status 4 before it listened on tcp port 7011: no such certificate"


def test_a_server_that_never_listens_is_ended(lab: Lab) -> None:
    began = time.monotonic()
    with pytest.raises(LabError) as problem:
        lab.serve(["sleep", "60"], port=7012, transport="udp", within=0.2)
    assert str(problem.value) == "sleep did not listen on udp port 7012 within 0.2 seconds; it printed nothing"
    assert time.monotonic() - began < 5
    assert lab._servers[-1].status == -9


def test_what_a_server_prints_can_be_read_while_it_runs(lab: Lab) -> None:
    server = lab.serve(["sh", "-c", "echo out; echo err >&2; sleep 60"])
    ends = time.monotonic() + 5
    while server.output != b"out\nerr\n" and time.monotonic() < ends:
        time.sleep(0.01)
    assert server.output == b"out\nerr\n"
    server.stop()


def test_a_server_that_is_no_program_is_an_error(lab: Lab) -> None:
    with pytest.raises(LabError, match="no-such-server: it cannot be run in the lab"):
        lab.serve(["no-such-server"], port=1)
