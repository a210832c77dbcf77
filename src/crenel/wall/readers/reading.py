"""What every reader of a wall answers: the values that it saw, where they stood, and whether later bytes could bring more."""

from typing import Final

import msgspec

UNKNOWN: Final = b"\x00"
"""Ends a value whose rest the box reads from memory that nobody can know; it is no character of any name, so no rule that asks for an end matches."""


class Query(msgspec.Struct, frozen=True, gc=False):
    """What a DNS injector has of a query to echo: only bytes that stand in the packet."""

    ident: int
    flags: int
    """Second 16 bits of the header."""
    name: bytes
    """The encoded name as far as the box read it, its closing zero included where the packet has one."""
    tail: bytes
    """Type and class as they stand in the packet; shorter than 4 bytes where it ends."""
    qtype: int | None
    """None where the packet ends before it."""
    qclass: int | None

    @property
    def recursion(self) -> bool:
        """Say whether recursion is desired (RFC 1035 section 4.1.1)."""
        return bool(self.flags & 0x0100)


class Found(msgspec.Struct, frozen=True, gc=False):
    """A value as the box saw it: flattened, decoded, lower-cased, as its rule says."""

    reads: str
    """The protocol field, such as `tls.sni`."""
    value: bytes
    offset: int
    """Where the bytes that gave it stand in what the reader was given."""
    length: int
    detail: str = ""
    """What else an explanation should say, in words; most often nothing."""
    share: float = 1.0
    """Probability that a flow meets a box whose parser sees this value at all; below 1 only where parsers differ."""
    assumed: str = ""
    """A sentence on what this find rests on that nobody measured; most often nothing."""
    query: Query | None = None
    """For a name in a DNS query: what an answer echoes."""


class Answer(msgspec.Struct, frozen=True, gc=False):
    """What was seen in a stream or datagram.

    `consumed` leading bytes are never needed again; it may lie beyond the end of what was given (a body of announced length).
    `more` says whether later bytes could bring anything. A stream reader is called once for every segment, with all of the stream
    that is not consumed and with the ends of its segments; it names a value on the call that completes it.
    """

    found: tuple[Found, ...]
    consumed: int
    more: bool


NOT_MINE: Final = Answer((), 0, False)
"""Not what the box looks for, whatever follows."""
WAIT: Final = Answer((), 0, True)
"""Fits so far."""
