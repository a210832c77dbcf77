"""A ladder in, the wall's effects on each of its steps out: two scripted hosts say their lines over a path in virtual time.

The path is one wall between two links without routers, delay or chance, so that a packet is at the wall as and when the ladder says.
What the wall forges travels on from there, after its own delay, to a host that does not mind.
"""

from crenel.instant import Instant, seconds
from crenel.net.path.path import End, Path
from crenel.net.path.route import Link, Route
from crenel.net.sim.network import Network
from crenel.wall.effects import Effect, Side
from crenel.wire.packet import Packet
from tests.conversation import BASE, Ladder
from tests.net.sim.scripted import Scripted

NO_WAY = Link(0, 0)
AFTERWARDS = seconds(3600)
"""Nanoseconds for which the network goes on after the last line: longer than any wall takes to send what it forged."""


def carry_in_sim(ladder: Ladder) -> list[list[Effect]]:
    """Let two hosts say a ladder's lines to each other past its wall."""
    return carry_over(path_of(ladder), ladder)


def path_of(ladder: Ladder) -> Path:
    """Return a path that changes nothing, with a ladder's wall on it; its client is whoever speaks first."""
    side = next((step.source.side for step in ladder.steps if step.source is not None), Side.INSIDE)
    return Path(Route((NO_WAY, NO_WAY), (ladder.load(),), client_side=side), ladder.toss(), BASE)


def carry_over(path: Path, ladder: Ladder) -> list[list[Effect]]:
    """Let two hosts at the ends of a path say a ladder's lines; return what its wall did on each line."""
    # Where only time passes both hosts have a timer that says nothing, so that the clock gets there.
    lines: dict[End, dict[Instant, list[Packet]]] = {end: {step.now: [] for step in ladder.steps if step.packet is None} for end in End}
    for step in ladder.steps:
        if step.packet is not None and step.source is not None:
            end = End.CLIENT if step.source.side == path.route.client_side else End.SERVER
            lines[end].setdefault(step.now, []).append(step.packet)
    network = Network(path, Scripted(later=lines[End.CLIENT]), Scripted(later=lines[End.SERVER]))
    effects: list[list[Effect]] = [[] for _ in ladder.steps]
    told = 0
    for number, step in enumerate(ladder.steps):
        if step.packet is None:
            network.run(BASE, step.now)
            effects[number] = [one.effect for one in path.effects[told:] if one.packet == 0]
            told = len(path.effects)
    network.run(BASE, Instant(ladder.steps[-1].now + AFTERWARDS))
    # What ends after the last line is told of packet 0 as well; no line speaks of it.
    places = {id(step.packet): number for number, step in enumerate(ladder.steps)}
    spoken = {event.number: places[id(event.packet)] for event in path.trace if event.what == "sent"}
    for one in path.effects:
        if one.packet:
            effects[spoken[one.packet]].append(one.effect)
    return effects
