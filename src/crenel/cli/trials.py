"""Targets and a number of repetitions in, how often each exchange was blocked out; the same whatever the number of processes."""

import contextlib
import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple

from crenel.cli.options import Judging
from crenel.net.app.target import Target
from crenel.net.exchange import Exchange
from crenel.net.sim.tries import Session
from crenel.wall.wall import Wall

CHUNK = 250
"""Repetitions that a process takes at once."""
SPREAD_FROM = 2_000
"""From so many exchanges on they are spread: fewer take less time than to start a process."""


class Steps(NamedTuple):
    """What one client asks for, one after the other."""

    targets: tuple[Target, ...]
    after: float
    """Seconds between them."""


def carry_out(wall: Wall, steps: Steps, trial: int, tolerate: float = 0.0) -> list[Exchange]:
    """Carry out the exchanges of one trial, from empty memory before the first."""
    session = Session(wall, trial=trial, tolerate=tolerate)
    found = []
    for number, target in enumerate(steps.targets):
        if number:
            session.wait(steps.after)
        found.append(session.try_target(target))
    return found


def count_blocked(wall: Wall, steps: Steps, trials: range) -> tuple[int, ...]:
    """Return for each exchange in how many of these trials it was blocked."""
    counts = [0] * len(steps.targets)
    for trial in trials:
        for number, exchange in enumerate(carry_out(wall, steps, trial)):
            counts[number] += exchange.blocked
    return tuple(counts)


def repeat(
    walls: Sequence[Wall], judgings: Sequence[Judging], steps: Steps, trials: int, *, workers: int, tick: Callable[[int, int], None]
) -> list[tuple[int, ...]]:
    """Return for each wall how often each exchange was blocked.

    Args:
        walls: loaded.
        judgings: what they were loaded from, with their dates resolved, for other processes.
        steps: what is repeated.
        trials: how often.
        workers: most processes at once.
        tick: is told how many of how many exchanges are done.
    """
    chunks = [range(first, min(first + CHUNK, trials)) for first in range(0, trials, CHUNK)]
    size = len(steps.targets)
    work = [(number, chunk) for number in range(len(walls)) for chunk in chunks]
    total, done = trials * len(walls) * size, 0
    counts = [[0] * size for _ in walls]
    with _counting(walls, judgings, steps, workers if total >= SPREAD_FROM else 1) as count:
        for (number, chunk), found in zip(work, count(work), strict=True):
            counts[number] = [one + more for one, more in zip(counts[number], found, strict=True)]
            done += len(chunk) * size
            tick(done, total)
    return [tuple(count) for count in counts]


_Work = list[tuple[int, range]]
_Count = Callable[[_Work], Iterator[tuple[int, ...]]]


@contextlib.contextmanager
def _counting(walls: Sequence[Wall], judgings: Sequence[Judging], steps: Steps, workers: int) -> Iterator[_Count]:
    """Give what counts chunks of work: in this process, or spread over others."""
    if workers == 1:
        yield lambda work: (count_blocked(walls[number], steps, chunk) for number, chunk in work)
        return
    # Started anew instead of forked: the same on every system, and no copy of open files.
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _prepare, (tuple(judgings), steps))
    try:
        yield lambda work: pool.map(_count, work)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for child in multiprocessing.active_children():
            child.terminate()


_state: dict[str, object] = {}


def _prepare(judgings: tuple[Judging, ...], steps: Steps) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # an interrupted worker ends quietly; the first process tells of it
    _state.update(walls=[judging.load() for judging in judgings], steps=steps)


def _count(work: tuple[int, range]) -> tuple[int, ...]:
    walls, steps = _state["walls"], _state["steps"]
    if not isinstance(walls, list) or not isinstance(steps, Steps):
        message = "the process was not prepared"
        raise TypeError(message)
    return count_blocked(walls[work[0]], steps, work[1])
