"""The work of `crenel evade search`: options in, strategies found on standard output and perhaps a state file, and an exit status out."""

import contextlib
import difflib
import multiprocessing
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple, cast

import msgspec

from crenel.atlas.compile import About
from crenel.atlas.strategies import library
from crenel.cli.options import Judging
from crenel.cli.progress import Bar
from crenel.cli.status import Status, say
from crenel.errors import UsageError
from crenel.evade.parse import DnaError, parse
from crenel.evade.rate import rate_of, ready, trials_of
from crenel.evade.search import GENERATIONS, POPULATION, Plan, Search, Snapshot, shorten
from crenel.evade.search_judge import Judge, Judged
from crenel.evade.trial import Side, Trials
from crenel.report.found import DecidingCoin, FoundStrategy, Like, SearchResult, search_lines
from crenel.report.text import safe_path
from crenel.wall.wall import Wall

CHUNK = 20
"""Strategies that a process takes at once (bench)."""


class Seeking(NamedTuple):
    """What `crenel evade search` is asked for beside what all that judge are asked."""

    protocol: str
    side: str
    generations: int | None
    population: int | None
    seconds: float | None
    extended: bool
    resume: str | None
    workers: int | None


Jury = Callable[[Sequence[str]], Iterator[Judged]]


def search_for(seeking: Seeking, judging: Judging, output: str) -> int:
    """Search, write what was found and return the exit status.

    Raises:
        CrenelError: an option is wrong, or a file that it names, or there is nothing to evade.
    """
    wall = judging.load()
    judging = judging._replace(as_of=cast("About", wall.about).as_of)
    trials = _trials(wall, judging, seeking)
    judge = Judge(trials)
    plan = Plan(judging.seed, seeking.population or POPULATION, _about(seeking, judging))
    search = Search(plan, judge.alphabet(extended=seeking.extended), _snapshot(seeking.resume))
    interrupted = not _run(search, judge, seeking, judging)
    result = _result(search, judge, trials, judging, seeking, interrupted=interrupted)
    if output == "json":
        sys.stdout.buffer.write(msgspec.json.encode(result) + b"\n")
    else:
        from crenel.cli.screen import Screen

        screen = Screen()
        screen.write(search_lines(result, screen.width))
    if interrupted:
        say(f"interrupted in generation {search.generation + 1}" + (f"; {safe_path(seeking.resume)} goes on from there" if seeking.resume else ""))
    return Status.INTERRUPTED if interrupted else Status.SAFE


def _trials(wall: Wall, judging: Judging, seeking: Seeking) -> Trials:
    return trials_of("", wall, seeking.protocol, cast("Side", seeking.side), vantage=judging.vantage)


def _about(seeking: Seeking, judging: Judging) -> tuple[str, ...]:
    """Return what the result of a search depends on, beside seed and population."""
    given = [*map("=".join, sorted(judging.assume.items())), *map("=".join, sorted(judging.lists.items())), *judging.listed]
    return (
        judging.name(), str(judging.as_of), seeking.protocol, seeking.side, judging.vantage or "its own vantage",
        "all actions" if seeking.extended else "Geneva's actions", *given,
    )  # fmt: skip


def _run(search: Search, judge: Judge, seeking: Seeking, judging: Judging) -> bool:
    """Carry the search out; False: it was interrupted."""
    generations = seeking.generations or GENERATIONS
    begun, bar = time.monotonic(), Bar(("-",))
    try:
        with _jury(judge, seeking, judging) as jury:
            while search.generation < generations and (seeking.seconds is None or time.monotonic() - begun < seeking.seconds):
                search.tell(jury(search.ask()))
                _keep(seeking.resume, search)
                bar.tick(search.generation, generations)
            shorten(search, jury)
    except KeyboardInterrupt:
        return False
    finally:
        bar.hide()
    return True


@contextlib.contextmanager
def _jury(judge: Judge, seeking: Seeking, judging: Judging) -> Iterator[Jury]:
    """Give what judges strategies: this process, or several others; what they say is the same."""
    workers = seeking.workers or os.cpu_count() or 1
    if workers == 1:
        yield lambda asked: iter([judge(dna) for dna in asked])
        return
    # Started anew instead of forked: the same on every system, and no copy of open files.
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _prepare, (judging, seeking))

    def spread(asked: Sequence[str]) -> Iterator[Judged]:
        # All of a generation or nothing: an interrupted one leaves no trace in the search.
        return iter(list(pool.map(_judge, asked, chunksize=CHUNK)))

    try:
        yield spread
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for child in multiprocessing.active_children():
            child.terminate()


_state: dict[str, Judge] = {}


def _prepare(judging: Judging, seeking: Seeking) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process is interrupted, and ends the others
    _state["judge"] = Judge(_trials(judging.load(), judging, seeking))


def _judge(dna: str) -> Judged:
    return _state["judge"](dna)


def _snapshot(path: str | None) -> Snapshot | None:
    """Return the state that a file holds; None where there is no such file yet."""
    if path is None:
        return None
    try:
        return msgspec.json.decode(Path(path).read_bytes(), type=Snapshot)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        message = f"--resume {safe_path(path)}: {getattr(error, 'strerror', None) or error}"
        raise UsageError(message) from error


def _keep(path: str | None, search: Search) -> None:
    """Write the state of a search to a file, which is whole at any time."""
    if path is None:
        return
    place = Path(path)
    try:
        handle, name = tempfile.mkstemp(prefix=f".{place.name[:100]}-", dir=place.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(msgspec.json.encode(search.snapshot()))
            Path(name).replace(place)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise
    except (OSError, ValueError) as error:
        message = f"--resume {safe_path(path)}: {getattr(error, 'strerror', None) or error}"
        raise UsageError(message) from error


def _result(search: Search, judge: Judge, trials: Trials, judging: Judging, seeking: Seeking, *, interrupted: bool) -> SearchResult:
    found = []
    published = _published(judge, seeking) if search.best() else []
    for family, one in search.best().items():
        rate = rate_of(msgspec.structs.replace(trials, prepared=ready(one.dna)))
        coins = tuple(DecidingCoin(coin.name, coin.p, coin.if_so, coin.if_not) for coin in rate.coins)
        found.append(
            FoundStrategy(family, one.dna, one.size, rate.value, rate.exact, rate.interval, coins, one.rows, _like(one, published))
        )
    return SearchResult(
        judging.name(), judging.as_of, seeking.protocol, seeking.side, judging.seed, search.generation, search.tried, len(search.fittest),
        interrupted, rate_of(trials).value, tuple(found),
    )  # fmt: skip


def _published(judge: Judge, seeking: Seeking) -> list[tuple[str, Judged]]:
    """Return the published strategies for this side and protocol with what they are worth here."""
    known = []
    for entry in library().strategy:
        if entry.side == seeking.side and seeking.protocol in entry.protocols:
            # Where only Geneva's actions are drawn, only what consists of them is compared.
            with contextlib.suppress(DnaError):
                known.append((entry.name, judge(str(parse(entry.dna, strict=not seeking.extended)).strip())))
    return known


def _like(one: Judged, published: Sequence[tuple[str, Judged]]) -> Like | None:
    """Return the published strategy that is most like one that was found, by what the boxes did and then by its text."""
    family = [(name, known) for name, known in published if known.family == one.family]
    rules = [(name, known) for name, known in family if known.rows == one.rows]
    same = [name for name, known in rules if known.dna == one.dna]
    if same:
        return Like(same[0], "strategy")
    near = rules or family
    if not near:
        return None
    name, _ = max(near, key=lambda pair: (difflib.SequenceMatcher(None, pair[1].dna, one.dna, autojunk=False).ratio(), pair[0]))
    return Like(name, "rules" if rules else "family")
