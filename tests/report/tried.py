"""Targets, a day and a seed in, exchanges as they are told of out; as a program it takes new snapshots: python -m tests.report.tried ."""

from collections.abc import Callable, Sequence
from pathlib import Path

import crenel
from crenel.cli.trials import Steps, carry_out, count_blocked
from crenel.net.app.target import Target, read_target
from crenel.net.exchange import Exchange
from crenel.net.sim.tries import payload_target
from crenel.report.account import Desk, Tried, accounts
from crenel.report.citing import known_sources
from crenel.report.compare import compared
from crenel.report.exchange import exchange_report, wilson
from crenel.report.layout import Line, plain
from crenel.report.table import about_of
from crenel.wall.wall import Wall

FOLDER = Path(__file__).parent / "accounts"
DAY = "2025-01-15"
NOISE = bytes((value * 73 + 41) % 256 for value in range(200))


def wall_of(day: str = DAY, seed: int = 0, **given: object) -> Wall:
    """Return the shipped wall."""
    return crenel.load_wall("gfw", day, seed=seed, **given)  # type: ignore[arg-type]


def carried(wall: Wall, *targets: str | Target, after: float = 10.0, trials: int = 1) -> list[Tried]:
    """Carry out exchanges one after the other, and return them as they are told of."""
    steps = Steps(tuple(read_target(one) if isinstance(one, str) else one for one in targets), after)
    exchanges = carry_out(wall, steps, 0)
    rates = [wilson(count, trials) for count in count_blocked(wall, steps, range(trials))] if trials > 1 else [None] * len(exchanges)
    return [
        Tried(exchange, exchange_report(exchange, target, rate), target, after if number else None)
        for number, (exchange, target, rate) in enumerate(zip(exchanges, steps.targets, rates, strict=True))
    ]


def exchange_of(target: str | Target, wall: Wall) -> Exchange:
    """Carry out one exchange."""
    return carried(wall, target)[0].exchange


def told(tried: Sequence[Tried], width: int | None = 80) -> list[str]:
    """Return the account of exchanges as lines of text."""
    about = about_of(tried[0].exchange.wall)
    return texts(accounts(tried, about, desk(width)))


def told_beside(dates: Sequence[Sequence[Tried]], width: int | None = 80) -> list[str]:
    """Return the comparison of several dates as lines of text."""
    return texts(compared(dates, desk(width)))


def desk(width: int | None) -> Desk:
    """Return what accounts are written with."""
    return Desk(known_sources("gfw"), width)


def texts(lines: Sequence[Line]) -> list[str]:
    """Return lines without their tones."""
    return [plain(line) for line in lines]


def _noise(seed: int) -> list[Tried]:
    return carried(wall_of("2022-06-01", seed), payload_target(NOISE, "tcp", 8388))


SNAPSHOTS: dict[str, Callable[[], list[str]]] = {
    "https-blocked": lambda: told(carried(wall_of(), "https://blocked.example/")),
    "https-blocked-wide": lambda: told(carried(wall_of(), "https://blocked.example/"), 120),
    "https-passed": lambda: told(carried(wall_of(), "https://allowed.example/")),
    "https-unlisted": lambda: told(carried(wall_of(), "https://www.some-site.org/")),
    "dns-poisoned": lambda: told(carried(wall_of(), "blocked.example")),
    "http-keyword": lambda: told(carried(wall_of(), "http://allowed.example/?q=ultrasurf")),
    "noise-dropped": lambda: told(_noise(2)),
    "noise-passed": lambda: told(_noise(0)),
    "then-residual": lambda: told(carried(wall_of(), "https://blocked.example/", "https://allowed.example/")),
    "then-too-late": lambda: told(carried(wall_of(), "https://blocked.example/", "https://allowed.example/", after=181.0)),
    "compare": lambda: told_beside([carried(wall_of(day), "https://blocked.example/") for day in (DAY, "2022-06-01")]),
    "compare-wide": lambda: told_beside([carried(wall_of(day), "https://blocked.example/") for day in (DAY, "2022-06-01")], 170),
    "repeat": lambda: told(carried(wall_of(), "dns-tcp://blocked.example", trials=200)),
}
"""What is kept of the whole output, each with how it comes about."""


def main() -> None:
    """Write all snapshots anew."""
    FOLDER.mkdir(exist_ok=True)
    for name, make in SNAPSHOTS.items():
        (FOLDER / f"{name}.txt").write_text("\n".join(make()) + "\n", "utf-8")


if __name__ == "__main__":
    main()
