"""Text from captures must not act on the terminal that shows it."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.report.text import cells, counted, cut_left, either, listed, percent, plain_path, safe, safe_path


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("a.example", "a.example"),
        ("a\x1b[31mb", "a\\u{1b}[31mb"),
        ("a\nb\r\tc", "a\\u{a}b\\u{d}\\u{9}c"),
        ("moc.\u202elive", "moc.\\u{202e}live"),
        ("a\u200bb\ufeff", "a\\u{200b}b\\u{feff}"),
        ("e\u0301", "e\\u{301}"),
        ("a\u00a0b\u2028", "a\\u{a0}b\\u{2028}"),
        ("[bold red]x[/]", "[bold red]x[/]"),
        ("bücher.例子", "bücher.例子"),
        ("\udc80", "\\u{dc80}"),
    ],
)
def test_nothing_but_what_is_printed_reaches_the_terminal(hostile: str, shown: str) -> None:
    assert safe(hostile) == shown


@given(st.text(), st.integers(1, 300))
def test_safe_text_has_no_character_that_acts_and_is_not_too_long(text: str, limit: int) -> None:
    shown = safe(text, limit)
    assert len(shown) <= limit
    assert not [char for char in shown if unicodedata.category(char)[0] in "CM" or unicodedata.category(char) in {"Zl", "Zp"}]
    assert shown.isprintable()


def test_a_long_name_loses_its_beginning() -> None:
    assert safe("a" * 300 + ".example", 20) == "…" + ("a" * 11) + ".example"
    assert cut_left("verylong.blocked.example", 12) == "…ked.example"
    assert cells(cut_left("例子例子例子.test", 9)) <= 9
    assert cut_left("short", 9) == "short"


def test_wide_characters_take_two_columns() -> None:
    assert cells("abc") == 3
    assert cells("例子") == 4


def test_paths_are_shown_safely_and_written_as_text() -> None:
    assert safe_path("-") == "standard input"
    assert safe_path("a\x1b.pcap") == "a\\u{1b}.pcap"
    assert plain_path("a\udcffb").encode() == b"a\\xffb"


@pytest.mark.parametrize(
    ("chance", "words"),
    [
        (0.0, "0"), (1.0, "100"), (0.263, "26"), (0.97, "97"), (0.985, "98"), (0.9953, "99.5"), (0.99997, "over 99.9"), (0.0042, "0.4"),
        (1e-6, "under 0.1"),
    ],
)
def test_a_chance_never_rounds_to_nothing_or_to_certainty(chance: float, words: str) -> None:
    assert percent(chance) == f"{words}\u00a0%"


@given(st.floats(0.0, 1.0, exclude_min=True, exclude_max=True))
def test_only_certainty_is_called_so(chance: float) -> None:
    assert percent(chance) not in {"0\u00a0%", "100\u00a0%"}


def test_lists_and_counts_read_like_a_sentence() -> None:
    assert [listed(words) for words in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == ["", "a", "a and b", "a, b and c"]
    assert either(["a", "b", "c"]) == "a, b or c"
    assert [counted(1, "flow"), counted(2000, "flow"), counted(2, "box", "boxes")] == ["1 flow", "2,000 flows", "2 boxes"]
