"""Text in a picture: lines stay within their room whatever stands in them, and nothing is lost unseen."""

from hypothesis import given
from hypothesis import strategies as st

from crenel.report.measure import cut, fold, width_of_text

TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=120)


@given(TEXTS, st.integers(40, 300))
def test_lines_keep_to_their_room(text: str, room: int) -> None:
    lines = fold(text, room, 11, 3)
    assert len(lines) <= 3
    assert all(width_of_text(line, 11) <= room for line in lines)


@given(st.text("abc ", max_size=60))
def test_what_fits_is_kept(text: str) -> None:
    assert "".join(fold(text, 60, 11, 99)).replace(" ", "") == text.replace(" ", "")


def test_what_is_left_out_is_marked() -> None:
    assert fold("one two three four five six", 40, 11, 2)[-1].endswith("…")
    assert cut("abcdefghij", 30, 11).endswith("…")


def test_wide_letters_are_wider() -> None:
    assert width_of_text("iii", 10) < width_of_text("aaa", 10) < width_of_text("WWW", 10) == width_of_text("語語語", 10)
