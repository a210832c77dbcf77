"""What gave an exchange or a flow away in, markup out: each box with its rule and the bytes that it read, and once for all who measured the boxes."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from crenel.atlas.schema import Source
from crenel.net.trace import Evidence, Trigger
from crenel.report.citing import cite
from crenel.report.dump import CONTEXT_ROWS, dump
from crenel.report.layout import GLUE
from crenel.report.markup import escaped, shown, tag
from crenel.report.page import preformatted
from crenel.report.reactions import memory_words, reaction_words
from crenel.report.reason import odds_words, read_words
from crenel.report.text import counted, percent
from crenel.wall.box import Box
from crenel.wall.wall import Wall

Detail = Literal["whole", "brief"]
"""How much is said: in brief, what is said of the boxes elsewhere is left out, and fewer bytes are shown around those that count."""
Bytes = Callable[[Evidence], tuple[bytes, str]]
"""Gives the bytes that a box read, and what to call them."""


def ground_markup(
    evidence: Sequence[Evidence], triggers: Sequence[Trigger], wall: Wall, bytes_of: Bytes, prefix: str = "", detail: Detail = "whole"
) -> str:
    """Return a part for each box with ground to act, those that acted first.

    Args:
        evidence: what gave it away.
        triggers: the boxes, with their chances.
        wall: the wall that has them.
        bytes_of: gives what each read.
        prefix: of the anchors of boxes.
        detail: how much is said.
    """
    boxes, known = {box.id: box for box in wall.boxes}, {trigger.middlebox: trigger for trigger in triggers}
    first = sorted(evidence, key=lambda one: not known.get(one.middlebox, _idle(one)).acted)
    seen: set[tuple[int, int]] = set()
    return "".join(_ground(one, known.get(one.middlebox, _idle(one)), boxes[one.middlebox], _Manner(bytes_of, prefix, detail), seen) for one in first)


class _Manner(NamedTuple):
    """How grounds are told."""

    bytes_of: Bytes
    prefix: str
    detail: Detail


def _idle(evidence: Evidence) -> Trigger:
    """Return what stands for a box that remembers, and is no trigger."""
    return Trigger(evidence.middlebox, "", 0.0, acted=False)


def _ground(one: Evidence, trigger: Trigger, box: Box, manner: "_Manner", seen: set[tuple[int, int]]) -> str:
    title = f" <small>{shown(box.facts.title)}</small>" if manner.detail == "whole" else ""
    head = f'<h3><a href="#{manner.prefix}box-{escaped(box.id)}">{escaped(box.id)}</a>{title}</h3>'
    remembered = one.residual is not None and one.armed_by
    chance = f"what it remembers is enforced on {percent(one.chance)} of flows" if remembered else odds_words(one, trigger)
    rows = [("chance", chance.replace(GLUE, " "))]
    data, where = manner.bytes_of(one) if one.residual is None and one.length else (b"", "")
    what = f"nothing: what flow {one.armed_by} set still held when packet {one.packet} came" if remembered else read_words(one, where)
    rows.append(("read", what))
    if one.rule and one.residual is None:
        rows.append(("rule", one.rule))
    place = (one.offset, one.length)
    if data and place in seen:
        last = f"; last observed on {one.last_observed}" if one.last_observed is not None and manner.detail == "whole" else ""
        return head + terms([("the same", f"{odds_words(one, trigger)}; {one.rule}{last}")])
    seen.add(place)
    return head + terms(rows) + (hex_view(data, one, manner.detail) if data else "")


def hex_view(data: bytes, one: Evidence, detail: Detail = "whole") -> str:
    """Return the bytes around what a box read, with that marked."""
    words = f"Bytes {one.offset} to {one.offset + one.length - 1} are what {one.middlebox} read"
    pre = preformatted(dump(data, one.offset, one.length, context=CONTEXT_ROWS if detail == "whole" else 1), "hex")
    return pre.replace("<pre ", f'<pre tabindex="0" role="group" aria-label="{escaped(words)}" ', 1)


def terms(rows: Iterable[tuple[str, str]]) -> str:
    """Return labels with what is said of each; a label that is empty goes on with the one before."""
    return tag("dl", "".join((tag("dt", escaped(label)) if label else "") + tag("dd", shown(words)) for label, words in rows))


def boxes_markup(evidence: Iterable[Evidence], wall: Wall, sources: Mapping[str, Source], prefix: str = "") -> str:
    """Return what is known of each box that had ground, and by whose measurement; the heading is the caller's."""
    found: dict[str, list[Evidence]] = {}
    for one in evidence:
        found.setdefault(one.middlebox, []).append(one)
    return "".join(_box(box, found[box.id], sources, prefix) for box in wall.boxes if box.id in found)


def _box(box: Box, evidence: Sequence[Evidence], sources: Mapping[str, Source], prefix: str) -> str:
    one = evidence[0]
    last = f", last observed on {one.last_observed}" if one.last_observed is not None else ""
    rows = [("does" if not number else "", words) for number, words in enumerate(reaction_words(box.reaction))]
    if box.residual is not None and box.residual.seconds > 0:
        rows.append(("remembers", memory_words(box.residual)))
    rows.append(("in force", f"since {one.epoch}{last}; confidence {box.facts.confidence}"))
    works = cite(dict.fromkeys(source for found in evidence for source in found.sources), sources)
    rows += [("sources" if not number else "", work) for number, work in enumerate(works)]
    assumed = list(dict.fromkeys(sentence for found in evidence for sentence in found.assumed))
    more = ""
    if assumed:
        said = "".join(tag("li", shown(sentence)) for sentence in assumed)
        more = f"<details><summary>{counted(len(assumed), 'thing')} assumed for lack of a measurement</summary><ul>{said}</ul></details>"
    head = f'<h3 id="{prefix}box-{escaped(box.id)}">{escaped(box.id)} <small>{shown(box.facts.title)}</small></h3>'
    return head + terms((label, words.replace(GLUE, " ")) for label, words in rows) + more
