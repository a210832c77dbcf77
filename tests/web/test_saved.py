"""Saved answers: one file that loads nothing, for exchanges and for captures."""

import io

from crenel.web.asked import Asked
from crenel.web.routes import Site
from crenel.web.saved import saved_report
from tests.web.made import FIRST_LOOK, GALLERY, page
from tests.web.test_elements import Reader


def loads_nothing(text: str) -> bool:
    return not [attributes for tag, attributes in Reader(text).tags if "src" in attributes or tag == "link"]


def test_an_exchange() -> None:
    with page() as (_, shelf):
        shown = Site(GALLERY, shelf).look(Asked(target="https://blocked.example/", date="2025-01-15"))
        text = saved_report(shown, "crenel try x")
    assert loads_nothing(text)
    assert "crenel try x" in text
    assert "blocked.example" in text


def test_a_capture() -> None:
    with page() as (_, shelf):
        held = shelf.hold("mine.pcapng", io.BytesIO(FIRST_LOOK.read_bytes()))
        shown = Site(GALLERY, shelf).look(Asked(kind="capture", held=held.token, date="2025-01-15"))
        text = saved_report(shown, "crenel check mine.pcapng")
        assert str(shelf.folder) not in text
    assert loads_nothing(text)
    assert "mine.pcapng" in text
    assert text.count('class="ladder"') >= 5
