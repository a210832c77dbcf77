"""The report of exchanges: what became of them, the picture and the words, who measured it, and how to get the same again."""

import re

from crenel.atlas.compile import About
from crenel.report.citing import known_sources
from crenel.report.html_try import packet_list, try_html
from crenel.report.picture import picture_of
from tests.report.test_markup import Strict
from tests.report.tried import carried, wall_of

SOURCES = known_sources("gfw")


def report(*targets: str) -> str:
    return try_html([carried(wall_of(), *targets)], SOURCES, "crenel try x --seed 0")


def test_it_says_what_rests_on_what() -> None:
    text = report("https://blocked.example/")
    about = wall_of().about
    assert isinstance(about, About)
    for part in (
        "<h1>https://blocked.example/</h1>", "as of 2025-01-15 at 12:00", "vantage beijing, seed 0", "blocked after 191.8", "A Wall Behind A Wall",
        "assumed for lack of a measurement", "crenel try x --seed 0", about.sha256, "blocked.example (suffix) on gfw-tls-triple",
    ):  # fmt: skip
        assert part in text
    assert len(text.encode()) < 50_000


def test_markup_is_whole_and_ids_are_unique() -> None:
    text = report("https://blocked.example/", "blocked.example")
    parser = Strict()
    parser.feed(text)
    ids = [attributes["id"] for _, attributes in parser.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = {str(attributes["href"]).removeprefix("#") for name, attributes in parser.elements if name == "a"}
    assert links <= {str(one) for one in ids}
    for name in ("section", "svg", "dl", "details", "ol", "li", "pre", "div", "h2", "h3"):
        assert len(re.findall(rf"<{name}[ >]", text)) == text.count(f"</{name}>"), name


def test_dates_stand_side_by_side() -> None:
    dates = [carried(wall_of(day), "https://blocked.example/") for day in ("2025-01-15", "2022-06-01")]
    text = try_html(dates, SOURCES, "crenel try x")
    assert "as of 2025-01-15 and 2022-06-01" in text
    assert {"d0-box-tls-sni-triple", "d1-box-tls-sni-triple"} <= set(re.findall(r'id="([^"]*)"', text))


def test_hostile_targets_are_text() -> None:
    tried = carried(wall_of(), "http://allowed.example/?q=<script>alert(1)</script>&r=\u202e")
    text = try_html([tried], SOURCES, "crenel try '<script>'")
    assert text.count("<script>") == 1
    assert "\u202e" not in text


def test_packets_in_words() -> None:
    tried = carried(wall_of(), "https://blocked.example/")[0]
    text = packet_list(picture_of(tried.exchange, "", ""))
    assert "185.8 ms to 191.8 ms: wall to client: RST/ACK ×3; forged by tls-sni-triple" in text
    assert "because tls-sni-triple: blocked.example (suffix) on gfw-tls-triple" in text
    assert text.count("<li>") == 13


def test_the_same_every_time() -> None:
    assert report("blocked.example") == report("blocked.example")
