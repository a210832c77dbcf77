"""The work of `crenel check`: captures and options in, judged flows on standard output and an exit status out."""

from collections.abc import Iterator, Sequence
from typing import cast

from crenel import __version__
from crenel.atlas.compile import About
from crenel.cli.options import Judging
from crenel.cli.progress import Bar
from crenel.cli.screen import Screen
from crenel.cli.sinks import Sink, sink_for
from crenel.cli.status import Status, say
from crenel.errors import CaptureError, UsageError
from crenel.net.replay.check import judge_capture, networks
from crenel.net.replay.watch import Watched
from crenel.net.trace import CaptureSummary, FlowReport
from crenel.report.result import Asked, Failure, RunHead, run_head
from crenel.report.text import counted, plain_path, safe, safe_path
from crenel.wall.wall import Wall


class Checking:
    """One run of `check`: judges captures one after the other, and keeps what the exit status needs.

    Args:
        judging: the options, with the date resolved.
        wall: the wall that they ask for.
        sink: where the flows go.
        bar: shows how far it is.
    """

    def __init__(self, judging: Judging, wall: Wall, sink: Sink, bar: Bar) -> None:
        self._judging = judging
        self._wall = wall
        self._sink = sink
        self._bar = bar
        self._at_risk = 0
        self._captures: list[CaptureSummary] = []
        self._failed: list[Failure] = []
        self.interrupted = False

    @property
    def captures(self) -> tuple[CaptureSummary, ...]:
        """What became of the captures that could be judged."""
        return tuple(self._captures)

    @property
    def failed(self) -> tuple[Failure, ...]:
        """The captures that could not be judged."""
        return tuple(self._failed)

    def run(self, captures: Sequence[str], workers: int) -> int:
        """Judge the captures and return the exit status; whatever was judged is written, also where the user interrupts."""
        interrupted = False
        try:
            if workers > 1 and len(captures) > 1:
                self._spread(captures, workers)
            else:
                for capture in captures:
                    self._judge(capture)
        except KeyboardInterrupt:
            interrupted = True
        self._bar.hide()
        self._sink.close(self._head, self._captures)
        self.interrupted = interrupted
        if interrupted:
            say("interrupted; what was judged so far is printed")
            return Status.INTERRUPTED
        return self._status()

    def _status(self) -> int:
        if not self._captures:
            return Status.NOTHING_JUDGED
        if self._failed or any(capture.lost for capture in self._captures):
            return Status.PARTLY_JUDGED
        return Status.AT_RISK if self._at_risk else Status.SAFE

    def _head(self) -> RunHead:
        asked = Asked(__version__, self._judging.inside, self._judging.tolerate)
        return run_head(self._wall, asked, self._captures, self._failed)

    def _judge(self, capture: str) -> None:
        sink = self._sink
        take = sink.take

        def count(flow: FlowReport) -> None:
            self._at_risk += flow.at_risk
            take(flow)

        sink.begin(capture)
        tick = self._bar.tick if self._bar.watched else None
        try:
            summary = judge_capture(capture, self._wall, count, tolerate=self._judging.tolerate, inside=self._judging.inside, tick=tick)
        except CaptureError as error:
            self._fail(capture, str(error))
            return
        except KeyboardInterrupt:
            self._failed.append(Failure(plain_path(capture), "interrupted"))
            raise
        self._end(summary)

    def _spread(self, captures: Sequence[str], workers: int) -> None:
        """Judge files in other processes and standard input in this one, and write all in their order."""
        from crenel.cli.spread import opened, spread

        others = spread([capture for capture in captures if capture != "-"], self._judging, workers)
        for capture in captures:
            if capture == "-":
                self._judge(capture)
                continue
            apart = next(others)
            self._sink.begin(capture)
            if apart.summary is None:
                self._fail(capture, apart.error or "")
                continue
            self._at_risk += apart.at_risk
            with opened(apart) as lines:
                self._sink.take_lines(lines)
            self._end(apart.summary)

    def _fail(self, capture: str, sentence: str) -> None:
        self._failed.append(Failure(plain_path(capture), plain_path(sentence)))
        self._bar.hide()
        say(safe(sentence, 4000))
        self._bar.next()

    def _end(self, summary: CaptureSummary) -> None:
        self._sink.end()
        self._captures.append(summary)
        self._bar.next()
        for sentence in warnings(summary):
            self._bar.hide()
            say(sentence)


def warnings(summary: CaptureSummary) -> Iterator[str]:
    """Yield a sentence for each thing that the user should know of a capture."""
    where = safe_path(summary.capture)
    if summary.damaged:
        words = "; ".join(safe(damage, 1000) for damage in summary.damaged)
        after = "what could be read is reported" if summary.lost else "everything was read all the same"
        yield f"{where}: damaged {words}; {after}"
    if summary.undecoded:
        yield f"{where}: {counted(summary.undecoded, 'frame')} of {summary.packets:,} hold no IP packet that could be read"


def check_captures(captures: Sequence[str], judging: Judging, *, output: str, workers: int, report: str | None = None) -> int:
    """Judge captures, write their flows and return the exit status.

    Args:
        captures: paths, `-` for standard input.
        judging: the options.
        output: `table`, `json`, `jsonl` or `jsonl-header`.
        workers: most processes at once.
        report: where a report goes, if one is wanted.

    Raises:
        CrenelError: an option is wrong, or a file that it names.
    """
    wall, judging = _prepared(captures, judging, output)
    bar = Bar(captures)
    sink = sink_for(output, wall, many=len(captures) > 1, before=bar.make_room)
    if report is None:
        return Checking(judging, wall, sink, bar).run(captures, workers)
    from crenel.cli.reporting import Gathering, read_twice, write_report

    with read_twice(captures):
        gathering = Gathering(sink, wall, many=len(captures) > 1)
        checking = Checking(judging, wall, gathering, bar)
        status = checking.run(captures, workers)
        if not checking.interrupted:
            write_report(report, gathering.gathered, checking, judging, captures)
    return status


def _prepared(captures: Sequence[str], judging: Judging, output: str) -> tuple[Wall, Judging]:
    """Load the wall and resolve the date once for the whole run."""
    if captures.count("-") > 1:
        message = "standard input can be read only once"
        raise UsageError(message)
    networks(judging.inside)
    wall = judging.load()
    about = cast("About", wall.about)
    if judging.as_of is None and output == "jsonl":
        say(f"judged as of {about.as_of}, which is today; --as-of takes another day")
    return wall, judging._replace(as_of=about.as_of)


def explain_flow(captures: Sequence[str], judging: Judging, wanted: str, output: str, report: str | None = None) -> int:
    """Tell the story of one flow and return its exit status.

    Args:
        captures: paths, of which one has the flow.
        judging: the options.
        wanted: the number of the flow, or with several captures `FILE:FLOW`.
        output: must be `table`: the same facts stand in the evidence of the other formats.
        report: must be None: a report tells of all flows.

    Raises:
        CrenelError: an option is wrong, or there is no such flow.
    """
    if output != "table":
        message = "--explain tells a story for people; --format json and jsonl have the same facts under evidence"
        raise UsageError(message)
    if report is not None:
        message = "--explain tells of one flow on the terminal, --report of all in a file; leave one of them out"
        raise UsageError(message)
    capture, number = _wanted(captures, wanted)
    wall, judging = _prepared((capture,), judging, output)
    watched = Watched(number)
    found: list[FlowReport] = []
    bar = Bar((capture,))
    summary = judge_capture(
        capture, wall, lambda flow: found.append(flow) if flow.flow == number else None, tolerate=judging.tolerate, inside=judging.inside,
        tick=bar.tick if bar.watched else None, watch=watched,
    )
    bar.hide()
    if not found:
        message = f"{safe_path(capture)}: there is no flow {number} among {counted(summary.flows, 'flow')}"
        raise UsageError(message)
    from crenel.report.citing import known_sources
    from crenel.report.story import Told, tell

    screen = Screen()
    screen.write(tell(Told(found[0], watched, wall, known_sources(judging.name()), screen.width)))
    for sentence in warnings(summary):
        say(sentence)
    return Status.PARTLY_JUDGED if summary.lost else Status.AT_RISK if found[0].at_risk else Status.SAFE


def _wanted(captures: Sequence[str], wanted: str) -> tuple[str, int]:
    """Return which capture and which flow `--explain` asks for."""
    path, _, number = wanted.rpartition(":")
    if not (number.isascii() and number.isdigit() and int(number) > 0):
        message = f"--explain {wanted!r}: write the number of a flow, such as 1, or FILE:1 with several captures"
        raise UsageError(message)
    if not path and len(captures) > 1:
        message = f"--explain {wanted}: with several captures write FILE:{number}"
        raise UsageError(message)
    if path and path not in captures:
        message = f"--explain {wanted}: {path} is none of the captures"
        raise UsageError(message)
    return path or captures[0], int(number)
