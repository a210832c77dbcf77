"""Exchanges as they are told of in, a report as HTML out: what became of each, its ladder, what gave it away, and all packets in words."""

from collections.abc import Mapping, Sequence
from typing import cast

from crenel.atlas.compile import About
from crenel.atlas.schema import Source
from crenel.net.exchange import Exchange
from crenel.net.trace import Evidence
from crenel.report.account import OUTCOME_TONES, Desk, Tried, head_lines, outcome_words, summary, title_lines
from crenel.report.fields import byte_words, field_words
from crenel.report.grounds import boxes_markup, ground_markup
from crenel.report.layout import plain
from crenel.report.markup import escaped, shown, tag
from crenel.report.page import Report, labelled, legend, page, toned
from crenel.report.picture import Arrow, Picture, picture_of, time_words
from crenel.report.reason import HANG, client_bytes
from crenel.report.svg import svg
from crenel.report.svg_time import svg_time
from crenel.report.text import listed
from crenel.wire.packet import TCP


def try_html(dates: Sequence[Sequence[Tried]], sources: Mapping[str, Source], again: str, crenel: str = "") -> str:
    """Return the report of exchanges.

    Args:
        dates: for each date the exchanges as of it, one after the other.
        sources: who measured what, by id.
        again: the command that gives the same answer.
        crenel: the version of Crenel.
    """
    desk = Desk(sources, None)
    first = dates[0][0]
    about = cast("About", first.exchange.wall.about)
    title = first.target.shown
    if len(dates) > 1:
        title += f" as of {listed([date[0].report.as_of for date in dates])}"
    sections: list[str] = []
    for number, date in enumerate(dates):
        prefix = f"d{number}-" if len(dates) > 1 else ""
        for step, one in enumerate(date):
            heading = "" if len(date) > 1 or prefix else "What happened"
            sections.append(exchange_section(one, desk, f"{prefix}e{step}", prefix, heading))
        sections.append(_boxes(date, desk, prefix))
    return page(
        Report(
            title=title, lead=_lead(dates), facts=labelled(head_lines(about, desk), 7), sections=tuple(sections), again=again, sha256=about.sha256,
            crenel=crenel,
        )
    )  # fmt: skip


def _lead(dates: Sequence[Sequence[Tried]]) -> str:
    many = len(dates) > 1
    parts = []
    for date in dates:
        for one in date:
            where = f"as of {one.report.as_of}: " if many else f"{one.target.shown}: " if len(date) > 1 else ""
            parts.append(f'<p class="lead">{shown(where)}{toned([(outcome_words(one), OUTCOME_TONES[one.exchange.outcome])])}</p>')
    return "".join(parts)


def _boxes(date: Sequence[Tried], desk: Desk, prefix: str) -> str:
    evidence = [found for one in date for found in one.exchange.evidence]
    if not evidence:
        return ""
    when = f", as of {escaped(date[0].report.as_of)}" if prefix else ""
    return tag("section", f"<h2>The boxes, and who measured them{when}</h2>{boxes_markup(evidence, date[0].exchange.wall, desk.sources, prefix)}")


def exchange_section(tried: Tried, desk: Desk, name: str, prefix: str = "", heading: str = "") -> str:
    """Return one exchange.

    Args:
        tried: what happened.
        desk: what it is told with.
        name: begins the anchors within it, and differs for each within a page.
        prefix: of the anchors of boxes.
        heading: what stands above it; empty for what was asked for, and as of when.
    """
    exchange = tried.exchange
    title = " ".join(plain(line) for line in title_lines(tried, desk))
    picture = picture_of(exchange, f"What became of {title}", outcome_words(tried))
    drawn = svg(picture, name)
    said = heading or (f"{title}, as of {tried.report.as_of}" if prefix else title)
    figure = tag("figure", drawn + legend(drawn))
    scaled = f"<details><summary>The same to the scale of time</summary><figure>{svg_time(picture, name + 's')}</figure></details>"
    why = labelled(summary(tried, desk), HANG)
    why += ground_markup(exchange.evidence, exchange.triggers, exchange.wall, _Bytes(exchange), prefix)
    pair = f'<div class="pair"><div>{figure}{scaled}</div><div>{why}</div></div>'
    return tag("section", f'<h2 id="{name}">{shown(said)}</h2>{pair}{packet_list(picture)}')


class _Bytes:
    """What the boxes read of one exchange."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def __call__(self, evidence: Evidence) -> tuple[bytes, str]:
        where = "the datagram" if self._exchange.trace[0].packet.proto != TCP else "what the client sent"
        return client_bytes(self._exchange, evidence), where


def packet_list(picture: Picture) -> str:
    """Return the rows of a ladder in words, with fields and bytes: what it shows, for people who do not see it, and for who wants more."""
    items = []
    for row in picture.rows:
        when = f"{time_words(row, both_clocks=picture.both_clocks)}: "
        if not isinstance(row, Arrow):
            items.append(tag("li", f"{when}<strong>{shown(row.words)}</strong>"))
            continue
        way = f"{row.source} to {row.toward}" if row.kind != "path" else f"on the way, to {row.toward}"
        parts = [f"{when}{way}: {shown(row.sentence)}"]
        parts += [tag("span", f"because {shown(words)}") for words in row.because]
        for packet in row.packets[:1]:
            parts += [tag("code", escaped(words)) for words in (field_words(packet), byte_words(packet)) if words]
        items.append(tag("li", "".join(parts)))
    return f'<details><summary>All packets in words, with fields and bytes</summary><ol class="packets">{"".join(items)}</ol></details>'
