"""A route without its delays, and walls whose forgeries leave at once."""

from pathlib import Path

from crenel.coins import KeyedCoins, ScriptedCoins
from crenel.instant import Instant
from crenel.net.lab.pace import Pace, PromptRun, start_runs, still
from crenel.net.path.route import Link, Route
from crenel.wall.effects import Effect, Inject, Side
from crenel.wall.run import Run
from crenel.wire.packet import ACK, PSH, SYN, tcp_packet
from tests.net.lab.machine import OPEN
from tests.net.made import RESET, box, wall_with

CLIENT, SERVER = bytes((192, 0, 2, 2)), bytes((203, 0, 113, 9))


def test_a_still_route_keeps_what_is_not_time() -> None:
    route = Route((Link(2, 5, jitter=6, loss=0.5, rate=7), Link(3, 8)), (OPEN,), Side.OUTSIDE, (), 0.25, answers=False)
    assert still(route) == Route((Link(2, 0), Link(3, 0)), (OPEN,), Side.OUTSIDE, (), 0.25, answers=False)


def forged(run: Run) -> list[Effect]:
    effects: list[Effect] = []
    for flags, seq, ack, payload in ((SYN, 1, 0, b""), (ACK, 2, 9, b""), (PSH | ACK, 2, 9, b"GET / HTTP/1.1\r\nHost: blocked.example\r\n\r\n")):
        effects = run.see(Instant(0), Side.INSIDE, tcp_packet(CLIENT, SERVER, 4000, 80, seq=seq, ack=ack, flags=flags, payload=payload))
    return effects


def test_what_a_prompt_run_forges_leaves_at_once(tmp_path: Path) -> None:
    wall = wall_with(tmp_path, box("late", chance='p = 1.0, per = "flow"', reaction=RESET.replace("delay = { fixed = 1 }", "delay = { fixed = 7 }")))
    route = Route((Link(1, 0), Link(1, 0)), (wall,))
    (real,), (prompt,) = (start_runs(route, ScriptedCoins(), pace) for pace in Pace)
    assert isinstance(prompt, PromptRun)
    (late, at_once) = ([effect for effect in forged(run) if isinstance(effect, Inject)] for run in (real, prompt))
    assert len(late) == len(at_once) == 2
    assert [effect.packet for effect in late] == [effect.packet for effect in at_once]
    assert {effect.after for effect in late} == {7_000}
    assert {effect.after for effect in at_once} == {0}


def test_each_wall_of_a_route_gets_a_run() -> None:
    route = Route((Link(1, 0), Link(1, 0), Link(1, 0)), (OPEN, OPEN))
    assert [len(start_runs(route, KeyedCoins(0), pace)) for pace in Pace] == [2, 2]
