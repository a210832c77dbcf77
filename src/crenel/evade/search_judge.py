"""The text of a strategy in, what it is worth to a search out: how often it works, by which family of ways, and how boxes behaved."""

import msgspec

from crenel.coins import Coins, Enumeration, KeyedCoins, Law, enumerate_trials
from crenel.evade.apply import prepare
from crenel.evade.corrupt import Loads
from crenel.evade.families import NAMED, FallenCoins, Family, ended, family_of, retold, said_in, telling_rows
from crenel.evade.genome import Alphabet, alphabet_of, size_of
from crenel.evade.parse import parse
from crenel.evade.trial import Trial, Trials
from crenel.wall.effects import Drop, Inject, Missed, Throttle
from crenel.wire.packet import Packet

MOST_LEAVES = 16
"""Ways in which the coins of a trial may fall that are gone through; beyond it trials are sampled (bench)."""
_SAMPLED = 8
"""Trials that are sampled where there are more ways than that (bench)."""
_NOTED = 0.05
"""Probability from which on a way in which a trial may go counts as a trait of a strategy (bench)."""
_PURE = 0.9
"""Part of its successes, but for luck, that a strategy has by its family (bench)."""
PENALTY = 0.05
"""What a tree, an action or a gas costs, in rate of success: a longer strategy has to earn its length (bench)."""


class Judged(msgspec.Struct, frozen=True):
    """A strategy and what came of it."""

    dna: str
    size: int
    success: float
    """Rate of success, exact unless the coins can fall in too many ways."""
    fired: float
    """In which part of the trials it did anything."""
    families: dict[Family, float]
    """How probable each way of succeeding is."""
    rows: tuple[str, ...]
    """Rules that boxes carried out, beside those of a plain conversation."""
    behaviour: str
    """What boxes and client did, in a few words: strategies alike in it compete."""

    @property
    def fitness(self) -> float:
        """What it is worth: the rate less what its length costs; worst where it never does anything."""
        return self.success - PENALTY * self.size if self.fired else -1.0 - PENALTY * self.size

    def worth_as(self, family: Family) -> float:
        """Return the same with only the successes of one family counted."""
        return self.families.get(family, 0.0) - PENALTY * self.size

    @property
    def family(self) -> Family | None:
        """The family by which it succeeds; None where it needs luck, or where several ways lead through, so that it does without either."""
        shares = {family: self.families.get(family, 0.0) for family in NAMED}
        family = max(NAMED, key=lambda name: shares[name])
        return family if shares[family] and shares[family] >= _PURE * sum(shares.values()) else None


class _HeldCoins(KeyedCoins):
    """Coins that fall at random, with draws held at their median as where all ways are gone through."""

    __slots__ = ()

    def draw(self, box: str, scope: bytes, name: str, law: Law) -> int:
        """Return the median of the law."""
        return law.at(0.5)


class Judge:
    """Tries strategies out.

    Args:
        trials: of no strategy, at the side and in the experiment that are searched.
        loads: what stands for a corrupted payload.
    """

    def __init__(self, trials: Trials, loads: Loads = Loads.LETTERS) -> None:
        self._trials = msgspec.structs.replace(trials, prepared=None).narrowed()
        self._loads = loads
        self._said = said_in(self._trials.run(FallenCoins(())).exchange)

    def alphabet(self, *, extended: bool = False) -> Alphabet:
        """Return what strategies for this side of this conversation can be made of."""
        return alphabet_of([self._packets(KeyedCoins(seed)) for seed in range(3)], extended=extended)

    def _packets(self, coins: Coins) -> tuple[list[Packet], list[Packet]]:
        """Return what this side sends, and what it gets, where no strategy is at work."""
        side = self._trials.side
        trace = self._trials.run(coins).exchange.trace
        sent = [event.packet for event in trace if event.where == side and event.what == "sent"]
        return sent, [event.packet for event in trace if event.where == side and event.what == "arrived"]

    def __call__(self, dna: str) -> Judged:
        """Return what a strategy is worth; raises StrategyError where it cannot be read."""
        strategy = parse(dna)
        trials = msgspec.structs.replace(self._trials, prepared=prepare(strategy, self._loads))
        found = enumerate_trials(trials.run, cap=MOST_LEAVES)
        tally = _Tally()
        for share, coins, trial in self._ways(found, trials):
            exchange = trial.exchange
            told = retold(exchange, trials.route, coins)
            # An error page is an answer, too, but not the one that was asked for.
            family = family_of(exchange, told, self._said) if exchange.experience.ending == "answered" else None
            tally.count(share, trial, family, telling_rows(told, self._said))
        return tally.judged(dna, size_of(strategy))

    @staticmethod
    def _ways(found: Enumeration[Trial], trials: Trials) -> list[tuple[float, Coins, Trial]]:
        if found.complete:
            return [(leaf.probability, FallenCoins(leaf.path), leaf.result) for leaf in found.leaves]
        sampled = [_HeldCoins(0, number) for number in range(_SAMPLED)]
        return [(1 / _SAMPLED, coins, trials.run(coins)) for coins in sampled]


class _Tally:
    """Adds up how the trials of one strategy went."""

    def __init__(self) -> None:
        self._families: dict[Family, float] = {}
        self._fired = 0.0
        self._rows: dict[str, float] = {}
        self._ends: dict[str, float] = {}

    def count(self, share: float, trial: Trial, family: Family | None, rows: tuple[str, ...]) -> None:
        """Take a trial that is so large a part of all."""
        self._fired += share * trial.fired
        if family is not None:
            self._families[family] = self._families.get(family, 0.0) + share
        for row in rows:
            self._rows[row] = self._rows.get(row, 0.0) + share
        end = f"{ended(trial)}, {_conduct(trial)}"
        self._ends[end] = self._ends.get(end, 0.0) + share

    def judged(self, dna: str, size: int) -> Judged:
        """Return what it comes to."""
        families: dict[Family, float] = {family: round(share, 9) for family, share in sorted(self._families.items())}
        rows = tuple(sorted(row for row, share in self._rows.items() if share >= _NOTED))
        traits = [family for family, share in families.items() if share >= _NOTED]
        commonest = max(sorted(self._ends), key=lambda end: round(self._ends[end], 9))
        behaviour = f"{', '.join(traits)}; {'; '.join(rows)}; {commonest}"
        return Judged(dna, size, round(sum(families.values()), 9), round(self._fired, 9), families, rows, behaviour)


def _conduct(trial: Trial) -> str:
    """Return in a word what the wall did."""
    effects = [known.effect for known in trial.exchange.events]
    if any(isinstance(effect, Inject | Drop | Throttle) for effect in effects):
        return "acted"
    return "missed" if any(isinstance(effect, Missed) for effect in effects) else "quiet"
