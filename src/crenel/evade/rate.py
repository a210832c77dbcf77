"""A strategy, a wall and a protocol in, how often it works and which coins decide that out: exact where it can be, sampled elsewhere."""

import math
import re
from collections.abc import Sequence

import msgspec

from crenel.coins import Enumeration, Fall, KeyedCoins, enumerate_trials
from crenel.evade.apply import Prepared, prepare
from crenel.evade.corrupt import Loads
from crenel.evade.experiment import experiment_on
from crenel.evade.parse import parse
from crenel.evade.trial import Side, Trial, Trials
from crenel.instant import Instant
from crenel.net.ground import Ground
from crenel.net.odds import interval_of
from crenel.net.sim.trials import Simulated
from crenel.net.sim.tries import route_to
from crenel.wall.wall import Wall

MOST_LEAVES = 4096
"""Ways in which the coins of a trial may fall that are gone through; beyond it trials are sampled (bench)."""
_SAMPLED = 2000
"""Trials that are sampled where there are more ways than that (bench)."""
_LEAST = 1e-9
_NAME = re.compile(r"[A-Za-z0-9]+([-_][A-Za-z0-9]+)*")
"""What no strategy can look like."""


class Coin(msgspec.Struct, frozen=True):
    """A coin, and what it decides."""

    name: str
    """Who tosses, and what for: `path/strict-server`."""
    p: float
    """Probability of its first side."""
    if_so: float
    """Rate of success where it falls on its first side."""
    if_not: float
    """The same where it does not."""


class Rate(msgspec.Struct, frozen=True):
    """How often something succeeds."""

    value: float
    exact: bool
    """Over all ways in which the coins can fall; otherwise from a sample."""
    interval: tuple[float, float]
    """Of 95 % confidence where it was sampled; otherwise the value twice."""
    coins: tuple[Coin, ...]
    """The coins that decide it, the most telling first; none where it was sampled."""
    held: tuple[str, ...]
    """The draws that were held at their median."""
    trials: int
    """How many were carried out."""
    fired: float
    """In which part of them the strategy did anything."""
    endings: dict[str, float]
    """Part of the trials with each ending, as the client went through it."""


def rate(
    dna: str, wall: Wall, protocol: str = "http", side: Side = "client", *, name: str | None = None, vantage: str | None = None,
    loads: Loads = Loads.LETTERS,
) -> Rate:
    """Return how often a strategy gets a client its answer through a wall, over all outcomes of the coins.

    Args:
        dna: a strategy, or the name of one of the library; empty for none.
        wall: from `load_wall`; where its date is bare it is noon.
        protocol: `http`, `https`, `dns-tcp`, `dns`, `ftp`, `smtp` or `quic`; the client asks for what the wall stops.
        side: at which end the strategy works.
        name: what the client asks for, if not the example that stands on every list.
        vantage: another vantage than the wall's, by name or path.
        loads: what stands for a corrupted payload.

    Raises:
        ProfileError: there is no such vantage.
        StrategyError: the strategy cannot be read, or there is nothing to evade.
    """
    return rate_of(trials_of(dna, wall, protocol, side, name=name, vantage=vantage, loads=loads))


def sample(
    dna: str, wall: Wall, protocol: str = "http", side: Side = "client", *, trials: int = 400, name: str | None = None,
    vantage: str | None = None, loads: Loads = Loads.LETTERS,
) -> Rate:
    """Return how often a strategy gets a client its answer in a number of trials, with the wall's seed; otherwise as `rate`."""
    return sample_of(trials_of(dna, wall, protocol, side, name=name, vantage=vantage, loads=loads), range(trials), seed_of(wall))


def trials_of(
    dna: str, wall: Wall, protocol: str = "http", side: Side = "client", *, name: str | None = None, vantage: str | None = None,
    loads: Loads = Loads.LETTERS, strict: bool = False, ground: Ground | None = None,
) -> Trials:
    """Return the trials of a strategy against a wall; `strict` takes only what Geneva would accept. Raises as `rate` does."""
    prepared = ready(text_of(dna, wall), loads, strict=strict)
    wall = wall.seen_from(vantage)
    route = route_to(wall)
    return Trials(prepared, side, experiment_on(wall, route, protocol, name), wall, route, ground or Simulated(begin(wall), afterglow=0))


def text_of(given: str, wall: Wall) -> str:
    """Return the text of a strategy that was given as such, or by its name in the library of the atlas that a wall comes from.

    Raises:
        StrategyError: no strategy has that name.
    """
    known = getattr(wall.about, "strategy", None)
    return str(known(given)) if known is not None and _NAME.fullmatch(given) else given


def ready(dna: str, loads: Loads = Loads.LETTERS, *, strict: bool = False) -> Prepared | None:
    """Return a strategy made ready, None for none; raises StrategyError where it cannot be read."""
    return prepare(parse(dna, strict=strict), loads) if dna.strip() else None


def begin(wall: Wall) -> Instant:
    """Return the moment at which trials begin."""
    return Instant(getattr(wall.about, "noon", 0))


def seed_of(wall: Wall) -> int:
    """Return the seed that a wall was loaded with."""
    return int(getattr(wall.about, "seed", 0))


def rate_of(trials: Trials, cap: int = MOST_LEAVES) -> Rate:
    """Return the exact rate of trials, or one from a sample where their coins can fall in too many ways."""
    found = enumerate_trials(trials.narrowed().run, cap=cap)
    if not found.complete:
        sampled = sample_of(trials, range(_SAMPLED), seed_of(trials.wall))
        return msgspec.structs.replace(sampled, held=found.held)
    return rate_from(found)


def rate_from(found: Enumeration[Trial]) -> Rate:
    """Return the exact rate of trials of which all ways were gone through."""
    value = _plain(found.chance(lambda trial: trial.success))
    fired = _plain(found.chance(lambda trial: trial.fired))
    endings: dict[str, float] = {}
    for leaf in found.leaves:
        ending = leaf.result.exchange.experience.ending
        endings[ending] = endings.get(ending, 0.0) + leaf.probability
    return Rate(value, True, (value, value), _deciding(found), found.held, len(found.leaves), fired, {name: _plain(p) for name, p in endings.items()})


def sample_of(trials: Trials, numbers: Sequence[int], seed: int) -> Rate:
    """Return the rate of trials with these numbers."""
    return summed(results_of(trials, numbers, seed))


def results_of(trials: Trials, numbers: Sequence[int], seed: int) -> list[tuple[bool, bool, str]]:
    """Carry out the trials with these numbers; tell of each whether it was a success, whether the strategy did anything, and how it ended."""
    few = trials.narrowed()
    ran = (few.run(KeyedCoins(seed, number)) for number in numbers)
    return [(trial.success, trial.fired, trial.exchange.experience.ending) for trial in ran]


def summed(results: Sequence[tuple[bool, bool, str]]) -> Rate:
    """Return the rate of sampled trials, each told as success, whether the strategy did anything, and the ending."""
    count = len(results)
    successes = sum(success for success, _, _ in results)
    endings: dict[str, float] = {}
    for _, _, ending in results:
        endings[ending] = endings.get(ending, 0.0) + 1 / count
    return Rate(successes / count, False, interval_of(successes, count), (), (), count, sum(fired for _, fired, _ in results) / count, endings)


def _deciding(found: Enumeration[Trial]) -> tuple[Coin, ...]:
    """Return the coins on which success depends; what is given is the other coins as they may fall."""
    coins: list[Coin] = []
    for name, p in found.coins:
        rates = []
        for wanted in (True, False):
            leaves = [leaf for leaf in found.leaves if any(fall.label == name and _is_first(fall) == wanted for fall in leaf.path)]
            weight = math.fsum(leaf.probability for leaf in leaves)
            good = math.fsum(leaf.probability for leaf in leaves if leaf.result.success)
            rates.append(good / weight if weight else 0.0)
        if abs(rates[0] - rates[1]) > _LEAST:
            coins.append(Coin(name, p, _plain(rates[0]), _plain(rates[1])))
    return tuple(sorted(coins, key=lambda coin: -abs(coin.if_so - coin.if_not) * min(coin.p, 1 - coin.p)))


def _is_first(fall: Fall) -> bool:
    """Say whether a coin fell on its first side: a toss on True, a pick on 0."""
    return fall.outcome if isinstance(fall.outcome, bool) else not fall.outcome


def _plain(chance: float) -> float:
    """Take the noise of floating point from a probability."""
    return round(chance, 12) or 0.0


