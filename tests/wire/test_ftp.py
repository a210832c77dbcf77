"""FTP: who logs in and which files are asked for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.wire.command import Commands
from crenel.wire.ftp import file_name, looks_like_commands, looks_like_greeting, read_commands, user_name
from crenel.wire.result import Field, Incomplete, Unparseable

SESSION = b"USER anonymous\r\nPASS x\r\nTYPE I\r\nPASV\r\nRETR secret word.txt\r\nQUIT\r\n"


def test_a_session() -> None:
    read = read_commands(SESSION)
    assert [command.name for command in read.commands] == [b"USER", b"PASS", b"TYPE", b"PASV", b"RETR", b"QUIT"]
    assert (read.stopped, read.end) == (None, len(SESSION))
    assert user_name(read.commands[0]) == Field(b"anonymous", 5, 9)
    assert file_name(read.commands[4]) == Field(b"secret word.txt", SESSION.index(b"secret"), 15)
    assert (user_name(read.commands[4]), file_name(read.commands[0])) == (None, None)


def test_tls_follows_auth() -> None:
    stream = b"AUTH TLS\r\n\x16\x03\x01"
    assert (read_commands(stream).stopped, read_commands(stream).end) == (None, 10)
    assert isinstance(read_commands(b"FEAT\r\n\x16\x03\x01").stopped, Unparseable)


@given(st.integers(0, len(SESSION)))
def test_any_cut_of_a_session_gives_the_first_of_its_commands(cut: int) -> None:
    whole, read = read_commands(SESSION), read_commands(SESSION[:cut])
    assert read.commands == whole.commands[: len(read.commands)]
    assert isinstance(read.stopped, Incomplete | None)


@pytest.mark.parametrize(
    "first", [b"USER anonymous\r\n", b"AUTH TLS\r\n", b"FEAT\r\n", b"SYST\r\n", b"PASV\r\n", b"TYPE I\r\n", b"RETR file.txt\r\n", b"opts utf8 on\r\n"]
)
def test_first_commands_and_what_could_become_one(first: bytes) -> None:
    assert all(looks_like_commands(first[:cut]) for cut in range(1, len(first) + 1))


@pytest.mark.parametrize(
    "first",
    [
        b"",
        b"USER guest 0 * :real name\r\n",
        b"RETR 1\r\n",
        b"AUTH LOGIN\r\n",
        b"EHLO x\r\n",
        b"STAT\r\n",
        b"LIST\r\n",
        b"GET / HTTP/1.1\r\n",
        b"\x16\x03\x01",
    ],
)
def test_first_bytes_of_others(first: bytes) -> None:
    assert not looks_like_commands(first)


def test_greetings() -> None:
    assert looks_like_greeting(b"220 (vsFTPd 3.0.3)\r\n")
    assert looks_like_greeting(b"220-FileZilla Server 1.9.1\r\n")
    assert not looks_like_greeting(b"220 mx.allowed.example ESMTP\r\nFTP")
    assert not looks_like_greeting(b"421 FTP is closed\r\n")


@given(st.binary(max_size=80))
def test_anything_is_read_as_something(data: bytes) -> None:
    for stream in (data, b"RETR " + data + b"\r\n"):
        read = read_commands(stream)
        assert isinstance(read, Commands)
        for command in read.commands:
            assert isinstance(file_name(command), Field | None)
        assert isinstance(looks_like_commands(stream), bool)
        assert isinstance(looks_like_greeting(stream), bool)
