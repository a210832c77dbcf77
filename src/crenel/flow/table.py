"""The flows that are remembered: packet keys in, one record per conversation out, bounded, with evictions counted."""

import operator
import struct
from collections.abc import Callable
from typing import Any

from crenel.flow.key import reverse_key
from crenel.instant import Instant
from crenel.wire.packet import TCP

_ENDS = struct.Struct("!IIHH")
_last = operator.attrgetter("last")
_number = operator.attrgetter("number")


class FlowRecord:
    """One conversation. Carriers and walls keep what they know of it here, so a packet costs one look-up."""

    __slots__ = (
        "asked_at",
        "client_inside",
        "client_next",
        "complete",
        "dport",
        "encrypted",
        "end_seen",
        "fresh",
        "interest",
        "isn",
        "kept",
        "key",
        "keys",
        "last",
        "more",
        "notes",
        "number",
        "packets",
        "phase",
        "scope",
        "served",
        "server_next",
        "size",
        "sport",
        "start",
        "told",
        "told_at",
        "transport",
        "version",
        "wall",
        "watch",
    )

    def __init__(self, key: bytes, transport: int, version: int, number: int, start: Instant, sport: int, dport: int) -> None:
        self.key = key
        """Key of packets from the first end; the other direction is `reverse_key(key)`."""
        self.transport = transport
        self.version = version
        self.number = number
        self.start = start
        self.last = start
        self.packets = 0
        self.size = 0
        self.interest = -1
        """Bit set of packet classes that anybody still cares about; -1 until somebody has said."""
        self.complete = False
        self.isn = -1
        self.end_seen = False
        self.client_inside = True
        self.sport = sport
        self.dport = dport
        self.scope = b""
        self.phase = 0
        """How far the flow is through a plain opening, while its boxes' state is implied (see `wall.opening`)."""
        self.kept: list[tuple[Instant, bool, Any]] = []
        """Packets from which the boxes' state follows; a number stands for client data passed over, up to that sequence number."""
        self.client_next = 0
        self.server_next = -1
        self.served = False
        self.more = False
        self.fresh = 0
        """Datagrams since the flow began or was silent for long."""
        self.keys: tuple[bytes, ...] = ()
        self.watch: Any = None
        self.wall: Any = None
        """The wall's slots."""
        self.notes: Any = None
        """The carrier's notes."""
        self.told_at = -1
        """Carrier: where the first payload of a plain flow stands; 0 while only its SYN was seen, -1 where packets are kept instead."""
        self.asked_at = self.told = 0
        """Carrier: where the SYN of a plain flow stands, and when its first payload came."""
        self.encrypted = False
        """Carrier: whether the first payload of a plain flow looks fully encrypted."""

    @property
    def first(self) -> bytes:
        """Address of the first end, which a complete flow's client is."""
        return self.key[: (len(self.key) - 4) // 2]

    @property
    def second(self) -> bytes:
        """Address of the other end."""
        half = (len(self.key) - 4) // 2
        return self.key[half : 2 * half]


class FlowTable:
    """Flows by key, at most `limit` at once. What is evicted is handed to `evicted`, oldest traffic first, half of the table at a time."""

    __slots__ = ("_evicted", "_limit", "_order", "count", "evictions", "tcp", "udp")

    def __init__(self, limit: int, evicted: Callable[[list[FlowRecord]], None] | None = None) -> None:
        self._limit = limit
        self._evicted = evicted
        self.tcp: dict[bytes, FlowRecord] = {}
        self.udp: dict[bytes, FlowRecord] = {}
        self._order: list[FlowRecord] = []
        self.count = 0
        """Flows opened so far; also the number of the newest."""
        self.evictions = 0

    def open(self, key: bytes, transport: int, version: int, now: Instant, table: dict[bytes, FlowRecord]) -> FlowRecord:
        """Start a flow whose first packet has this key; an older flow under the same key is no longer found."""
        if len(self._order) >= self._limit:
            self._evict()
        self.count += 1
        if version == 4:
            first, second, sport, dport = _ENDS.unpack(key)
            other = _ENDS.pack(second, first, dport, sport)
        else:
            sport, dport = int.from_bytes(key[-4:-2], "big"), int.from_bytes(key[-2:], "big")
            other = reverse_key(key)
        record = table[key] = table[other] = FlowRecord(key, transport, version, self.count, now, sport, dport)
        self._order.append(record)
        return record

    def live(self) -> list[FlowRecord]:
        """Return the flows that are remembered, by number."""
        return sorted((record for record in self._order if self._holds(record)), key=_number)

    def drain(self) -> list[FlowRecord]:
        """Forget all flows, and return those that were remembered, by number."""
        flows = self.live()
        self.tcp.clear()
        self.udp.clear()
        self._order.clear()
        return flows

    def _holds(self, record: FlowRecord) -> bool:
        table = self.tcp if record.transport == TCP else self.udp
        return table.get(record.key) is record

    def _evict(self) -> None:
        # Flows stand in the order in which they were opened, which is nearly that of their last packets: this sort is cheap.
        self._order.sort(key=_last)
        oldest = [record for record in self._order[: max(1, self._limit // 2)] if self._holds(record)]
        del self._order[: max(1, self._limit // 2)]
        for record in oldest:
            table = self.tcp if record.transport == TCP else self.udp
            del table[record.key]
            table.pop(reverse_key(record.key), None)
        self.evictions += len(oldest)
        if self._evicted is not None:
            oldest.sort(key=_number)
            self._evicted(oldest)
