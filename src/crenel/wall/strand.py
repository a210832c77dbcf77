"""What some boxes hold of one connection: the state of their TCB and the client bytes they have read."""

from crenel.flow.reassembly import Stream
from crenel.wall.lanes import LaneSet
from crenel.wall.tcb import NONE, OPEN, OPENING, RESYNC

ALL_CLASSES = (1 << 64) - 1
"""The bit set of all packet classes."""

_HALF = 1 << 31
_WHOLE = 1 << 32


def diff(a: int, b: int) -> int:
    """Return a - b as a signed 32-bit number (RFC 9293 section 3.4)."""
    return ((a - b + _HALF) & (_WHOLE - 1)) - _HALF


class Strand:
    """One view of a connection, shared by lanes that have seen everything alike so far."""

    __slots__ = (
        "base",
        "begun",
        "buffer",
        "cause",
        "client",
        "ends",
        "expected",
        "isn",
        "lanes",
        "late",
        "live",
        "mask",
        "odd",
        "served",
        "server_next",
        "state",
        "syn_acks",
        "taken",
        "targets",
    )

    def __init__(self, lanes: LaneSet) -> None:
        self.lanes = lanes
        self.state = NONE
        self.mask = ALL_CLASSES
        """Packet classes that can matter to it, in terms of the flow's ends; all of them until somebody works that out."""
        self.client = 0
        """1 where this view takes the flow's second end for the client."""
        self.isn = 0
        self.expected = 0
        """Next sequence number expected from the client."""
        self.server_next = -1
        """What the client must acknowledge before the server has sent data; -1 while unknown."""
        self.served = False
        self.odd = False
        """The handshake was taken for complete at an unexpected sequence number."""
        self.targets = 0
        self.cause: str | None = None
        self.syn_acks = 0
        self.live = 0
        """Readers that still wait for bytes."""
        self.begun = False
        """Client data was read since the connection was opened or resynchronised."""
        self.buffer = b""
        self.base = 0
        """Stream offset of the first byte in `buffer`."""
        self.ends: list[int] = []
        self.taken: dict[int, int] | None = None
        """Stream offset up to which a reader is done, where it is past `base`."""
        self.late: Stream | None = None
        """Out-of-order segments, once there were any."""

    def copy(self, lanes: LaneSet) -> "Strand":
        """Return a view of its own for some of the lanes."""
        other = Strand(lanes)
        other.state, other.client, other.isn, other.expected = self.state, self.client, self.isn, self.expected
        other.server_next, other.served, other.syn_acks, other.odd = self.server_next, self.served, self.syn_acks, self.odd
        other.targets, other.cause, other.begun = self.targets, self.cause, self.begun
        other.buffer, other.base = self.buffer, self.base
        other.live = self.live & lanes.readers
        other.ends = list(self.ends)
        other.taken = dict(self.taken) if self.taken is not None else None
        other.late = self.late.copy() if self.late is not None else None
        return other

    def forget_stream(self) -> None:
        """Drop all bytes, as a resynchronisation does; offsets go on."""
        self.base += len(self.buffer)
        self.buffer = b""
        self.ends = []
        self.taken = None
        self.late = None
        self.odd = False
        self.begun = False

    def open(self, client: int, isn: int, expected: int) -> None:
        """Start to track a connection."""
        self.client = client
        self.isn = isn
        self.expected = expected
        self.server_next = -1
        self.served = False
        self.syn_acks = 0
        self.targets = 0
        self.cause = None
        self.forget_stream()
        self.base = 0
        self.live = self.lanes.readers
        self.state = OPENING

    def complete(self, seq: int) -> None:
        """Take the handshake for complete."""
        self.odd = seq != self.expected
        self.state = OPEN

    def wait(self, targets: int, cause: str | None) -> None:
        """Wait for one of the target packets to resynchronise on."""
        self.targets = targets
        self.cause = cause
        self.state = RESYNC

    def sync(self, expected: int) -> None:
        """Resynchronise: believe this to be the client's next sequence number, and read anew."""
        self.expected = expected % _WHOLE
        self.forget_stream()
        self.live = self.lanes.readers
        self.state = OPEN

    def ack_is_odd(self, ack: int) -> bool:
        """Say whether the client acknowledges what the server cannot have sent, as far as this view knows."""
        if self.server_next < 0:
            return False
        return diff(ack, self.server_next) < 0 if self.served else ack != self.server_next
