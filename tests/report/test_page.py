"""A report is one file: it asks no other host for anything, runs no script but its own, and shows text as text."""

import base64
import hashlib
import re

from crenel.report.layout import line_of, paragraph
from crenel.report.page import Report, labelled, legend, lines_section, page, preformatted, toned


def made(**changes: str) -> str:
    given = {"title": "t", "lead": "", "facts": "", "again": "crenel try x", "sha256": "00", "crenel": "0"} | changes
    return page(Report(sections=(), **given))


def test_nothing_is_loaded_and_one_script_runs() -> None:
    text = made()
    assert not re.search(r"""(?:src|href)\s*=|@import|url\(|https?:""", text)
    [script] = re.findall(r"<script>(.*?)</script>", text)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'" in text


def test_what_it_needs_for_readers_of_all_kinds() -> None:
    text = made()
    parts = (
        '<html lang="en">', '<meta charset="utf-8">', "width=device-width", "prefers-color-scheme:dark", "@media print", "<title>t – Crenel</title>",
    )  # fmt: skip
    for part in parts:
        assert part in text


def test_titles_and_commands_are_text() -> None:
    text = made(title="</title><script>\u202e", again="crenel try '</pre><script>'")
    assert text.count("<script>") == 1
    assert "\u202e" not in text
    assert "&lt;/title&gt;&lt;script&gt;\\u{202e}" in text


def test_tones_and_labels() -> None:
    assert toned([("a<", "bad"), (" ", ""), ("b", "mark"), (" ", ""), ("c", "mark"), ("d", "dim")]) == (
        '<span class="bad">a&lt;</span> <mark>b c</mark><i>d</i>'
    )
    lines = [*paragraph("one", None, label="first", hang=7), *paragraph("two", None, label="", hang=7)]
    assert labelled(lines, 7) == "<dl><dt>first</dt><dd>one</dd><dd>two</dd></dl>"
    assert labelled([], 7) == preformatted([]) == ""
    assert lines_section("T", [line_of("a & b"), line_of("c", "good")]) == (
        '<section><h2>T</h2><pre>a &amp; b\n<span class="good">c</span></pre></section>'
    )


def test_the_legend_tells_of_what_is_there() -> None:
    assert "forged" not in legend('<g class="r">')
    assert legend('<g class="r f">', "forecast").count("forecast") == 1
