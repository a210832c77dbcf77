"""Two addresses in, an SMTP client that hands over a short message and a server that takes it out (RFC 5321)."""

import functools
import hashlib
import itertools
from collections.abc import Sequence
from typing import Literal

import msgspec

from crenel.errors import UsageError
from crenel.net.app.follower import Follower, Role, Turn
from crenel.net.app.lines import LineServer, check_line, explain_lines
from crenel.net.app.speaker import PATIENCE

_CLIENT_NAME = b"client.example"
_GREETING = b"220 mail.example ESMTP ready\r\n"
_WELCOME = b"250-mail.example greets %b\r\n250-SIZE 10485760\r\n250 8BITMIME\r\n"
_SENDER_FITS = b"250 2.1.0 Sender ok\r\n"
_RECIPIENT_FITS = b"250 2.1.5 Recipient ok\r\n"
_GO_ON = b"354 End with a dot on a line by itself\r\n"
_TAKEN = b"250 2.0.0 Taken as %b\r\n"
_BYE = b"221 2.0.0 Goodbye\r\n"
_UNKNOWN = b"500 5.5.2 Unknown command\r\n"
_BAD_ORDER = b"503 5.5.1 Not yet\r\n"
_NO_MAILBOX = b"550 5.1.1 No such mailbox\r\n"
_SAID = ("EHLO", "MAIL FROM", "RCPT TO", "DATA", "the message", "QUIT")


class Smtp(msgspec.Struct, frozen=True, kw_only=True):
    """One short message, each reply awaited; raises UsageError for an address that no command can carry."""

    sender: str
    recipient: str
    port: int = 25
    client_first: bool = False
    """The client does not wait for the greeting, and the server greets it only once it has spoken, in front of its first reply."""
    tries: int = 1

    def __post_init__(self) -> None:
        for text, what in ((self.sender, "sender"), (self.recipient, "recipient")):
            check_line(text, what)
            if any(each in "<> \t" for each in text):
                raise UsageError(f"the {what} {text!r} has a space or an angle bracket in it, so that it is no mail address")

    @property
    def transport(self) -> Literal["tcp"]:
        """What carries it."""
        return "tcp"

    @property
    def patience(self) -> tuple[int, ...]:
        """Nanoseconds that a client waits."""
        return PATIENCE

    def commands(self) -> tuple[bytes, ...]:
        """Return what the client says, each time it is answered."""
        texts = (
            f"EHLO {_CLIENT_NAME.decode()}", f"MAIL FROM:<{self.sender}>", f"RCPT TO:<{self.recipient}>", "DATA",
            f"From: <{self.sender}>\r\nTo: <{self.recipient}>\r\nSubject: A message\r\n\r\nIt says little.\r\n.", "QUIT",
        )  # fmt: skip
        return tuple(f"{text}\r\n".encode("utf-8", "surrogateescape") for text in texts)

    def client(self) -> Follower:
        """Return a client that has said nothing yet."""
        return Follower(_role(self), explain_lines)

    def server(self) -> LineServer:
        """Return a server that has heard nothing yet."""
        mailbox = self.commands()[2].rstrip().lower()
        if self.client_first:
            return LineServer((), _SmtpServer(mailbox, _GREETING).answer)
        return LineServer((_GREETING,), _SmtpServer(mailbox, b"").answer)


@functools.lru_cache(maxsize=64)
def _role(app: Smtp) -> Role:
    commands = app.commands()
    envelope = [commands[1].rstrip().lower(), commands[2].rstrip().lower()]
    receipt = _receipt([*envelope, *commands[4].split(b"\r\n")[:-2]])
    replies = (_GREETING, _WELCOME % _CLIENT_NAME, _SENDER_FITS, _RECIPIENT_FITS, _GO_ON, _TAKEN % receipt)
    told = b"".join((*replies, _BYE))
    places = itertools.accumulate(map(len, replies))
    turns = [Turn(at, (command,), f"the answer to {what}") for at, command, what in zip(places, commands, _SAID, strict=True)]
    if app.client_first:
        return Role((commands[0],), turns[0].awaits, told, tuple(turns[1:]), "the message was taken")
    return Role((), "the greeting", told, tuple(turns), "the message was taken")


def _receipt(lines: Sequence[bytes]) -> bytes:
    """Name a message by its envelope and its lines, so that its sender notices that another one arrived."""
    return hashlib.sha256(b"\n".join(lines)).hexdigest()[:12].encode()


class _SmtpServer:
    """How far the transaction is; the one mailbox is that of the app."""

    __slots__ = ("_due", "_envelope", "_greeting", "_mailbox", "_text")

    def __init__(self, mailbox: bytes, greeting: bytes) -> None:
        self._mailbox = mailbox
        self._greeting = greeting
        self._due = b"EHLO"
        self._envelope: list[bytes] = []
        self._text: list[bytes] | None = None

    def answer(self, line: bytes) -> tuple[Sequence[bytes], bool]:
        replies, closes = self._reply(line) if self._text is None else (self._collect(self._text, line), False)
        if self._greeting:
            replies, self._greeting = (self._greeting, *replies), b""
        return replies, closes

    def _collect(self, text: list[bytes], line: bytes) -> Sequence[bytes]:
        if line != b".":
            text.append(line.removeprefix(b"."))  # the dot that a sender puts before a dot (RFC 5321 section 4.5.2)
            return ()
        receipt = _receipt([*self._envelope, *text])
        self._text, self._due, self._envelope = None, b"MAIL", []
        return (_TAKEN % receipt,)

    def _reply(self, line: bytes) -> tuple[Sequence[bytes], bool]:
        name = line[:4].upper()
        if name == b"QUIT":
            return (_BYE,), True
        if name in {b"EHLO", b"HELO"}:
            self._due, self._envelope = b"MAIL", []
            return (_WELCOME % line[5:].strip(),), False
        if name not in _NEXT:
            return (_UNKNOWN,), False
        if name != self._due:
            return (_BAD_ORDER,), False
        return (self._go_on(name, line.rstrip().lower()),), False

    def _go_on(self, name: bytes, line: bytes) -> bytes:
        if name == b"RCPT" and line != self._mailbox:
            return _NO_MAILBOX
        self._due, reply = _NEXT[name]
        if name == b"DATA":
            self._text = []
        else:
            self._envelope.append(line)
        return reply


_NEXT = {b"MAIL": (b"RCPT", _SENDER_FITS), b"RCPT": (b"DATA", _RECIPIENT_FITS), b"DATA": (b"", _GO_ON)}
"""To each command of a transaction, which one comes next and what is said to it."""
