"""Streams cut anywhere in, the lines that a server answers and the words of a client for a strange one out."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.errors import UsageError
from crenel.net.app.lines import LONGEST, LineServer, check_line, explain_lines


def echo(line: bytes) -> tuple[Sequence[bytes], bool]:
    return (b"<" + line + b">",), line == b"bye"


def heard(pieces: Sequence[bytes]) -> list[bytes]:
    server = LineServer((b"hello",), echo)
    assert server.begin() == (b"hello",)
    return [part for piece in pieces for part in server.take(piece)]


def test_each_line_is_answered_by_itself() -> None:
    assert heard([b"a\r\nb\nc c\r\n\r\nd"]) == [b"<a>", b"<b>", b"<c c>", b"<>"]


def test_after_the_last_word_nothing_is_heard() -> None:
    assert heard([b"a\r\nbye\r\nb\r\n", b"c\r\n"]) == [b"<a>", b"<bye>"]


@given(st.lists(st.sampled_from([b"a\r\n", b"b", b"\n", b"\r", b"bye\n", b"x" * 3000]), max_size=8), st.data())
def test_where_a_stream_is_cut_does_not_matter(parts: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    assert heard([stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]) == heard([stream])


@pytest.mark.parametrize("end", [b"", b"\n"])
def test_a_line_has_a_longest_length(end: bytes) -> None:
    assert heard([b"x" * LONGEST]) == []
    assert heard([b"x" * LONGEST, b"\n"]) == [b"<" + b"x" * LONGEST + b">"]
    assert heard([b"x" * (LONGEST + 1) + end, b"a\n"]) == [b"500 Line too long\r\n"]


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (b"220 hi\r\n550 No\r\n", "another reply: 550 No"),
        (b"220 hi\r\n250 ok\n", "another reply: 250 ok"),
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", "another reply: HTTP/1.1 403 Forbidden"),
        (b"\x16\x03\n", "another reply: ??"),
        (b"\xff\x1b[2J" + b"a" * 100 + b"\n", "another reply: \ufffd?[2J" + "a" * 55),
        (b"220 hi\r\n551", None),
        (b"221", None),
        (b"220 hi\r\n" + b"x" * LONGEST, None),
        (b"220 hi\r\n" + b"x" * (LONGEST + 1), f"no reply: {LONGEST + 1} bytes without a line end"),
    ],
)
def test_a_strange_reply_is_named_once_its_line_is_there(reply: bytes, says: str | None) -> None:
    assert explain_lines(reply, b"220 hi\r\n250 ok\r\n") == says


@pytest.mark.parametrize("text", ["", "a\nb", "a\r", "\0"])
def test_what_no_line_can_carry_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"^the path .* no command can carry it$"):
        check_line(text, "path")
    check_line("a b/ä", "path")
