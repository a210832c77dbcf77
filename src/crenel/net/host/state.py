"""Where a connection stands and what its application is told: the states of RFC 9293 section 3.3.2 and a closed union of events."""

import enum

import msgspec


class State(enum.Enum):
    """A state of RFC 9293 section 3.3.2."""

    CLOSED = "CLOSED"
    LISTEN = "LISTEN"
    SYN_SENT = "SYN-SENT"
    SYN_RECEIVED = "SYN-RECEIVED"
    ESTABLISHED = "ESTABLISHED"
    FIN_WAIT_1 = "FIN-WAIT-1"
    FIN_WAIT_2 = "FIN-WAIT-2"
    CLOSE_WAIT = "CLOSE-WAIT"
    CLOSING = "CLOSING"
    LAST_ACK = "LAST-ACK"
    TIME_WAIT = "TIME-WAIT"


class Opened(msgspec.Struct, frozen=True, gc=False):
    """The handshake is complete: connect() or accept() returned."""


class Data(msgspec.Struct, frozen=True, gc=False):
    """The next bytes of the stream, in order."""

    data: bytes


class Urgent(msgspec.Struct, frozen=True, gc=False):
    """The byte that the urgent pointer marks; it is not part of the stream unless the host keeps it inline."""

    data: bytes


class PeerClosed(msgspec.Struct, frozen=True, gc=False):
    """The peer's FIN arrived behind all its data: read() returns nothing more."""


class Reset(msgspec.Struct, frozen=True, gc=False):
    """The connection was reset by the peer (ECONNRESET)."""


class Refused(msgspec.Struct, frozen=True, gc=False):
    """A RST answered the SYN (ECONNREFUSED)."""


class TimedOut(msgspec.Struct, frozen=True, gc=False):
    """Nobody answered, however often it was sent (ETIMEDOUT)."""


class Unreachable(msgspec.Struct, frozen=True, gc=False):
    """An ICMP error ended the attempt to connect, or reached a UDP socket."""

    icmp_type: int
    icmp_code: int


HostEvent = Opened | Data | Urgent | PeerClosed | Reset | Refused | TimedOut | Unreachable
