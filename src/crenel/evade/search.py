"""A seed and an alphabet in, strategies to try out, their worth in, and in the end the best of each family out.

The search begins with nothing and knows no strategy. It keeps the fittest of each behaviour that it has met, so that a way in which
boxes can be led astray is not lost because another one already works. Whoever drives it calls `ask`, tries what it is given, in
whatever order and place, and calls `tell`: what is found depends on the seed alone.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import msgspec

from crenel.errors import UsageError
from crenel.evade.families import NAMED, Family
from crenel.evade.genome import Alphabet, Breeder, Dice, simpler
from crenel.evade.language import Strategy
from crenel.evade.parse import parse
from crenel.evade.search_judge import Judged

POPULATION: Final = 200
"""Strategies that are tried in one generation (bench)."""
GENERATIONS: Final = 40
"""Generations of a search (bench)."""
LEAST: Final = 0.2
"""How often a strategy has to succeed by a family to count as a member of it (bench)."""
_RANDOM: Final = 8
"""One strategy in so many is drawn anew, without parents (bench)."""
_TRIES: Final = 20
"""How often a strategy that was tried before is varied again (bench)."""


class Plan(msgspec.Struct, frozen=True):
    """What a search looks for, and with how much effort: all that its result depends on but the wall."""

    seed: int = 0
    population: int = POPULATION
    about: tuple[str, ...] = ()
    """What it is told apart by: wall, date, protocol and the like, in the words of whoever drives it."""


class Snapshot(msgspec.Struct, frozen=True):
    """A search put away between two generations, to be taken up again."""

    plan: Plan
    generation: int
    rolled: int
    tried: tuple[str, ...]
    fittest: tuple[Judged, ...]


class Search:
    """A search in progress.

    Args:
        plan: what is looked for.
        alphabet: what strategies are made of.
        snapshot: the search that is taken up; None begins a new one.

    Raises:
        UsageError: the snapshot is of another search.

    Attributes:
        generation: how many generations were tried.
        fittest: the fittest strategy of each behaviour.
    """

    def __init__(self, plan: Plan, alphabet: Alphabet, snapshot: Snapshot | None = None) -> None:
        if snapshot is not None and snapshot.plan != plan:
            raise UsageError(f"this is the state of another search: {_differences(snapshot.plan, plan)}")
        self.plan = plan
        self._dice = Dice(plan.seed, snapshot.rolled if snapshot is not None else 0)
        self._breeder = Breeder(self._dice, alphabet)
        self.generation = snapshot.generation if snapshot is not None else 0
        self._tried: dict[str, None] = dict.fromkeys(snapshot.tried) if snapshot is not None else {}
        self.fittest: dict[str, Judged] = {one.behaviour: one for one in snapshot.fittest} if snapshot is not None else {}

    @property
    def tried(self) -> int:
        """How many strategies were tried."""
        return len(self._tried)

    def snapshot(self) -> Snapshot:
        """Return what `Search` needs to go on from here; ask for it between a `tell` and the next `ask`."""
        return Snapshot(self.plan, self.generation, self._dice.rolled, tuple(self._tried), tuple(self.fittest.values()))

    def ask(self) -> list[str]:
        """Return the strategies of the next generation, none of which was tried before."""
        known = list(self.fittest.values())
        asked: dict[str, None] = {}
        for _ in range(self.plan.population):
            for _ in range(_TRIES):
                dna = str(self._bred(known)).strip()
                if dna not in self._tried and dna not in asked:
                    asked[dna] = None
                    break
        return list(asked)

    def tell(self, judged: Iterable[Judged]) -> None:
        """Take the worth of the strategies of a generation, in the order in which they were asked for."""
        self._keep(judged)
        self.generation += 1

    def ask_simpler(self) -> list[str]:
        """Return untried strategies that lack one thing of the best of a family; none when these are as short as can be."""
        shorter = (str(one).strip() for best in self.best().values() for one in simpler(parse(best.dna)))
        return [dna for dna in dict.fromkeys(shorter) if dna not in self._tried]

    def tell_simpler(self, judged: Iterable[Judged]) -> None:
        """Take the worth of those."""
        self._keep(judged)

    def best(self) -> dict[Family, Judged]:
        """Return the best strategy of each family: that which succeeds most often by it, where each action has to earn its place."""
        found: dict[Family, Judged] = {}
        for family in NAMED:
            members = [one for one in self.fittest.values() if one.family == family and one.families[family] >= LEAST]
            if members:
                found[family] = max(members, key=lambda one: (one.worth_as(family), -len(one.dna), one.dna))
        return found

    def _keep(self, judged: Iterable[Judged]) -> None:
        for one in judged:
            self._tried[one.dna] = None
            other = self.fittest.get(one.behaviour)
            if other is None or (one.fitness, -len(one.dna)) > (other.fitness, -len(other.dna)):
                self.fittest[one.behaviour] = one

    def _bred(self, known: Sequence[Judged]) -> Strategy:
        dice = self._dice
        if not known or dice.below(_RANDOM) == 0:
            return self._breeder.strategy()
        # Of two that behave differently the fitter one, and every other time either.
        first, second = dice.one(known), dice.one(known)
        parent = max(first, second, key=lambda one: one.fitness) if dice.below(2) else first
        return self._breeder.varied(parse(parent.dna), parse(second.dna))


def _differences(one: Plan, other: Plan) -> str:
    pairs = [("seed", str(one.seed), str(other.seed)), ("population", str(one.population), str(other.population))]
    pairs += [("", ", ".join(one.about), ", ".join(other.about))]
    return "; ".join(f"{name} {left}, not {right}".strip() for name, left, right in pairs if left != right)


def carry_out(search: Search, judge: Callable[[Sequence[str]], Iterable[Judged]], generations: int) -> None:
    """Let a search run until it has tried so many generations, and then shorten what it found.

    Args:
        search: is changed.
        judge: gives the worth of strategies, in their order.
        generations: in all, with those of a search that is taken up.
    """
    while search.generation < generations:
        search.tell(judge(search.ask()))
    shorten(search, judge)


def shorten(search: Search, judge: Callable[[Sequence[str]], Iterable[Judged]]) -> None:
    """Take from the best strategies of a search whatever does not earn its place."""
    while shorter := search.ask_simpler():
        search.tell_simpler(judge(shorter))
