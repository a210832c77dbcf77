"""A ladder as values in, SVG out: three lines, an arrow for each row in the order of sending, with the words beside it."""

import math
from collections.abc import Sequence
from importlib.resources import files

from crenel.report.fields import byte_words, field_words
from crenel.report.ladder import show_time
from crenel.report.layout import GLUE
from crenel.report.markup import escaped
from crenel.report.measure import fold
from crenel.report.picture import Arrow, Picture, Remark, time_words
from crenel.report.text import counted, listed

WIDTH = 392
CLIENT, WALL, SERVER = 52, 196, 340
"""Where the three lines stand, across."""
BAND = 7
"""Half of the width of the wall."""
TOP = 40
_SIZE, _NOTE = 11.0, 10.0
_LINE, _NOTE_LINE = 14, 12
_FACES = {"forged": "f", "path": "p"}
_MOST_LINES = 3
_ROOMY = 1_000_000_000


def style() -> str:
    """Return the style sheet of ladders."""
    return (files("crenel.report") / "ladder.css").read_text("utf-8")


def svg(picture: Picture, name: str = "") -> str:
    """Return a ladder as an element for a page that holds the style sheet.

    Args:
        picture: the ladder.
        name: begins the ids of its title and description, which must differ within a page.
    """
    body, height = _rows(picture)
    return _element(picture, name, body, height, "")


def svg_brief(picture: Picture, name: str = "") -> str:
    """Return a ladder as `svg` does, as small as it can be: only what the wall acts on shows its fields where somebody points at it."""
    body, height = _rows(picture, brief=True)
    return _element(picture, name, body, height, "", f"Ladder: {_counts(picture)}.")


def svg_document(picture: Picture) -> str:
    """Return a ladder as a file of its own."""
    body, height = _rows(picture)
    return _element(picture, "", body, height, f"<style>{style()}</style>") + "\n"


def _element(picture: Picture, name: str, body: str, height: float, inner: str, words: str = "") -> str:
    namespace = ' xmlns="http://www.w3.org/2000/svg"' if inner else ""
    labels = f"{name}t", f"{name}d"
    return (
        f'<svg{namespace} class="ladder" viewBox="0 0 {WIDTH} {height:g}" role="img" aria-labelledby="{labels[0]} {labels[1]}">'
        f'<title id="{labels[0]}">{escaped(picture.title)}</title><desc id="{labels[1]}">{escaped(words or describe(picture))}</desc>'
        f"{inner}{lanes(height)}{body}</svg>"
    )


def describe(picture: Picture) -> str:
    """Return what a ladder shows, for people who do not see it."""
    summary = picture.summary.replace(GLUE, " ").rstrip(".")
    return f"{summary}. Ladder of client, wall and server: {_counts(picture)}; the list of packets has the same in words."


def _counts(picture: Picture) -> str:
    arrows = [row for row in picture.rows if isinstance(row, Arrow)]
    forged = sum(len(row.packets) for row in arrows if row.kind == "forged")
    stopped = sum(row.reach != "end" for row in arrows)
    counts = [counted(len(arrows), "row")]
    counts += [f"{counted(forged, 'forged packet')} in red and dashed"] if forged else []
    counts += [f"{stopped} that {'end' if stopped > 1 else 'ends'} in a cross"] if stopped else []
    return listed(counts)


def lanes(height: float) -> str:
    """Return the three lines with their heads; the one in the middle has battlements."""
    low, x = height - 6, WALL - BAND
    battlements = f"M{x} {low:g}V25h4v5h{2 * BAND - 8}v-5h4V{low:g}"
    heads = "".join(f'<text class="end" x="{at}" y="18">{word}</text>' for at, word in _HEADS)
    units = f'<text class="t c" x="{CLIENT - 8}" y="32">ms</text>'
    return f'<path class="lane" d="M{CLIENT} 26V{low:g}M{SERVER} 26V{low:g}"/><path class="wall" d="{battlements}"/>{heads}{units}'


_HEADS = ((CLIENT, "client"), (WALL, "wall"), (SERVER, "server"))


def _rows(picture: Picture, *, brief: bool = False) -> tuple[str, float]:
    parts, y = [], float(TOP)
    for number, row in numbered(picture.rows):
        if isinstance(row, Remark):
            part, y = _remark(row, y)
        else:
            title = _brief_words(row) if brief else tip_words(row, both_clocks=picture.both_clocks)
            part, y = _arrow(row, y, title, 0 if brief else number, both_clocks=picture.both_clocks)
        parts.append(part)
    return "".join(parts), y + 10


def _remark(row: Remark, y: float) -> tuple[str, float]:
    lines = fold(row.words, SERVER - CLIENT - 16, _SIZE, _MOST_LINES)
    first = y + 16
    text = "".join(_text(CLIENT + 10, first + at * _LINE, line, row.tone) for at, line in enumerate(lines))
    mark = ""
    if row.tone != "dim":
        mark = f'<circle class="o {row.tone}" cx="{CLIENT}" cy="{first - 4:g}" r="4.5"/>' + _time(row.begun, first - 1, "client")
    return f"<g>{mark}{text}</g>", first + (len(lines) - 1) * _LINE + 8


def _arrow(row: Arrow, y: float, title: str, number: int, *, both_clocks: bool) -> tuple[str, float]:
    """Draw one row: words above the arrow, what became of it beside or below."""
    begin, end = span(row)
    left, right = min(begin, end), max(begin, end)
    half = right - left < (SERVER - CLIENT) * 0.6
    beside = half and row.toward != "both ends" and (row.source == "wall" or row.reach in {"wall", "before the wall"})
    notes = list(row.notes)
    room = (WALL - CLIENT - 18.0) if beside else SERVER - CLIENT - 14.0
    column = (CLIENT if left < WALL else WALL + BAND) + 7.0 if beside else CLIENT + 7.0
    words = fold(row.words.replace(GLUE, " "), room, _SIZE, _MOST_LINES)
    other = fold("; ".join(notes).replace(GLUE, " "), room if beside else SERVER - CLIENT - 14.0, _NOTE, 4) if notes else []
    lines = max(len(words), len(other) - 1 if beside else 0)
    line_y = y + 6 + lines * _LINE
    parts = [_text(column, line_y - 6 - (len(words) - 1 - at) * _LINE, line, "") for at, line in enumerate(words)]
    below = line_y
    if beside:
        far = (WALL + BAND if left < WALL - BAND else CLIENT) + 7.0
        parts += [_text(far, line_y + 4 - (len(other) - 1 - at) * _NOTE_LINE, line, "n") for at, line in enumerate(other)]
    else:
        parts += [_text(column, line_y + 11 + at * _NOTE_LINE, line, "n") for at, line in enumerate(other)]
        below += 5 + len(other) * _NOTE_LINE if other else 0
    if row.acted and (row.reach != "wall" or len(row.acted) > 1):
        told = fold(f"{listed(row.acted)} {'act' if len(row.acted) > 1 else 'acts'} on it", SERVER - WALL - BAND - 12, _NOTE, 4)
        parts += [_text(WALL + BAND + 5, below + 12 + at * _NOTE_LINE, line, "a") for at, line in enumerate(told)]
        below += 4 + len(told) * _NOTE_LINE
    stroke = f'<path d="M{begin} {line_y:g}H{end}"/>' + tip(row, begin, line_y, end, line_y)
    if row.toward == "both ends":
        stroke += f'<path d="M{WALL + BAND} {line_y:g}H{SERVER}"/>' + tip(row, WALL + BAND, line_y, SERVER, line_y)
    ground = f'<circle class="g" cx="{WALL}" cy="{line_y:g}" r="4.5"/>' if row.acted and row.reach != "wall" else ""
    bottom = below + 7
    hit = f'<path class="hit" d="M0 {y + 3:g}H{WIDTH}V{bottom - 1:g}H0z"/>'
    inner = (f"<title>{escaped(title)}</title>{hit}" if title else "") + f"{stroke}{ground}{''.join(parts)}"
    place = f' data-n="{number}"' if number else ""
    return f'<g class="{face_of(row)}"{place}>{inner}{_times(row, line_y, both_clocks=both_clocks)}</g>', bottom


def span(row: Arrow) -> tuple[int, int]:
    """Return where an arrow begins and ends, across."""
    right = row.toward == "server"
    begin = {"client": CLIENT, "server": SERVER, "wall": WALL + (BAND if right else -BAND)}[row.source]
    goal = SERVER if right else CLIENT
    half = SERVER - WALL
    ends = {
        "end": goal,
        "wall": WALL + (-BAND if right else BAND),
        "before the wall": begin + (half // 2 if right else -half // 2),
        "beyond the wall": goal + (-half // 4 if right else half // 4),
    }
    return begin, ends[row.reach]


def tip(row: Arrow, begin: float, first: float, end: float, last: float) -> str:
    """Return the head of an arrow from one point to another, or the cross in which it ends."""
    if row.reach != "end":
        caught = " c" if row.reach == "wall" else ""
        return f'<path class="x{caught}" d="M{end - 4:g} {last - 4:g}l8 8m0 -8l-8 8"/>'
    length = math.hypot(end - begin, last - first) or 1.0
    dx, dy = (end - begin) / length, (last - first) / length
    return f'<path class="h" d="M{end - dx:g} {last - dy:g}l{-8 * dx - 4 * dy:.3g} {-8 * dy + 4 * dx:.3g}l{8 * dy:.3g} {-8 * dx:.3g}z"/>'


def face_of(row: Arrow) -> str:
    """Return the classes of a row."""
    return " ".join(filter(None, ("r", _FACES.get(row.kind, ""), "d" if row.faint else "")))


def _times(row: Arrow, y: float, *, both_clocks: bool) -> str:
    """Return when it left one end and came to the other, each beside its line."""
    if not both_clocks:
        return _time(row.begun, y + 4, "client") if row.kind == "plain" else ""
    found = _time(row.begun, y + 4, row.source) if row.source != "wall" else ""
    return found + (_time(row.ended, y + 4, row.toward) if row.ended is not None and row.reach == "end" else "")


def _time(time: int, y: float, place: str) -> str:
    if place == "client":
        return f'<text class="t c" x="{CLIENT - 8}" y="{y:g}">{shown_time(time)}</text>'
    return f'<text class="t" x="{SERVER + 8}" y="{y:g}">{shown_time(time)}</text>'


def shown_time(time: int) -> str:
    """Return milliseconds, with a decimal only where there is room for it."""
    return show_time(time) if time < _ROOMY else show_time(time).partition(".")[0]


def _text(x: float, y: float, words: str, face: str) -> str:
    return f'<text{f" class={chr(34)}{face}{chr(34)}" if face else ""} x="{x:g}" y="{y:g}">{escaped(words)}</text>'


def tip_words(row: Arrow, *, both_clocks: bool) -> str:
    """Return what is shown where somebody points at a row: all of it, fields, bytes and why."""
    lines: list[str] = [row.sentence, time_words(row, both_clocks=both_clocks)]
    lines += [f"because {words}" for words in row.because]
    if row.packets:
        more = f", the first of {len(row.packets)}" if len(row.packets) > 1 else ""
        lines += filter(None, (field_words(row.packets[0]) + more, byte_words(row.packets[0])))
    return "\n".join(lines)


def _brief_words(row: Arrow) -> str:
    """Return what is shown where somebody points at a row on which the wall acts: its fields, and why; nothing for any other."""
    return "\n".join([*row.because, field_words(row.packets[0])]) if row.acted and row.packets else ""


def numbered(rows: Sequence[Arrow | Remark]) -> list[tuple[int, Arrow | Remark]]:
    """Return the rows with the numbers that they have in the list of packets, and in the picture to the scale of time."""
    return list(enumerate(rows, 1))
