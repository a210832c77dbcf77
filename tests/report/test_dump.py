"""The telling bytes of a hex dump are bracketed, so that they show without colour."""

from hypothesis import given
from hypothesis import strategies as st

from crenel.report.dump import dump
from crenel.report.layout import plain

ALPHABET = bytes(range(0x41, 0x41 + 64))


def test_the_span_is_bracketed_and_surrounded() -> None:
    lines = [plain(line) for line in dump(ALPHABET, 20, 3)]
    assert lines == [
        "0000  41 42 43 44 45 46 47 48 49 4a 4b 4c 4d 4e 4f 50  ABCDEFGHIJKLMNOP",
        "0010  51 52 53 54[55 56 57]58 59 5a 5b 5c 5d 5e 5f 60  QRSTUVWXYZ[\\]^_`",
        "0020  61 62 63 64 65 66 67 68 69 6a 6b 6c 6d 6e 6f 70  abcdefghijklmnop",
        "0030  71 72 73 74 75 76 77 78 79 7a 7b 7c 7d 7e 7f 80  qrstuvwxyz{|}~..",
    ]


def test_a_span_may_end_with_its_row_or_the_data() -> None:
    assert [plain(line) for line in dump(ALPHABET[:20], 12, 8)] == [
        "0000  41 42 43 44 45 46 47 48 49 4a 4b 4c[4d 4e 4f 50  ABCDEFGHIJKLMNOP",
        "0010  51 52 53 54]                                     QRST",
    ]
    assert plain(dump(ALPHABET[:16], 14, 2)[0]).startswith("0000  41 42 43 44 45 46 47 48 49 4a 4b 4c 4d 4e[4f 50]")


def test_a_long_span_is_cut_in_the_middle() -> None:
    lines = [plain(line) for line in dump(bytes(1000), 0, 1000)]
    assert len(lines) < 12
    assert sum("bytes like these" in line for line in lines) == 1


def test_without_bytes_there_is_nothing_to_show() -> None:
    assert dump(b"", 0, 5) == []
    assert "[" not in plain(dump(b"abc", 0, 0)[0])


@given(st.binary(min_size=1, max_size=400), st.integers(0, 500), st.integers(0, 500))
def test_any_span_of_any_bytes_can_be_shown(data: bytes, offset: int, length: int) -> None:
    for line in dump(data, offset, length, indent=6):
        assert plain(line).isprintable()
        assert len(plain(line)) <= 80


@given(st.binary(min_size=1, max_size=100), st.data())
def test_just_the_span_is_marked(data: bytes, draw: st.DataObject) -> None:
    offset = draw.draw(st.integers(0, len(data) - 1))
    length = draw.draw(st.integers(1, len(data) - offset))
    marked = [text for line in dump(data, offset, length) for text, tone in line if tone == "mark"]
    digits = "".join(text for text in marked if set(text) <= set("0123456789abcdef[] ")).replace("[", "").replace("]", "")
    assert data[offset : offset + length].hex() in digits.replace(" ", "") or length > 64
