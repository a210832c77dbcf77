"""SMTP client bytes in, commands out: greeting, envelope addresses and the start of TLS, message text skipped (RFC 5321)."""

import re
from typing import Final

from crenel.wire.command import Command, Commands, is_ready_line, read_command
from crenel.wire.result import Field, Incomplete, Unparseable

_FIRST = re.compile(rb"(?:[EHL][HE]LO[ \r\n]|MAIL FROM:|RCPT TO:|STARTTLS\r?\n|BDAT [0-9]|XCLIENT )", re.IGNORECASE)
_SERVER = re.compile(rb"220[^\n]*(?:SMTP|\bmail\b)", re.IGNORECASE)
_WORDS: Final = (b"EHLO ", b"HELO ", b"LHLO ", b"MAIL FROM:", b"RCPT TO:", b"STARTTLS\r\n", b"BDAT ", b"XCLIENT ")
_PATH = re.compile(rb"(?:FROM|TO):[ \t]*(?:<(?:@[^:>]*:)?([^>]*)|([^ \t<>]+))", re.IGNORECASE)
_END_OF_TEXT = re.compile(rb"(?:^|\n)\.\r?\n")
_CHUNK = re.compile(rb"([0-9]{1,9})(?:[ \t]|\Z)")
_CUT_TEXT: Final = Incomplete("the text of the message is cut")
_BAD_CHUNK: Final = Unparseable("a BDAT command without a size")


def looks_like_commands(first: bytes) -> bool:
    """Say whether client bytes begin with a command that only SMTP has, or with what could become one."""
    if len(first) < 12:
        start = first.upper()
        return bool(first) and (_FIRST.match(first) is not None or any(word.startswith(start) for word in _WORDS))
    return _FIRST.match(first) is not None


def looks_like_greeting(first: bytes) -> bool:
    """Say whether a server's first line announces SMTP: 220 and, as servers do by custom, the word SMTP or mail."""
    return is_ready_line(first) and _SERVER.match(first) is not None


def read_commands(stream: bytes, start: int = 0) -> Commands:
    """Read commands from `start`, past message texts (taking DATA as accepted), up to a STARTTLS or what is no line of text."""
    found: list[Command] = []
    while start < len(stream):
        command = read_command(stream, start)
        if not isinstance(command, Command):
            return Commands(tuple(found), command, start)
        found.append(command)
        start = command.end
        name = command.name
        if name == b"STARTTLS":
            break
        after = _end_of_text(stream, command) if name in (b"DATA", b"BDAT") else start
        if not isinstance(after, int):
            return Commands(tuple(found), after, start)
        start = after
    return Commands(tuple(found), None, start)


def mail_address(command: Command) -> Field | None:
    """Return the address in a MAIL FROM or RCPT TO, without brackets and source route; empty for the null sender."""
    if command.name not in (b"MAIL", b"RCPT"):
        return None
    path = _PATH.match(command.argument.value)
    if path is None:
        return None
    group = 1 if path[1] is not None else 2
    return Field(path[group], command.argument.offset + path.start(group), len(path[group]))


def _end_of_text(stream: bytes, command: Command) -> int | Incomplete | Unparseable:
    """Say where the text ends that follows a DATA, by its lone dot, or a BDAT, by its size (RFC 3030)."""
    if command.name == b"DATA":
        last = _END_OF_TEXT.search(stream[command.end :])
        return _CUT_TEXT if last is None else command.end + last.end()
    size = _CHUNK.match(command.argument.value)
    if size is None:
        return _BAD_CHUNK
    end = command.end + int(size[1])
    return end if end <= len(stream) else _CUT_TEXT
