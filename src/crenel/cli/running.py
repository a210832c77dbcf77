"""The work of `crenel run`: a command and options in, the command's own output, the account of its flows and an exit status out."""

import contextlib
import errno
import importlib
import os
import shlex
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from crenel import __version__
from crenel.atlas.compile import About
from crenel.cli.options import Judging
from crenel.cli.screen import Screen
from crenel.cli.status import Status, say
from crenel.cli.whole import write_whole
from crenel.errors import UsageError
from crenel.net.lab.internet.scenario import Scenario, load_scenario
from crenel.net.lab.outcome import Outcome
from crenel.net.lab.pace import Pace
from crenel.net.lab.stage import Stage
from crenel.net.trace import trace_capture
from crenel.report.text import safe, safe_path

if TYPE_CHECKING:
    from crenel.report.run import Told

_TIMED_OUT = 124
"""As timeout(1) ends."""
_SIGNALLED = 128
"""A shell adds the number of the signal to it."""


class Running(NamedTuple):
    """What `crenel run` is asked for beside what all that judge are asked."""

    command: tuple[str, ...]
    servers: tuple[str, ...]
    scenario: str | None
    timeout: float | None
    status: str
    pace: str
    everything: bool
    pcap: str | None
    report: str | None


def run_command(running: Running, judging: Judging, output: str) -> int:
    """Run a command in a lab, write what the wall did and return the exit status.

    Args:
        running: what is run.
        judging: the options common to all that judge.
        output: `table`, `json`, `jsonl` or `jsonl-header`.

    Raises:
        CrenelError: an option is wrong, or a file that it names; no lab can be made, or the command cannot be run.
    """
    if judging.inside:
        raise UsageError("--inside is for captures; here the client stands where --vantage puts it")
    for option, path in (("--pcap", running.pcap), ("--report", running.report)):
        if path is not None:
            _check_place(option, path)
    command = running.command or (os.environ.get("SHELL") or "/bin/sh",)
    if not running.command:
        say("a shell behind the wall; leave it to read what the wall did")
    wall = judging.load()
    stage = Stage(wall, pace=Pace(running.pace), tolerate=judging.tolerate, scenario=_scenario(running))
    loading = threading.Thread(target=importlib.import_module, args=("crenel.report.run",), daemon=True)
    loading.start()  # the report is loaded in the time in which packets travel
    with stage:
        for server in running.servers:
            stage.serve(server)
        sys.stdout.flush()
        with _interrupts_left_alone():
            outcome = stage.attach(command, timeout=running.timeout, streams=(0, 1, 2) if output == "table" else (0, 2, 2))
        notes = stage.notes
    loading.join()
    from crenel.report.run import tell_flows

    told = tell_flows(outcome, running.pcap or "")
    if outcome.status is None:
        say(f"{safe(shlex.join(outcome.argv), 80)} had not ended after {running.timeout:g} s, and was ended")
    _write(_Result(outcome, told, notes, stage), running, judging, output)
    return _ended(outcome, running)


class _Result(NamedTuple):
    """What came of a command."""

    outcome: Outcome
    told: "list[Told]"
    notes: tuple[str, ...]
    stage: Stage


def _scenario(running: Running) -> Scenario | None:
    if running.scenario is None:
        return None
    return load_scenario(running.scenario)


def _check_place(option: str, path: str) -> None:
    """Refuse before the command runs what could only fail after it."""
    folder = Path(path).absolute().parent
    problem = errno.EACCES if not os.access(folder, os.W_OK) else errno.EISDIR if Path(path).is_dir() else 0
    problem = problem if folder.is_dir() else errno.ENOENT
    if problem:
        raise UsageError(f"{option} {safe_path(path)}: {os.strerror(problem)}")


@contextlib.contextmanager
def _interrupts_left_alone() -> Iterator[None]:
    """Leave what the terminal's interrupt key means to the command, which gets it too; the quit key ends everything."""
    before = signal.signal(signal.SIGINT, lambda number, frame: None)  # a handler: what is ignored would be inherited
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _write(result: _Result, running: Running, judging: Judging, output: str) -> None:
    """Write the account, then the capture and the report; raise CrenelError where one of them cannot be written."""
    from crenel.report.account import Desk
    from crenel.report.citing import known_sources
    from crenel.report.run import MOST_TOLD, merged, run_lines

    outcome, told, notes, stage = result
    sources = known_sources(judging.name())
    most = None if running.everything else MOST_TOLD
    if output == "table":
        screen = Screen(sys.stderr)
        sys.stderr.write("\n")
        screen.write(run_lines(outcome, told, stage.wall, Desk(sources, screen.width), notes=notes, most=most))
        sys.stderr.flush()
    else:
        _write_records(result, judging, output)
    if running.pcap is not None:
        write_whole("--pcap", running.pcap, trace_capture(merged(outcome.flows), stage.lab.start))
    if running.report is not None:
        from crenel.report.html_run import run_html

        page = run_html(outcome, told, stage.wall, Desk(sources, None), _again(running, judging, stage), most)
        write_whole("--report", running.report, [page.encode("utf-8")])


def _write_records(result: _Result, judging: Judging, output: str) -> None:
    from crenel.report.result import Asked, try_head
    from crenel.report.run import run_head, run_result

    outcome, told, notes, stage = result
    if output == "ooni":
        from crenel.report.ooni_run import run_measurements

        for measured in run_measurements(told, __version__):
            sys.stdout.buffer.write(msgspec.json.encode(measured) + b"\n")
        sys.stdout.buffer.flush()
        return
    head = run_head(try_head(stage.wall, Asked(__version__, (), judging.tolerate)), outcome, notes)
    out, flows = sys.stdout.buffer, [one.report for one in told]
    for line in [run_result(head, flows)] if output == "json" else [*([head] if output == "jsonl-header" else []), *flows]:
        out.write(msgspec.json.encode(line) + b"\n")
    out.flush()
    for problem in outcome.problems:
        say(safe(problem, 2000))


def _again(running: Running, judging: Judging, stage: Stage) -> str:
    """Return the command line that does the same again."""
    from crenel.cli.again import command_again

    about = stage.wall.about
    if isinstance(about, About):
        judging = judging._replace(as_of=about.as_of)
    given = [
        *(("--server", server) for server in running.servers), ("--scenario", running.scenario), ("--timeout", running.timeout),
        ("--pace", running.pace if running.pace != Pace.REAL.value else None),
    ]  # fmt: skip
    return f"{command_again('run', (), given, judging)} -- {shlex.join(running.command)}".rstrip()


def _ended(outcome: Outcome, running: Running) -> int:
    """Return the exit status."""
    if running.status == "wall":
        if outcome.problems:
            return Status.PARTLY_JUDGED
        if outcome.at_risk or outcome.remembered:
            return Status.AT_RISK
        return Status.PARTLY_JUDGED if outcome.inconclusive else Status.SAFE
    if outcome.status is None:
        return _TIMED_OUT
    return outcome.status if outcome.status >= 0 else _SIGNALLED - outcome.status
