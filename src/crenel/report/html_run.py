"""What a command in a lab came to in, a report as HTML out: all flows in a table, and each that matters with its ladder and what gave it away."""

import shlex
from collections.abc import Sequence

from crenel.net.lab.outcome import Outcome
from crenel.net.trace import Evidence
from crenel.report.account import OUTCOME_TONES, Desk, head_lines
from crenel.report.grounds import boxes_markup, ground_markup
from crenel.report.html_try import packet_list
from crenel.report.layout import plain
from crenel.report.markup import shown, tag
from crenel.report.page import Report, labelled, legend, lines_section, page, toned
from crenel.report.picture import picture_of
from crenel.report.reason import HANG, client_bytes
from crenel.report.run import Told, account_lines, flow_title, foot_lines, outcome_words, rows_of, told_in_full
from crenel.report.svg import svg
from crenel.report.table import about_of
from crenel.report.text import safe
from crenel.wall.wall import Wall
from crenel.wire.packet import TCP


def run_html(outcome: Outcome, told: Sequence[Told], wall: Wall, desk: Desk, again: str, most: int | None) -> str:
    """Return the report of a command.

    Args:
        outcome: what it came to.
        told: its flows.
        wall: what stood between.
        desk: what accounts are written with.
        again: the command that does the same again.
        most: flows that are told of in full; None: all.
    """
    about = about_of(wall)
    chosen = told_in_full(told, most)
    lead = "".join(f'<p class="lead">{shown(plain(line))}</p>' for line in foot_lines(outcome, told, desk, ()))
    evidence = [found for one in chosen for found in one.lab.exchange.evidence]
    sections = [lines_section("Flows", rows_of(told, wall, desk)), *(_section(one, wall, desk) for one in chosen)]
    if evidence:
        sections.append(tag("section", f"<h2>The boxes, and who measured them</h2>{boxes_markup(evidence, wall, desk.sources)}"))
    return page(
        Report(
            title=safe(shlex.join(outcome.argv), 400), lead=lead, facts=labelled(head_lines(about, desk), 7) if about is not None else "",
            sections=tuple(sections), again=again, sha256=about.sha256 if about is not None else "",
        )
    )  # fmt: skip


def _section(one: Told, wall: Wall, desk: Desk) -> str:
    exchange = one.lab.exchange
    title = flow_title(one.report)
    picture = picture_of(exchange, f"What became of {title}", outcome_words(one))
    drawn = svg(picture, f"f{one.report.flow}")

    def bytes_of(evidence: Evidence) -> tuple[bytes, str]:
        where = "the datagram" if exchange.trace[0].packet.proto != TCP else "what the client sent"
        return client_bytes(exchange, evidence), where

    why = f"<p>{toned([(outcome_words(one), OUTCOME_TONES[exchange.outcome])])}</p>" + labelled(account_lines(one, wall, desk)[1:], HANG)
    why += ground_markup(exchange.evidence, exchange.triggers, wall, bytes_of)
    pair = f'<div class="pair"><div><figure>{drawn}{legend(drawn)}</figure></div><div>{why}</div></div>'
    return tag("section", f'<h2 id="f{one.report.flow}">{shown(title)}</h2>{pair}{packet_list(picture)}')
