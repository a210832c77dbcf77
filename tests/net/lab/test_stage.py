"""Commands between two canaries: what each came to, what the wall had to do with it, and what is said where something is amiss."""

import json
import socket
import sys
from pathlib import Path

import pytest

from crenel.atlas.compile import load_wall
from crenel.errors import LabError, UsageError
from crenel.net.lab import stage as stages
from crenel.net.lab.canary import Sung
from crenel.net.lab.internet.scenario import parse_scenario
from crenel.net.lab.lab import Lab
from crenel.net.lab.pace import Pace
from crenel.net.lab.stage import Stage, words_of
from tests.net.lab.machine import ASK, ECHO, NEEDS_LAB, SERVER, python

WALL = load_wall("gfw", as_of="2025-01-15")
REQUEST = b"GET / HTTP/1.1\r\nHost: %b\r\nConnection: close\r\n\r\n"


def get(name: bytes, port: int = 80) -> list[str]:
    return python(ASK.format(address=SERVER, port=port, data=REQUEST % name))


@NEEDS_LAB
def test_a_listed_name_is_at_risk_and_another_one_passes() -> None:
    with Stage(WALL, pace=Pace.STILL) as stage:
        harmless, listed = stage.run(get(b"allowed.example")), stage.run(get(b"blocked.example"))
        assert harmless.passed
        assert b"200" in harmless.stdout
        assert [flow.exchange.outcome for flow in harmless.flows] == ["passed"]
        assert not listed.passed
        assert listed.flows[0].number == 1
        assert {one.value for one in listed.flows[0].exchange.evidence} == {"blocked.example"}
        assert stage.outcomes == [harmless, listed]
        assert not harmless.problems + listed.problems


@NEEDS_LAB
def test_what_is_blocked_by_memory_alone_has_not_passed() -> None:
    with Stage(WALL, pace=Pace.STILL) as stage:
        assert stage.run(get(b"blocked.example")).blocked
        later = stage.run(get(b"allowed.example"))
    assert later.remembered
    assert not later.passed
    assert not later.at_risk


@NEEDS_LAB
def test_a_server_of_ones_own_goes_before_the_internet_and_beside_it() -> None:
    with Stage(WALL, pace=Pace.STILL) as stage:
        stage.serve(python(ECHO.format(port=443)))
        assert stage.run(get(b"allowed.example", 443)).stdout == REQUEST % b"allowed.example"
        stage.serve(python(ECHO.format(port=80)), port=80)
        assert stage.run(get(b"allowed.example")).stdout == REQUEST % b"allowed.example"


@NEEDS_LAB
def test_a_scenario_adds_hosts_and_programs() -> None:
    text = f"""
    [[host]]
    name = "mine.example"
    addresses = ["100.64.1.2"]
    [[program]]
    name = "echo"
    command = {json.dumps(python(ECHO.format(port=7000)))}
    listen = ["tcp/7000"]
    """
    asked = "import socket\nnear = socket.create_connection(('mine.example', 7000))\nnear.sendall(b'hello')\nprint(near.recv(9), near.getpeername())"
    with Stage(WALL, pace=Pace.STILL, scenario=parse_scenario(text.encode(), "x.toml")) as stage:
        assert stage.run([sys.executable, "-c", asked]).text == "b'hello' ('100.64.1.2', 7000)\n"


@NEEDS_LAB
def test_an_unreachable_server_is_inconclusive() -> None:
    with Stage(WALL, pace=Pace.STILL) as stage:
        outcome = stage.run(get(b"allowed.example", 81))
    assert outcome.inconclusive
    assert not outcome.blocked
    assert outcome.passed
    assert outcome.flows[0].exchange.experience.ending == "refused"


@NEEDS_LAB
def test_a_command_that_never_ends_is_ended() -> None:
    with Stage(WALL, pace=Pace.STILL) as stage:
        assert stage.run("sleep 60", timeout=0.2).status is None
        assert stage.attach(["sh", "-c", "exit 7"]).status == 7


@NEEDS_LAB
def test_what_cannot_be_run_or_dies_is_said() -> None:
    with Stage(WALL, pace=Pace.STILL) as stage:
        with pytest.raises(LabError, match="no-such-program: it cannot be run in the lab: No such file"):
            stage.run("no-such-program")
        with pytest.raises(LabError, match="sh ended with status 3 before it listened on any port that was free: alas"):
            stage.serve("sh", "-c", "echo alas; exit 3")
        with pytest.raises(LabError, match=r"sleep did not listen on any port that was free within 0.1 seconds; it printed nothing"):
            stage.serve("sleep", 9, within=0.1)
        die_soon = "import socket\nserver = socket.create_server(('', 7000))\nserver.accept()\nprint('I die')\nraise SystemExit(4)"
        stage.serve(python(die_soon), port=7000)
        asked = python(f"import socket\nnear = socket.create_connection(({SERVER!r}, 7000))\nnear.recv(1)\nimport time\ntime.sleep(0.2)")
        outcome = stage.run(asked)
        assert outcome.problems == (f"the server {sys.executable} ended with status 4: I die",)
        assert outcome.inconclusive


@NEEDS_LAB
def test_a_canary_that_is_lost_is_an_error_before_and_a_problem_after(monkeypatch: pytest.MonkeyPatch) -> None:
    fates = iter((False, True, False))

    def sing(lab: Lab) -> Sung:
        return Sung(next(fates), (socket.inet_aton(lab.plan.layout.client[0]), 9))

    monkeypatch.setattr(stages, "sing", sing)
    with Stage(WALL, pace=Pace.STILL) as stage:
        with pytest.raises(LabError, match=r"the canary before true did not come back.* the lab is broken, so nothing can be judged"):
            stage.run("true")
        (problem,) = stage.run("true").problems
    assert "the canary after true did not come back" in problem
    assert "cannot be relied on" in problem


def test_a_command_is_a_line_or_words() -> None:
    assert words_of("curl -H 'A: b' x") == ("curl", "-H", "A: b", "x")
    assert words_of(["a b", 7]) == words_of("a b", 7) == ("a b", "7")
    assert words_of(Path("a b")) == ("a b",)
    with pytest.raises(UsageError, match="a command is missing"):
        words_of("")
    with pytest.raises(UsageError, match="a command is missing"):
        words_of([])
    with pytest.raises(UsageError, match="is no command: No closing quotation"):
        words_of("it's")


@NEEDS_LAB
def test_an_internet_that_died_is_told() -> None:
    with Stage(WALL, pace=Pace.STILL) as stage:
        assert stage.run(get(b"allowed.example")).passed
        internet = stage._internet
        assert internet is not None
        assert internet._process is not None
        internet._process.close()
        after = stage.run(["true"])
    assert any("internet" in problem for problem in after.problems), after.problems
    assert after.inconclusive
    assert not after.passed
