"""Sections of a report in, one self-contained HTML file out: it loads nothing, runs one script that it names by its hash, and prints well."""

import base64
import hashlib
from collections.abc import Iterable, Sequence
from importlib.resources import files

import msgspec

from crenel.report.layout import GLUE, Line, Piece, Tone, joined
from crenel.report.markup import escaped, shown, tag
from crenel.report.svg import style

_SCRIPT = (
    '(()=>{const s=document.getElementById("sheet");let on=null;const set=g=>{if(on)on.classList.remove("on");on=g&&g!==on?g:null;'
    's.hidden=!on;if(on){on.classList.add("on");s.textContent=on.querySelector("title").textContent}};'
    'addEventListener("click",e=>{const g=e.target.closest?e.target.closest("svg .r"):null;set(g&&g.querySelector("title")?g:null)});'
    'addEventListener("keydown",e=>{if(e.key==="Escape")set(null)})})()'
)
"""Where somebody taps a row of a ladder, what pointing at it shows is shown below."""
_STROKES = (
    ("captured or sent by an end", '<path d="M0 5H26"/><path class="h" d="M32 5l-8 -4v8z"/>', ""),
    ("forged by the wall", '<path d="M0 5H26"/><path class="h" d="M32 5l-8 -4v8z"/>', "f"),
    ("the wall acts on it", '<path d="M0 5H32"/><circle class="g" cx="16" cy="5" r="4"/>', ""),
    ("it gets no farther", '<path d="M0 5H22"/><path class="x" d="M18 1l8 8m0 -8l-8 8"/>', ""),
)


_ELEMENTS: dict[Tone, str] = {"mark": "mark", "dim": "i"}
"""Tones that have an element of their own, because they are the most common."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A report, ready to be set."""

    title: str
    lead: str
    """Markup: what came out, in a sentence."""
    facts: str
    """Markup: what it rests on."""
    sections: tuple[str, ...]
    """Markup."""
    again: str
    """The command that gives the same answer."""
    sha256: str
    """Of the wall's profile."""
    crenel: str = ""
    """The version of Crenel that made it."""


def page(report: Report) -> str:
    """Return a report as HTML."""
    script = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{script}'; base-uri 'none'; form-action 'none'"
    title = shown(report.title, 400)
    head = (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{policy}">'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="referrer" content="no-referrer">'
        f"<title>{title} – Crenel</title><style>{_sheet()}</style></head>"
    )
    header = f'<header><p class="brand">Crenel: what a wall would do</p><h1>{title}</h1>{report.lead}{report.facts}</header>'
    version = f"<dt>Crenel</dt><dd>{escaped(report.crenel)}</dd>" if report.crenel else ""
    again = (
        f'<h2 id="again">How to get the same again</h2><pre class="wrap">{shown(report.again, 8000)}</pre>'
        f"<dl>{version}<dt>profile</dt><dd>SHA-256 <code>{escaped(report.sha256)}</code></dd></dl>"
    )
    foot = (
        "<footer><p>Everything here comes from a model that was built from published measurements; nothing was sent through a real wall. "
        "What the model does not know is said under the boxes and in Crenel's limits.</p></footer>"
    )
    body = f"{header}<main>{''.join(report.sections)}<section>{again}</section></main>{foot}"
    return f'{head}<body>{body}<pre id="sheet" role="status" hidden></pre><script>{_SCRIPT}</script></body></html>\n'


def _sheet() -> str:
    return ((files("crenel.report") / "page.css").read_text("utf-8") + style()).replace("\n", "")


def legend(markup: str, forged: str = "forged by the wall") -> str:
    """Return what the strokes of a ladder mean, those that are in it; `forged` is said of what the wall makes."""
    present = (True, 'class="r f' in markup, 'class="g"' in markup, 'class="x' in markup)
    parts = [
        f'<span><svg class="ladder" style="display:inline-block;width:32px" viewBox="0 0 32 10" width="32" height="10" aria-hidden="true">'
        f"{tag('g', stroke, class_=face)}</svg>{forged if face == 'f' else words}</span>"
        for (words, stroke, face), there in zip(_STROKES, present, strict=True)
        if there
    ]
    return tag("figcaption", "".join(parts))


def toned(pieces: Iterable[Piece]) -> str:
    """Return pieces of text with what they mean to the reader."""
    parts = []
    for text, tone in _marked_through(list(pieces)):
        words = escaped(text.replace(GLUE, "\u00a0"))
        element = _ELEMENTS.get(tone)
        parts.append(words if not tone or not text.strip() else tag(element, words) if element else tag("span", words, class_=tone))
    return "".join(parts)


def _marked_through(pieces: Sequence[Piece]) -> Line:
    """Return pieces in which a blank between two marked ones is marked too."""
    between = range(1, len(pieces) - 1)
    blank = {at for at in between if pieces[at] == (" ", "") and pieces[at - 1][1] == "mark" == pieces[at + 1][1]}
    return joined((text, "mark" if at in blank else tone) for at, (text, tone) in enumerate(pieces))


def labelled(lines: Sequence[Line], hang: int) -> str:
    """Return lines whose first piece is a label of `hang` columns as a list of terms."""
    parts = []
    for line in lines:
        if not line:
            continue
        label, rest = line[0][0], line[1:]
        if len(label) > hang:
            label, rest = label[:hang], ((label[hang:], line[0][1]), *rest)
        words = tag("dd", toned(rest))
        parts.append((tag("dt", escaped(label.strip())) if label.strip() else "") + words)
    return tag("dl", "".join(parts)) if parts else ""


def preformatted(lines: Sequence[Line], face: str = "") -> str:
    """Return lines as they stand, with their tones."""
    return tag("pre", "\n".join(toned(line).rstrip() for line in lines), class_=face) if lines else ""


def lines_section(title: str, lines: Sequence[Line]) -> str:
    """Return a section of lines as any command prints them."""
    return tag("section", f"<h2>{shown(title, 400)}</h2>{preformatted(lines)}")
