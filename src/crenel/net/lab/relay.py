"""Two TUN devices in, packets between them out: one loop that is the network, on a real clock, with the walls in it."""

import errno
import os
import select
import threading
import time
from collections.abc import Callable

from crenel.coins import Coins
from crenel.errors import LabError
from crenel.instant import Instant
from crenel.net.lab.calls import Timer
from crenel.net.lab.heads import stays_on_link
from crenel.net.lab.pace import Pace, start_runs, still
from crenel.net.lab.shortcut import Shortcut, is_direct
from crenel.net.lab.tally import Counts, Kept, Sight, tell
from crenel.net.path.path import End, Path
from crenel.net.path.route import Route
from crenel.net.trace import Event, WallEffect
from crenel.wire.ip import parse_packet, serialise
from crenel.wire.result import Unparseable

_LONGEST = 65536
_BATCH = 64
"""Packets that are taken from one end before the other has its turn (measured: more make no difference)."""


class Relay:
    """The network between two ends.

    Args:
        tuns: the descriptors of the ends' TUN devices, which are not closed here.
        route: what lies between.
        coins: decide what the path and the walls do.
        start: what the wall's clock shows when the relay is made; from then on it runs as real time does.
        pace: whether the route's delays, and the walls', are spent.
        failed: called in the relay's thread when it stops by itself.

    Attributes:
        counts: how much was carried.
        problem: why the relay stopped by itself; None while all is well.
    """

    def __init__(self, tuns: tuple[int, ...], route: Route, coins: Coins, start: Instant, pace: Pace, failed: Callable[[], None]) -> None:
        self.counts = Counts()
        self.problem: Exception | None = None
        self._tuns = tuns
        self._failed = failed
        self._offset = start - time.monotonic_ns()
        if pace is Pace.STILL:
            route = still(route)
        runs = start_runs(route, coins, pace)
        self._shortcut = Shortcut(route, coins, start, runs[0], self.counts) if is_direct(route, coins) else None
        self.path = self._shortcut.path if self._shortcut is not None else Path(route, coins, start, runs)
        self.path.trace = Kept(self.counts)
        self._timer = Timer()
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Carry packets in a thread of its own until `stop`."""
        self._thread = threading.Thread(target=self._run, name="crenel-lab", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Carry no more; what is on its way stays there."""
        if self._thread is not None:
            os.eventfd_write(self._wake, 1)
            self._thread.join()
            self._thread = None
            self._timer.close()
            os.close(self._wake)
            self.path.ring(self.now())

    def now(self) -> Instant:
        """Return what the wall's clock shows."""
        return Instant(time.monotonic_ns() + self._offset)

    def tell(self) -> tuple[tuple[Event, ...], tuple[WallEffect, ...]]:
        """Return what happened so far: the trace, and what the walls did."""
        sights: list[Sight] = self._shortcut.sights[:] if self._shortcut is not None else []
        return tell(self.path, sights)

    def _run(self) -> None:
        try:
            self._loop()
        except Exception as problem:  # noqa: BLE001  whoever waits for a command is told why it hears nothing more
            self.problem = problem
            self._failed()

    def _loop(self) -> None:
        poll, timer, path, tuns, runs = select.epoll(), self._timer, self.path, self._tuns, self.path.runs
        for descriptor in (*tuns, self._wake, timer.descriptor):
            poll.register(descriptor, select.EPOLLIN)
        ends = {tuns[end]: end for end in End}
        armed = False
        with poll:
            while True:
                due = path.next_due()
                if due is not None:
                    timer.set(max(due - self._offset, 1))
                    armed = True
                elif armed:
                    timer.set(0)
                    armed = False
                for descriptor, _ in poll.poll():
                    if descriptor == self._wake:
                        return
                    if descriptor in ends:
                        self._drain(ends[descriptor])
                self._hand_over(self.now())
                for run in runs:
                    if run.armed:
                        path.ring(self.now())

    def _drain(self, end: End) -> None:
        """Take what an end has sent."""
        source, target, path = self._tuns[end], self._tuns[end.other], self.path
        read, write, clock, offset = os.read, os.write, time.monotonic_ns, self._offset
        take = self._shortcut.take if self._shortcut is not None else _never
        number = size = 0
        try:
            for _ in range(_BATCH):
                data = read(source, _LONGEST)
                number += 1
                size += len(data)
                now = Instant(clock() + offset)
                due = path.next_due()
                if due is not None and due <= now:
                    self._hand_over(now)
                later = take(now, end, data) or self._send(now, end, data)
                if later is not None:
                    write(target, later)
        except BlockingIOError:
            pass
        except OSError as problem:
            if problem.errno == errno.EBADFD:
                raise LabError(f"the {end.name.lower()}'s device is gone: a program in the lab deleted it") from problem
            self.counts.unwritable += 1
        self.counts.packets += number
        self.counts.bytes += size

    def _send(self, now: Instant, end: End, data: bytes) -> bytes | bytearray | None:
        """Put a packet on the path and let happen what is due, or return it as it arrives where nothing happens to it."""
        packet = parse_packet(data)
        if isinstance(packet, Unparseable):
            self.counts.unreadable += 1
        elif stays_on_link(packet.dst):
            self.counts.on_link += 1
        else:
            if self._shortcut is None:
                self.path.send(now, end, packet)
            elif (later := self._shortcut.show(now, end, packet, data)) is not None:
                return later
            self._hand_over(now)
        return None

    def _hand_over(self, now: Instant) -> None:
        """Let all happen that is due, and write to the ends what arrives there."""
        path = self.path
        while (due := path.next_due()) is not None and due <= now:
            arrival = path.pop()
            if arrival is not None:
                try:
                    os.write(self._tuns[arrival.end], serialise(arrival.packet))
                except (OSError, ValueError):
                    self.counts.unwritable += 1


def _never(now: Instant, end: End, data: bytes) -> bytes | None:
    return None
