"""What was asked for in, the form out, with everything in it as it was typed: what goes through the wall, which wall, and when."""

import datetime as dt
from collections.abc import Sequence

import msgspec

from crenel.report.text import safe
from crenel.web.asked import Asked
from crenel.web.elements import Child, Markup, Value, element, fragment
from crenel.web.events import KINDS
from crenel.web.gallery import Gallery
from crenel.web.shelf import LARGEST_UPLOAD, Held

EXAMPLES = (
    ("https://blocked.example/", "a site on the list"),
    ("https://allowed.example/", "one that is not"),
    ("quic://blocked.example/", "the same over QUIC"),
    ("blocked.example", "its address, from DNS"),
    ("http://blocked.example/", "without encryption"),
)
_KINDS = (("target", "An address"), ("hex", "Bytes"), ("capture", "A capture"))
_DATE_LENGTH = 10
_KEPT_HERE = "Choose a file or drop it here; it is judged on this machine and kept in a temporary folder while the page is served."
_ANSWERS = (("bad", "blocked"), ("risk", "at risk"), ("good", "passes"), ("nothing", "not modelled"))


class Side(msgspec.Struct, frozen=True):
    """The controls of one wall and date."""

    suffix: str
    """Of the names of its fields."""
    wall: str
    date: str
    label: str


def months(first: dt.date, day: dt.date) -> int:
    """Return how many months a day lies behind the first one."""
    return (day.year - first.year) * 12 + day.month - first.month


def form(asked: Asked, gallery: Gallery, held: Held | None, days: Sequence[dt.date], strip: Markup) -> Markup:
    """Return the form.

    Args:
        asked: what was typed.
        gallery: the walls.
        held: the capture that was brought.
        days: the days that were understood, of the first side and of the second.
        strip: the picture of the timeline.
    """
    extra: dict[str, Value] = {
        "hx_post": "/", "hx_trigger": "input delay:40ms", "hx_target": "#answer", "hx_swap": "innerHTML", "hx_sync": "this:replace",
        "data_largest": LARGEST_UPLOAD,
    }  # fmt: skip
    # The first button of a form is the one that the Enter key presses.
    return element(
        "form", _what(asked, held), _when(asked, gallery, days, strip), id="ask", method="post", action="/", enctype="multipart/form-data", **extra,
    )  # fmt: skip


def _what(asked: Asked, held: Held | None) -> Markup:
    tabs = [
        element("label", element("input", type="radio", name="kind", value=kind, checked=asked.kind == kind), element("span", words))
        for kind, words in _KINDS
    ]
    listed = element(
        "label", element("input", type="checkbox", name="listed", value="yes", checked=bool(asked.listed)), " as though every name were on the list",
    )  # fmt: skip
    draw = element("label", "draw ", element("input", name="seed", value=asked.seed, inputmode="numeric", size=4, maxlength=10, class_="short"),
                   title="Which of the possible histories is drawn: another number throws the dice anew")  # fmt: skip
    return element(
        "fieldset", element("legend", "What goes through the wall?"), element("div", tabs, class_="tabs"),
        element("div", _target(asked), _hex(asked), capture_panel(asked, held)),
        element("p", element("button", "Look", type="submit", class_="main"), listed, draw, class_="row"), class_="card what",
    )  # fmt: skip


def _target(asked: Asked) -> Markup:
    field = element(
        "input", id="target", name="target", value=asked.target, type="text", inputmode="url", autocomplete="off", autocapitalize="none",
        spellcheck="false", placeholder="https://blocked.example/", aria_describedby="target-hint",
    )  # fmt: skip
    links: list[Child] = []
    for example, words in EXAMPLES:
        links.append(element("button", element("code", example), f" {words}", type="submit", name="example", value=example, class_="quiet"))
    words = "Nothing is sent anywhere: both ends and the wall are simulated here."
    hint = element("span", words, id="target-hint", class_="hint")
    label = element("p", element("label", "URL or domain name", for_="target"), hint, class_="asking")
    return element("div", label, field, element("p", links, class_="examples"), class_="panel target")


def _hex(asked: Asked) -> Markup:
    area = element("textarea", asked.hex, id="hex", name="hex", rows=4, spellcheck="false", placeholder="16 03 01 02 00 01 00 01 fc 03 03 ...")
    over = [
        element("option", words, value=value, selected=asked.transport == value) for value, words in (("tcp", "TCP"), ("udp", "UDP"))
    ]
    port = element("input", name="port", value=asked.port, inputmode="numeric", size=5, maxlength=10, class_="short")
    row = element("p", element("label", "over ", element("select", over, name="transport")), element("label", "to port ", port), class_="row")
    return element("div", element("label", "The first bytes that a client sends, in hex", for_="hex"), area, row, class_="panel hex")


def capture_panel(asked: Asked, held: Held | None, **extra: Value) -> Markup:
    """Return the part for captures; `extra` are attributes for where it replaces the one in the page."""
    kept: list[Child] = []
    if held is not None:
        kept.append(element("input", type="hidden", name="held", value=held.token))
        kept.append(element("input", type="hidden", name="flow", value=asked.flow))
        rest = f" ({held.size:,} bytes), which stays on this machine. Bring another:"
        kept.append(element("p", "Looking at ", element("bdi", held.name, class_="name"), rest))
    file = element("input", id="file", name="capture", type="file", accept=".pcap,.pcapng,.cap,.gz")
    hint = element("p", f"pcap or pcapng, also gzipped, at most {LARGEST_UPLOAD >> 20} MB. {_KEPT_HERE}", class_="hint")
    label = element("label", "Capture file", for_="file")
    return element("div", label, kept, file, hint, id="capture-panel", class_="panel capture", **extra)


def _when(asked: Asked, gallery: Gallery, days: Sequence[dt.date], strip: Markup) -> Markup:
    one = Side("", asked.wall or gallery.names[0], asked.date, "Date")
    two = Side("2", asked.wall2 or asked.wall or gallery.names[0], asked.date2, "Second date")
    beside = [
        element("label", element("input", type="checkbox", name="beside", value="yes", checked=bool(asked.beside)), " set a second answer beside it"),
        element("p", _controls(two, gallery, days[1] if len(days) > 1 else None), class_="row"),
        _slider(two, gallery, days[1] if len(days) > 1 else None),
    ]
    day = days[0] if days else None
    title = element("legend", "Which wall, and when?")
    controls = element("p", _controls(one, gallery, day), class_="row")
    time = element("div", element("div", strip, id="strip"), _slider(one, gallery, day), class_="time")
    legend = element("div", _legend(), class_="legend", aria_hidden="true")
    compare = element("details", element("summary", "Compare with another date or wall"), beside, class_="beside", open=bool(asked.beside))
    return element("fieldset", title, controls, time, legend, compare, class_="card when")


def _controls(side: Side, gallery: Gallery, day: dt.date | None) -> Markup:
    options = [
        element("option", safe(gallery.titles[name], 100), value=name, selected=name == side.wall) for name in gallery.names
    ]
    name = side.wall if side.wall in gallery.titles else gallery.names[0]
    shown = side.date or (day or gallery.today(name)).isoformat()
    # A date that cannot be shown by a date field is shown as it was typed.
    kind = "date" if _is_date(shown) else "text"
    field = element(
        "input", id=f"date{side.suffix}", name=f"date{side.suffix}", type=kind, value=shown, min=gallery.first().isoformat(),
        max=gallery.last(name).isoformat(),
    )  # fmt: skip
    wall = element("label", "Wall ", element("select", options, name=f"wall{side.suffix}", id=f"wall{side.suffix}"))
    return fragment(wall, element("label", f"{side.label} ", field))


def _is_date(text: str) -> bool:
    try:
        return len(text) == _DATE_LENGTH and bool(dt.date.fromisoformat(text))
    except ValueError:
        return False


def _slider(side: Side, gallery: Gallery, day: dt.date | None) -> Markup:
    """Return the slider, which goes by months; without a script the date field beside it does the same."""
    name = side.wall if side.wall in gallery.titles else gallery.names[0]
    first, last = gallery.first(), gallery.last(name)
    at = day or gallery.today(name)
    label = element("label", f"{side.label}, by months", for_=f"slider{side.suffix}", class_="unseen")
    field = element(
        "input", id=f"slider{side.suffix}", type="range", min=0, max=months(first, last), value=months(first, at), step=1, class_="slider",
        data_for=f"date{side.suffix}", data_first=first.isoformat(), data_last=last.isoformat(), data_line=f"now{1 if side.suffix else ''}",
        aria_valuetext=at.isoformat(),
    )  # fmt: skip
    return element("div", label, field, class_="scripted")


def _legend() -> Markup:
    answers = [element("span", element("i", class_=f"swatch {face}"), words) for face, words in _ANSWERS]
    return fragment(answers, [element("span", element("i", class_=f"swatch round {kind}"), kind) for kind in KINDS])
