"""Every ladder of the tests in, the same conversation between two hosts in virtual time out: it must go as written there too."""

from collections import Counter
from pathlib import Path as File

import msgspec
import pytest

from crenel.wall.effects import Drop, Inject
from tests.conversation import BASE, Ladder, carry_straight, play, read_ladders
from tests.net.sim.carrier import carry_in_sim, carry_over, path_of
from tests.net.telling import check_accounts

FILES = sorted(File(__file__).parents[2].rglob("*.ladder"))
LADDERS = [pytest.param(ladder, id=f"{path.stem}: {ladder.title}") for path in FILES for ladder in read_ladders(path)]

WAITING = """
wall: gfw 2023-02-14
s: 198.51.100.2:8388

== time alone ends a memory
0      c>s  SYN
0.2    c>s  ACK
0.3    c>s  PSH+ACK <noise 200>
       <<   fet: armed until 180.3
180.2  --
180.25 c>s  ACK
       <<   fet: residual drop
200    --
       <<   fet: expired at 180.3
201    c>s  ACK
202    s>c  ACK
203    --
"""


@pytest.fixture
def waiting(tmp_path: File) -> Ladder:
    """A ladder on some lines of which only time passes."""
    file = tmp_path / "waiting.ladder"
    file.write_text(WAITING, "utf-8")
    return read_ladders(file)[0]


def test_there_are_ladders() -> None:
    assert len(FILES) >= 10
    assert len(LADDERS) > 100


@pytest.mark.parametrize("ladder", LADDERS)
def test_a_conversation_goes_as_written(ladder: Ladder) -> None:
    play(ladder, carry_in_sim)


@pytest.mark.parametrize("ladder", LADDERS)
def test_nothing_differs_from_a_wall_without_a_network(ladder: Ladder) -> None:
    """A ladder leaves out details; the effects themselves are compared here, and what became of every packet."""
    path = path_of(ladder)
    effects = carry_over(path, ladder)
    assert effects == carry_straight(ladder)
    check_accounts(path.trace)
    due = []
    for step, said in zip(ladder.steps, effects, strict=True):
        if step.packet is not None and step.source is not None and not any(isinstance(effect, Drop) for effect in said):
            due.append((step.now - BASE, "server" if step.source.side == path.route.client_side else "client", step.packet))
        for effect in said:
            if isinstance(effect, Inject):
                toward = "client" if effect.toward == path.route.client_side else "server"
                due.append((step.now - BASE + effect.after, toward, effect.packet))
    assert Counter((event.time, event.where, event.packet) for event in path.trace if event.what == "arrived") == Counter(due)


def test_time_passes_where_nobody_speaks(waiting: Ladder) -> None:
    play(waiting)
    play(waiting, carry_in_sim)
    assert carry_in_sim(waiting) == carry_straight(waiting)


def test_what_differs_is_shown_as_two_ladders(waiting: Ladder) -> None:
    steps = list(waiting.steps)
    steps[4] = msgspec.structs.replace(steps[4], expected=("fet: residual inject RST",))
    with pytest.raises(AssertionError) as failure:
        play(msgspec.structs.replace(waiting, steps=tuple(steps)), carry_in_sim)
    lines = str(failure.value).splitlines()
    assert waiting.title in lines[0]
    assert "-       <<   fet: residual inject RST" in lines
    assert "+       <<   fet: residual drop" in lines
    assert " 180.25 c>s  ACK" in lines
