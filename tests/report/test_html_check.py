"""The report of captures: all flows in a table, those at risk as pictures, as large as it may be and no larger."""

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from crenel.net.replay.check import judge_capture, witness_flows
from crenel.net.replay.witness import Witnessed
from crenel.report.citing import known_sources
from crenel.report.html_check import LARGEST, MOST_ROWS, Checked, Gathered, anchor, check_html, has_ground
from tests.report.making import EXAMPLE, Timed, flow, hello, query, tcp, wall_of, write_capture

SOURCES = known_sources("gfw")
NAMES = [
    b"<script>alert(1)</script>.blocked.example", "\u202egpj.blocked.example".encode(), b"\x00\x1b[31m\x07.blocked.example",
    b"'\"><img src=x>.blocked.example",
]  # fmt: skip


def checked(*paths: str) -> Checked:
    wall = wall_of()
    gathered = Gathered(wall, many=len(paths) > 1)
    captures = tuple(judge_capture(path, wall, gathered.take) for path in paths)
    witnessed: dict[tuple[str, int], Witnessed] = {}
    for path in paths:
        numbers = [one.flow for one in gathered.wanted() if one.capture == path]
        witnessed |= {(path, number): one for number, one in witness_flows(path, wall, numbers).items()}
    return Checked(gathered=gathered, captures=captures, failed=(), witnessed=witnessed, sources=SOURCES, again="crenel check x", crenel="0")


def made(folder: Path, *conversations: Iterable[Timed]) -> str:
    return check_html(checked(write_capture(folder / "x.pcapng", *conversations)))


def test_all_flows_are_in_the_table_and_those_at_risk_are_drawn() -> None:
    given = checked(str(EXAMPLE))
    text = check_html(given)
    assert text.count("<tr><td>") == 21
    drawn = [one for one in given.gathered.flows if has_ground(one)]
    assert len(drawn) == 9
    for one in drawn:
        assert f'id="{anchor(given, one)}"' in text
        assert f'href="#{anchor(given, one)}"' in text
    assert text.count('class="ladder" viewBox="0 0 392') == 9
    assert "A forecast: the packets are those of the capture." in text
    assert len(text.encode()) < 200_000


def test_a_hundred_flows_fit(tmp_path: Path) -> None:
    hellos = [hello(b"www%d.blocked.example" % at) for at in range(1, 101)]
    text = made(tmp_path, *(tcp([one], sport=40000 + at, at=at, server=bytes((198, 51, 100, at))) for at, one in enumerate(hellos, 1)))
    assert len(re.findall(r'<h2 id="f0-\d+">', text)) == 100
    assert len(text.encode()) < 400_000
    assert "<mark>" in text


def test_more_flows_than_fit_are_said_to_be_left_out(tmp_path: Path) -> None:
    text = made(tmp_path, *(query(b"www%d.blocked.example" % at, sport=10000 + at) for at in range(700)))
    assert text.count("<tr><td>") == MOST_ROWS
    assert "and 100 flows more" in text
    assert re.search(r"\d+ further flows with ground to act have no ladder here", text)
    assert len(text.encode()) < max(LARGEST, 400_000)


@pytest.mark.parametrize("name", NAMES)
def test_hostile_names_are_text(tmp_path: Path, name: bytes) -> None:
    text = made(tmp_path, tcp([hello(name)]))
    assert text.count("<script>") == 1
    assert "<img" not in text
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069]", text)


def test_a_name_of_65_kilobytes_is_cut(tmp_path: Path) -> None:
    text = made(tmp_path, tcp([b"GET / HTTP/1.1\r\nHost: " + b"a" * 65_000 + b".blocked.example\r\n\r\n"], dport=80))
    assert "a" * 2000 not in text
    assert len(text.encode()) < 60_000


def test_captures_have_headings_and_their_own_anchors(tmp_path: Path) -> None:
    paths = [write_capture(tmp_path / f"<{name}>.pcapng", query(b"blocked.example")) for name in "ab"]
    text = check_html(checked(*paths))
    assert "<h1>2 captures</h1>" in text
    assert {"f0-1", "f1-1"} <= set(re.findall(r'id="(f\d-\d)"', text))
    assert "&lt;a&gt;.pcapng" in text


def test_nothing_at_risk_has_no_pictures(tmp_path: Path) -> None:
    text = made(tmp_path, query(b"allowed.example"))
    assert 'class="ladder" viewBox="0 0 392' not in text
    assert "passes" in text


def test_flows_with_ground_go_first() -> None:
    gathered = Gathered(wall_of())
    for number in range(1, 1002):
        gathered.take(flow(flow=number, chance=0.5 if number > 1000 else 0.0))
    assert len(gathered.rows()) == MOST_ROWS
    assert gathered.rows()[-1].flow == 1001
