"""FTP control bytes of a client in, commands out: who logs in and which files are asked for (RFC 959)."""

import re
from typing import Final

from crenel.wire.command import Command, Commands, is_ready_line, read_command
from crenel.wire.result import Field

# Commands that no other line protocol shares in this form; USER, PASS, LIST and RETR also stand in POP3, USER in IRC.
_FIRST = re.compile(
    rb"(?:USER [^ \r\n]+\r?\n|AUTH (?:TLS|SSL|GSSAPI)\b|(?:FEAT|SYST|PASV|EPSV|X?PWD|CDUP|REIN|ABOR)\r?\n|TYPE [AEIL]|PORT [0-9]|EPRT [^ ]|"
    rb"OPTS |CLNT |PBSZ |PROT |(?:CWD|STOR|APPE|NLST|MLSD|MLST|MDTM|SIZE|RNFR|SITE) [^\r\n]|RETR [^ \r\n]*[^0-9 \r\n])",
    re.IGNORECASE,
)
_SERVER = re.compile(rb"220[^\n]*(?:FTP|FileZilla)", re.IGNORECASE)
_WORDS: Final = (
    b"USER ", b"AUTH TLS", b"AUTH SSL", b"AUTH GSSAPI", b"FEAT\r\n", b"SYST\r\n", b"PASV\r\n", b"EPSV\r\n", b"PWD\r\n", b"TYPE ", b"PORT ",
    b"OPTS ", b"CLNT ", b"CWD ", b"STOR ", b"RETR ", b"NLST ", b"MLSD ", b"SIZE ", b"MDTM ",
)  # fmt: skip

FILE_COMMANDS: Final = frozenset((b"RETR", b"STOR", b"APPE", b"STOU", b"DELE", b"RNFR", b"RNTO", b"SIZE", b"MDTM", b"MLST"))
"""The commands whose argument is the name of a file."""


def looks_like_commands(first: bytes) -> bool:
    """Say whether client bytes begin with a command that FTP has in this form, or with what could become one."""
    if b"\n" in first:
        return _FIRST.match(first) is not None
    start = first.upper()
    return bool(first) and (any(word.startswith(start[: len(word)]) for word in _WORDS) or _FIRST.match(first) is not None)


def looks_like_greeting(first: bytes) -> bool:
    """Say whether a server's first line announces FTP: 220 and, as servers do by custom, the word FTP."""
    return is_ready_line(first) and _SERVER.match(first) is not None


def read_commands(stream: bytes, start: int = 0) -> Commands:
    """Read commands from `start` up to an AUTH, after which TLS follows, or what is no line of text."""
    found: list[Command] = []
    while start < len(stream):
        command = read_command(stream, start)
        if not isinstance(command, Command):
            return Commands(tuple(found), command, start)
        found.append(command)
        start = command.end
        if command.name == b"AUTH":
            break
    return Commands(tuple(found), None, start)


def user_name(command: Command) -> Field | None:
    """Return the argument of a USER."""
    return command.argument if command.name == b"USER" else None


def file_name(command: Command) -> Field | None:
    """Return the argument of a command that names a file, as in RETR."""
    return command.argument if command.name in FILE_COMMANDS else None
