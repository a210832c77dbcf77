"""An answer in, the ladder and the boxes with ground to act out: which bytes each read, by which rule, who measured it, what is assumed."""

from collections.abc import Mapping

from crenel.atlas.schema import Source
from crenel.net.trace import Evidence, Trigger
from crenel.report.account import outcome_words
from crenel.report.bytes_read import BytesRead
from crenel.report.citing import cite
from crenel.report.dump import dump
from crenel.report.fields import byte_words, field_words
from crenel.report.forecast import forecast_picture
from crenel.report.layout import Line, plain
from crenel.report.picture import Arrow, Picture, Remark, picture_of, time_words
from crenel.report.reactions import memory_words, reaction_words
from crenel.report.reason import client_bytes, odds_words, read_words, remembered_until
from crenel.report.svg import svg
from crenel.report.text import counted, safe
from crenel.report.words import verdict_words
from crenel.wall.box import Box
from crenel.web.answer import Answer, watched_of
from crenel.web.elements import Child, Markup, element, foreign, fragment
from crenel.web.gallery import about
from crenel.web.verdict import plain_words

_LONGEST_RULE = 2000


def picture(answer: Answer, title: str) -> Picture | None:
    """Return the ladder of an answer, or None where there is nothing to draw."""
    if answer.tried is not None:
        return picture_of(answer.tried.exchange, title, plain_words(outcome_words(answer.tried)))
    if answer.flow is None or answer.capture is None or answer.capture.witnessed is None:
        return None
    summary = plain_words(verdict_words(answer.flow, about(answer.wall)))
    return forecast_picture(answer.flow, answer.capture.witnessed, answer.wall.name, title, summary)


def ladder(answer: Answer, title: str, name: str) -> Markup | None:
    """Return the ladder with the list of its packets in words.

    Args:
        answer: what is told of.
        title: what was asked.
        name: begins the ids of its parts.
    """
    drawn = picture(answer, safe(title))
    if drawn is None:
        return None
    rows = [_row(row, both_clocks=drawn.both_clocks) for row in drawn.rows]
    words = element("details", element("summary", "The packets in words, with their fields and first bytes"), element("ol", rows, class_="packets"))
    keys = element("p", "Red and dashed: forged by the wall. ○: the wall acts on it. ✕: it gets no farther.", class_="hint")
    return element("div", Markup(svg(drawn, name)), keys, words, class_="drawing")


def _row(row: Arrow | Remark, *, both_clocks: bool) -> Markup:
    when = element("span", time_words(row, both_clocks=both_clocks), class_="when")
    if isinstance(row, Remark):
        return element("li", when, f" {plain_words(row.words)}", class_="remark")
    more = [element("span", f"because {words}", class_="because") for words in row.because]
    if row.packets:
        first = row.packets[0]
        more += [element("span", words, class_="fields") for words in (field_words(first), byte_words(first)) if words]
    return element("li", when, f" {row.sentence}", more, class_="arrow forged" if row.kind == "forged" else "arrow")


def evidence(answer: Answer, sources: Mapping[str, Source]) -> Markup:
    """Return a part for each box with ground to act, those that acted first."""
    if answer.flow is None:
        return fragment()
    boxes = {box.id: box for box in answer.wall.boxes}
    triggers = {trigger.middlebox: trigger for trigger in answer.flow.triggers}
    found = [
        (one, triggers.get(one.middlebox) or Trigger(one.middlebox, boxes[one.middlebox].action or "", 0.0, acted=False))
        for one in answer.flow.evidence
    ]
    found.sort(key=lambda pair: not pair[1].acted)
    if not found:
        return element("p", "No box of this wall has ground to act on it.")
    cards = []
    for number, (one, trigger) in enumerate(found):
        cards.append(_card(answer, boxes[one.middlebox], one, trigger, sources, opened=not number))
    return fragment(cards)


def _card(answer: Answer, box: Box, one: Evidence, trigger: Trigger, sources: Mapping[str, Source], *, opened: bool) -> Markup:
    head = element("summary", element("code", box.id), " ", element("span", safe(box.facts.title)))
    rows = [
        *_field("Chance", plain_words(odds_words(one, trigger))),
        *_bytes(answer, one),
        *_field("Rule", foreign(one.rule, _LONGEST_RULE) if one.rule and one.residual is None else None),
        *_field("Does", *(plain_words(words) for words in reaction_words(box.reaction)) if one.residual is None else ()),
        *_field("Remembers", _memory(answer, box)),
        *_field("In force", _force(box, one)),
        *_field("Measured by", *cite(one.sources, sources)),
        *_field("Assumed", _assumed(one)),
    ]
    return element("details", head, element("dl", rows), class_="box", open=opened)


def _field(label: str, *said: Child) -> list[Markup]:
    told = [one for one in said if one]
    return [element("dt", label), *(element("dd", one) for one in told)] if told else []


def _assumed(one: Evidence) -> Markup | None:
    """Return what nobody measured, folded away: it is long, and whoever doubts an answer looks for it."""
    if not one.assumed:
        return None
    count = f"{counted(len(one.assumed), 'value')} that nobody has measured"
    return element("details", element("summary", count), element("ul", [element("li", safe(sentence, _LONGEST_RULE)) for sentence in one.assumed]))


def _memory(answer: Answer, box: Box) -> str | None:
    if box.residual is None or box.residual.seconds <= 0:
        return None
    until = remembered_until(answer.tried.exchange).get(box.id) if answer.tried is not None else None
    return plain_words(memory_words(box.residual) + (f"; here until {until}" if until else ""))


def _force(box: Box, one: Evidence) -> str:
    last = f", last observed on {one.last_observed}" if one.last_observed is not None else ""
    return f"observed from {one.epoch} on{last}; confidence {box.facts.confidence}"


def _bytes(answer: Answer, one: Evidence) -> list[Markup]:
    if answer.tried is not None:
        exchange = answer.tried.exchange
        data = client_bytes(exchange, one) if one.length and one.residual is None else b""
        where = "the datagram" if answer.tried.report.transport == "udp" else "what the client sent"
    else:
        data, where = BytesRead(watched_of(answer.capture)).of(one) if answer.capture is not None else (b"", "the flow")
        data = data if one.length and one.residual is None else b""
    shown = _dump(dump(data, one.offset, one.length)) if data else None
    return _field("Read", foreign(plain_words(read_words(one, where)), _LONGEST_RULE), shown)


def _dump(lines: list[Line]) -> Markup:
    """Return a hex view that a keyboard can scroll, with the bytes that gave the flow away marked."""
    parts = [
        [element("mark", text) if tone == "mark" else element("span", text, class_=tone) if tone else text for text, tone in line] + ["\n"]
        for line in lines
    ]
    begins = plain(lines[0]).split()[0]
    return element("pre", parts, class_="dump", tabindex=0, role="group", aria_label=f"Bytes from {begins} on; those that were read are marked")
