"""Lines of text protocols: verb and argument with their places."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.wire.command import Command, is_ready_line, read_command
from crenel.wire.result import Field, Incomplete, Unparseable


def test_a_command_with_its_places() -> None:
    command = read_command(b"xxRetr  a file.txt \r\nQUIT", 2)
    assert command == Command(Field(b"Retr", 2, 4), Field(b"a file.txt", 8, 10), 2, 21)
    assert command.name == b"RETR"


@pytest.mark.parametrize(
    ("line", "verb", "argument"),
    [
        (b"QUIT\r\n", b"QUIT", b""),
        (b"QUIT\n", b"QUIT", b""),
        (b"MAIL FROM:<a@b>\r\n", b"MAIL", b"FROM:<a@b>"),
        (b"dXNlcg==\r\n", b"", b"dXNlcg=="),
        (b"220 hello\r\n", b"", b"220 hello"),
        (b"\r\n", b"", b""),
        (b" RETR x\r\n", b"", b"RETR x"),
        ("RETR \u516d.txt\r\n".encode(), b"RETR", "\u516d.txt".encode()),
    ],
)
def test_verbs_are_words_of_letters(line: bytes, verb: bytes, argument: bytes) -> None:
    command = read_command(line)
    assert isinstance(command, Command)
    assert (command.verb.value, command.argument.value) == (verb, argument)
    assert line[command.argument.offset :].startswith(argument)


@pytest.mark.parametrize("line", [b"USER \x00\r\n", b"\x16\x03\x01", b"USER a\x1b\r\n", b"US\x7f"])
def test_control_bytes_are_no_text(line: bytes) -> None:
    assert isinstance(read_command(line), Unparseable)


@given(st.from_regex(rb"[A-Z]{3,4} [ -~]{0,30}\r\n", fullmatch=True), st.data())
def test_any_cut_of_a_line_is_incomplete(line: bytes, data: st.DataObject) -> None:
    assert isinstance(read_command(line), Command)
    assert isinstance(read_command(line[: data.draw(st.integers(0, len(line) - 1))]), Incomplete)


@given(st.binary(max_size=60), st.integers(0, 70))
def test_anything_is_read_as_something(data: bytes, start: int) -> None:
    command = read_command(data, start)
    if isinstance(command, Command):
        for field in (command.verb, command.argument):
            assert data[field.offset : field.offset + field.length] == field.value
        assert data[command.end - 1 : command.end] == b"\n"
    else:
        assert isinstance(command, Incomplete | Unparseable)


def test_the_reply_that_announces_a_server() -> None:
    assert is_ready_line(b"220 x")
    assert is_ready_line(b"220-x")
    assert not is_ready_line(b"2200 x")
    assert not is_ready_line(b"421 x")
