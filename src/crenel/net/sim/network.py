"""Two hosts and a path in, the same moved on in virtual time out: packets are handed over when due, timers go off when they should."""

import enum
import heapq
from collections.abc import Callable, Mapping

import msgspec

from crenel.instant import Instant
from crenel.net.ground import Host, Rewriter
from crenel.net.path.path import End, Path
from crenel.wire.packet import Packet

MOST_STEPS = 1_000_000
"""Arrivals, timers and passages after which a run is broken off: two hosts that answer each other without end (bench)."""


class Why(enum.Enum):
    """Why a run stopped."""

    QUIET = "quiet"
    """Nothing is on its way and no timer runs."""
    TIME = "time"
    """What comes next lies behind the time limit."""
    DONE = "done"
    """What was waited for has happened."""
    STEPS = "steps"
    """So much happened that it was broken off."""


class Stop(msgspec.Struct, frozen=True):
    """Where a run stopped."""

    at: Instant
    """The last moment at which anything happened, or the time limit where that was reached."""
    why: Why
    steps: int


class Network:
    """A client and a server with a path between them.

    What is due at the same moment happens in a fixed order: what was held back, the path, the client's timers, the server's.

    Args:
        path: what lies between; it may have served other hosts before.
        client: the end that begins.
        server: the other.
        rewriters: what stands between an end and the path.
    """

    def __init__(self, path: Path, client: Host, server: Host, rewriters: Mapping[End, Rewriter] | None = None) -> None:
        self.path = path
        self._hosts = (client, server)
        rewriters = rewriters or {}
        self._rewriters = (rewriters.get(End.CLIENT), rewriters.get(End.SERVER))
        self._late: list[tuple[Instant, int, End, Packet]] = []
        """What rewriters send later, by time."""
        self._serial = 0

    def run(self, now: Instant, until: Instant, most_steps: int = MOST_STEPS, done: Callable[[], object] | None = None) -> Stop:
        """Let things happen from now until all is quiet, a time limit, which is still part of it, or `done` gives something."""
        self._send(now, End.CLIENT)
        self._send(now, End.SERVER)
        path, (client, server) = self.path, self._hosts
        # What a host waits for changes only when it is called.
        timers = [client.next_timer(), server.next_timer()]
        for steps in range(most_steps):
            if self._late and self._let_go(until):
                continue
            due = path.next_due()
            ours, theirs = timers
            timer = ours if theirs is None or (ours is not None and ours <= theirs) else theirs
            if due is not None and (timer is None or due <= timer):
                if due > until:
                    return self._stop(until, Why.TIME, steps)
                now = due
                arrival = path.pop()
                if arrival is None:
                    continue
                end = arrival.end
                self._hand_over(now, end, arrival.packet)
            elif timer is not None:
                if timer > until:
                    return self._stop(until, Why.TIME, steps)
                # A timer set for the past goes off now: time does not run backwards.
                now = max(now, timer)
                end = End.CLIENT if timer == ours else End.SERVER
                self._hosts[end].fire(now)
                self._send(now, end)
            else:
                return self._stop(now, Why.QUIET, steps)
            timers[end] = self._hosts[end].next_timer()
            if done is not None and done():
                return self._stop(now, Why.DONE, steps)
        return self._stop(now, Why.STEPS, most_steps)

    def _let_go(self, until: Instant) -> bool:
        """Send the next packet that was held back, if nothing else comes before it."""
        due, _, end, packet = self._late[0]
        others = (self.path.next_due(), *(host.next_timer() for host in self._hosts))
        if due > until or any(other is not None and other < due for other in others):
            return False
        heapq.heappop(self._late)
        self.path.send(due, end, packet)
        return True

    def _hand_over(self, now: Instant, end: End, packet: Packet) -> None:
        """Give an arriving packet to its host, and send what that makes it say."""
        host, rewriter = self._hosts[end], self._rewriters[end]
        if rewriter is None:
            host.receive(now, packet)
        else:
            for _, one in rewriter.inbound(packet):
                host.receive(now, one)
        self._send(now, end)

    def _send(self, now: Instant, end: End) -> None:
        rewriter = self._rewriters[end]
        for packet in self._hosts[end].packets():
            if rewriter is None:
                self.path.send(now, end, packet)
                continue
            for after, one in rewriter.outbound(packet):
                if after:
                    self._serial += 1
                    heapq.heappush(self._late, (Instant(now + after), self._serial, end, one))
                else:
                    self.path.send(now, end, one)

    def _stop(self, at: Instant, why: Why, steps: int) -> Stop:
        self.path.ring(at)
        return Stop(at, why, steps)
