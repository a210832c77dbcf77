"""The trials of a strategy and a number in, how each went out; the same whatever the number of processes."""

import contextlib
import multiprocessing
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple

from crenel.cli.options import Judging
from crenel.evade.rate import results_of, seed_of, trials_of
from crenel.evade.trial import Side, Trials

CHUNK = 500
"""Trials that a process takes at once."""
SPREAD_FROM = 4_000
"""From so many trials on they are spread: fewer take less time than to start a process."""

Result = tuple[bool, bool, str]
"""Was it a success, did the strategy do anything, how did it end?"""


class Sampling(NamedTuple):
    """What another process needs, beside the wall, to carry out the same trials."""

    dna: str
    protocol: str
    side: Side
    name: str | None


def sample_apart(
    trials: Trials, judging: Judging, sampling: Sampling, number: int, *, workers: int, tick: Callable[[int, int], None] = lambda done, total: None
) -> list[Result]:
    """Carry out trials and return how each went, in their order.

    Args:
        trials: in this process.
        judging: what their wall was loaded from, with its date resolved, for other processes.
        sampling: the rest of what they need.
        number: of trials.
        workers: most processes at once.
        tick: is told how many of how many trials are done.
    """
    chunks = [range(first, min(first + CHUNK, number)) for first in range(0, number, CHUNK)]
    found: list[Result] = []
    done: Iterator[list[Result]]
    with contextlib.ExitStack() as stack:
        if workers == 1 or number < SPREAD_FROM:
            done = (results_of(trials, chunk, seed_of(trials.wall)) for chunk in chunks)
        else:
            done = stack.enter_context(_pool(judging, sampling, min(workers, len(chunks)))).map(_carry_out, chunks)
        for results in done:
            found += results
            tick(len(found), number)
    return found


@contextlib.contextmanager
def _pool(judging: Judging, sampling: Sampling, workers: int) -> Iterator[ProcessPoolExecutor]:
    # Started anew instead of forked: the same on every system, and no copy of open files.
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _prepare, (judging, sampling))
    try:
        yield pool
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for child in multiprocessing.active_children():
            child.terminate()


_state: dict[str, Trials] = {}


def _prepare(judging: Judging, sampling: Sampling) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # an interrupted worker ends quietly; the first process tells of it
    trials = trials_of(sampling.dna, judging.load(), sampling.protocol, sampling.side, name=sampling.name)
    _state["trials"] = trials.narrowed()


def _carry_out(chunk: range) -> list[Result]:
    trials = _state["trials"]
    return results_of(trials, chunk, seed_of(trials.wall))
