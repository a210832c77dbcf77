"""A path in, an FTP client that logs in and asks for the file and a server that answers out, on the control connection (RFC 959).

There is no data connection: what is read on the way is the control connection, and the server speaks as if the file had gone
over another one.
"""

import functools
from collections.abc import Sequence
from typing import Literal

import msgspec

from crenel.net.app.follower import Follower, Role, Turn
from crenel.net.app.lines import LineServer, check_line, explain_lines
from crenel.net.app.speaker import PATIENCE

_GREETING = b"220 FTP server ready\r\n"
_NEEDS_PASSWORD = b"331 Password, please\r\n"
_LOGGED_IN = b"230 Logged in\r\n"
_TYPE_SET = b"200 Type set to I\r\n"
_OPENING = b"150 Opening a data connection\r\n"
_TRANSFERRED = b"226 Transfer complete\r\n"
_BYE = b"221 Goodbye\r\n"
_UNKNOWN = b"500 Unknown command\r\n"
_BAD_TYPE = b"504 Not that type\r\n"
_BAD_ORDER = b"503 USER first\r\n"
_REFUSED = b"530 Not logged in\r\n"
_NO_FILE = b"550 No such file\r\n"


class Ftp(msgspec.Struct, frozen=True, kw_only=True):
    """A login and a RETR, each reply awaited; raises UsageError for a text that is empty or holds a line end."""

    path: str
    user: str = "anonymous"
    password: str = "anonymous@client.example"  # noqa: S105 - what anonymous users give by custom (RFC 1635) guards nothing
    port: int = 21
    client_first: bool = False
    """The client does not wait for the greeting, and the server greets it only once it has spoken, in front of its first reply."""
    tries: int = 1

    def __post_init__(self) -> None:
        for text, what in ((self.path, "path"), (self.user, "user"), (self.password, "password")):
            check_line(text, what)

    @property
    def transport(self) -> Literal["tcp"]:
        """What carries it."""
        return "tcp"

    @property
    def patience(self) -> tuple[int, ...]:
        """Nanoseconds that a client waits."""
        return PATIENCE

    def commands(self) -> tuple[bytes, ...]:
        """Return what the client says, line by line."""
        texts = (f"USER {self.user}", f"PASS {self.password}", "TYPE I", f"RETR {self.path}", "QUIT")
        return tuple(f"{text}\r\n".encode("utf-8", "surrogateescape") for text in texts)

    def client(self) -> Follower:
        """Return a client that has said nothing yet."""
        return Follower(_role(self), explain_lines)

    def server(self) -> LineServer:
        """Return a server that has heard nothing yet."""
        if self.client_first:
            return LineServer((), _FtpServer(self.commands(), _GREETING).answer)
        return LineServer((_GREETING,), _FtpServer(self.commands(), b"").answer)


@functools.lru_cache(maxsize=64)
def _role(app: Ftp) -> Role:
    replies = (_GREETING, _NEEDS_PASSWORD, _LOGGED_IN, _TYPE_SET, _OPENING + _TRANSFERRED)
    turns = []
    at = 0
    for reply, command in zip(replies, app.commands(), strict=True):
        at += len(reply)
        turns.append(Turn(at, (command,), f"the answer to {command[:4].decode()}"))
    opened = Turn(at - len(_TRANSFERRED), (), "the end of the transfer")
    told, ends = b"".join((*replies, _BYE)), (opened, turns[-1])
    if app.client_first:
        return Role(turns[0].says, turns[0].awaits, told, (*turns[1:-1], *ends), "RETR answered 226")
    return Role((), "the greeting", told, (*turns[:-1], *ends), "RETR answered 226")


class _FtpServer:
    """Who is logged in; the file is there for the user of the app, and nobody else's password is known."""

    __slots__ = ("_commands", "_greeting", "_logged_in", "_user")

    def __init__(self, commands: Sequence[bytes], greeting: bytes) -> None:
        self._greeting = greeting
        self._commands = [command.rstrip(b"\r\n") for command in commands]
        self._user = b""
        self._logged_in = False

    def answer(self, line: bytes) -> tuple[Sequence[bytes], bool]:
        replies, closes = self._reply(line)
        if self._greeting:
            replies, self._greeting = (self._greeting, *replies), b""
        return replies, closes

    def _reply(self, line: bytes) -> tuple[Sequence[bytes], bool]:
        verb, _, argument = line.partition(b" ")
        name = verb.upper()
        if name == b"QUIT":
            return (_BYE,), True
        reply = _STATES.get(name)
        return ((_UNKNOWN,) if reply is None else reply(self, b"%b %b" % (name, argument))), False

    def user(self, line: bytes) -> Sequence[bytes]:
        self._user = line
        self._logged_in = False
        return (_NEEDS_PASSWORD,)

    def password(self, line: bytes) -> Sequence[bytes]:
        if not self._user:
            return (_BAD_ORDER,)
        self._logged_in = [self._user, line] == self._commands[:2]
        return (_LOGGED_IN if self._logged_in else _REFUSED,)

    def type(self, line: bytes) -> Sequence[bytes]:
        if not self._logged_in:
            return (_REFUSED,)
        return (_TYPE_SET if line.upper() == b"TYPE I" else _BAD_TYPE,)

    def retrieve(self, line: bytes) -> Sequence[bytes]:
        if not self._logged_in:
            return (_REFUSED,)
        return (_OPENING, _TRANSFERRED) if line == self._commands[3] else (_NO_FILE,)


_STATES = {b"USER": _FtpServer.user, b"PASS": _FtpServer.password, b"TYPE": _FtpServer.type, b"RETR": _FtpServer.retrieve}
