"""A strategy at a client and what the client sends in, what the server's application reads out: two real stacks, no wall between them."""

import heapq
import itertools
from collections.abc import Callable

from crenel.instant import Instant
from crenel.net.host import Data, Endpoint, HostOptions
from crenel.wire.packet import Packet
from tests.evade.acting import CLIENT, SERVER, started

DELAY = 10_000_000
LONGEST = 60_000_000_000


class Ends:
    """A client that says `lines` one after another, each once the server has echoed the one before, and that server."""

    def __init__(self, dna: str, lines: list[bytes], lose: Callable[[int, Packet], bool] = lambda number, packet: False) -> None:
        self.applied = started(dna)
        self.client = Endpoint(CLIENT, 40000, isn=0xFFFFFF00, options=HostOptions(), listening=False)
        self.server = Endpoint(SERVER, 443, isn=5000, options=HostOptions(), listening=True)
        self.lines, self.lose = lines, lose
        self.heard, self.told = b"", b""
        self.wire: list[Packet] = []
        self._due: list[tuple[int, int, bool, Packet]] = []
        self._serial = itertools.count()
        self._said = 0

    def run(self) -> "Ends":
        """Let both talk until nothing happens any more."""
        now = Instant(0)
        self.client.connect(now, SERVER, 443)
        while now < LONGEST:
            self.flush(now)
            timers = [timer for timer in (self.client.next_timer(), self.server.next_timer()) if timer is not None]
            due = self._due[0][0] if self._due else None
            if due is None and not timers:
                break
            if due is not None and due <= min(timers, default=due):
                now = Instant(due)
                _, _, to_server, packet = heapq.heappop(self._due)
                self.arrive(now, packet, to_server=to_server)
            else:
                now = Instant(max(now, min(timers)))
                for end in (self.client, self.server):
                    timer = end.next_timer()
                    if timer is not None and timer <= now:
                        end.fire(now)
        return self

    def arrive(self, now: Instant, packet: Packet, *, to_server: bool) -> None:
        if to_server:
            self.server.receive(now, packet)
        else:
            for _, one in self.applied.inbound(packet):
                self.client.receive(now, one)
        for event in self.server.events():
            if isinstance(event, Data):
                self.heard += event.data
                self.server.send(now, event.data)
        for event in self.client.events():
            if isinstance(event, Data):
                self.told += event.data
        asked = b"".join(self.lines[: self._said])
        if self._said < len(self.lines) and (not asked or len(self.told) >= len(asked)):
            self._said += 1
            self.client.send(now, self.lines[self._said - 1])

    def flush(self, now: Instant) -> None:
        for packet in self.client.packets():
            for after, one in self.applied.outbound(packet):
                self.wire.append(one)
                if not self.lose(len(self.wire), one):
                    heapq.heappush(self._due, (now + after + DELAY, next(self._serial), True, one))
        for packet in self.server.packets():
            heapq.heappush(self._due, (now + DELAY, next(self._serial), False, packet))
