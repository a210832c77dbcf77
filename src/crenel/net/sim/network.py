"""Two hosts and a path in, the same moved on in virtual time out: packets are handed over when due, timers go off when they should."""

import enum
from collections.abc import Callable, Mapping

import msgspec

from crenel.instant import Instant
from crenel.net.ground import Host, Rewrite
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

    What is due at the same moment happens in a fixed order: the path first, then the client's timers, then the server's.

    Args:
        path: what lies between; it may have served other hosts before.
        client: the end that begins.
        server: the other.
        rewrites: what stands between an end and the path, for the packets that this end sends.
        arrivals: the same for packets that arrive there, before the host gets them.
    """

    def __init__(
        self, path: Path, client: Host, server: Host, rewrites: Mapping[End, Rewrite] | None = None, arrivals: Mapping[End, Rewrite] | None = None
    ) -> None:
        self.path = path
        self._hosts = (client, server)
        rewrites, arrivals = rewrites or {}, arrivals or {}
        self._rewrites = (rewrites.get(End.CLIENT), rewrites.get(End.SERVER))
        self._arrivals = (arrivals.get(End.CLIENT), arrivals.get(End.SERVER))

    def run(self, now: Instant, until: Instant, most_steps: int = MOST_STEPS, done: Callable[[], object] | None = None) -> Stop:
        """Let things happen from now until all is quiet, a time limit, which is still part of it, or `done` gives something."""
        self._send(now, End.CLIENT)
        self._send(now, End.SERVER)
        path, (client, server) = self.path, self._hosts
        # What a host waits for changes only when it is called.
        timers = [client.next_timer(), server.next_timer()]
        for steps in range(most_steps):
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

    def _hand_over(self, now: Instant, end: End, packet: Packet) -> None:
        """Give an arriving packet to its host, and send what that makes it say."""
        host, rewrite = self._hosts[end], self._arrivals[end]
        for one in (packet,) if rewrite is None else rewrite(now, packet):
            host.receive(now, one)
        self._send(now, end)

    def _send(self, now: Instant, end: End) -> None:
        rewrite = self._rewrites[end]
        for packet in self._hosts[end].packets():
            if rewrite is None:
                self.path.send(now, end, packet)
            else:
                for one in rewrite(now, packet):
                    self.path.send(now, end, one)

    def _stop(self, at: Instant, why: Why, steps: int) -> Stop:
        self.path.ring(at)
        return Stop(at, why, steps)
