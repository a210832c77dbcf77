"""Judged flows in, the lines of a table out: one line for each flow, or two where the terminal is narrow, and a summary below."""

from collections.abc import Iterable, Sequence

from crenel.atlas.compile import About
from crenel.net.trace import CaptureSummary, FlowReport
from crenel.report.layout import BLANK, Line, Piece, Tone, line_of, paragraph, width_of, wrap
from crenel.report.text import cells, counted, cut_left, listed, safe, safe_path
from crenel.report.words import TONES, UNLISTED, Reasons, Tally, kind_of, verdict_words
from crenel.wall.wall import Wall

_WIDEST_PROTOCOL = len("encrypted")
_NARROWEST_TARGET = 22
_LONGEST_TARGET = 64
_LIKELY = 0.5
"""From this chance on a flow at risk is shown like a blocked one."""
_GAP = "  "


class FlowTable:
    """Sets flows in lines. The columns are as wide as the first rows need, so that a long capture need not be held.

    Args:
        wall: the wall that judged the flows.
        width: columns of the terminal; None where lines may be as long as they need.
        many: whether flows of several captures were asked for.
    """

    def __init__(self, wall: Wall, width: int | None, *, many: bool = False) -> None:
        self._many = many
        self._width = width
        self._about = about_of(wall)
        self._reasons = Reasons(wall)
        self._sizes: tuple[int, int, int] | None = None
        self.tally = Tally()
        self.last_observed: dict[str, str] = {}
        """Boxes with ground to act, with the last day on which each was observed so."""
        self.first_at_risk: FlowReport | None = None
        self._footnote = False
        self._headed = False

    def next_capture(self) -> None:
        """Let the columns be measured anew."""
        self._sizes = None

    def rows(self, flows: Sequence[FlowReport]) -> list[Line]:
        """Return the lines of these flows, before the first ones also the head."""
        lines: list[Line] = []
        if self._sizes is None and flows:
            self._sizes = self._measure(flows)
            if not self._headed:
                lines.append(self._head(self._sizes))
                self._headed = True
        for flow in flows:
            lines += self._row(flow)
        return lines

    def _measure(self, flows: Sequence[FlowReport]) -> tuple[int, int, int]:
        number = max(4, len(str(flows[-1].flow)))
        what = _WIDEST_PROTOCOL
        target = min(_LONGEST_TARGET, max(_NARROWEST_TARGET, *(cells(target_of(flow)) for flow in flows)))
        if self._width is not None:
            target = min(target, max(18, self._width * 2 // 5))
        return number, what, target

    def _head(self, sizes: tuple[int, int, int]) -> Line:
        number, what, target = sizes
        return line_of(_GAP.join(("flow".rjust(number), "what".ljust(what), "to".ljust(target), "verdict")), "head")

    def _row(self, flow: FlowReport) -> list[Line]:
        kind = kind_of(flow)
        self.note(flow)
        number, what, target = self._sizes or (4, 4, 20)
        shown = cut_left(target_of(flow), target)
        tone: Tone = "bad" if kind == "at risk" and flow.chance > _LIKELY else TONES[kind]
        head: list[Piece] = [
            (str(flow.flow).rjust(number) + _GAP, "dim"),
            (_what(flow).ljust(what) + _GAP, ""),
            (shown + " " * (target - cells(shown)) + _GAP, ""),
        ]
        verdict: list[Piece] = [(verdict_words(flow, self._about), tone)]
        if kind == "unlisted":
            if self._width is None:
                verdict.append((f", {UNLISTED}", "dim"))
            else:
                verdict = [(verdict[0][0] + "*", tone)]
                self._footnote = True
        reason = self._reasons.of(flow)
        taken, hang = width_of(head), number + what + 2 * len(_GAP)
        if reason:
            whole: list[Piece] = [*verdict, (f": {reason}", "dim")]
            if self._width is not None and taken + width_of(whole) > self._width:
                return self._in_two(head, verdict, reason, hang)
            verdict = whole
        lines = wrap(verdict, self._width, first=taken, hang=hang)
        return [(*head, *lines[0]), *lines[1:]]

    def _in_two(self, head: list[Piece], verdict: list[Piece], reason: str, hang: int) -> list[Line]:
        """Set the verdict beside the flow and the reason below it."""
        lines = wrap(verdict, self._width, first=width_of(head), hang=hang)
        last = lines.pop() if len(lines) > 1 else ((" " * hang, ""),)
        below: list[Piece] = [(f" {reason}" if width_of(last) > hang else reason, "dim")]
        rest = wrap(below, self._width, first=width_of(last), hang=hang)
        return [(*head, *lines[0]), *lines[1:], (*last, *rest[0]), *rest[1:]]

    def note(self, flow: FlowReport) -> None:
        """Count a flow, and note what the summary says of it."""
        self.tally.add(kind_of(flow))
        if flow.evidence:
            for one in flow.evidence:
                if one.last_observed is not None:
                    self.last_observed[one.middlebox] = one.last_observed
            if self.first_at_risk is None and flow.chance > 0.0:
                self.first_at_risk = flow

    def footer(self, captures: Sequence[CaptureSummary]) -> list[Line]:
        """Return the summary: counts, what was asked, what to know about the answer."""
        lines: list[Line] = [BLANK]
        packets = sum(capture.packets for capture in captures)
        where = safe_path(captures[0].capture) if len(captures) == 1 else counted(len(captures), "capture")
        inside = f"  ({counted(packets, 'packet')} in {where})" if captures else ""
        lines += paragraph(self.tally.words() + inside, self._width, tone="strong")
        about = self._about
        if about is not None:
            lines += about_lines(about, self._width)
            lines += self._warnings(about)
        evicted = sum(capture.evictions for capture in captures)
        if evicted:
            text = f"{counted(evicted, 'flow or memory entry', 'flows and memory entries')} were let go early because a table was full"
            lines += paragraph(text, self._width, label="note", hang=_LABEL)
        if self.first_at_risk is not None:
            text = f"--explain {self._reference(self.first_at_risk)} tells the whole story of that flow"
            lines += paragraph(text, self._width, label="more", hang=_LABEL, tone="dim")
        return lines

    def _warnings(self, about: About) -> Iterable[Line]:
        if self._footnote:
            yield from paragraph(f"{UNLISTED}", self._width, label="*", hang=_LABEL, tone="dim")
        for note in about.notes:
            yield from paragraph(note, self._width, label="note", hang=_LABEL, tone="risk")
        old: dict[str, list[str]] = {}
        for box, day in self.last_observed.items():
            if day[:10] < about.as_of[:10]:
                old.setdefault(day, []).append(box)
        if old:
            text = "; ".join(f"{listed(sorted(boxes))} on {day}" for day, boxes in sorted(old.items()))
            yield from paragraph(f"last observed at work: {text}", self._width, label="note", hang=_LABEL, tone="risk")

    def _reference(self, flow: FlowReport) -> str:
        return f"{safe_path(flow.capture)}:{flow.flow}" if self._many else str(flow.flow)


_LABEL = 7
"""Columns of the labels in the footer."""


def about_of(wall: Wall) -> About | None:
    """Return what the atlas knows of a wall, or None for one that was put together by hand."""
    return wall.about if isinstance(wall.about, About) else None


def about_lines(about: About, width: int | None) -> list[Line]:
    """Return which wall, day, place and seed an answer rests on."""
    hour = "" if "T" in about.as_of else ", at the hour of each packet"
    lines = paragraph(f"{safe(about.title)} ({safe(about.name)}) as of {about.as_of}{hour}", width, label="wall", hang=_LABEL)
    lines += paragraph(f"vantage {safe(about.vantage)}, seed {about.seed}", width, label="from", hang=_LABEL)
    given = [f"{key}={value}" for key, value in about.assume.items()] + [f"{name} from {path}" for name, path in about.lists.items()]
    given += [f"{name} taken as listed" if name != "*" else "every name taken as listed" for name in about.listed]
    if given:
        lines += paragraph(safe(", ".join(given), 2000), width, label="given", hang=_LABEL)
    return lines


def _what(flow: FlowReport) -> str:
    return flow.transport if flow.protocol == "unknown" else flow.protocol


def target_of(flow: FlowReport) -> str:
    """Return where a flow went: the first name that was read, else the server's address, with the port."""
    if flow.name is not None:
        more = f" +{len(flow.names) - 1}" if len(flow.names) > 1 else ""
        return f"{safe(flow.name, 200)}:{flow.server_port}{more}"
    return end_of(flow.server, flow.server_port)


def end_of(address: str, port: int) -> str:
    """Return an address with its port."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
