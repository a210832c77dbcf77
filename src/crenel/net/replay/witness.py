"""Some flows of one capture, singled out: their numbers in, their packets and what the wall would do to each out, so that they can be drawn."""

from collections.abc import Callable, Collection, Sequence

from crenel.coins import Coins
from crenel.flow.table import FlowRecord
from crenel.instant import Instant
from crenel.net.replay.judge import Judge
from crenel.net.replay.watch import Watched
from crenel.wall.effects import Effect
from crenel.wall.run import Run
from crenel.wall.strand import ALL_CLASSES
from crenel.wall.wall import Wall
from crenel.wire.packet import Packet

KEPT_PACKETS = 200
"""Packets of a witnessed flow that are kept at most,"""
KEPT_BYTES = 1 << 16
"""and so many bytes of their payload."""


class Witnessed(Watched):
    """What was seen of one flow from its beginning, within bounds, with the effects of the wall on its packets."""

    __slots__ = ("effects", "size")

    def __init__(self, flow: int) -> None:
        super().__init__(flow)
        self.effects: list[tuple[int, Effect]] = []
        """Each with the place in `packets` of the packet that drew it."""
        self.size = 0
        """Bytes of payload that are kept."""

    @property
    def full(self) -> bool:
        """Is nothing more kept?"""
        return len(self.packets) >= KEPT_PACKETS or self.size >= KEPT_BYTES


class _TellingRun(Run):
    """A run that also keeps what it answered last."""

    heard: Sequence[Effect] = ()

    def see_flow(self, record: FlowRecord, now: Instant, packet: Packet, *, second: bool) -> list[Effect]:
        """Take one packet of a known flow."""
        effects = super().see_flow(record, now, packet, second=second)
        self.heard = effects
        return effects


class WitnessJudge(Judge):
    """A judge that keeps the packets of some flows, all of them as far as there is room, and the effects on them.

    Args:
        wall: the wall, and so are `coins` and `inside` as for any judge.
        wanted: numbers of the flows.
    """

    _plainly = False

    def __init__(self, wall: Wall, coins: Coins, inside: Callable[[bytes], bool] | None, wanted: Collection[int]) -> None:
        super().__init__(wall, coins, inside, lambda _: None)
        self._telling = _TellingRun(wall, coins, forecast=True)
        self._telling.flows = self._flows
        self._run = self._telling
        self.witnessed = {number: Witnessed(number) for number in wanted}

    def _tcp(self, record: FlowRecord | None, key: bytes, packet: Packet, now: Instant, number: int, size: int) -> None:
        self._telling.heard = ()
        super()._tcp(record, key, packet, now, number, size)
        self._keep(self._flows.tcp.get(key), key, packet, now, number)

    def _udp(self, record: FlowRecord | None, key: bytes, packet: Packet, now: Instant, number: int, size: int) -> None:
        self._telling.heard = ()
        super()._udp(record, key, packet, now, number, size)
        self._keep(self._flows.udp.get(key), key, packet, now, number)

    def _keep(self, record: FlowRecord | None, key: bytes, packet: Packet, now: Instant, number: int) -> None:
        witnessed = self.witnessed.get(record.number) if record is not None else None
        if witnessed is None or record is None:
            return
        witnessed.record = record
        if witnessed.full:
            return
        record.interest = ALL_CLASSES  # so that the next packet comes here too; no box minds one that it does not care about
        witnessed.effects += [(len(witnessed.packets), effect) for effect in self._telling.heard]
        witnessed.packets.append((number, now, record.key != key, packet))
        witnessed.size += len(packet.payload)
