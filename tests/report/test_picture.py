"""A picture has the rows of the ladder in text: the same packets, the same ends, and the same words."""

import pytest

from crenel.net.sim.tries import payload_target
from crenel.report.account import Tried, outcome_words
from crenel.report.journey import journeys
from crenel.report.ladder import ladder
from crenel.report.layout import plain
from crenel.report.picture import Arrow, Picture, Remark, picture_of, shortened, time_words
from tests.report.tried import NOISE, carried, wall_of


def drawn(tried: Tried) -> Picture:
    return picture_of(tried.exchange, tried.target.shown, outcome_words(tried))


@pytest.mark.parametrize("target", ["https://blocked.example/", "blocked.example", "http://allowed.example/?q=ultrasurf", "https://allowed.example/"])
def test_picture_and_text_say_the_same(target: str) -> None:
    tried = carried(wall_of(), target)[0]
    picture, text = drawn(tried), " ".join(" ".join(plain(line) for line in ladder(tried.exchange, None)).split())
    arrows = [row for row in picture.rows if isinstance(row, Arrow)]
    assert len(arrows) == len(journeys(tried.exchange.trace, tried.exchange.wall.name))
    for row in picture.rows:
        assert " ".join(row.words.replace("\u00a0", " ").split()[:3]) in text
    assert [row.tone for row in picture.rows if isinstance(row, Remark)] == ["good" if tried.exchange.outcome == "passed" else "bad"]


def test_what_the_wall_acts_on_and_makes() -> None:
    picture = drawn(carried(wall_of(), "https://blocked.example/")[0])
    [hello] = [row for row in picture.rows if isinstance(row, Arrow) and row.acted]
    assert hello.words.startswith("ClientHello blocked.example")
    assert set(hello.acted) == {"tls-sni-single", "tls-sni-triple"}
    assert any(words.startswith("tls-sni-triple: blocked.example (suffix)") for words in hello.because)
    forged = [row for row in picture.rows if isinstance(row, Arrow) and row.kind == "forged"]
    assert {row.source for row in forged} == {"wall"}
    assert {row.reach for row in forged} == {"end", "beyond the wall"}
    assert any("dropped by strict-filter" in row.sentence for row in forged)


def test_what_is_dropped_ends_at_the_wall() -> None:
    picture = drawn(carried(wall_of("2022-06-01", 2), payload_target(NOISE, "tcp", 8388))[0])
    dropped = [row for row in picture.rows if isinstance(row, Arrow) and row.reach == "wall"]
    assert dropped
    assert all(row.source == "client" and "stopped by fet" in row.notes for row in dropped)


def test_times() -> None:
    assert time_words(Remark(1_500_000, "x", "")) == "1.5 ms"
    row = Arrow(begun=0, ended=2_000_000, source="client", toward="server", reach="end", kind="plain", words="SYN")
    assert (time_words(row), time_words(row, both_clocks=False)) == ("0.0 ms to 2.0 ms", "0.0 ms")


def test_long_ladders_keep_what_the_wall_does() -> None:
    plain_row = Arrow(begun=0, ended=None, source="client", toward="server", reach="end", kind="plain", words="x")
    forged = Arrow(begun=0, ended=None, source="wall", toward="client", reach="end", kind="forged", words="RST")
    rows = shortened([*[plain_row] * 30, forged, *[plain_row] * 30], 5, 5)
    assert [row.words for row in rows] == [*["x"] * 5, "… 25 rows more …", "RST", "… 25 rows more …", *["x"] * 5]
    assert shortened([plain_row] * 10, 5, 5) == [plain_row] * 10
    assert len(shortened([forged] * 5000, 5, 5)) <= 30
