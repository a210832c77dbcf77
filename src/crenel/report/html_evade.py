"""A tested strategy in, a report as HTML out: its rate, what decides it and why it works, with a picture of a success and of a failure."""

from collections.abc import Mapping
from typing import cast

from crenel.atlas.compile import About
from crenel.atlas.schema import Source
from crenel.evade.tested import Finding, Way
from crenel.report.coins import rate_words
from crenel.report.grounds import boxes_markup
from crenel.report.html_try import packet_list
from crenel.report.layout import GLUE
from crenel.report.markup import escaped, shown, tag
from crenel.report.page import Report, labelled, legend, page
from crenel.report.picture import picture_of
from crenel.report.svg import svg
from crenel.report.tested import HANG, account_lines
from crenel.report.text import percent


def evade_html(tested: Finding, given: Mapping[str, str], sources: Mapping[str, Source], again: str, crenel: str = "") -> str:
    """Return the report of a test.

    Args:
        tested: what came of it.
        given: labelled lines that say what was tested, where and when.
        sources: the works, by id.
        again: the command that gives the same answer.
        crenel: the version of Crenel.
    """
    about = cast("About", tested.trials.wall.about)
    facts = "<dl>" + "".join(f"<dt>{escaped(label)}</dt><dd>{shown(text, 2000)}</dd>" for label, text in given.items() if label) + "</dl>"
    ways = [(way, title) for way, title in ((tested.success, "A success"), (tested.failure, "A failure")) if way is not None]
    sections = [tag("section", f"<h2>What came of it</h2>{labelled(account_lines(tested, sources, None), HANG)}")]
    sections += [_way(way, title, f"w{number}") for number, (way, title) in enumerate(ways)]
    evidence = [found for way, _ in ways for found in way.trial.exchange.evidence]
    if evidence:
        sections.append(tag("section", f"<h2>The boxes, and who measured them</h2>{boxes_markup(evidence, tested.trials.wall, sources)}"))
    return page(
        Report(
            title=given.get("strategy", "") or "no strategy", lead=f'<p class="lead">{shown(rate_words(tested.rate).replace(GLUE, " "))}</p>',
            facts=facts, sections=tuple(sections), again=again, sha256=about.sha256, crenel=crenel,
        )
    )  # fmt: skip


def _way(way: Way, title: str, name: str) -> str:
    """Return the section of one way in which a trial went."""
    exchange = way.trial.exchange
    share = "" if way.share is None else f": {percent(way.share)} of all trials go just so".replace(GLUE, " ")
    picture = picture_of(exchange, title, exchange.experience.says)
    drawn = svg(picture, name)
    said = f"<p>The client: {shown(exchange.experience.says, 400)}.</p>"
    return tag("section", f'<h2 id="{name}">{shown(title + share)}</h2>{said}<figure>{drawn}{legend(drawn)}</figure>{packet_list(picture)}')
