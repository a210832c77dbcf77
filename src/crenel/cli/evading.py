"""The work of `crenel evade`: strategies, walls and options in, rates and reasons on standard output and an exit status out."""

import contextlib
import sys
from collections.abc import Iterator, Sequence
from typing import NamedTuple, cast

import msgspec

from crenel import __version__
from crenel.atlas.compile import About, load_wall
from crenel.atlas.strategies import library, named
from crenel.atlas.strategy import Named
from crenel.cli.evade_trials import Sampling, sample_apart
from crenel.cli.options import Judging
from crenel.cli.progress import Bar
from crenel.cli.screen import Screen
from crenel.cli.status import Status
from crenel.errors import CrenelError, LabError, StrategyError, UsageError
from crenel.evade.experiment import PROTOCOLS
from crenel.evade.parse import DnaError, parse
from crenel.evade.rate import begin, summed, trials_of
from crenel.evade.table import table
from crenel.evade.tested import Finding, examined, go_through
from crenel.evade.trial import Side
from crenel.net.ground import Ground
from crenel.report.citing import known_sources
from crenel.report.matrix import Cell, matrix_lines
from crenel.report.result import Asked, try_head
from crenel.report.strategies import list_lines, list_record, table_lines, table_record
from crenel.report.tested import finding_lines, strategy_report
from crenel.wall.wall import Wall

SAMPLED = 2000
"""Trials that are sampled where the coins can fall in too many ways (bench)."""
KERNEL_SAMPLED = 200
"""Trials that are sampled on the kernel where no number is asked for (bench)."""


class Asking(NamedTuple):
    """What `crenel evade test` is asked for beside what all that judge are asked."""

    strategies: tuple[str, ...]
    protocol: str | None
    side: str | None
    name: str | None
    against: tuple[str, ...]
    sample: int | None
    workers: int
    strict: bool
    ground: str
    report: str | None = None


class Question(NamedTuple):
    """One strategy, ready to be tested."""

    given: str
    """As the user wrote it."""
    entry: Named | None
    """Its entry in the library, where it has one."""
    dna: str
    side: Side
    protocol: str
    name: str | None


def list_strategies(output: str) -> None:
    """Write the strategies that have names."""
    known = library()
    if output == "table":
        screen = Screen()
        screen.write(list_lines(known, screen.width))
        return
    _write({"crenel": __version__}, "strategies", [list_record(entry, known) for entry in known.strategy], output)


def print_table(output: str) -> None:
    """Write published rates beside reproduced ones."""
    cells = table(library(), lambda wall, as_of, vantage: load_wall(wall, as_of, vantage=vantage))
    if output == "table":
        screen = Screen()
        screen.write(table_lines(cells, library(), screen.width))
        return
    _write({"crenel": __version__}, "cells", [table_record(cell) for cell in cells], output)


def try_strategies(asking: Asking, judging: Judging, output: str) -> int:
    """Test strategies, write what came of it and return the exit status.

    Raises:
        CrenelError: an option is wrong, a strategy cannot be read, or there is nothing to evade.
    """
    if judging.inside:
        message = "--inside is for captures; here the client stands where --vantage puts it"
        raise UsageError(message)
    if asking.protocol is not None and asking.protocol not in PROTOCOLS:
        message = f"--protocol {asking.protocol}: there is {', '.join(PROTOCOLS)}"
        raise UsageError(message)
    questions = [_question(given, asking) for given in asking.strategies]
    judgings = _walls(asking, judging)
    if asking.against or len(questions) > 1:
        if asking.report is not None:
            message = "--report is for one strategy against one wall; of a table --format json keeps everything"
            raise UsageError(message)
        return _matrix(questions, judgings, asking, output)
    wall = judgings[0].load()
    found = _test(questions[0], wall, _resolved(judgings[0], wall), asking)
    report = strategy_report(found, questions[0].given, questions[0].entry, asking.ground)
    if output == "table":
        screen = Screen()
        screen.write(finding_lines(found, _shown(questions[0], wall, asking), known_sources(judgings[0].name()), screen.width))
    else:
        head = msgspec.to_builtins(try_head(wall, Asked(__version__, (), judging.tolerate)))
        _write(head, "tests", [msgspec.to_builtins(report)], output)
    if asking.report is not None:
        _report(found, questions[0], _resolved(judgings[0], wall), asking, asking.report)
    return Status.SAFE


def _report(found: Finding, question: Question, judging: Judging, asking: Asking, path: str) -> None:
    """Write what came of a test as a page."""
    from crenel.cli.again import command_again
    from crenel.cli.whole import write_whole
    from crenel.report.html_evade import evade_html

    sys.stdout.flush()
    options = [
        ("--protocol", asking.protocol), ("--side", asking.side), ("--name", asking.name), ("--sample", asking.sample),
        ("--strict", asking.strict or None), ("--on", None if asking.ground == "sim" else asking.ground),
    ]  # fmt: skip
    again = command_again("evade test", [question.given], options, judging).replace("'evade test'", "evade test")
    given = _shown(question, found.trials.wall, asking)
    html = evade_html(found, given, known_sources(judging.name()), again, __version__)
    write_whole("--report", path, (html.encode("utf-8", "backslashreplace"),))


def _question(given: str, asking: Asking) -> Question:
    """Return a strategy by its name or as it is; raises StrategyError, with the place of the mistake shown under it."""
    entry = None if not given.strip() or set(given) & set("[]\\|") else named(given)
    dna = given if entry is None else entry.dna
    try:
        parse(dna, strict=asking.strict)
    except DnaError as error:
        message = f"{error}\n  {dna}\n  {' ' * (error.column - 1)}^"
        raise StrategyError(message) from error
    side = asking.side or (entry.side if entry is not None else "client")
    protocol = asking.protocol or (entry.protocols[0] if entry is not None else "http")
    name = asking.name
    if name is None and entry is not None:
        name = next((cell.name for cell in entry.cell if cell.protocol == protocol and cell.name is not None), None)
    return Question(given, entry, dna, cast("Side", side), protocol, name)


def _walls(asking: Asking, judging: Judging) -> list[Judging]:
    """Return one set of options for each wall and date."""
    if not asking.against:
        return [judging]
    found = []
    for text in asking.against:
        wall, at, date = text.partition("@")
        if not wall or (at and not date):
            message = f"--against {text!r}: write WALL or WALL@DATE"
            raise UsageError(message)
        found.append(judging._replace(wall=wall, as_of=date or judging.as_of))
    return found


def _resolved(judging: Judging, wall: Wall) -> Judging:
    return judging._replace(as_of=cast("About", wall.about).as_of)


def _test(question: Question, wall: Wall, judging: Judging, asking: Asking) -> Finding:
    """Go through all ways of a strategy's trials, or sample them."""
    with _ground(wall, asking) as ground:
        trials = trials_of(question.dna, wall, question.protocol, question.side, name=question.name, strict=asking.strict, ground=ground)
        if asking.sample is None and ground is None:
            exact = go_through(trials)
            if exact is not None:
                return exact
        number = asking.sample or (SAMPLED if ground is None else KERNEL_SAMPLED)
        trials = trials.narrowed()
        sampling = Sampling(question.dna, question.protocol, question.side, question.name)
        bar = Bar(("-",))
        workers = asking.workers if ground is None else 1
        try:
            results = sample_apart(trials, judging, sampling, number, workers=workers, tick=bar.tick)
        finally:
            bar.hide()
        return examined(trials, summed(results))


@contextlib.contextmanager
def _ground(wall: Wall, asking: Asking) -> Iterator[Ground | None]:
    """Give the kernel as ground where it was asked for, None for the simulated one."""
    if asking.ground == "sim":
        yield None
        return
    try:
        from crenel.net.lab.kernel import Kernel
    except ImportError as error:
        message = "--on kernel: this system has no TUN devices, so trials can run with --on sim only"
        raise LabError(message) from error
    with Kernel(begin(wall)) as kernel:
        yield kernel


def _matrix(questions: Sequence[Question], judgings: Sequence[Judging], asking: Asking, output: str) -> int:
    """Test every strategy against every wall, and write a table."""
    walls = [judging.load() for judging in judgings]
    rows = [[_cell(question, wall, judging, asking) for wall, judging in zip(walls, judgings, strict=True)] for question in questions]
    if output == "table":
        screen = Screen()
        heads = [f"{cast('About', wall.about).name}@{cast('About', wall.about).as_of}" for wall in walls]
        screen.write(matrix_lines([question.given for question in questions], heads, rows, screen.width))
        return Status.SAFE
    records = [
        {"wall": cast("About", wall.about).name, "as_of": cast("About", wall.about).as_of, "strategy": question.given, **msgspec.to_builtins(cell)}
        for question, row in zip(questions, rows, strict=True)
        for wall, cell in zip(walls, row, strict=True)
    ]
    _write({"crenel": __version__}, "tests", records, output)
    return Status.SAFE


def _cell(question: Question, wall: Wall, judging: Judging, asking: Asking) -> Cell:
    """Test one strategy against one wall; that there is nothing to evade is an answer here."""
    try:
        found = _test(question, wall, _resolved(judging, wall), asking)
    except LabError:
        raise
    except CrenelError as error:
        return Cell(question.protocol, question.side, None, str(error))
    report = strategy_report(found, question.given, question.entry, asking.ground)
    return Cell(question.protocol, question.side, report, report.note)


def _shown(question: Question, wall: Wall, asking: Asking) -> dict[str, str]:
    """Return what is tested, where and when, as labelled lines."""
    about = cast("About", wall.about)
    shown = {"strategy": question.given}
    if question.entry is not None:
        shown |= {"": question.dna, "what": f"{question.entry.says} ({question.entry.origin})"}
    asked = f", asking for {question.name}" if question.name is not None else ""
    shown["tried"] = f"{question.protocol}, at the {question.side}{asked}, on {'simulated hosts' if asking.ground == 'sim' else 'this kernel'}"
    hour = "" if "T" in about.as_of else " at 12:00"
    shown["wall"] = f"{about.title} ({about.name}) as of {about.as_of}{hour}, vantage {about.vantage}, seed {about.seed}"
    given = [f"{key}={value}" for key, value in about.assume.items()] + [f"{name} from {path}" for name, path in about.lists.items()]
    if given or about.listed:
        shown["given"] = ", ".join([*given, *(f"{name} taken as listed" for name in about.listed)])
    return shown


def _write(head: dict[str, object], name: str, records: Sequence[object], output: str) -> None:
    """Write records as one object that has them under a name, or as a line for each."""
    out = sys.stdout.buffer
    if output == "json":
        out.write(msgspec.json.encode({**head, name: records}) + b"\n")
        return
    for record in records:
        out.write(msgspec.json.encode(record) + b"\n")
