"""Ladders to the scale of time: equal times are equally far apart, silences are cut and say how long, and no number covers another."""

import re

from hypothesis import given
from hypothesis import strategies as st

from crenel.net.sim.tries import payload_target
from crenel.report.picture import picture_of
from crenel.report.svg_time import Scale, svg_time
from tests.report.test_svg import parsed
from tests.report.tried import NOISE, carried, wall_of


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=30))
def test_later_is_lower(times: list[int]) -> None:
    scale = Scale(times, 81_000_000)
    heights = [scale(time) for time in sorted(set(times))]
    assert heights == sorted(heights)
    assert scale.end == heights[-1]


def test_equal_times_are_equally_far_apart() -> None:
    scale = Scale([0, 10, 20, 35], 10)
    assert scale(10) - scale(0) == scale(20) - scale(10) == (scale(35) - scale(20)) / 1.5 or scale.cuts


def test_silence_is_cut_and_says_how_long() -> None:
    tried = carried(wall_of("2022-06-01", 2), payload_target(NOISE, "tcp", 8388))[0]
    markup = svg_time(picture_of(tried.exchange, "title", "summary"), "x")
    assert re.search(r">[\d,]+\.\d ms</text>", markup)
    assert float(parsed(markup).attrib["viewBox"].split()[3]) < 2500


def test_numbers_do_not_cover_each_other() -> None:
    tried = carried(wall_of(), "https://blocked.example/")[0]
    root = parsed(svg_time(picture_of(tried.exchange, "title", "summary")))
    places: dict[str, list[float]] = {}
    for text in root.iter("text"):
        if text.attrib.get("class") == "b":
            places.setdefault(text.attrib["x"], []).append(float(text.attrib["y"]))
    assert sum(map(len, places.values())) == len(picture_of(tried.exchange, "", "").rows)
    for heights in places.values():
        assert all(after - before >= 12.9 for before, after in zip(sorted(heights), sorted(heights)[1:], strict=False))
