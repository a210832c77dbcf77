"""The page: it loads nothing from elsewhere, holds no script or style of its own, and says what cannot be judged."""

import re

import pytest

from crenel.web.asked import Asked
from crenel.web.gallery import Gallery
from crenel.web.page import document, parts, said, whole_page
from crenel.web.routes import Site
from tests.web.made import CITADEL, GALLERY, TODAY, page
from tests.web.test_elements import Reader


def looked(asked: Asked) -> tuple[str, str]:
    with page() as (_, shelf):
        shown = Site(GALLERY, shelf).look(asked)
    return whole_page(shown, GALLERY), said(shown)


@pytest.mark.parametrize(
    "asked",
    [
        Asked(target="https://blocked.example/", date="2025-01-15"),
        Asked(target="blocked.example", date="2025-01-15", beside="yes", date2="2020-01-01"),
        Asked(target="https://blocked.example/", date="2003-01-01"),
        Asked(),
        Asked(kind="hex", hex="16 03 01"),
    ],
)
def test_nothing_is_loaded_from_elsewhere(asked: Asked) -> None:
    text, _ = looked(asked)
    read = Reader(text)
    names = ("src", "href", "action", "formaction", "hx-post")
    places = [attributes[name] or "" for _, attributes in read.tags for name in names if name in attributes]
    assert places
    assert all(place.startswith(("/", "#")) and not place.startswith("//") for place in places)
    assert not [tag for tag, attributes in read.tags if "style" in attributes or tag == "style" or any(name.startswith("on") for name in attributes)]
    assert all("src" in attributes for tag, attributes in read.tags if tag == "script")
    assert "url(" not in text


def test_ids_are_there_once() -> None:
    text, _ = looked(Asked(target="https://blocked.example/", date="2025-01-15", beside="yes", date2="2020-09-01"))
    ids = [attributes["id"] for _, attributes in Reader(text).tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    labelled = {attributes["for"] for tag, attributes in Reader(text).tags if tag == "label" and "for" in attributes}
    assert labelled <= set(ids)


def test_the_sentence_for_a_screen_reader() -> None:
    _, words = looked(Asked(target="quic://blocked.example/", date="2025-01-15"))
    assert words.startswith("As of 2025-01-15: At risk: 20 % of connections. At risk since 2024-04-07")
    _, problem = looked(Asked(target="gopher://x/"))
    assert "not known" in problem


def test_two_dates_stand_beside_each_other() -> None:
    text, words = looked(Asked(target="https://blocked.example/", date="2025-01-15", beside="yes", date2="2020-09-01"))
    assert text.count('class="side many"') == 2
    assert "As of 2025-01-15" in words
    assert "As of 2020-09-01" in words


def test_two_walls_stand_beside_each_other() -> None:
    gallery = Gallery([CITADEL], today=TODAY)
    asked = Asked(target="https://blocked.example/", wall=CITADEL, date="2030-03-01", beside="yes", wall2=GALLERY.names[0], date2="2025-01-15")
    with page(gallery) as (_, shelf):
        shown = Site(gallery, shelf).look(asked)
    assert shown.problem == ""
    assert [answer.wall.name for answer in shown.answers] == ["citadel", GALLERY.names[0]]
    text = whole_page(shown, gallery)
    assert text.count("How the answer changes over time") == 2
    assert "The Citadel, which nobody built, as of 2030-03-01" in text


def test_a_wall_and_a_date_that_are_none_leave_the_page_whole() -> None:
    text, words = looked(Asked(target="x", wall="nowhere", wall2="<b>", beside="yes"))
    assert "no wall is called" in words
    assert "<b>" not in text


def test_a_day_before_the_model_still_tells_what_happened_then() -> None:
    text, words = looked(Asked(target="https://blocked.example/", date="2003-01-01"))
    assert "nothing is known of this wall before" in words
    assert "Around 2003-01-01" in text
    assert 'value="https://blocked.example/"' in text


def test_parts_replace_what_has_an_id_in_the_page() -> None:
    with page() as (_, shelf):
        shown = Site(GALLERY, shelf).look(Asked(target="blocked.example"))
    text = parts(shown, GALLERY, brought=True)
    ids = re.findall(r'<\w+ id="([\w-]+)"[^>]*hx-swap-oob', text) + re.findall(r'id="([\w-]+)"[^>]*hx-swap-oob', text)
    assert {"strip", "said", "capture-panel"} <= set(ids)
    assert "hx-swap-oob" not in whole_page(shown, GALLERY)
    assert "capture-panel" not in parts(shown, GALLERY, brought=False)


def test_a_title_is_text() -> None:
    assert "<title>&lt;b&gt; – Crenel</title>" in document("<b>", "x", "")
