"""Every strategy of the library on simulated hosts and on this machine's kernel: the same exchanges end alike, or the exception is listed."""

import json
from collections.abc import Iterator, Mapping

import msgspec
import pytest

from crenel.atlas.compile import load_wall
from crenel.atlas.strategies import library
from crenel.coins import Coins, KeyedCoins, ScriptedCoins
from crenel.errors import StrategyError
from crenel.evade.rate import begin, trials_of
from crenel.evade.trial import Side, Trials
from crenel.net.exchange import Exchange
from crenel.net.lab.doctor import examine
from crenel.net.lab.kernel import Kernel
from crenel.wall.wall import Wall
from tests.data import DATA
from tests.evade.parting import EXCEPTIONS

MISSING = examine().missing
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"no kernel trials on this machine: {MISSING}")

DATES = {
    "http": ("2019-01-15", "2020-01-15"), "https": ("2020-01-15",), "dns-tcp": ("2020-01-15",), "dns": ("2020-01-15",), "ftp": ("2020-01-15",),
    "smtp": ("2020-01-15",), "quic": ("2025-01-15",),
}  # fmt: skip
"""For each protocol the dates at which a wall of the time is asked."""
COINS: Mapping[str, Coins] = {
    "every box acts": ScriptedCoins({"path/insertion-loss": False}),
    "no box acts": ScriptedCoins(otherwise=False),
    "boxes act and do not go astray": ScriptedCoins({"act": True}, otherwise=False),
    "some act": KeyedCoins(3),
}
EMPTY = "no wall"
FEW = 0.05
"""The share of exchanges in which the grounds may part."""

Case = tuple[str, str, str, str]
"""Strategy, protocol, date and coins."""
Endings = dict[Case, tuple[str, str]]
"""How an exchange ends for its client on simulated hosts, and on the kernel."""


def without(trials: Trials) -> Trials:
    """Return the same trials with nothing between the ends that looks at them."""
    empty = trials.wall.alone()
    return msgspec.structs.replace(trials, wall=empty, route=msgspec.structs.replace(trials.route, walls=(empty,)))


def today(trials: Trials) -> Trials:
    """Return the same trials between hosts like this kernel, whatever the kernels of the vantage's time did."""
    return msgspec.structs.replace(trials, route=msgspec.structs.replace(trials.route, timestamps=True, checks_options=True))


def cases(walls: Mapping[str, Wall], dna: str, side: Side, protocol: str) -> Iterator[tuple[str, str, Trials, Coins]]:
    """Yield date, coins by name, trials and coins."""
    for date in DATES[protocol]:
        trials = today(trials_of(dna, walls[date], protocol, side))
        for name, coins in COINS.items():
            yield date, name, trials, coins
        if date == DATES[protocol][-1]:
            yield date, EMPTY, without(trials), ScriptedCoins(otherwise=False)


@pytest.fixture(scope="module")
def walls() -> dict[str, Wall]:
    return {date: load_wall("gfw", as_of=date) for date in sorted({date for dates in DATES.values() for date in dates})}


@pytest.fixture(scope="module")
def kernels(walls: dict[str, Wall]) -> Iterator[dict[str, Kernel]]:
    """Return a kernel for each date, because trials begin at noon."""
    kernels = {date: Kernel(begin(wall), afterglow=0) for date, wall in walls.items()}
    try:
        yield {date: kernel.__enter__() for date, kernel in kernels.items()}
    finally:
        for kernel in kernels.values():
            kernel.__exit__()


def compared(walls: dict[str, Wall], kernels: dict[str, Kernel], strategies: list[tuple[str, str, Side, tuple[str, ...]]]) -> Endings:
    found: Endings = {}
    for name, dna, side, protocols in strategies:
        for protocol in protocols:
            for date, coins_name, trials, coins in cases(walls, dna, side, protocol):
                made = trials.run(coins).exchange
                real = msgspec.structs.replace(trials, ground=kernels[date]).run(coins).exchange
                found[name, protocol, date, coins_name] = ending(made), ending(real)
    return found


def ending(exchange: Exchange) -> str:
    """Return how an exchange ended for its client, and whom it believed."""
    by = exchange.answers[0].forged_by if exchange.answers else None
    return f"{exchange.experience.ending}, answered by {by}" if by else exchange.experience.ending


@pytest.fixture(scope="module")
def endings(walls: dict[str, Wall], kernels: dict[str, Kernel]) -> Endings:
    return compared(walls, kernels, [(one.name, one.dna, one.side, tuple(one.protocols)) for one in library().strategy])


def test_both_grounds_end_alike_with_every_strategy_of_the_library(endings: Endings) -> None:
    parted = {case: both for case, both in endings.items() if both[0] != both[1]}
    unlisted = {case: both for case, both in parted.items() if case[0] not in EXCEPTIONS}
    assert not unlisted, "\n".join(f"{', '.join(case)}: simulated {made}, kernel {real}" for case, (made, real) in unlisted.items())
    assert len(parted) <= FEW * len(endings)


def test_every_exception_still_parts(endings: Endings) -> None:
    parted = {case[0] for case, (made, real) in endings.items() if made != real}
    assert not set(EXCEPTIONS) - parted
    assert all(all(parting) for parting in EXCEPTIONS.values())


def test_the_comparison_sees_all_kinds_of_endings_at_both_ends(endings: Endings) -> None:
    """Otherwise it would compare little."""
    sides = {one.name: one.side for one in library().strategy}
    for side in ("client", "server"):
        seen = {made for case, (made, _) in endings.items() if sides[case[0]] == side}
        assert {"answered", "reset"} <= seen
    assert {"timed out"} <= {made for made, _ in endings.values()}
    assert {case[1] for case in endings} == set(DATES)


def test_both_grounds_end_alike_with_strategies_for_laboratory_censors(walls: dict[str, Wall], kernels: dict[str, Kernel]) -> None:
    """They are not in the library, because they beat no wall that was measured."""
    place = DATA.parent / "facts" / "geneva-strategies.json"
    if not place.exists():
        pytest.skip("published strategies absent: facts/geneva-strategies.json beside the test data")
    known = {one.dna for one in library().strategy}
    others = [one for one in json.loads(place.read_text("utf-8"))["strategies"] if one["dna"] not in known]
    assert others
    found = compared(walls, kernels, [(one["id"], one["dna"], one["side"], ("http",)) for one in others])
    parted = {case: both for case, both in found.items() if both[0] != both[1]}
    assert len(parted) <= FEW * len(found), parted


@pytest.mark.parametrize("name", ["rst-badsum-late", "server-load-rst"])
def test_with_the_same_seeds_each_trial_ends_alike(walls: dict[str, Wall], kernels: dict[str, Kernel], name: str) -> None:
    (entry,) = [one for one in library().strategy if one.name == name]
    trials = trials_of(entry.dna, walls["2020-01-15"], "http", entry.side)
    real = msgspec.structs.replace(trials, ground=kernels["2020-01-15"])
    both = [(trials.run(KeyedCoins(1, number)).exchange, real.run(KeyedCoins(1, number)).exchange) for number in range(60)]
    assert [ending(made) for made, _ in both] == [ending(real) for _, real in both]
    assert len({ending(made) for made, _ in both}) > 1


def test_nothing_to_evade_is_the_same_error_on_either_ground(walls: dict[str, Wall], kernels: dict[str, Kernel]) -> None:
    with pytest.raises(StrategyError, match="nothing to evade"):
        trials_of("", walls["2020-01-15"], "quic", ground=kernels["2020-01-15"])
