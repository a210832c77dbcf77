"""Lines are broken between words, hang where they should and are never longer than the terminal where words allow it."""

from hypothesis import given
from hypothesis import strategies as st

from crenel.report.layout import BLANK, GLUE, Piece, chopped, columns, joined, line_of, paragraph, plain, width_of, wrap
from crenel.report.text import cells


def test_without_a_width_all_stands_on_one_line() -> None:
    assert [plain(line) for line in wrap([("a b", "bad"), (" c" * 100, "dim")], None)] == ["a b" + " c" * 100]


def test_further_lines_hang() -> None:
    lines = wrap([("one two", ""), (" three four", "dim")], 10, first=3, hang=2)
    assert [plain(line) for line in lines] == ["one two", "  three", "  four"]
    assert lines[1] == (("  ", ""), ("three ", "dim"))


def test_glue_holds_words_together_and_is_shown_as_a_blank() -> None:
    assert [plain(line) for line in wrap([(f"at risk (this{GLUE}draw:{GLUE}passed)", "")], 12)] == ["at risk", "(this draw: passed)"]
    assert plain(wrap([(f"7{GLUE}%", "")], None)[0]) == "7 %"


@given(st.lists(st.text("ab ", max_size=30), max_size=5), st.integers(12, 40), st.integers(0, 10), st.integers(0, 10))
def test_no_line_is_longer_than_the_width_unless_one_word_is(texts: list[str], width: int, first: int, hang: int) -> None:
    lines = wrap([(text, "") for text in texts], width, first=first, hang=hang)
    longest = max((cells(word) for text in texts for word in text.split()), default=0)
    assert all(len(plain(line)) + (first if not number else 0) <= max(width, hang + longest, first + longest) for number, line in enumerate(lines))
    assert "".join(plain(line) for line in lines).replace(" ", "") == "".join(texts).replace(" ", "")


def test_neighbours_of_one_tone_become_one_piece() -> None:
    assert joined([("a ", "bad"), ("b", "bad"), ("c", "")]) == (("a b", "bad"), ("c", ""))


def test_a_paragraph_stands_beside_its_label() -> None:
    lines = paragraph("one two three", 14, label="note", hang=6)
    assert [plain(line) for line in lines] == ["note  one two", "      three"]


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    rows: list[list[Piece]] = [[("a", "head"), ("first", "")], [("long", "head"), ("second third", "")], []]
    assert [plain(line) for line in columns(rows, 15)] == ["a     first", "long  second", "      third", ""]
    assert plain(BLANK) == ""
    assert width_of(line_of("例")) == 2


def test_a_wide_first_column_does_not_squeeze_the_last() -> None:
    lines = columns([[("x" * 20, ""), ("one two three four five", "")]], 24)
    assert [plain(line) for line in lines] == ["x" * 20, "    one two three four", "    five"]


def test_a_word_that_is_too_long_for_a_line_goes_on_in_the_next() -> None:
    lines = [(("  ", ""), ("a" * 7, "bad")), line_of("short "), (("b" * 9 + "   ", "dim"),)]
    assert [plain(line) for line in chopped(lines, 5)] == ["  aaa", "aaaa", "short", "bbbbb", "bbbb"]
    assert chopped(lines, 5)[0] == (("  ", ""), ("aaa", "bad"))
    assert chopped(lines, None) == lines
