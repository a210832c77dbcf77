"""The ladder and the evidence: the bytes that gave it away are marked, each box has its sources, and hostile names are text."""

import io
import re

import pytest

from crenel.report.citing import known_sources
from crenel.web.answer import Answer, answer_to
from crenel.web.asked import Asked
from crenel.web.evidence import evidence, ladder, picture
from tests.web.made import FIRST_LOOK, GALLERY, page
from tests.web.test_elements import Reader

NAME = GALLERY.names[0]


def ask(asked: Asked) -> Answer:
    with page() as (_, shelf):
        return answer_to(asked, NAME, "2025-01-15", GALLERY, shelf)


def test_each_box_with_ground_has_a_part_with_its_bytes_and_sources() -> None:
    answer = ask(Asked(target="https://blocked.example/"))
    assert answer.flow is not None
    text = evidence(answer, known_sources(NAME))
    assert re.findall(r"<code>([\w-]+)</code>", text) == [one.middlebox for one in answer.flow.evidence]
    assert "Wu, Zohaib et al." in text
    assert "".join(re.findall(r"<mark>([^<]*)</mark>", text)).count("ed.example") >= 1
    assert text.count("Measured by") == len(answer.flow.evidence)


def test_without_ground_it_says_so() -> None:
    assert "No box of this wall has ground" in evidence(ask(Asked(target="https://allowed.example/")), known_sources(NAME))


@pytest.mark.parametrize("target", ["https://blocked.example/", "quic://blocked.example/", "blocked.example", "http://allowed.example/"])
def test_a_ladder_has_its_packets_in_words(target: str) -> None:
    answer = ask(Asked(target=target))
    drawn, rows = ladder(answer, target, "a-"), picture(answer, target)
    assert drawn is not None
    assert rows is not None
    read = Reader(drawn)
    assert sum(tag == "li" for tag, _ in read.tags) == len(rows.rows)
    # The policy of the page allows no style in a page.
    assert not [attributes for _, attributes in read.tags if "style" in attributes]
    assert "<style" not in drawn


def test_a_flow_of_a_capture_is_drawn_too() -> None:
    with page() as (_, shelf):
        held = shelf.hold("x.pcapng", io.BytesIO(FIRST_LOOK.read_bytes()))
        answer = answer_to(Asked(kind="capture", held=held.token), NAME, "2025-01-15", GALLERY, shelf)
    assert "would be forged" in (ladder(answer, "x", "a-") or "")
    assert "<mark>" in evidence(answer, known_sources(NAME))


def test_hostile_bytes_are_text() -> None:
    request = b"GET / HTTP/1.1\r\nHost: <script>alert(1)</script>\xe2\x80\xaeblocked.example\r\n\r\n"
    answer = ask(Asked(kind="hex", hex=request.hex(), port="80", listed="yes"))
    text = evidence(answer, known_sources(NAME)) + (ladder(answer, "x", "a-") or "")
    assert "script" not in {tag for tag, _ in Reader(text).tags}
    assert "\u202e" not in text
