"""The work of `crenel try`: targets and options in, exchanges on standard output, perhaps a capture, and an exit status out."""

import math
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

import msgspec

from crenel import __version__
from crenel.atlas.compile import About
from crenel.cli.options import Judging
from crenel.cli.progress import Bar
from crenel.cli.status import Status, say
from crenel.cli.trials import Steps, carry_out, repeat
from crenel.cli.whole import write_whole
from crenel.errors import UsageError
from crenel.net.app.target import Target, read_target
from crenel.net.exchange import Exchange
from crenel.net.sim.tries import LONGEST_PAYLOAD, payload_target
from crenel.net.trace import Event, trace_capture
from crenel.report.exchange import ExchangeReport, TryRate, exchange_report, wilson
from crenel.report.result import Asked, try_head, try_result
from crenel.report.text import listed, safe_path
from crenel.wall.wall import Wall

if TYPE_CHECKING:
    from crenel.report.account import Tried

_PORT = 443
_AFTER = 10.0
_LONGEST_WAIT = 366 * 86_400.0
"""Seconds; no memory of any wall is known to last so long."""


class Asking(NamedTuple):
    """What `crenel try` is asked for beside what all that judge are asked."""

    target: str | None
    parts: tuple[tuple[str, str], ...]
    """`--payload` and `--hex` with their values, in order."""
    udp: bool
    port: int | None
    then: tuple[str, ...]
    after: float | None
    compare: tuple[str, ...]
    repeat: int
    workers: int
    pcap: str | None
    report: str | None = None


class Found(NamedTuple):
    """What came of one exchange as of one date."""

    exchange: Exchange
    report: ExchangeReport


def try_exchanges(asking: Asking, judging: Judging, output: str) -> int:
    """Carry out the exchanges, write them and return the exit status.

    Args:
        asking: what is tried.
        judging: the options common to all that judge.
        output: `table`, `json`, `jsonl` or `jsonl-header`.

    Raises:
        CrenelError: an option is wrong, or a file that it names.
    """
    _check(asking, judging)
    first = _first(asking)
    steps = Steps((first, *(read_target(one) for one in asking.then)), _AFTER if asking.after is None else asking.after)
    walls, judgings = _walls(asking, judging)
    if judging.as_of is None and output == "jsonl":
        say(f"tried as of {judgings[0].as_of}, which is today; --as-of takes another day")
    exchanges = [carry_out(wall, steps, 0, judging.tolerate) for wall in walls]
    rates = _rates(asking, walls, judgings, steps)
    found = [
        [Found(exchange, exchange_report(exchange, target, rate)) for exchange, target, rate in zip(date, steps.targets, rated, strict=True)]
        for date, rated in zip(exchanges, rates, strict=True)
    ]
    if asking.pcap is not None:
        write_capture(asking.pcap, exchanges[0])
    _write(found, steps, judgings[0], output)
    if asking.report is not None:
        _write_report(asking, asking.report, judgings[0], _tried(found, steps))
    return Status.AT_RISK if any(one.report.at_risk for date in found for one in date) else Status.SAFE


def _check(asking: Asking, judging: Judging) -> None:
    """Refuse options that do not go together."""
    after = asking.after
    faults = (
        (asking.target is None and not asking.parts, "name a TARGET, such as https://blocked.example/, or give --payload or --hex"),
        (asking.target is not None and asking.parts, "a TARGET and --payload or --hex exclude each other"),
        (asking.udp and not asking.parts, "--udp goes with --payload or --hex"),
        (asking.port is not None and not asking.parts, "--port goes with --payload or --hex; a URL has its port behind its host"),
        (after is not None and not asking.then, "--after goes with --then, which says what is asked for next"),
        (after is not None and not (math.isfinite(after) and 0 <= after <= _LONGEST_WAIT), f"--after {after}: write seconds, at most a year of them"),
        (judging.inside, "--inside is for captures; here the client stands where --vantage puts it"),
        (asking.pcap is not None and asking.compare, "--pcap writes the exchange of one date; leave --compare out"),
        (asking.parts.count(("--payload", "-")) > 1, "standard input can be read only once"),
    )
    for wrong, message in faults:
        if wrong:
            raise UsageError(message)


def _first(asking: Asking) -> Target:
    """Return what the first exchange asks for."""
    if asking.target is not None:
        return read_target(asking.target)
    payloads = [_read_hex(value) if option == "--hex" else _read_file(value) for option, value in asking.parts]
    transport, port = "udp" if asking.udp else "tcp", _PORT if asking.port is None else asking.port
    target = payload_target(payloads, transport, port)
    sizes = f"{listed([f'{len(payload):,}' for payload in payloads])} {'byte' if len(payloads[-1]) == 1 else 'bytes'}"
    return msgspec.structs.replace(target, shown=f"{sizes} over {transport} to port {port}")


def _read_hex(text: str) -> bytes:
    try:
        payload = bytes.fromhex(text.replace(":", " "))
    except ValueError as error:
        message = f"--hex {text[:40]!r}: write pairs of hexadecimal digits"
        raise UsageError(message) from error
    if not payload:
        message = "--hex: the payload is empty (0 bytes): a flow is judged by its first bytes"
        raise UsageError(message)
    return payload


def _read_file(path: str) -> bytes:
    """Return the bytes of a file, or of standard input."""
    try:
        if path == "-":
            payload = sys.stdin.buffer.read(LONGEST_PAYLOAD + 1)
        else:
            with Path(path).open("rb") as file:
                payload = file.read(LONGEST_PAYLOAD + 1)
    except (OSError, ValueError) as error:
        message = f"{safe_path(path)}: {getattr(error, 'strerror', None) or error}"
        raise UsageError(message) from error
    if not payload:
        message = f"{safe_path(path)}: the payload is empty (0 bytes): a flow is judged by its first bytes"
        raise UsageError(message)
    if len(payload) > LONGEST_PAYLOAD:
        message = f"{safe_path(path)}: the payload has more than {LONGEST_PAYLOAD:,} bytes, which is the most that can be tried"
        raise UsageError(message)
    return payload


def _walls(asking: Asking, judging: Judging) -> tuple[list[Wall], list[Judging]]:
    """Load the wall as of each date, and resolve the dates once."""
    judgings = [judging, *(judging._replace(as_of=date) for date in asking.compare)]
    walls = [one.load() for one in judgings]
    dates = [cast("About", wall.about).as_of for wall in walls]
    return walls, [one._replace(as_of=date) for one, date in zip(judgings, dates, strict=True)]


def _rates(asking: Asking, walls: Sequence[Wall], judgings: Sequence[Judging], steps: Steps) -> list[list[TryRate | None]]:
    if asking.repeat == 1:
        return [[None] * len(steps.targets) for _ in walls]
    bar = Bar(("-",))
    try:
        counts = repeat(walls, judgings, steps, asking.repeat, workers=asking.workers, tick=bar.tick)
    finally:
        bar.hide()
    return [[wilson(count, asking.repeat) for count in counted] for counted in counts]


def write_capture(path: str, exchanges: Iterable[Exchange]) -> None:
    """Write the traces of exchanges that follow each other as one pcapng file; it appears whole or not at all.

    Raises:
        UsageError: it cannot be written there.
    """
    exchanges = list(exchanges)
    start = exchanges[0].start
    events: list[Event] = []
    for exchange in exchanges:
        later = exchange.start - start
        events += exchange.trace if not later else (msgspec.structs.replace(event, time=event.time + later) for event in exchange.trace)
    write_trace(path, events, start)


def write_trace(path: str, events: Iterable[Event], start: int) -> None:
    """Write events as a pcapng file, which appears whole or not at all.

    Raises:
        UsageError: it cannot be written there.
    """
    write_whole("--pcap", path, trace_capture(events, start))


def _write(found: Sequence[Sequence[Found]], steps: Steps, judging: Judging, output: str) -> None:
    if output == "table":
        _write_table(found, steps, judging)
        return
    reports = [one.report for date in found for one in date]
    head = try_head(found[0][0].exchange.wall, Asked(__version__, (), judging.tolerate))
    out = sys.stdout.buffer
    if output == "json":
        out.write(msgspec.json.encode(try_result(head, reports)) + b"\n")
        return
    for line in (*((head,) if output == "jsonl-header" else ()), *reports):
        out.write(msgspec.json.encode(line) + b"\n")


def _write_table(found: Sequence[Sequence[Found]], steps: Steps, judging: Judging) -> None:
    from crenel.cli.screen import Screen
    from crenel.report.account import Desk, accounts
    from crenel.report.citing import known_sources

    screen = Screen()
    desk = Desk(known_sources(judging.name()), screen.width)
    tried = _tried(found, steps)
    if len(tried) > 1:
        from crenel.report.compare import compared

        screen.write(compared(tried, desk))
    else:
        screen.write(accounts(tried[0], cast("About", tried[0][0].exchange.wall.about), desk))


def _tried(found: Sequence[Sequence[Found]], steps: Steps) -> list[list["Tried"]]:
    """Return the exchanges of each date as they are told of."""
    from crenel.report.account import Tried

    waits: list[float | None] = [None, *[steps.after] * (len(steps.targets) - 1)]
    return [[Tried(one.exchange, one.report, target, after) for one, target, after in zip(date, steps.targets, waits, strict=True)] for date in found]


def _write_report(asking: Asking, path: str, judging: Judging, tried: Sequence[Sequence["Tried"]]) -> None:
    """Write the report of exchanges, with the command that gives the same again."""
    from crenel.cli.again import command_again
    from crenel.report.citing import known_sources
    from crenel.report.html_try import try_html

    words = [asking.target] if asking.target is not None else [f"{option}={value}" for option, value in asking.parts]
    given = [
        ("--udp", True if asking.udp else None), ("--port", asking.port), *(("--then", target) for target in asking.then), ("--after", asking.after),
        *(("--compare", date) for date in asking.compare), ("--repeat", asking.repeat if asking.repeat > 1 else None),
    ]  # fmt: skip
    again = command_again("try", words, given, judging)
    write_whole("--report", path, [try_html(tried, known_sources(judging.name()), again, __version__).encode("utf-8")])
