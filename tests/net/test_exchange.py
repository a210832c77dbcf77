"""Experiences, traces and what walls did in, what became of the exchange out."""

import pytest

from crenel.coins import KeyedCoins
from crenel.instant import Instant
from crenel.net.app.speaker import Answer, Ending, Experience
from crenel.net.exchange import Exchange, Outcome
from crenel.net.trace import Event, WallEffect
from crenel.wall.effects import Armed, Because, Drop, Effect, Inject, Missed, Side
from crenel.wall.wall import Limits, Wall
from crenel.wire.packet import udp_packet

WALL = Wall("here", "one wall", (), limits=Limits(flows=1, residual_entries=1, stream_bytes=1), utc_offset=0, hour=None)
START = Instant(1_000)
PACKET = udp_packet(bytes(4), bytes(4), 1, 2, b"x")


def because(*, residual: str | None = None) -> Because:
    return Because("box", "2000-01-01", "dns.qname", 0, 1, b"x", "a rule", 0.5, (), (), residual)


def exchange(ending: Ending, at: int, *effects: tuple[int, Effect], wall: str = "here") -> Exchange:
    told = [WallEffect(Instant(START + time), wall, effect, 1) for time, effect in effects]
    return Exchange(WALL, START, Experience(ending, at, "so"), (), told, tuple)


@pytest.mark.parametrize(
    ("ending", "acted", "outcome"),
    [
        ("answered", True, "passed"), ("answered", False, "passed"), ("misled", True, "tampered"), ("misled", False, "failed"),
        ("reset", True, "blocked"), ("reset", False, "failed"), ("timed out", True, "blocked"), ("timed out", False, "failed"),
        ("refused", True, "blocked"), ("closed", True, "blocked"), ("unreachable", False, "failed"),
    ],
)
def test_the_experience_decides_and_the_wall_has_to_have_acted(ending: Ending, acted: bool, outcome: Outcome) -> None:
    effect = Drop(because()) if acted else Missed(because())
    out = exchange(ending, 50, (10, effect))
    assert (out.outcome, out.blocked) == (outcome, outcome in {"blocked", "tampered"})


def test_what_a_wall_did_afterwards_is_no_cause() -> None:
    assert exchange("reset", 50, (50, Drop(because()))).outcome == "blocked"
    assert exchange("reset", 50, (51, Drop(because()))).outcome == "failed"


def test_another_wall_of_the_path_is_no_cause_either() -> None:
    assert exchange("reset", 50, (10, Drop(because())), wall="elsewhere").outcome == "failed"


def test_what_only_memory_drew_is_told_so() -> None:
    remembered = Armed(Instant(9), because(residual="until later"))
    assert exchange("reset", 50, (10, remembered)).residual
    assert not exchange("reset", 50, (10, remembered), (11, Drop(because()))).residual
    assert not exchange("reset", 50).residual


def test_answers_name_who_forged_them_in_the_order_of_arrival() -> None:
    answers = tuple(Answer(time, says, intact=False) for time, says in ((5, "a"), (5, "b"), (9, "c")))
    trace = [
        Event(time, "wall", "client", PACKET, box, None, "arrived", "client", number)
        for number, (time, box) in enumerate([(5, "first"), (5, "second")], 1)
    ]
    trace.append(Event(9, "server", "client", PACKET, None, None, "arrived", "client", 3))
    trace.append(Event(9, "wall", "server", PACKET, "no", None, "arrived", "server", 4))
    out = Exchange(WALL, START, Experience("misled", 5, "a", answers), trace, (), tuple)
    assert [answer.forged_by for answer in out.answers] == ["first", "second", None]


def test_who_acts_first_is_the_middlebox_and_a_missed_ground_is_none() -> None:
    inject = Inject(PACKET, Side.INSIDE, 0, because())
    assert exchange("answered", 50, (10, Missed(because()))).middlebox is None
    assert exchange("answered", 50, (10, Missed(because()))).action is None
    assert exchange("answered", 50, (10, inject), (11, Drop(because()))).middlebox == "box"


def test_the_chance_is_worked_out_when_it_is_asked_for() -> None:
    asked = []

    def forecast() -> list[tuple[Instant, Side, int]]:
        asked.append(KeyedCoins(0))
        return []

    out = Exchange(WALL, START, Experience("answered", 1, "so"), (), (), forecast)
    assert (out.outcome, asked) == ("passed", [])
    assert (out.chance, out.at_risk, out.triggers, out.evidence, len(asked)) == (0.0, False, (), (), 1)
