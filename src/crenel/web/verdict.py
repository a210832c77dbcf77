"""An answer in, what became of it in words out: the verdict, why, since when, and how it changed over time."""

import datetime as dt
from collections.abc import Sequence

from crenel.report.account import outcome_words
from crenel.report.layout import GLUE
from crenel.report.table import about_of
from crenel.report.text import counted, listed, percent, safe
from crenel.report.words import UNLISTED, Kind, Reasons, kind_of, verdict_words
from crenel.web.answer import Answer
from crenel.web.course import Stretch, since, stretch_on
from crenel.web.elements import Child, Markup, element, fragment
from crenel.web.gallery import about

WORDS: dict[Kind, str] = {
    "blocked": "Blocked",
    "remembered": "Still remembered",
    "at risk": "At risk",
    "tolerated": "Tolerated",
    "undetermined": "Cannot be told",
    "unlisted": "On no example list",
    "passes": "Passes",
}
SIGNS: dict[Kind, str] = {"blocked": "✕", "remembered": "✕", "at risk": "▲", "tolerated": "▲", "undetermined": "?", "unlisted": "○", "passes": "✓"}
"""Beside the colour, so that nobody needs to see colours."""
FACES: dict[Kind, str] = {
    "blocked": "bad", "remembered": "bad", "at risk": "risk", "tolerated": "risk", "undetermined": "unsure", "unlisted": "unsure", "passes": "good",
}  # fmt: skip

NOT_MODELLED = "Not modelled"
UNKNOWN = "no box is modelled that reads what gives such a flow away on other days: that it passes here says nothing about what happened then."


def plain_words(text: str) -> str:
    """Return words of a report with ordinary blanks."""
    return text.replace(GLUE, " ")


def headline(answer: Answer) -> str:
    """Return the verdict in a few words, without markup, for a heading and for a screen reader."""
    if answer.flow is None:
        return "No flow in this capture"
    if unknown(answer):
        return NOT_MODELLED
    kind = kind_of(answer.flow)
    if kind in {"at risk", "tolerated"}:
        return plain_words(f"{WORDS[kind]}: {percent(answer.flow.chance)} of connections")
    return WORDS[kind]


def unknown(answer: Answer) -> bool:
    """Say whether the model has no box on this day that could have ground, although it has on others."""
    place = stretch_on(answer.course or (), answer.day)
    return answer.course is not None and place is not None and not answer.course[place].known


def badge(kind: Kind, words: str | None = None) -> Markup:
    """Return a verdict as a small coloured label with its sign."""
    return element("span", element("span", f"{SIGNS[kind]} ", aria_hidden="true"), words or WORDS[kind], class_=f"badge {FACES[kind]}")


def verdict(answer: Answer, level: str = "h2") -> Markup:
    """Return the verdict: a heading and the sentences below it."""
    flow = answer.flow
    if flow is None:
        return fragment(element(level, headline(answer)), element("p", "It holds no packets of TCP or UDP that could be judged."))
    kind: Kind = "undetermined" if unknown(answer) else kind_of(flow)
    sign = element("span", SIGNS[kind], class_="sign", aria_hidden="true")
    head = element(level, sign, element("span", headline(answer)), class_=f"verdict {FACES[kind]}")
    lines: list[Child] = []
    if answer.tried is not None:
        drawn = "This draw " if 0.0 < flow.chance < 1.0 else ""
        lines.append(_sentence(drawn + outcome_words(answer.tried)))
        reason = Reasons(answer.wall).of(flow)
        lines.append(_sentence(f"Why: {reason}") if reason else None)
    else:
        reason = Reasons(answer.wall).of(flow)
        lines.append(_sentence(f"{verdict_words(flow, about_of(answer.wall))}{f': {reason}' if reason else ''}"))
    if flow.basis is not None and kind == "unlisted":
        lines.append(f"The name is {plain_words(verdict_words(flow, about_of(answer.wall)))}, {UNLISTED.partition(';')[0]}.")
    return fragment(head, [element("p", line) for line in lines if line], _since(answer), _cautions(answer))


def _sentence(text: str) -> str:
    text = plain_words(text).strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "…")) else ".")


def since_words(answer: Answer) -> str:
    """Return since when boxes have acted on it, and by which; empty where none does, or nobody worked it out."""
    if answer.flow is None or not answer.course:
        return ""
    begun, place = since(answer.course, answer.day), stretch_on(answer.course, answer.day)
    if begun is None or place is None:
        return ""
    now = answer.course[place]
    kinds = {one.kind for one in answer.course if begun <= one.first <= answer.day}
    word = WORDS[now.kind] if len(kinds) == 1 else "Acted on"
    earlier = stretch_on(answer.course, begun - dt.timedelta(days=1))
    first = ", the first day for which such a box is modelled;" if earlier is None or not answer.course[earlier].known else ","
    return f"{word} since {begun}{first} {'now ' if begun != now.first else ''}by {listed(now.boxes)}."


def _since(answer: Answer) -> Markup | None:
    words = since_words(answer)
    return element("p", words, class_="since") if words else None


def _cautions(answer: Answer) -> Markup:
    flow, notes = answer.flow, [plain_words(note) for note in about(answer.wall).notes]
    if unknown(answer):
        notes.append(f"For this day {UNKNOWN}")
    old: dict[str, list[str]] = {}
    for one in flow.evidence if flow is not None else ():
        if one.last_observed is not None and one.last_observed[:10] < answer.day.isoformat():
            old.setdefault(one.last_observed, []).append(one.middlebox)
    if old:
        notes.append("Last observed at work: " + "; ".join(f"{listed(boxes)} on {day}" for day, boxes in sorted(old.items())) + ".")
    return fragment(element("p", note, class_="note") for note in notes)


def resting_on(answer: Answer) -> Markup:
    """Return the wall, day, place and draw that an answer rests on."""
    known = about(answer.wall)
    hour = " at 12:00" if answer.tried is not None else ", at the hour of each packet"
    given = ", every name taken as listed" if known.listed else ""
    return element("p", f"{safe(known.title)}, as of {known.as_of}{hour}, seen from {safe(known.vantage)}, draw {known.seed}{given}", class_="basis")


def course_table(answer: Answer, *, buttons: bool) -> Markup:
    """Return how the answer changes over time, newest first; each first day is a button that goes there."""
    if answer.course is None:
        words = "This capture is too long to judge again for each date on which the wall changes; crenel check --as-of tells of one date."
        return element("p", words, class_="note")
    here = stretch_on(answer.course, answer.day)
    rows = [_stretch(one, here=place == here, buttons=buttons) for place, one in reversed([*enumerate(answer.course)])]
    heads = [element("th", head, scope="col") for head in ("From", "To", "Answer", "Boxes with ground to act")]
    caption = element("caption", f"Judged anew for each of the days on which the model changes: {counted(len(rows), 'answer')}.")
    return element("table", caption, element("thead", element("tr", heads)), element("tbody", rows), class_="course")


def _stretch(one: Stretch, *, here: bool, buttons: bool) -> Markup:
    first = one.first.isoformat()
    go = element("button", first, type="submit", form="ask", name="go", value=first, title=f"Look at {first}", class_="date") if buttons else first
    words = plain_words(f"{WORDS[one.kind]}, {percent(one.chance)}") if 0 < one.chance < 1 else WORDS[one.kind]
    label = badge(one.kind, words) if one.known else badge("undetermined", NOT_MODELLED)
    cells = [element("td", go), element("td", one.last.isoformat()), element("td", label), element("td", listed(one.boxes) or "–")]
    return element("tr", cells, class_="here" if here else None, aria_current="date" if here else None)


def neighbours(course: Sequence[Stretch] | None, day: dt.date) -> tuple[dt.date | None, dt.date | None]:
    """Return the first days of the stretch before and of the one after a day; None where there is none."""
    firsts = [one.first for one in course or ()]
    earlier = [first for first in firsts if first < day]
    later = [first for first in firsts if first > day]
    return (earlier[-1] if earlier else None), (later[0] if later else None)
