"""An application in, its client and its server speaking to each other through any segmentation out, for tests."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, repeat

from crenel.net.app.speaker import App, Client, Heard, Speaker

Change = Callable[[bytes], bytes]
"""What becomes of everything that a server says, taken as one stream over TCP and as datagrams over UDP."""


def converse(app: App, sizes: Iterable[int] = (), change: Change | None = None) -> Client:
    """Return the client of a conversation after its end: when it is done, or nobody has anything more to say.

    Args:
        app: what is spoken.
        sizes: into pieces of how many bytes a stream is cut, in turn; then it arrives as it was said. A datagram is never cut.
        change: what a server says on its way, each part by itself.
    """
    client, server = app.client(), app.server()
    cuts = chain(sizes, repeat(1 << 30))
    lines: deque[tuple[bool, bytes]] = deque()

    def say(to_client: bool, parts: Sequence[bytes]) -> None:
        for part in parts:
            assert part, "a part of nothing"
            lines.append((to_client, change(part) if change is not None and to_client else part))

    say(False, client.begin())
    say(True, server.begin())
    while lines and not client.done:
        to_client, part = lines.popleft()
        hearer: Speaker = client if to_client else server
        for piece in pieces(part, cuts) if app.transport == "tcp" else (part,):
            say(not to_client, hearer.take(piece))
    return client


def pieces(part: bytes, cuts: Iterator[int]) -> Iterator[bytes]:
    """Cut bytes into pieces of the next sizes, until nothing is left of them."""
    start = 0
    while start < len(part):
        size = next(cuts)
        yield part[start : start + size]
        start += size


def said(app: App) -> tuple[bytes, ...]:
    """Return all that the server of an app says in an honest conversation, part by part."""
    parts: list[bytes] = []

    def note(part: bytes) -> bytes:
        parts.append(part)
        return part

    assert finding(converse(app, change=note)).intact
    return tuple(parts)


def finding(client: Client) -> Heard:
    """Return what a client found, which must be one thing."""
    assert len(client.heard) == 1, (client.heard, client.awaits)
    assert client.done
    return client.heard[0]


def found_intact(app: App, stream: Sequence[bytes]) -> bool:
    """Say whether a client that hears these parts, come what may, takes the answer for the true one."""
    client = app.client()
    client.begin()
    for part in stream:
        client.take(part)
    return any(heard.intact for heard in client.heard)


def changed(parts: Sequence[bytes], at: int, by: int) -> list[bytes]:
    """Return the parts with one byte changed by an exclusive or, `at` counted over all of them."""
    found = list(parts)
    for number, part in enumerate(found):
        if at < len(part):
            found[number] = part[:at] + bytes((part[at] ^ by,)) + part[at + 1 :]
            return found
        at -= len(part)
    raise IndexError(at)


def hear_all(speaker: Speaker, heard: Iterable[bytes]) -> None:
    """Let a speaker hear anything; it must not raise, and say bytes."""
    begun = speaker.begin()
    assert all(type(part) is bytes for part in begun)
    for piece in heard:
        for part in speaker.take(piece):
            assert type(part) is bytes
            assert part
