"""What an application hears in, what it says next out: one speaker at each end, without clock and socket, on any carrier."""

from collections.abc import Sequence
from typing import Literal, Protocol

import msgspec

from crenel.instant import Instant, seconds

PATIENCE: tuple[int, ...] = (seconds(30),)
"""How long the client of a TCP application waits for the whole answer, in nanoseconds: as people and their programs do (bench)."""


class Heard(msgspec.Struct, frozen=True):
    """What a client makes of an answer."""

    says: str
    """The answer in a few words: `HTTP 200, 312 bytes`, `A 203.0.113.7`."""
    intact: bool
    """Is it what the server says to this client?"""


class Speaker(Protocol):
    """One side of a conversation; a connection has one at each end.

    What it returns is said at once, each part by itself: a write of its own over TCP, a datagram over UDP.
    """

    done: bool
    """Has it said all that it had to say, and closes?"""

    def begin(self) -> Sequence[bytes]:
        """Return what it says as soon as there is a connection."""

    def take(self, data: bytes) -> Sequence[bytes]:
        """Return what it says to the next bytes of the stream, or to the next datagram. Nothing raises, whatever is heard."""


class Client(Speaker, Protocol):
    """The side that begins, and that knows which answer it should get."""

    heard: list[Heard]
    """What it made of each answer so far; the first decides what it believes."""
    awaits: str
    """What it is waiting for, in words that follow `waiting for`."""


class App(Protocol):
    """A protocol with all that the two ends are to say; immutable, and good for any number of conversations."""

    @property
    def transport(self) -> Literal["tcp", "udp"]:
        """What carries it."""

    @property
    def port(self) -> int:
        """Where the server listens."""

    @property
    def tries(self) -> int:
        """How often a client tries in all, each time over a new connection, until it has an answer."""

    @property
    def patience(self) -> tuple[int, ...]:
        """Nanoseconds that a client waits, at least one; over UDP it repeats what it said last after each of them but the last."""

    def client(self) -> Client:
        """Return a client that has said nothing yet."""

    def server(self) -> Speaker:
        """Return a server that has heard nothing yet."""


class Answer(msgspec.Struct, frozen=True):
    """One answer as a client got it."""

    time: int
    """Nanoseconds since the exchange began."""
    says: str
    intact: bool
    forged_by: str | None = None
    """The box that made it; None where it came from the server, or where nobody looked."""


Ending = Literal["answered", "misled", "reset", "refused", "closed", "unreachable", "timed out"]
"""How a conversation ended for a client: with the answer of its server, with another one, without any."""


class Experience(msgspec.Struct, frozen=True):
    """What the application of a client went through, as far as it can know."""

    ending: Ending
    time: int
    """Nanoseconds from the beginning to that end."""
    says: str
    """The same in a clause."""
    answers: tuple[Answer, ...] = ()
    """All that it was given, by time; the first one counts."""


def experienced(ending: Ending, now: Instant, start: Instant, client: Client | None, answers: Sequence[Answer] = ()) -> Experience:
    """Return the experience of a client that came to an end; `client` is None where it never got a connection."""
    time = now - start
    if answers:
        return Experience(ending, time, answers[0].says, tuple(answers))
    waiting = "a connection" if client is None else client.awaits
    return Experience(ending, time, f"{_CLAUSES[ending]} while it waited for {waiting}")


_CLAUSES: dict[Ending, str] = {
    "answered": "it was answered",
    "misled": "it was answered wrongly",
    "reset": "its connection was reset",
    "refused": "its connection was refused",
    "closed": "its connection was closed",
    "unreachable": "it was told that the server is out of reach",
    "timed out": "nothing came",
}
