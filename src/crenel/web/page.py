"""What was asked for and the answers in, whole pages out, and the parts of one that a script replaces."""

import datetime as dt

import msgspec

from crenel import __version__
from crenel.net.trace import FlowReport
from crenel.report.citing import known_sources
from crenel.report.table import target_of
from crenel.report.text import counted, safe
from crenel.report.words import Reasons, kind_of
from crenel.web.answer import MOST_FLOWS, Answer
from crenel.web.asked import Asked, link
from crenel.web.controls import capture_panel, form
from crenel.web.elements import Child, Markup, element, fragment
from crenel.web.events import events_around
from crenel.web.evidence import evidence, ladder
from crenel.web.gallery import Gallery
from crenel.web.shelf import Held
from crenel.web.strip import Scale, strip
from crenel.web.verdict import badge, course_table, headline, neighbours, plain_words, resting_on, since_words, verdict


class Shown(msgspec.Struct, frozen=True):
    """All that one page shows."""

    asked: Asked
    answers: tuple[Answer, ...] = ()
    walls: tuple[str, ...] = ()
    """The name of the wall of each."""
    held: Held | None = None
    problem: str = ""
    """What is wrong with what was typed, in a sentence."""
    days: tuple[dt.date, ...] = ()


_FOOT = "A model rebuilt from published measurements, on this machine; it filters nothing and sends nothing."


def whole_page(shown: Shown, gallery: Gallery) -> Markup:
    """Return the page."""
    title = f"{headline(shown.answers[0])}: {safe(_title(shown), 100)}" if shown.answers else "What would the wall do?"
    main = [
        form(shown.asked, gallery, shown.held, shown.days, _strip(shown, gallery)),
        element("p", said(shown), id="said", role="status", class_="unseen"),
        element("section", answer_part(shown), id="answer", aria_label="Answer", tabindex=-1),
    ]
    return document(title, main, "ask")


def document(title: str, main: Child, here: str) -> Markup:
    """Return a page with its head; `here` is the part of the site that it belongs to."""
    head = [
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="htmx-config", content='{"includeIndicatorCSS": false, "defaultTimeout": 30000}'),
        element("title", f"{title} – Crenel"),
        element("link", rel="stylesheet", href="/static/page.css"),
        element("link", rel="stylesheet", href="/static/ladder.css"),
        element("link", rel="icon", href="/static/icon.svg", type="image/svg+xml"),
        element("script", src="/static/htmx.min.js", defer=True),
        element("script", src="/static/page.js", defer=True),
    ]
    places = [
        element("a", words, href=where, aria_current="page" if here == name else None)
        for name, words, where in (("ask", "Ask", "/"), ("timeline", "Timeline", "/timeline"))
    ]
    top = element(
        "header", element("a", element("span", "▙▟", class_="logo", aria_hidden="true"), " Crenel", href="/", class_="brand"),
        element("nav", places, aria_label="Pages"), class_="top",
    )  # fmt: skip
    foot = element("footer", element("p", f"Crenel {__version__}. {_FOOT}"))
    skip = element("a", "Skip to the answer", href="#answer", class_="skip") if here == "ask" else None
    body = element("body", skip, top, element("main", element("h1", _heading(here)), main), foot)
    return Markup("<!doctype html>\n" + element("html", element("head", head), body, lang="en") + "\n")


def _heading(here: str) -> str:
    return "What happened when" if here == "timeline" else "What would the wall do?"


def parts(shown: Shown, gallery: Gallery, *, brought: bool) -> Markup:
    """Return what changes in the page: the answer, the strip, the sentence for screen readers, and the held capture where one was brought."""
    return fragment(
        answer_part(shown),
        element("div", _strip(shown, gallery), id="strip", hx_swap_oob="true"),
        element("p", said(shown), id="said", role="status", class_="unseen", hx_swap_oob="innerHTML"),
        capture_panel(shown.asked, shown.held, hx_swap_oob="true") if brought else None,
    )


def said(shown: Shown) -> str:
    """Return the answer in a sentence or two, as a screen reader says it."""
    if shown.problem:
        return shown.problem
    return " ".join(f"As of {answer.day}: {headline(answer)}. {since_words(answer)}" for answer in shown.answers)


def _strip(shown: Shown, gallery: Gallery) -> Markup:
    names = [name for name in shown.walls if name in gallery.titles] or gallery.names[:1]
    last = max(gallery.last(name) for name in names)
    bands = shown.answers if len(set(shown.walls)) > 1 else shown.answers[:1]
    return strip(Scale(gallery.first(), last), bands, shown.days, _go(shown))


def _go(shown: Shown) -> str:
    """Return the address of the page on a day, but for the day; nothing else may follow it."""
    address = link(shown.asked, date="")
    return f"{address}{'&' if '?' in address else '?'}date=" if address else ""


def answer_part(shown: Shown) -> Markup:
    """Return the answer, or what is wrong with the question."""
    problem = element("p", element("strong", "That cannot be judged. "), shown.problem, class_="problem", role="alert") if shown.problem else None
    around = fragment(element("h2", f"Around {shown.days[0]}"), events_around(shown.days[0])) if shown.days else None
    if not shown.answers:
        hint = None if problem else element("p", "Type an address, paste bytes or bring a capture, and the answer appears here.", class_="hint")
        return fragment(problem, hint, around)
    many = len(shown.answers) > 1
    sides = [_side(shown, number, many=many) for number in range(len(shown.answers))]
    return fragment(problem, element("div", sides, class_="sides two" if many else "sides"), _share(shown), around)


def _title(shown: Shown) -> str:
    answer = shown.answers[0]
    if answer.tried is not None:
        return answer.tried.target.shown
    return answer.capture.held.name if answer.capture is not None else ""


def _side(shown: Shown, number: int, *, many: bool) -> Markup:
    answer, name = shown.answers[number], shown.walls[number]
    title = _title(shown)
    if answer.capture is not None and answer.flow is not None:
        title += f", flow {answer.flow.flow}: {target_of(answer.flow)}"
    heading = element("p", element("bdi", safe(title)), f" as of {answer.day}", class_="asked")
    drawn = ladder(answer, f"What becomes of {title}", f"s{number}-")
    boxes = [element("h3", "What gave it away, and who measured it"), evidence(answer, known_sources(name))]
    course = [element("h3", "How the answer changes over time"), _steps(answer) if not number else None, course_table(answer, buttons=not number)]
    # The same wall changes in the same way on either side.
    changes = element("div", course, class_="card") if not number or name != shown.walls[0] else None
    flows = flow_table(answer, buttons=True) if answer.capture is not None and not number else None
    told = element("div", heading, verdict(answer), resting_on(answer), class_="card answer")
    left = element("div", told, flows, element("div", drawn, class_="card") if drawn else None)
    right = element("div", changes, element("div", boxes, class_="card"))
    return element("section", left, right, class_="side many" if many else "side", aria_label=f"As of {answer.day}")


def _steps(answer: Answer) -> Markup:
    before, after = neighbours(answer.course, answer.day)
    buttons = [
        element("button", words, type="submit", form="ask", name="go", value=day.isoformat() if day else "", disabled=day is None)
        for words, day in (("← change before", before), ("next change →", after))
    ]
    return element("p", buttons, class_="row steps")


def _share(shown: Shown) -> Markup:
    report = element("button", "Save this answer as a file", type="submit", form="ask", formaction="/report")
    packets = None
    if shown.answers[0].tried is not None:
        packets = element("button", "Save the packets (pcapng)", type="submit", form="ask", formaction="/packets")
    address = link(shown.asked)
    same = element("a", "link to this answer on this machine", href=address) if address else None
    return element("p", report, packets, same, class_="row share")


def flow_table(answer: Answer, *, buttons: bool) -> Markup:
    """Return the flows of a capture, each with its verdict; its number is a button that tells of it."""
    capture = answer.capture
    if capture is None:
        return fragment()
    reasons = Reasons(answer.wall)
    rows = [_flow(flow, reasons, here=flow == answer.flow, buttons=buttons) for flow in capture.flows]
    summary = capture.summary
    words = [f"{counted(summary.flows, 'flow')}, {counted(summary.packets, 'packet')}"]
    words += [f"{number:,} {kind}" for kind, number in capture.kinds.items()]
    notes = [f"damaged: {safe(damage, 300)}" for damage in summary.damaged]
    if summary.undecoded:
        notes.append(f"{counted(summary.undecoded, 'frame')} hold no IP packet that could be read")
    if summary.flows > len(capture.flows):
        notes.append(f"only the first {MOST_FLOWS} flows are shown; crenel check shows all")
    heads = element("thead", element("tr", [element("th", head, scope="col") for head in ("Flow", "What", "To", "Verdict")]))
    table = element("table", element("caption", "; ".join(words)), heads, element("tbody", rows), class_="flows")
    scroll = element("div", table, class_="scroll", tabindex=0, role="region", aria_label="Flows of the capture")
    return element("div", element("h3", "Flows of the capture"), [element("p", note, class_="note") for note in notes], scroll, class_="card")


def _flow(flow: FlowReport, reasons: Reasons, *, here: bool, buttons: bool) -> Markup:
    number = str(flow.flow)
    label = f"Flow {number}"
    button = element("button", number, type="submit", form="ask", name="pick", value=number, class_="date", aria_label=label)
    first = button if buttons else number
    kind, what = kind_of(flow), flow.transport if flow.protocol == "unknown" else flow.protocol
    reason = plain_words(reasons.of(flow))
    cells = [
        element("td", first), element("td", what), element("td", element("bdi", target_of(flow), class_="name")),
        element("td", badge(kind), element("span", f" {reason}", class_="why") if reason else None),
    ]  # fmt: skip
    return element("tr", cells, class_="here" if here else None, aria_current="true" if here else None)

