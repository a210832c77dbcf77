"""A stream and the places where it is cut in, what a reader names over its life out: called for every segment, as a run calls it."""

from collections.abc import Sequence
from typing import Protocol

from crenel.wall.readers.reading import Answer, Found


class StreamReader(Protocol):
    """What all readers of TCP streams have in common."""

    def read(self, stream: bytes, ends: Sequence[int], oddly_opened: bool) -> Answer: ...


def feed(reader: StreamReader, stream: bytes, cuts: Sequence[int] = (), *, oddly_opened: bool = False) -> list[tuple[int, Found]]:
    """Return what was named, each with its place in the whole stream."""
    named: list[tuple[int, Found]] = []
    done = 0
    ends: list[int] = []
    for end in [*sorted(cut for cut in set(cuts) if 0 < cut < len(stream)), len(stream)]:
        ends.append(end)
        answer = reader.read(stream[done:end], [one - done for one in ends if one > done], oddly_opened)
        named += [(done + one.offset, one) for one in answer.found]
        if not answer.more:
            break
        done += answer.consumed
    return named


def values(reader: StreamReader, stream: bytes, cuts: Sequence[int] = (), *, oddly_opened: bool = False) -> list[bytes]:
    return [one.value for _, one in feed(reader, stream, cuts, oddly_opened=oddly_opened)]
