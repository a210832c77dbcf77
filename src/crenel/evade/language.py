"""A strategy as immutable values in, its text out: two forests of trees, each with a trigger and the actions that it sets off.

The language is that of Geneva (Bock et al.), with nine actions that Geneva lacks. Every action has `children`: what happens to the
packets that it hands on, one place each, None where the packet is simply sent; the empty tuple stands for "all of them are sent".
"""

from typing import ClassVar, Literal, TypeAlias

import msgspec

Children: TypeAlias = "tuple[Action | None, ...]"
"""The places of an action from left to right."""

Mode: TypeAlias = Literal["replace", "add", "corrupt", "compress"]
"""What a tamper does with its field."""


class Trigger(msgspec.Struct, frozen=True):
    """Which packets a tree is for: those with this value in this field, or where `contains` is set, with it anywhere in the field."""

    proto: str
    field: str
    value: str
    contains: bool = False
    gas: int | None = None
    """How often it fires; below 0, how many packets it lets pass before it fires always; None: always."""

    def __str__(self) -> str:
        gas = "" if self.gas is None else f":{self.gas}"
        return f"{self.proto}:{self.field}:{self.value}{'*' if self.contains else ''}{gas}"


class Position(msgspec.Struct, frozen=True):
    """A place in a payload: a mark and bytes from there on, or without a name bytes from its start, below 0 from its end."""

    name: str = ""
    offset: int = 0

    def __str__(self) -> str:
        if not self.name:
            return str(self.offset)
        return f"{self.name}{self.offset:+d}" if self.offset else self.name


class Payload(msgspec.Struct, frozen=True):
    """What an invented packet carries; the words are explained in `crenel.evade.payload`."""

    word: str
    value: str | None = None

    def __str__(self) -> str:
        return self.word if self.value is None else f"{self.word}={self.value}"


class Fooling(msgspec.Struct, frozen=True):
    """Why the server does not take an invented packet; the words are explained in `crenel.evade.fooling`."""

    word: str
    value: int | None = None

    def __str__(self) -> str:
        return self.word if self.value is None else f"{self.word}={self.value}"


class Drop(msgspec.Struct, frozen=True):
    """The packet is not sent."""

    name: ClassVar = "drop"
    parameters: ClassVar = ""
    children: Children = ()
    places: ClassVar = 0


class Duplicate(msgspec.Struct, frozen=True):
    """The packet goes to both children, the left one first."""

    name: ClassVar = "duplicate"
    parameters: ClassVar = ""
    children: Children = ()
    places: ClassVar = 2


class Tamper(msgspec.Struct, frozen=True):
    """One field is set to a value, to a random one, or to the sum of itself and a number.

    Each tamper makes the IP and TCP checksums valid again (unless it sets them), so one of a checksum has to stand innermost; UDP
    checksums and lengths stay as they were. Where the packet has no such protocol it is handed on as it is; where the value does not
    fit the field nothing is sent.
    """

    proto: str
    field: str
    mode: Mode
    value: str = ""
    children: Children = ()
    name: ClassVar = "tamper"
    places: ClassVar = 1

    @property
    def parameters(self) -> str:
        """The text between the braces."""
        value = f":{self.value}" if self.mode in {"replace", "add"} else ""
        return f"{self.proto}:{self.field}:{self.mode}{value}"


class Fragment(msgspec.Struct, frozen=True):
    """The payload is cut in two TCP segments `at` a byte, or the packet in two IP fragments `at` a multiple of 8 bytes; -1 halves it.

    Where `in_order` is false the second piece is sent first, and goes to the left child. `overlap` bytes of the second segment stand
    at the end of the first one too. Without payload this is a duplicate.
    """

    layer: Literal["tcp", "ip"]
    at: int
    in_order: bool
    overlap: int = 0
    children: Children = ()
    name: ClassVar = "fragment"
    places: ClassVar = 2

    @property
    def parameters(self) -> str:
        """The text between the braces."""
        return f"{self.layer}:{self.at}:{self.in_order}" + (f":{self.overlap}" if self.overlap else "")


class Sleep(msgspec.Struct, frozen=True):
    """The packet is sent so many seconds later; a later sleep replaces it, and the right child of a duplicate forgets it, like both of a fragment."""

    seconds: float = 1.0
    children: Children = ()
    name: ClassVar = "sleep"
    places: ClassVar = 1

    @property
    def parameters(self) -> str:
        """The text between the braces."""
        return number_text(self.seconds)


class Trace(msgspec.Struct, frozen=True):
    """The packet is sent with each TTL from `first` up to, but not with, `stop`, one second apart; later packets are dropped."""

    first: int = 1
    stop: int = 64
    children: Children = ()
    name: ClassVar = "trace"
    places: ClassVar = 0

    @property
    def parameters(self) -> str:
        """The text between the braces."""
        return f"{self.first}:{self.stop}"


class Split(msgspec.Struct, frozen=True):
    """`split{at:at...}`: the payload is cut into TCP segments at all these positions, and child i gets the i-th piece of the stream.

    Unlike with fragment a position may be a mark, and where one is not found, or lies at an end of the payload, nothing is cut
    there; with fewer pieces the last children get none. FIN stays with the last piece. A QUIC Initial is cut too, into as many
    datagrams of 1,200 bytes, each with its part of the hello; positions then count in the hello. This is zapret's multisplit.
    """

    at: tuple[Position, ...]
    children: Children = ()
    name: ClassVar = "split"

    @property
    def places(self) -> int:
        """How many children it has room for."""
        return len(self.at) + 1

    @property
    def parameters(self) -> str:
        """The text between the braces."""
        return ":".join(map(str, self.at))


class Disorder(msgspec.Struct, frozen=True):
    """`disorder{at:at...}`: cut as by split, but the last piece is sent first, and child i gets the i-th packet sent: zapret's multidisorder."""

    at: tuple[Position, ...]
    children: Children = ()
    name: ClassVar = "disorder"

    @property
    def places(self) -> int:
        """How many children it has room for."""
        return len(self.at) + 1

    @property
    def parameters(self) -> str:
        """The text between the braces."""
        return ":".join(map(str, self.at))


class Record(msgspec.Struct, frozen=True):
    """`record{at:at...}`: the TLS records of the payload are cut in two at each of these positions, inside one TCP segment.

    Positions count in the payload, headers of records included; outside a record's body nothing is cut. Each cut adds a header of
    five bytes to the stream: sequence and acknowledgement numbers of what follows are moved by as much, as with `oob`.
    """

    at: tuple[Position, ...]
    children: Children = ()
    name: ClassVar = "record"
    places: ClassVar = 1

    @property
    def parameters(self) -> str:
        """The text between the braces."""
        return ":".join(map(str, self.at))


class Fake(msgspec.Struct, frozen=True):
    """`fake{payload}`, `fake{payload:fooling}`, `fake{payload:fooling:both}`: before the packet, or before and after it, another one.

    It has the same header and another payload, and something that keeps the server from taking it: words joined with +, such as
    `ttl=8+md5`, or `none`. The left child gets the fake packets, the right one the packet. A packet without payload has no fake.
    zapret's fakedsplit is `split{at}(fake{zeros:ttl=8:both},fake{zeros:ttl=8:both})`.
    """

    payload: Payload
    fooling: tuple[Fooling, ...] = ()
    both: bool = False
    children: Children = ()
    name: ClassVar = "fake"
    places: ClassVar = 2

    @property
    def parameters(self) -> str:
        """The text between the braces."""
        fooling = "+".join(map(str, self.fooling))
        if self.both:
            return f"{self.payload}:{fooling or 'none'}:both"
        return f"{self.payload}:{fooling}" if fooling else str(self.payload)


class Oob(msgspec.Struct, frozen=True):
    """`oob{at}`, `oob{at:byte}`: the payload is cut at a position, and the first segment ends with one more byte, marked urgent.

    The server's stack takes that byte (the letter a) out of the stream; a reader on the way may not. The left child gets the
    segment with the byte, the right one the rest. What follows is moved by one byte, as with `record`.
    """

    at: Position
    byte: str = "a"
    children: Children = ()
    name: ClassVar = "oob"
    places: ClassVar = 2

    @property
    def parameters(self) -> str:
        """The text between the braces."""
        return str(self.at) if self.byte == "a" else f"{self.at}:{self.byte}"


class Overlap(msgspec.Struct, frozen=True):
    """`overlap{payload}`: a TCP segment begins with that payload, its own after it, and its sequence number is so much lower.

    The server has had, or never wanted, what stands there before, and throws it away; a reader on the way may not. On a first piece
    this is the seqovl of zapret: `split{2}(overlap{zeros=1},)`.
    """

    payload: Payload
    children: Children = ()
    name: ClassVar = "overlap"
    places: ClassVar = 1

    @property
    def parameters(self) -> str:
        """The text between the braces."""
        return str(self.payload)


class Delay(msgspec.Struct, frozen=True):
    """`delay{ms}`: everything below is sent so many milliseconds later; delays add up."""

    milliseconds: float
    children: Children = ()
    name: ClassVar = "delay"
    places: ClassVar = 1

    @property
    def parameters(self) -> str:
        """The text between the braces."""
        return number_text(self.milliseconds)


class Repeat(msgspec.Struct, frozen=True):
    """`repeat{n:ms}`: the child gets the packet n times in all, each time so many milliseconds after the time before; `repeat{n}` at once."""

    times: int
    milliseconds: float = 0.0
    children: Children = ()
    name: ClassVar = "repeat"
    places: ClassVar = 1

    @property
    def parameters(self) -> str:
        """The text between the braces."""
        return f"{self.times}:{number_text(self.milliseconds)}"


class Precede(msgspec.Struct, frozen=True):
    """`precede{payload}`: a UDP datagram is preceded by one of its own with that payload, on the same addresses and ports.

    A TCP segment with data is preceded by a segment with that payload, which becomes part of the stream: what follows is moved, as
    with `record`. The left child gets what goes before, the right one the packet.
    """

    payload: Payload
    children: Children = ()
    name: ClassVar = "precede"
    places: ClassVar = 2

    @property
    def parameters(self) -> str:
        """The text between the braces."""
        return str(self.payload)


Action: TypeAlias = Drop | Duplicate | Tamper | Fragment | Sleep | Trace | Split | Disorder | Record | Fake | Oob | Overlap | Delay | Repeat | Precede
"""One node of a tree."""

GENEVA = (Drop, Duplicate, Tamper, Fragment, Sleep, Trace)
"""The actions that Geneva has."""
INBOUND = (Drop, Tamper)
"""The actions that may befall a packet that arrives."""


class Tree(msgspec.Struct, frozen=True):
    """A trigger and the first action; without one, the packet is dropped."""

    trigger: Trigger
    action: Action | None

    def __str__(self) -> str:
        return f"[{self.trigger}]-{'' if self.action is None else show(self.action) + '-'}|"


class Strategy(msgspec.Struct, frozen=True):
    """What happens to packets that are sent, and to packets that arrive. Its text is what Geneva would print."""

    outbound: tuple[Tree, ...] = ()
    inbound: tuple[Tree, ...] = ()

    def __str__(self) -> str:
        return f"{' '.join(map(str, self.outbound))} \\/ {' '.join(map(str, self.inbound))}"


def show(action: Action) -> str:
    """Return the text of an action with its children."""
    text = f"{action.name}{{{action.parameters}}}" if action.parameters else action.name
    children = action.children
    if not any(children):
        return text
    if len(children) == 1:
        children = (*children, None)
    return f"{text}({','.join('' if child is None else show(child) for child in children)})"


def number_text(number: float) -> str:
    """Return the shortest text that reads as this number."""
    short = f"{number:g}"
    return short if float(short) == number else repr(number)
