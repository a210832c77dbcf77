"""Two endpoints and a channel that loses, repeats and reorders by plan, in virtual time; what each application learnt comes out."""

import heapq
from collections.abc import Sequence

from crenel.instant import Instant
from crenel.net.host import Data, Endpoint, HostEvent, HostOptions
from crenel.wire.packet import Packet

CLIENT, SERVER = bytes((10, 0, 0, 1)), bytes((10, 0, 0, 2))
PORT, SERVER_PORT = 40000, 80
DELAY = 10_000_000


class Wire:
    """A client and a server, joined by a channel; `fates` says for each packet in turn which copies arrive how much later (none: lost)."""

    def __init__(
        self, fates: Sequence[Sequence[int]] = (), options: HostOptions | None = None, *, client_isn: int = 1000, server_isn: int = 9000
    ) -> None:
        options = options or HostOptions()
        self.client = Endpoint(CLIENT, PORT, isn=client_isn, options=options, listening=False)
        self.server = Endpoint(SERVER, SERVER_PORT, isn=server_isn, options=options, listening=True)
        self.now = Instant(0)
        self.fates = list(fates)
        self.travelling: list[tuple[int, int, Endpoint, Packet]] = []
        self.sent = 0
        self.learnt: dict[str, list[HostEvent]] = {"client": [], "server": []}

    def connect(self) -> None:
        self.client.connect(self.now, SERVER, SERVER_PORT)

    def carry(self, until: int) -> None:
        """Let packets travel and timers fire until nothing is left or an instant is reached."""
        while True:
            self._collect()
            due = [at for at in (self.client.next_timer(), self.server.next_timer()) if at is not None]
            if self.travelling:
                due.append(Instant(self.travelling[0][0]))
            if not due or min(due) > until:
                return
            self.now = min(due)
            if self.travelling and self.travelling[0][0] == self.now:
                _, _, end, packet = heapq.heappop(self.travelling)
                end.receive(self.now, packet)
            else:
                self.client.fire(self.now)
                self.server.fire(self.now)

    def _collect(self) -> None:
        for end, other in ((self.client, self.server), (self.server, self.client)):
            for packet in end.packets():
                fate = self.fates[self.sent] if self.sent < len(self.fates) else (0,)
                self.sent += 1
                for number, late in enumerate(fate):
                    heapq.heappush(self.travelling, (self.now + DELAY + late, self.sent * 10 + number, other, packet))
        self.learnt["client"] += self.client.events()
        self.learnt["server"] += self.server.events()

    def stream(self, side: str) -> bytes:
        """Return the bytes that the application of one side has read."""
        return b"".join(event.data for event in self.learnt[side] if isinstance(event, Data))
