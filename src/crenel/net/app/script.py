"""Messages in, a client that sends one after the other and a server that answers each out: what stands for any other protocol."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from crenel.instant import seconds
from crenel.net.app.speaker import PATIENCE, Heard

_ANSWER = b"as you say\n"
_MISHEARD = b"what?\n"
_MORE = b"more\n"
"""What a client of one message adds once it is answered. A box that lets the first payload pass and withholds what follows would not be
noticed by anybody who has nothing more to say."""


class Script(msgspec.Struct, frozen=True, kw_only=True):
    """These bytes, then those: each message of the client is answered before it sends the next."""

    messages: tuple[bytes, ...]
    """Of the client, none of them empty."""
    transport: Literal["tcp", "udp"] = "tcp"
    port: int = 443
    tries: int = 1

    @property
    def patience(self) -> tuple[int, ...]:
        """Nanoseconds that a client waits; it repeats nothing, for nobody knows what the bytes mean."""
        return PATIENCE if self.transport == "tcp" else (seconds(5),)

    def client(self) -> "_ScriptClient":
        """Return a client that has said nothing yet."""
        return _ScriptClient(self.all_messages())

    def server(self) -> "_ScriptServer":
        """Return a server that has heard nothing yet."""
        return _ScriptServer(self.all_messages(), datagrams=self.transport == "udp")

    def all_messages(self) -> tuple[bytes, ...]:
        """Return what the client says in all."""
        return self.messages if len(self.messages) > 1 else (*self.messages, _MORE)


class _ScriptClient:
    __slots__ = ("_answer", "_messages", "_said", "awaits", "done", "heard")

    def __init__(self, messages: tuple[bytes, ...]) -> None:
        self._messages = messages
        self._said = 0
        self._answer = b""
        self.done = False
        self.heard: list[Heard] = []
        self.awaits = ""

    def begin(self) -> Sequence[bytes]:
        return self._say()

    def _say(self) -> Sequence[bytes]:
        self._said += 1
        self.awaits = f"the answer to message {self._said} of {len(self._messages)}"
        return (self._messages[self._said - 1],)

    def take(self, data: bytes) -> Sequence[bytes]:
        self._answer += data
        if self.done or (len(self._answer) < len(_ANSWER) and _ANSWER.startswith(self._answer)):
            return ()
        if self._answer != _ANSWER:
            self.heard.append(Heard(f"another answer to message {self._said}: {len(self._answer)} bytes", False))
            self.done = True
            return ()
        self._answer = b""
        if self._said < len(self._messages):
            return self._say()
        self.heard.append(Heard(f"each of {len(self._messages)} messages was answered", True))
        self.done = True
        return ()


class _ScriptServer:
    __slots__ = ("_datagrams", "_due", "_heard", "_messages", "done")

    def __init__(self, messages: tuple[bytes, ...], *, datagrams: bool) -> None:
        self._messages = messages
        self._datagrams = datagrams
        self._heard = bytearray()
        self._due = 0
        self.done = False

    def begin(self) -> Sequence[bytes]:
        return ()

    def take(self, data: bytes) -> Sequence[bytes]:
        if self._datagrams:
            return (_ANSWER if data in self._messages else _MISHEARD,)
        self._heard += data
        said: list[bytes] = []
        while self._due < len(self._messages) and len(self._heard) >= len(self._messages[self._due]):
            due = self._messages[self._due]
            said.append(_ANSWER if self._heard.startswith(due) else _MISHEARD)
            del self._heard[: len(due)]
            self._due += 1
        return said
