"""The trials of a strategy in, its rate with one success and one failure out, each with the rules that the wall's boxes carried out in it."""

from collections.abc import Sequence

import msgspec

from crenel.coins import Coins, KeyedCoins, enumerate_trials
from crenel.evade.doubts import doubts_about
from crenel.evade.families import FallenCoins, Family, family_of, retold, said_in
from crenel.evade.rate import MOST_LEAVES, Rate, rate_from, seed_of
from crenel.evade.trial import Trial, Trials
from crenel.net.app.speaker import Experience
from crenel.net.sim.trials import AFTERGLOW, Simulated
from crenel.wall.walk import Told

_LOOKED_AT = 200
"""Sampled trials among which one of each kind is looked for (bench)."""


class Way(msgspec.Struct, frozen=True):
    """One way in which a trial went."""

    trial: Trial
    share: float | None
    """How probable just this way is; None where it was sampled."""
    told: tuple[Told, ...]
    """The rules that boxes carried out, in order; none where boxes have no state model."""
    family: Family | None
    """How it came to succeed; None where it failed."""


class Finding(msgspec.Struct, frozen=True):
    """A strategy and what came of its trials."""

    trials: Trials
    rate: Rate
    success: Way | None
    """The likeliest success that was more than luck, else the likeliest one; None where there is none."""
    failure: Way | None
    """The likeliest failure; None where there is none."""
    plain: Experience
    """What a client goes through that does nothing special, and meets no luck."""
    doubts: tuple[str, ...]
    """What in the strategy can never have an effect."""

    @property
    def idle(self) -> bool:
        """Is there a strategy, and did it never do anything? Then the trials tested nothing."""
        prepared = self.trials.prepared
        return prepared is not None and bool(prepared.outbound or prepared.inbound) and not self.rate.fired


def go_through(trials: Trials, cap: int = MOST_LEAVES) -> Finding | None:
    """Go through all ways in which the coins can fall; None where these are more than `cap`."""
    narrow = trials.narrowed()
    found = enumerate_trials(narrow.run, cap=cap)
    if not found.complete:
        return None
    ways = [(leaf.probability, FallenCoins(leaf.path), leaf.result) for leaf in sorted(found.leaves, key=lambda leaf: -leaf.probability)]
    return _tested(narrow, rate_from(found), ways)


def examined(trials: Trials, rate: Rate) -> Finding:
    """Return a sampled rate with examples from the first trials of the same seed."""
    seed = seed_of(trials.wall)
    ways: list[tuple[float | None, Coins, Trial]] = []
    for number in range(min(_LOOKED_AT, max(rate.trials, 1))):
        coins = KeyedCoins(seed, number)
        ways.append((None, coins, trials.run(coins)))
        if {True, False} <= {trial.success for _, _, trial in ways}:
            break
    return _tested(trials, rate, ways)


def _tested(trials: Trials, rate: Rate, ways: Sequence[tuple[float | None, Coins, Trial]]) -> Finding:
    plain = msgspec.structs.replace(trials, prepared=None).run(FallenCoins(())).exchange
    said = said_in(plain)
    success: Way | None = None
    failure: Way | None = None
    for share, coins, trial in ways:
        if not trial.success and failure is None:
            failure = Way(_whole(trials, trial, coins), share, tuple(retold(trial.exchange, trials.route, coins)), None)
        if trial.success and (success is None or success.family == "luck"):
            told = retold(trial.exchange, trials.route, coins)
            family = family_of(trial.exchange, told, said)
            if success is None or family != "luck":
                success = Way(_whole(trials, trial, coins), share, tuple(told), family)
    doubts = tuple(doubts_about(trials.prepared.strategy)) if trials.prepared is not None else ()
    return Finding(trials, rate, success, failure, plain.experience, doubts)


def _whole(trials: Trials, trial: Trial, coins: Coins) -> Trial:
    """Return the same trial with what still arrives once the client is done, where the ground can repeat it."""
    if not isinstance(trials.ground, Simulated):
        return trial
    return msgspec.structs.replace(trials, ground=msgspec.structs.replace(trials.ground, afterglow=AFTERGLOW)).run(coins)
