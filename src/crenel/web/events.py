"""Dated events in, lists of them out: what happened, whose figures, and the source of each."""

import datetime as dt
from collections.abc import Sequence

from crenel.atlas.load import sources
from crenel.atlas.timeline import Happening, between, happenings, span
from crenel.errors import UsageError
from crenel.report.citing import cite
from crenel.report.text import counted, safe
from crenel.web.elements import Markup, element, fragment
from crenel.web.strip import around, title_of

KINDS = ("mechanism", "rule", "directive", "enforcement", "company", "infrastructure")
CAUTION = (
    "Figures of agencies are their own counts, which nobody cited here has verified. What they count changes from year to year, so they make no "
    "series, and totals of one operation include the ones before. That one thing came after another does not say that it came of it."
)


def events_around(day: dt.date) -> Markup:
    """Return the events next to a day, technical changes beside the public record."""
    parts = [
        element("div", element("h3", title), element("ul", [_event(one, day) for one in around(day, record=record)], class_="events"))
        for title, record in (("Technical changes", False), ("Public record", True))
    ]
    more = element("p", element("a", "The whole timeline", href="/timeline"), ". ", CAUTION, class_="note")
    return fragment(element("div", parts, class_="columns"), more)


def _event(event: Happening, day: dt.date | None = None) -> Markup:
    when = event.date if event.to is None else f"{event.date} to {event.to}"
    later = day is not None and span(event.date)[0] > day
    badges: list[Markup] = [element("time", when), element("span", title_of(event), class_=f"kind {event.kind}")]
    if later:
        badges.append(element("span", "later", class_="kind"))
    if event.confidence != "high":
        badges.append(element("span", f"confidence {event.confidence}", class_="doubt"))
    figure = element("p", f"{event.figure} (by {event.figure_by})" if event.figure_by else event.figure, class_="figure") if event.figure else None
    cited = [element("li", words) for words in cite(event.sources, sources())]
    return element(
        "li", element("p", badges, class_="head"), element("p", event.text), figure, element("ul", cited, class_="cited"),
        class_="later" if later else None,
    )  # fmt: skip


def chosen(since: str, until: str, kinds: Sequence[str], search: str) -> list[Happening]:
    """Return the events of a span, of some kinds, that hold a text.

    Raises:
        UsageError: a date or a kind is none.
    """
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown:
        message = f"kind {safe(unknown[0], 40)!r}: there is {', '.join(KINDS)}"
        raise UsageError(message)
    found = between(happenings(), since.strip() or None, until.strip() or None)
    wanted = search.strip().casefold()
    return [
        event
        for event in found
        if (not kinds or event.kind in kinds) and wanted in " ".join((event.text, event.topic or "", *event.sources)).casefold()
    ]


def timeline_form(since: str, until: str, kinds: Sequence[str], search: str) -> Markup:
    """Return the filters of the timeline."""
    ticks = {kind: element("input", type="checkbox", name="kind", value=kind, checked=kind in kinds) for kind in KINDS}
    boxes = [element("label", tick, " ", element("span", kind, class_=f"kind {kind}")) for kind, tick in ticks.items()]
    fields = [
        element("label", "From ", element("input", name="since", value=since, placeholder="YYYY-MM", size=10)),
        element("label", "to ", element("input", name="until", value=until, placeholder="YYYY-MM", size=10)),
        element("label", "about ", element("input", name="search", value=search, type="search", size=18)),
        element("button", "Show", type="submit", class_="main"),
    ]
    kind = element("fieldset", element("legend", "Kinds; none ticked is all"), boxes, class_="kinds")
    return element("form", kind, element("p", fields, class_="row"), method="get", action="/timeline", class_="card filters")


def timeline_list(events: Sequence[Happening]) -> Markup:
    """Return all of these events."""
    if not events:
        return element("p", "No event is like that.")
    return fragment(
        element("p", f"{counted(len(events), 'event')}. {CAUTION}", class_="note"),
        element("ul", [_event(event) for event in events], class_="events whole"),
    )
