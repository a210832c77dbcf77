"""All that a server should say in, a client that follows it byte by byte and says its own part at each turn out."""

from collections.abc import Callable, Sequence

import msgspec

from crenel.net.app.speaker import Heard

Explain = Callable[[bytes, bytes], str | None]
"""What to make of a stream that is not the one expected, given both: a few words; None as long as more bytes could tell more."""


class Turn(msgspec.Struct, frozen=True, gc=False):
    """A place in what the server says, and what the client does once it has heard everything up to there."""

    at: int
    """Bytes from the beginning of the stream."""
    says: tuple[bytes, ...]
    awaits: str
    """What it waits for from then on."""


class Role(msgspec.Struct, frozen=True, gc=False):
    """The part of a client in a conversation of which it knows every byte beforehand."""

    opening: tuple[bytes, ...]
    """What it says by itself."""
    awaits: str
    """What it waits for first."""
    told: bytes
    """All that the server should say; never empty."""
    turns: tuple[Turn, ...]
    """In the order of their places."""
    finding: str
    """What the client makes of having heard it all."""


class Follower:
    """A client over TCP that finds an answer intact if each byte is the one it knows; what comes after the last is not looked at.

    Args:
        role: what it says and should hear.
        explain: names what it heard instead.
    """

    __slots__ = ("_at", "_explain", "_role", "_strange", "_turn", "awaits", "done", "heard")

    def __init__(self, role: Role, explain: Explain) -> None:
        self._role = role
        self._explain = explain
        self._at = 0
        self._turn = 0
        self._strange = b""
        self.done = False
        self.heard: list[Heard] = []
        self.awaits = role.awaits

    def begin(self) -> Sequence[bytes]:
        """Return what it says by itself."""
        return self._role.opening

    def take(self, data: bytes) -> Sequence[bytes]:
        """Return what it says to the next bytes of the stream."""
        told = self._role.told
        if self.done:
            return ()
        if self._strange or not (told.startswith(data, self._at) or data.startswith(told[self._at :])):
            self._strange = (self._strange or told[: self._at]) + data
            says = self._explain(self._strange, told)
            return () if says is None else self._conclude(says, intact=False)
        self._at += len(data)
        if self._at >= len(told):
            return (*self._say(), *self._conclude(self._role.finding, intact=True))
        return self._say()

    def _say(self) -> Sequence[bytes]:
        turns, due = self._role.turns, self._turn
        said: tuple[bytes, ...] = ()
        while due < len(turns) and turns[due].at <= self._at:
            said += turns[due].says
            self.awaits = turns[due].awaits
            due += 1
        self._turn = due
        return said

    def _conclude(self, says: str, *, intact: bool) -> Sequence[bytes]:
        self.heard.append(Heard(says, intact))
        self.done = True
        return ()
