"""One flow of a capture, singled out: its number in, its packets with their places in the capture out, so that its story can be told."""

from crenel.flow.table import FlowRecord
from crenel.instant import Instant
from crenel.net.replay.judge import Judge
from crenel.wire.packet import Packet

KEPT = 8192
"""Packets of the watched flow that are kept at most."""


class Watched:
    """What was seen of one flow; packets that no box and no reader cared about any more are not in it."""

    __slots__ = ("flow", "packets", "record")

    def __init__(self, flow: int) -> None:
        self.flow = flow
        """Number of the flow in its capture."""
        self.record: FlowRecord | None = None
        """The flow, once it was seen."""
        self.packets: list[tuple[int, Instant, bool, Packet]] = []
        """Number in the capture, time, whether it came from the second end, and the packet."""


class WatchingJudge(Judge):
    """A judge that keeps the packets of one flow."""

    _plainly = False
    watched: Watched

    def _tcp(self, record: FlowRecord | None, key: bytes, packet: Packet, now: Instant, number: int, size: int) -> None:
        super()._tcp(record, key, packet, now, number, size)
        self._keep(self._flows.tcp.get(key), key, packet, now, number)

    def _udp(self, record: FlowRecord | None, key: bytes, packet: Packet, now: Instant, number: int, size: int) -> None:
        super()._udp(record, key, packet, now, number, size)
        self._keep(self._flows.udp.get(key), key, packet, now, number)

    def _keep(self, record: FlowRecord | None, key: bytes, packet: Packet, now: Instant, number: int) -> None:
        watched = self.watched
        if record is not None and record.number == watched.flow:
            watched.record = record
            if len(watched.packets) < KEPT:
                watched.packets.append((number, now, record.key != key, packet))
