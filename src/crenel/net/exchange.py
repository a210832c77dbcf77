"""What a client went through and what a wall did meanwhile in; whether that was blocking, by which box, how probable and on what evidence out."""

import functools
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import msgspec

from crenel.instant import Instant
from crenel.net.app.speaker import Answer, Experience
from crenel.net.odds import Odds, Shown, exact_odds
from crenel.net.trace import Event, Evidence, Trigger, WallEffect, evidence_of
from crenel.wall.effects import Armed, Because, Drop, Inject, Missed, Throttle
from crenel.wall.wall import Wall

Outcome = Literal["passed", "blocked", "tampered", "failed"]
"""What became of an exchange for its client. Failed: it got no answer or a wrong one, and the wall had no part in it."""


class _Ground(NamedTuple):
    """Ground that a box had, and whether it acted on it."""

    at: Instant
    because: Because
    acted: bool
    packet: int


class Exchange(msgspec.Struct, frozen=True, dict=True, eq=False):
    """One client, one server and what lies between them: what was drawn to happen, and what could have.

    What follows from the fields is worked out when it is first asked for.
    """

    wall: Wall
    """The wall that the exchange tells of."""
    start: Instant
    """When it began."""
    experience: Experience
    """What the client's application went through."""
    trace: Sequence[Event]
    """Every packet at every place, by time."""
    events: Sequence[WallEffect]
    """What the walls of the path did, by time."""
    forecast: Callable[[], Sequence[Shown]]
    """Gives the packets as they pass the wall where no box of it acts, from empty memory."""
    tolerate: float = 0.0

    @functools.cached_property
    def outcome(self) -> Outcome:
        """Return what became of it: the client's experience decides, and the wall has to have acted before it."""
        ending = self.experience.ending
        if ending == "answered":
            return "passed"
        end = self.start + self.experience.time
        if not any(ground.at <= end for ground in self._acts):
            return "failed"
        return "tampered" if ending == "misled" else "blocked"

    @property
    def blocked(self) -> bool:
        """Did the wall keep the client from its answer, or give it another one, as this seed drew it?"""
        return self.outcome in {"blocked", "tampered"}

    @property
    def at_risk(self) -> bool:
        """Is the chance that any box acts above what is tolerated?"""
        return self.chance > self.tolerate

    @property
    def middlebox(self) -> str | None:
        """The first box that acted, whatever came of it."""
        return self._acts[0].because.middlebox if self._acts else None

    @property
    def action(self) -> str | None:
        """What that box does: reset, drop, forge, throttle or page."""
        name = self.middlebox
        return None if name is None else _actions(self.wall)[name]

    @property
    def residual(self) -> bool:
        """Did boxes act only because of what they remembered of an earlier exchange?"""
        return bool(self._acts) and all(ground.because.residual is not None for ground in self._acts)

    @functools.cached_property
    def answers(self) -> tuple[Answer, ...]:
        """Return what the client was answered, by time, each with the box that forged it."""
        forgers: dict[int, list[str]] = {}
        for event in self.trace:
            if event.injected_by is not None and event.what == "arrived" and event.where == "client":
                forgers.setdefault(event.time, []).append(event.injected_by)
        told = []
        for answer in self.experience.answers:
            # Of what arrives at one moment the application hears in the same order.
            by = forgers.get(answer.time)
            told.append(msgspec.structs.replace(answer, forged_by=by.pop(0) if by else None))
        return tuple(told)

    @property
    def chance(self) -> float:
        """Return the probability that any box acts on it from empty memory, over all tosses."""
        return self._odds.chance

    @functools.cached_property
    def triggers(self) -> tuple[Trigger, ...]:
        """Return the boxes with ground to act."""
        acted = {ground.because.middlebox for ground in self._acts}
        actions, chances = _actions(self.wall), dict(self._odds.boxes)
        for ground in self._grounds:
            chances.setdefault(ground.because.middlebox, 0.0)  # it has ground only in what it remembers
        return tuple(Trigger(box.id, actions[box.id], chances[box.id], box.id in acted) for box in self.wall.boxes if box.id in chances)

    @functools.cached_property
    def evidence(self) -> tuple[Evidence, ...]:
        """Return that of each box with ground to act; `packet` is the 1-based place in the trace where the wall saw it, 0 where it never came."""
        places: dict[int, int] = {}
        for place, event in enumerate(self.trace, 1):
            if event.where == self.wall.name:
                places.setdefault(event.number, place)
        found: dict[str, Evidence] = {}
        for ground in self._grounds:
            found.setdefault(ground.because.middlebox, evidence_of(ground.because, places.get(ground.packet, 0)))
        for _, because in self._odds.grounds:
            found.setdefault(because.middlebox, evidence_of(because, 0))
        return tuple(found[box.id] for box in self.wall.boxes if box.id in found)

    @functools.cached_property
    def _grounds(self) -> list[_Ground]:
        own, name = [], self.wall.name
        for told in self.events:
            effect = told.effect
            if told.wall == name and isinstance(effect, Inject | Drop | Throttle | Armed | Missed):
                own.append(_Ground(told.at, effect.because, not isinstance(effect, Missed), told.packet))
        return own

    @functools.cached_property
    def _acts(self) -> list[_Ground]:
        return [ground for ground in self._grounds if ground.acted]

    @functools.cached_property
    def _odds(self) -> Odds:
        return exact_odds(self.wall, self.forecast())


def _actions(wall: Wall) -> dict[str, str]:
    return {box.id: box.action or "" for box in wall.boxes}
