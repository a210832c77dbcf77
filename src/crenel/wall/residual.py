"""What a box remembers after it acted: keys of hosts and ports, how long, which later packets it hits and with what."""

import heapq
from collections.abc import Callable
from typing import Literal

import msgspec

from crenel.flow.key import CLASS_ACK, CLASS_LOAD, CLASS_SECOND, CLASS_SYN, CLASSES
from crenel.flow.table import FlowRecord
from crenel.instant import Instant
from crenel.wall.law import Rule
from crenel.wall.reaction import Template

Part = Literal["client", "server", "client_port", "server_port"]


class Residual(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Residual censorship as a profile states it."""

    parts: tuple[Part, ...] = msgspec.field(name="tuple")
    """What a later packet must share with the flow that was the ground."""
    seconds: float
    refresh: bool
    """Does later traffic of the same key start the time anew?"""
    from_: Literal["client", "server", "both"] = msgspec.field(name="from")
    """Whose packets are hit."""
    on: Literal["any", "syn", "ack", "payload"]
    """Which packets are hit: all, those that open, those that acknowledge after the opening, or those that carry data."""
    does: Literal["drop", "reset"]
    chances: tuple[float, ...]
    """Probability, per flow, that the memory is enforced: after one, two, three ... triggers; the last holds from there on."""
    onset: Rule
    """Milliseconds from the trigger until the memory holds."""
    inject: tuple[Template, ...] = ()


def classes_hit(residual: Residual) -> int:
    """Return the bit set of packet classes that an entry hits, with the second end as the server."""
    mask = 0
    for packet_class in range(CLASSES):
        server = bool(packet_class & CLASS_SECOND)
        if residual.from_ != "both" and server != (residual.from_ == "server"):
            continue
        hit = {
            "any": True,
            "payload": bool(packet_class & CLASS_LOAD),
            "syn": bool(packet_class & CLASS_SYN) and (server or not packet_class & CLASS_ACK),
            "ack": bool(packet_class & CLASS_ACK) and not packet_class & CLASS_SYN,
        }[residual.on]
        if hit:
            mask |= 1 << packet_class
    return mask


class Entry:
    """One remembered key of one box."""

    __slots__ = ("box", "count", "flow", "key", "since", "until")

    def __init__(self, box: int, key: bytes, since: Instant, until: Instant) -> None:
        self.box = box
        self.key = key
        self.since = since
        self.until = until
        self.count = 1
        self.flow = 0
        """Number of the flow that set or renewed it last."""


def key_maker(parts: tuple[Part, ...], transport: int, half: int) -> Callable[[bytes], bytes]:
    """Return a function from a flow's key to the bytes under which a box remembers its hosts and ports.

    Keys of different make never meet: each ends in a tag. `half` is the length of an address.
    """
    tag = ",".join(parts).encode() + transport.to_bytes(1, "big")
    cuts = {"client": slice(0, half), "server": slice(half, 2 * half), "client_port": slice(-4, -2), "server_port": slice(-2, None)}
    if parts == ("client", "server", "server_port"):
        return lambda key: key[: 2 * half] + key[-2:] + tag
    slices = tuple(cuts[part] for part in parts)
    return lambda key: b"".join([key[cut] for cut in slices]) + tag


def residual_key(parts: tuple[Part, ...], record: FlowRecord) -> bytes:
    """Return the bytes under which a box remembers the hosts and ports of a flow."""
    return key_maker(parts, record.transport, (len(record.key) - 4) // 2)(record.key)


class Memory:
    """All residual entries of a run, at most `limit`; the ones that would end first make room, and are counted."""

    __slots__ = ("_heap", "_limit", "_serial", "entries", "evictions")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._heap: list[tuple[Instant, int, Entry]] = []
        self._serial = 0
        self.entries: dict[bytes, list[Entry]] = {}
        self.evictions = 0

    def arm(self, box: int, key: bytes, since: Instant, until: Instant, flow: int = 0) -> Entry:
        """Remember a key for a box, or count one more trigger for what is remembered already; `flow` is the number of the one that triggered."""
        for entry in self.entries.get(key, ()):
            if entry.box == box:
                entry.count += 1
                entry.flow = flow
                self.renew(entry, max(until, entry.until))
                return entry
        if len(self._heap) >= self._limit:
            self._drop_first()
        entry = Entry(box, key, since, until)
        entry.flow = flow
        self.entries.setdefault(key, []).append(entry)
        self._push(entry)
        return entry

    def renew(self, entry: Entry, until: Instant) -> None:
        """Let an entry hold until a later time."""
        # Its place in the heap, one for each entry, is put right when its old end has come.
        entry.until = max(entry.until, until)

    def next_end(self) -> Instant | None:
        """Return the time of the next possible expiry; what was renewed since may yet hold longer."""
        return self._heap[0][0] if self._heap else None

    def expire(self, now: Instant) -> list[Entry]:
        """Forget and return what ended at or before `now`."""
        gone: list[Entry] = []
        while self._heap and self._heap[0][0] <= now:
            entry = self._pop()
            if entry is not None:
                gone.append(entry)
        return gone

    def _push(self, entry: Entry) -> None:
        self._serial += 1
        heapq.heappush(self._heap, (entry.until, self._serial, entry))

    def _drop_first(self) -> None:
        while self._heap:
            if self._pop() is not None:
                self.evictions += 1
                return

    def _pop(self) -> Entry | None:
        """Forget and return the entry whose turn it is, or None where that was renewed and has been put back."""
        until, _, entry = heapq.heappop(self._heap)
        if until != entry.until:
            self._push(entry)
            return None
        held = self.entries[entry.key]
        held.remove(entry)
        if not held:
            del self.entries[entry.key]
        return entry
