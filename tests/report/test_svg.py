"""Ladders as SVG: well-formed, labelled, told apart without colour, and made of nothing but text where a capture is hostile."""

from pathlib import Path
from xml.etree import ElementTree as ET

import msgspec
import pytest

from crenel.net.replay.check import witness_flows
from crenel.report.account import outcome_words
from crenel.report.forecast import forecast_picture
from crenel.report.picture import Arrow, Picture, Remark, picture_of
from crenel.report.svg import CLIENT, SERVER, WALL, WIDTH, numbered, span, style, svg, svg_brief, svg_document
from tests.report.making import hello, judge, tcp, wall_of, write_capture
from tests.report.tried import carried
from tests.report.tried import wall_of as shipped

NAME = "{http://www.w3.org/2000/svg}"
HOSTILE = [
    b"<script>alert(1)</script>.blocked.example", "\u202egpj.blocked.example".encode(), b'"]]>&<x y=".blocked.example', b"\x00\x1b.blocked.example",
]  # fmt: skip


def parsed(markup: str) -> ET.Element:
    return ET.fromstring(markup)  # noqa: S314  our own output


def picture(target: str = "https://blocked.example/") -> Picture:
    tried = carried(shipped(), target)[0]
    return picture_of(tried.exchange, f"What became of {target}", outcome_words(tried))


def arrow(**changes: object) -> Arrow:
    row = Arrow(begun=0, ended=1_000_000, source="client", toward="server", reach="end", kind="plain", words="SYN")
    return msgspec.structs.replace(row, **changes)


def drawn(*rows: Arrow | Remark) -> ET.Element:
    return parsed(svg_document(Picture(title="t", summary="s", rows=rows)))


def test_a_picture_is_labelled() -> None:
    root = parsed(svg_document(picture()))
    assert root.attrib["role"] == "img"
    labels = {element.attrib["id"]: element.text or "" for element in (root[0], root[1])}
    title, words = (labels[one] for one in root.attrib["aria-labelledby"].split())
    assert title == "What became of https://blocked.example/"
    assert words.startswith("blocked after 191.8 ms")
    assert "8 forged packets in red and dashed" in words


def test_every_row_shows_its_fields_its_bytes_and_why() -> None:
    root = parsed(svg_document(picture()))
    titles = [element.text or "" for element in root.iter(f"{NAME}title")][1:]
    assert len(titles) == sum(isinstance(row, Arrow) for row in picture().rows)
    [ground] = [words for words in titles if "act on it" in words]
    for part in ("ClientHello blocked.example", "162.0 ms to 243.0 ms", "because tls-sni-triple: ", "TTL 64", "bytes: 16 03 01"):
        assert part in ground


def test_forged_and_dropped_packets_are_told_apart_by_shape_too() -> None:
    root = drawn(arrow(), arrow(kind="forged", source="wall", toward="client"), arrow(reach="wall"))
    plain, forged, dropped = root.findall(f"{NAME}g")
    assert "f" not in plain.attrib["class"].split()
    assert "f" in forged.attrib["class"].split()
    assert ".ladder .f path{stroke:var(--forged);stroke-dasharray:5 3}" in style()
    assert [path.attrib.get("class") for path in dropped.findall(f"{NAME}path")][-1] == "x c"
    assert [path.attrib.get("class") for path in plain.findall(f"{NAME}path")][-1] == "h"


@pytest.mark.parametrize(
    ("changes", "ends"),
    [
        ({}, (CLIENT, SERVER)),
        ({"source": "server", "toward": "client"}, (SERVER, CLIENT)),
        ({"reach": "wall"}, (CLIENT, WALL - 7)),
        ({"source": "server", "toward": "client", "reach": "wall"}, (SERVER, WALL + 7)),
        ({"source": "wall", "toward": "client"}, (WALL - 7, CLIENT)),
        ({"reach": "before the wall"}, (CLIENT, CLIENT + 72)),
        ({"reach": "beyond the wall"}, (CLIENT, SERVER - 36)),
    ],
)
def test_arrows_end_where_packets_do(changes: dict[str, object], ends: tuple[int, int]) -> None:
    assert span(arrow(**changes)) == ends


def test_what_is_forged_for_both_ends_has_two_heads() -> None:
    [row] = drawn(arrow(kind="forged", source="wall", toward="both ends")).findall(f"{NAME}g")
    assert [path.attrib.get("class") for path in row.findall(f"{NAME}path")].count("h") == 2


def test_it_can_be_read_in_the_dark_and_on_paper() -> None:
    assert "@media (prefers-color-scheme:dark)" in style()
    assert "@media print" in style()


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_text(tmp_path: Path, name: bytes) -> None:
    path = write_capture(tmp_path / "x.pcapng", tcp([hello(name)]))
    wall = wall_of()
    [report] = judge(path, wall)
    found = forecast_picture(report, witness_flows(path, wall, [1])[1], wall.name, report.name or "", "\u202e<b>")
    markup = svg_document(found)
    root = parsed(markup)
    assert {element.tag.removeprefix(NAME) for element in root.iter()} <= {"svg", "title", "desc", "style", "path", "text", "g", "circle"}
    assert not any(char in markup for char in "\u202e\x00\x1b")


def test_a_row_stays_within_the_picture_however_long_its_words() -> None:
    root = drawn(arrow(words="a" * 5000, notes=("b" * 5000,), acted=("c" * 5000,)), Remark(0, "d " * 5000, "bad"))
    assert float(root.attrib["viewBox"].split()[3]) < 500
    assert all(float(text.attrib["x"]) < WIDTH for text in root.iter(f"{NAME}text"))


def test_in_brief_only_grounds_say_more() -> None:
    whole, brief = svg(picture()), svg_brief(picture())
    assert len(brief) < 0.75 * len(whole)
    assert brief.count("<title>") == 1
    assert [number for number, _ in numbered(picture().rows)] == list(range(1, len(picture().rows) + 1))


def test_the_same_every_time() -> None:
    assert svg_document(picture()) == svg_document(picture())
