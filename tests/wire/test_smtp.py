"""SMTP: envelope addresses with their places, and message texts that are not taken for commands."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.wire.command import Commands
from crenel.wire.result import Field, Incomplete, Unparseable
from crenel.wire.smtp import looks_like_commands, looks_like_greeting, mail_address, read_commands

SESSION = (
    b"EHLO client.example\r\nMAIL FROM:<sender@blocked.example> SIZE=9\r\nrcpt to: <@relay.example:rcpt@allowed.example>\r\nDATA\r\n"
    b"Subject: MAIL FROM:<no@one>\r\n\r\nQUIT\r\n..\r\n.\r\nQUIT\r\n"
)


def test_a_session() -> None:
    read = read_commands(SESSION)
    assert [command.name for command in read.commands] == [b"EHLO", b"MAIL", b"RCPT", b"DATA", b"QUIT"]
    assert (read.stopped, read.end) == (None, len(SESSION))
    addresses = [mail_address(command) for command in read.commands]
    assert addresses[1] == Field(b"sender@blocked.example", SESSION.index(b"sender@"), 22)
    assert addresses[2] == Field(b"rcpt@allowed.example", SESSION.index(b"rcpt@"), 20)
    assert [addresses[at] for at in (0, 3, 4)] == [None] * 3


@pytest.mark.parametrize(
    ("line", "address"),
    [
        (b"MAIL FROM:<>\r\n", b""),
        (b"MAIL FROM:a@b.example BODY=8BITMIME\r\n", b"a@b.example"),
        (b"mail from:<A@B>\r\n", b"A@B"),
        (b"MAIL\r\n", None),
        (b"RCPT FROM\r\n", None),
        (b"VRFY a@b\r\n", None),
    ],
)
def test_addresses(line: bytes, address: bytes | None) -> None:
    (command,) = read_commands(line).commands
    found = mail_address(command)
    assert (None if found is None else found.value) == address


def test_texts_are_skipped_by_their_size_too() -> None:
    read = read_commands(b"BDAT 6\r\nQUIT\r\nBDAT 0 LAST\r\nNOOP\r\n")
    assert [command.name for command in read.commands] == [b"BDAT", b"BDAT", b"NOOP"]
    assert isinstance(read_commands(b"BDAT x\r\nNOOP\r\n").stopped, Unparseable)
    assert isinstance(read_commands(b"BDAT 9\r\nshort").stopped, Incomplete)


def test_an_empty_text() -> None:
    assert [command.name for command in read_commands(b"DATA\r\n.\r\nQUIT\r\n").commands] == [b"DATA", b"QUIT"]


def test_tls_follows_starttls() -> None:
    stream = b"EHLO a\r\nstarttls\r\n\x16\x03\x01"
    read = read_commands(stream)
    assert (read.stopped, read.end) == (None, len(stream) - 3)
    assert isinstance(read_commands(b"EHLO a\r\n\x16\x03\x01").stopped, Unparseable)


@given(st.integers(0, len(SESSION)))
def test_any_cut_of_a_session_gives_the_first_of_its_commands(cut: int) -> None:
    whole, read = read_commands(SESSION), read_commands(SESSION[:cut])
    assert read.commands == whole.commands[: len(read.commands)]
    assert not isinstance(read.stopped, Unparseable)


@pytest.mark.parametrize(
    "first", [b"EHLO x\r\n", b"HELO x\r\n", b"LHLO x\r\n", b"ehlo x\r\n", b"MAIL FROM:<a>\r\n", b"RCPT TO:<a>\r\n", b"STARTTLS\r\n"]
)
def test_first_commands_and_what_could_become_one(first: bytes) -> None:
    assert all(looks_like_commands(first[:cut]) for cut in range(1, len(first) + 1))


@pytest.mark.parametrize("first", [b"", b"HELP\r\n", b"USER a\r\n", b"GET / HTTP/1.1\r\n", b"MAIL me\r\nand more", b"\x16\x03\x01"])
def test_first_bytes_of_others(first: bytes) -> None:
    assert not looks_like_commands(first)


def test_greetings() -> None:
    assert looks_like_greeting(b"220 mx.allowed.example ESMTP ready\r\n")
    assert looks_like_greeting(b"220-mail server\r\n")
    assert not looks_like_greeting(b"220 FTP server ready\r\n220 smtp")
    assert not looks_like_greeting(b"554 no SMTP service here\r\n")


@given(st.binary(max_size=80))
def test_anything_is_read_as_something(data: bytes) -> None:
    for stream in (data, b"DATA\r\n" + data, b"MAIL " + data + b"\r\n"):
        read = read_commands(stream)
        assert isinstance(read, Commands)
        assert read.end <= len(stream)
        for command in read.commands:
            assert isinstance(mail_address(command), Field | None)
        assert isinstance(looks_like_commands(stream), bool)
        assert isinstance(looks_like_greeting(stream), bool)
