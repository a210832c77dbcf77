"""A command as this process sees it: its status asked for again, while it runs and after the lab has ended."""

import os

import pytest

from crenel.errors import LabError
from crenel.net.lab.command import Command
from crenel.net.lab.namespaces import Namespaces
from crenel.net.lab.plan import Plan, environment
from crenel.net.path.path import End
from tests.net.lab.machine import NEEDS_LAB

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
