"""Flows as they are judged in, a report as HTML out: a table of them all, the ladder and the bytes of those at risk, and who measured the boxes."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from crenel.atlas.compile import About
from crenel.atlas.schema import Source
from crenel.errors import ProfileError
from crenel.net.replay.witness import Witnessed
from crenel.net.trace import CaptureSummary, Evidence, FlowReport
from crenel.report.bytes_read import BytesRead
from crenel.report.clock import moment_words
from crenel.report.forecast import forecast_picture
from crenel.report.grounds import Detail, boxes_markup, ground_markup, terms
from crenel.report.html_try import packet_list
from crenel.report.layout import GLUE, plain
from crenel.report.markup import escaped, shown, tag
from crenel.report.page import Report, labelled, legend, page
from crenel.report.svg import svg, svg_brief
from crenel.report.table import FlowTable, about_of, end_of, target_of
from crenel.report.text import counted, safe_path
from crenel.report.words import TONES, UNLISTED, Reasons, kind_of, verdict_words
from crenel.wall.wall import Wall

LARGEST = 399_000
"""Bytes that a report grows to at most, as long as its table fits."""
_INTRODUCTION = 1_800
"""Bytes of what is said before the ladders."""
MOST_ROWS = 600
"""Flows in its table, those with ground first."""
MOST_LADDERS = 100
_HANG = 7
_FORECAST = (
    "A forecast: the packets are those of the capture. What is red and dashed the wall would have added; it is not in the capture, and what "
    "comes behind it is what happened without this wall."
)


_FORGED = "would be forged by the wall: forecast"


class Gathered:
    """Flows for a report, as many as it shows; all of them are counted.

    Args:
        wall: the wall that judges them.
        many: whether several captures were asked for.
    """

    def __init__(self, wall: Wall, *, many: bool = False) -> None:
        self.wall = wall
        self.flows: list[FlowReport] = []
        self._others: list[FlowReport] = []
        self.table = FlowTable(wall, None, many=many)

    def take(self, flow: FlowReport) -> None:
        """Take one flow."""
        self.table.note(flow)
        flows = self.flows if has_ground(flow) else self._others
        if len(flows) < MOST_ROWS:
            flows.append(flow)

    def rows(self) -> list[FlowReport]:
        """Return the flows to be shown, in the order of captures and flows."""
        rest = max(MOST_ROWS - len(self.flows), 0)
        found = [*self.flows, *self._others[:rest]]
        order = {capture: at for at, capture in enumerate(dict.fromkeys(flow.capture for flow in found))}
        return sorted(found, key=lambda flow: (order[flow.capture], flow.flow))

    def wanted(self) -> list[FlowReport]:
        """Return the flows that get a ladder."""
        return [flow for flow in self.rows() if has_ground(flow)][:MOST_LADDERS]


def has_ground(flow: FlowReport) -> bool:
    """Say whether any box has ground to act on a flow."""
    return flow.chance > 0.0 or flow.residual


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What a report of captures is made of."""

    gathered: Gathered
    captures: tuple[CaptureSummary, ...]
    failed: tuple[str, ...]
    """A sentence for each capture that could not be judged."""
    witnessed: Mapping[tuple[str, int], Witnessed]
    """Packets of flows by capture and number."""
    sources: Mapping[str, Source]
    again: str
    """The command that gives the same answer."""
    crenel: str = ""
    """The version of Crenel."""


def check_html(checked: Checked) -> str:
    """Return the report of captures.

    Raises:
        ProfileError: the wall was not loaded from a profile, so nobody can say what it rests on.
    """
    wall = checked.gathered.wall
    about = about_of(wall)
    if about is None:
        message = "this wall was not loaded from a profile"
        raise ProfileError(message)
    evidence = [one for flow in checked.gathered.wanted() for one in flow.evidence]
    boxes = f"<section><h2>The boxes, and who measured them</h2>{boxes_markup(evidence, wall, checked.sources)}</section>" if evidence else ""
    names = [safe_path(capture.capture) for capture in checked.captures]
    title = names[0] if len(names) == 1 else counted(len(names), "capture")
    footer = [line for line in checked.gathered.table.footer(checked.captures) if line]
    lead = tag("p", shown(plain(footer[0])), class_="lead") + "".join(tag("p", shown(words), class_="note") for words in checked.failed)
    table = _table(checked, about)
    rest = page(_report(title, lead, labelled(footer[1:], _HANG), (table, boxes), checked, about))
    ladders, left_out = _within(checked, LARGEST - _INTRODUCTION - len(rest.encode()))
    return page(_report(title, lead, labelled(footer[1:], _HANG), (table, _introduced(ladders, left_out), boxes), checked, about))


def _report(title: str, lead: str, facts: str, sections: tuple[str, ...], checked: Checked, about: About) -> Report:
    return Report(title=title, lead=lead, facts=facts, sections=sections, again=checked.again, sha256=about.sha256, crenel=checked.crenel)


def _introduced(ladders: Sequence[str], left_out: int) -> str:
    if not ladders and not left_out:
        return ""
    more = ""
    if left_out:
        flows = counted(left_out, "further flow")
        more = f'<p class="note">{flows} with ground to act {"has" if left_out == 1 else "have"} no ladder here, so that this file stays small; '
        more += "crenel check with --explain and its number tells of each.</p>"
    key = legend('class="r f" class="g" class="x"', _FORGED)
    return f'<section><h2>Flows on which the wall has ground to act</h2><p class="note">{_FORECAST}</p>{key}{more}</section>{"".join(ladders)}'


def _within(checked: Checked, room: int) -> tuple[list[str], int]:
    """Return the flows with ground as large as there is room: with all that is known, else in brief, else as many as fit."""
    wanted = checked.gathered.wanted()
    total = len(checked.gathered.flows)
    found: list[str] = []
    for make in (_whole, _brief):
        found, used = [], 0
        for markup in _sections(checked, wanted, make):
            used += len(markup.encode())
            if used > room:
                break
            found.append(markup)
        if len(found) == len(wanted):
            break
    return found, total - len(found)


_Make = Callable[["Drawn"], str]


class Drawn(msgspec.Struct, frozen=True):
    """A flow that is drawn."""

    checked: Checked
    flow: FlowReport
    witnessed: Witnessed
    words: str


def _sections(checked: Checked, wanted: Sequence[FlowReport], make: _Make) -> Iterator[str]:
    about = about_of(checked.gathered.wall)
    reasons = Reasons(checked.gathered.wall)
    for flow in wanted:
        witnessed = checked.witnessed.get((flow.capture, flow.flow)) or Witnessed(flow.flow)
        reason = reasons.of(flow)
        words = (verdict_words(flow, about) + (f": {reason}" if reason else "")).replace(GLUE, " ")
        head = f"Flow {flow.flow}" + (f" of {safe_path(flow.capture)}" if len(checked.captures) > 1 else "")
        heading = f'<h2 id="{anchor(checked, flow)}">{shown(head)}: <bdi>{shown(target_of(flow))}</bdi></h2>'
        yield tag("section", heading + make(Drawn(checked, flow, witnessed, words)))


def anchor(checked: Checked, flow: FlowReport) -> str:
    """Return the anchor of a flow."""
    place = next((at for at, capture in enumerate(checked.captures) if capture.capture == flow.capture), 0)
    return f"f{place}-{flow.flow}"


def _whole(drawn: Drawn) -> str:
    return _drawn(drawn, "whole")


def _brief(drawn: Drawn) -> str:
    return _drawn(drawn, "brief")


def _drawn(drawn: Drawn, detail: Detail) -> str:
    flow, wall = drawn.flow, drawn.checked.gathered.wall
    picture = forecast_picture(flow, drawn.witnessed, wall.name, f"Flow {flow.flow}, forecast", drawn.words)
    figure = packets = ""
    if picture.rows:
        ladder = (svg if detail == "whole" else svg_brief)(picture, anchor(drawn.checked, flow))
        figure = tag("figure", ladder + (legend(ladder, _FORGED) if detail == "whole" else ""))
        packets = packet_list(picture) if detail == "whole" else ""
    about = about_of(wall)
    ends = f"{flow.transport.upper()} from {end_of(flow.client, flow.client_port)} to {end_of(flow.server, flow.server_port)}"
    begun = moment_words(flow.start, about.utc_offset if about is not None else 0)
    rows = [("flow", f"{ends}, {counted(flow.packets, 'packet')}, {counted(flow.bytes, 'byte')}")]
    rows += [("begun", begun)] if detail == "whole" else []
    verdict = tag("p", shown(drawn.words if detail == "whole" else verdict_words(flow, about)), class_=TONES[kind_of(flow)])
    unlisted = f'<p class="dim">its name was only compared with example lists, {shown(UNLISTED)}</p>' if flow.basis is not None else ""
    read = BytesRead(drawn.witnessed)

    def bytes_of(evidence: Evidence) -> tuple[bytes, str]:
        return read.of(evidence)

    why = verdict + unlisted + terms(rows) + ground_markup(flow.evidence, flow.triggers, wall, bytes_of, detail=detail)
    return f'<div class="pair"><div>{figure}</div><div>{why}</div></div>{packets}'


def _table(checked: Checked, about: About) -> str:
    flows = checked.gathered.rows()
    reasons, linked = Reasons(checked.gathered.wall), {id(flow) for flow in checked.gathered.wanted()}
    rows, before = [], None
    for flow in flows:
        if flow.capture != before and len(checked.captures) > 1:
            rows.append(f'<tr class="head"><td colspan="4">{shown(safe_path(flow.capture))}</td></tr>')
        before = flow.capture
        rows.append(_row(checked, flow, about, reasons.of(flow), linked=id(flow) in linked))
    left = checked.gathered.table.tally.flows - len(flows)
    more = f'<p class="dim">and {counted(left, "flow")} more</p>' if left else ""
    head = "<thead><tr><th>flow</th><th>what</th><th>to</th><th>verdict</th></tr></thead>"
    return f"<section><h2>All flows</h2><table>{head}<tbody>{''.join(rows)}</tbody></table>{more}</section>"


def _row(checked: Checked, flow: FlowReport, about: About, reason: str, *, linked: bool) -> str:
    kind = kind_of(flow)
    what = flow.transport if flow.protocol == "unknown" else flow.protocol
    number = f'<a href="#{anchor(checked, flow)}">{flow.flow}</a>' if linked else str(flow.flow)
    verdict = tag("span", escaped(verdict_words(flow, about).replace(GLUE, " ")), class_=TONES[kind]) + (f": {shown(reason)}" if reason else "")
    return f"<tr><td>{number}</td><td>{what}</td><td><bdi>{shown(target_of(flow))}</bdi></td><td>{verdict}</td></tr>"
