"""The story of a flow tells what was read where, by which rule, who measured it, what is assumed and what would have passed."""

from pathlib import Path

import pytest

from crenel.report.citing import known_sources
from crenel.report.layout import plain
from crenel.report.story import Told, tell
from tests.report.making import EXAMPLE, hello, query, tcp, wall_of, watch, write_capture


def story(path: str, number: int, width: int | None = None, **given: object) -> list[str]:
    wall = wall_of(**given)
    flow, watched = watch(path, wall, number)
    return [plain(line) for line in tell(Told(flow, watched, wall, known_sources("gfw"), width))]


def test_a_caught_hello() -> None:
    lines = story(str(EXAMPLE), 12)
    text = "\n".join(lines)
    assert lines[0] == f"Flow 12 of {EXAMPLE}"
    assert "read        tls, asking for blocked.example" in lines
    assert "      0070  06 51 9a 9a 00 00 00 00 00 14 00 12 00 00 0f[62  .Q.............b" in lines
    assert "      0080  6c 6f 63 6b 65 64 2e 65 78 61 6d 70 6c 65]fe 0d  locked.example.." in lines
    assert "tls-sni-single  TLS SNI: one RST (MB-R, later type I)" in lines
    assert "rule        blocked.example (suffix) on gfw-tls-single" in lines
    assert "in force    since 2023-10-02, last observed on 2023-12-08; confidence high" in lines
    assert "“A Wall Behind A Wall: Emerging Regional Censorship in China”" in text
    assert "            residual.tuple: the source gives the time, not the key; client, server and server port as for HTTP" in lines
    assert "What would have let it through" in lines
    assert "  - a TLS record boundary anywhere inside the ClientHello: it reads one record" in lines
    assert lines.count("            the same bytes as above") == 2
    assert lines[-1] == "from   vantage beijing, seed 0"


def test_a_memory_names_the_flow_that_set_it() -> None:
    lines = story(str(EXAMPLE), 14)
    assert "read        nothing: what was set by flow 12 still held when packet 137 came" in lines
    assert "  - 180 s of patience after the flow that set it" in lines
    assert not [line for line in lines if line.startswith("      0")]


def test_a_flow_that_passes_tells_who_looked() -> None:
    lines = story(str(EXAMPLE), 13)
    assert "Boxes that watch such a flow: none had ground" in lines
    assert "What would have let it through" not in lines
    assert any(line.startswith("  - tls-sni-single: saw the server name www.allowed.example, which is not on gfw-tls-single") for line in lines)


def test_a_flow_without_its_start_tells_who_could_not_judge(tmp_path: Path) -> None:
    lines = story(write_capture(tmp_path / "x.pcapng", tcp([hello(b"blocked.example")], handshake=False)), 1)
    assert any(line.endswith("its start was not captured") for line in lines)
    assert any(line.endswith(": cannot judge without the start of the connection") for line in lines)


def test_an_unlisted_name_says_what_that_means(tmp_path: Path) -> None:
    text = "\n".join(story(write_capture(tmp_path / "x.pcapng", query(b"www.some-site.org")), 1))
    assert "only compared with example lists, which says nothing about the real list; --listed shows what would happen" in text


@pytest.mark.parametrize("number", range(1, 22))
@pytest.mark.parametrize("width", [60, 80])
def test_every_story_fits_the_terminal(number: int, width: int) -> None:
    lines = story(str(EXAMPLE), number, width)
    assert max(len(line) for line in lines) <= max(width, 79)
    assert all(line.isprintable() for line in lines)


def test_hostile_bytes_stay_bytes(tmp_path: Path) -> None:
    path = write_capture(tmp_path / "x.pcapng", tcp([b"GET /?q=ultrasurf\x1b[2J HTTP/1.1\r\nHost: a\x9bb.example\r\n\r\n"], dport=80))
    assert all(line.isprintable() for line in story(path, 1))
