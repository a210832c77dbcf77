"""A ladder as values in, SVG to the scale of time out: arrows slope as long as packets take, and long silences are cut and marked."""

from collections.abc import Sequence

from crenel.report.ladder import show_time
from crenel.report.markup import escaped
from crenel.report.picture import Arrow, Picture, Remark
from crenel.report.svg import CLIENT, SERVER, TOP, WALL, WIDTH, describe, face_of, lanes, numbered, shown_time, span, tip, tip_words

_TRANSIT = 70.0
"""Units for the time that the first packet takes."""
_LONGEST = 90.0
"""Units for any stretch of time in which nothing begins or ends; longer ones are cut."""
_BADGE = 13.0
"""Units between two numbers below each other."""


class Scale:
    """Times in, heights out.

    Args:
        times: all that is to be shown, in nanoseconds.
        unit: nanoseconds that are `_TRANSIT` units high.
    """

    def __init__(self, times: Sequence[int], unit: int) -> None:
        self._heights: dict[int, float] = {}
        self.cuts: list[tuple[float, int]] = []
        """Heights at which time is left out, with how much passes there."""
        height, before = TOP + 10.0, None
        for time in sorted(set(times)):
            if before is not None:
                wanted = (time - before) * _TRANSIT / max(unit, 1)
                if wanted > _LONGEST:
                    self.cuts.append((height + _LONGEST / 2, time - before))
                height += min(wanted, _LONGEST)
            self._heights[time] = height
            before = time
        self.end = height

    def __call__(self, time: int) -> float:
        """Return how far down a moment stands."""
        return self._heights[time]


def svg_time(picture: Picture, name: str = "") -> str:
    """Return a ladder to the scale of time as an element; rows have the numbers of the list of packets.

    Args:
        picture: the ladder.
        name: begins the ids of its title and description, which must differ within a page.
    """
    arrows = [row for row in picture.rows if isinstance(row, Arrow)]
    times = [time for row in picture.rows for time in _times(row)]
    unit = next((row.ended - row.begun for row in arrows if row.ended is not None and row.source != "wall" and row.ended > row.begun), 1_000_000)
    scale = Scale(times, unit)
    marks = _Marks()
    parts = [_row(row, at, scale, marks) for at, row in numbered(picture.rows)]
    cuts = "".join(_cut(y, gap) for y, gap in scale.cuts)
    height = max(scale.end, marks.lowest) + 18
    return (
        f'<svg class="ladder" viewBox="0 0 {WIDTH} {height:g}" role="img" aria-labelledby="{name}t {name}d"><title id="{name}t">'
        f'{escaped(picture.title)}, to the scale of time</title><desc id="{name}d">{escaped(describe(picture))}</desc>'
        f"{lanes(height)}{cuts}{''.join(parts)}</svg>"
    )


def _times(row: Arrow | Remark) -> list[int]:
    return [row.begun] if isinstance(row, Remark) or row.ended is None else [row.begun, row.ended]


class _Marks:
    """Numbers beside the three lines, none upon another."""

    def __init__(self) -> None:
        self._taken: dict[str, float] = {}
        self.lowest = 0.0

    def place(self, lane: str, y: float) -> float:
        """Return where a number that belongs to this height stands."""
        at = max(y, self._taken.get(lane, 0.0) + _BADGE)
        self._taken[lane] = at
        self.lowest = max(self.lowest, at)
        return at


def _row(row: Arrow | Remark, at: int, scale: Scale, marks: _Marks) -> str:
    y = scale(row.begun)
    if isinstance(row, Remark):
        if row.tone == "dim":
            return ""
        mark = marks.place("client", y)
        return f'<g><circle class="o {row.tone}" cx="{CLIENT}" cy="{y:g}" r="4.5"/>{_number(at, CLIENT, y, mark, row.begun)}</g>'
    begin, end = span(row)
    down = scale(row.ended) if row.ended is not None else y + 6
    lane = row.source
    x = begin
    label = _number(at, x, y, marks.place(lane, y), row.begun)
    stroke = f'<path d="M{begin} {y:g}L{end} {down:g}"/>' + tip(row, begin, y, end, down)
    middle = y + (down - y) * (WALL - begin) / (end - begin) if end != begin else y
    ground = f'<circle class="g" cx="{WALL}" cy="{middle:g}" r="4.5"/>' if row.acted and row.reach != "wall" else ""
    title = f"<title>{escaped(tip_words(row, both_clocks=True))}</title>"
    return f'<g class="{face_of(row)}" data-n="{at}">{title}{stroke}{ground}{label}</g>'


def _number(at: int, x: float, y: float, mark: float, time: int) -> str:
    """Return the number of a row beside its line, with a thread to its height where it had to make room."""
    if x <= CLIENT:
        tx, anchor, words = x - 8, "end", f"{at}"
    elif x >= SERVER:
        tx, anchor, words = x + 8, "start", f"{at}"
    else:
        tx, anchor, words = (x + 9, "start", f"{at}") if x > WALL - 1 else (x - 9, "end", f"{at}")
    when = ""
    if x <= CLIENT or x >= SERVER:
        when = f'<text class="t" x="{x - 24 if x <= CLIENT else x + 24:g}" y="{mark + 3.5:g}" style="text-anchor:{anchor}">{shown_time(time)}</text>'
    thread = f'<path class="lane" d="M{x:g} {y:g}L{tx + (2 if anchor == "end" else -2):g} {mark:g}"/>' if mark - y > 2 else ""
    return f'{thread}<text class="b" x="{tx:g}" y="{mark + 3.5:g}" text-anchor="{anchor}">{words}</text>{when}'


def _cut(y: float, gap: int) -> str:
    middle = (CLIENT + WALL) / 2
    zigzag = "".join(f"M{x - 5} {y + down:g}l10 -4" for x in (CLIENT, SERVER) for down in (2, 6))
    return f'<path class="lane" d="{zigzag}"/><text class="dim" x="{middle:g}" y="{y + 5:g}" text-anchor="middle">{show_time(gap)} ms</text>'
