"""An application and two addresses in, a client and a server that carry out its conversation on any stack out."""

from collections.abc import Sequence
from typing import Protocol

from crenel.instant import Instant
from crenel.net.app.speaker import Answer, App, Client, Ending, Experience, Speaker, experienced
from crenel.net.host.state import Data, HostEvent, Opened, PeerClosed, Refused, Reset, TimedOut, Unreachable
from crenel.wire.packet import Packet

_ENDINGS: dict[type[HostEvent], Ending] = {
    PeerClosed: "closed", Reset: "reset", Refused: "refused", TimedOut: "timed out", Unreachable: "unreachable",
}  # fmt: skip


class Connection(Protocol):
    """One end of a TCP connection."""

    @property
    def events_(self) -> object:
        """Something that is true if there may be news."""

    def events(self) -> list[HostEvent]:
        """Return what the application learns, once."""

    def send(self, now: Instant, data: bytes) -> None:
        """Queue bytes for the peer; what comes too late is lost."""

    def close(self, now: Instant) -> None:
        """Finish sending and read no more."""


class Datagrams(Protocol):
    """A UDP socket."""

    peer: bytes | None
    peer_port: int

    def connect(self, peer: bytes, peer_port: int) -> None:
        """Fix whom `send` sends to and from whom datagrams are taken."""

    def send(self, now: Instant, data: bytes) -> None:
        """Send one datagram."""

    def events(self) -> list[HostEvent]:
        """Return what arrived, once."""


class Stack(Protocol):
    """What an application runs on: a simulated host, or a kernel."""

    def listen(self, port: int) -> None:
        """Accept TCP connections on a port."""

    def bind(self, port: int) -> Datagrams:
        """Return the UDP socket of a port."""

    def connect(self, now: Instant, port: int, peer: bytes, peer_port: int) -> Connection:
        """Open a TCP connection from a port; it is returned before anything is answered."""

    def accepted(self) -> Sequence[Connection]:
        """Return the connections whose handshake with a listener is complete, once."""

    def receive(self, now: Instant, packet: Packet) -> None:
        """Take a packet that was addressed to this host."""

    def packets(self) -> list[Packet]:
        """Return what is to be sent now, once."""

    def next_timer(self) -> Instant | None:
        """Return when `fire` is due, or None."""

    def fire(self, now: Instant) -> None:
        """Let the timers that are due go off."""


class ClientEnd:
    """A host whose application begins at once, and goes through what the network does to it.

    Args:
        app: what it has to say.
        host: who says it.
        server: 4 or 16 bytes.
        sport: its port; each further try takes the next one.
        now: when it begins.
    """

    __slots__ = (
        "_answers", "_app", "_deadline", "_endpoint", "_host", "_last", "_left", "_server", "_socket", "_speaker", "_sport", "_start", "_waits",
        "experience",
    )  # fmt: skip

    def __init__(self, app: App, host: Stack, server: bytes, sport: int, now: Instant) -> None:
        self._app = app
        self._host = host
        self._server = server
        self._sport = sport
        self._start = now
        self._left = app.tries
        self._answers: list[Answer] = []
        self.experience: Experience | None = None
        """What it went through; None while it does."""
        self._endpoint: Connection | None = None
        self._socket: Datagrams | None = None
        self._speaker: Client | None = None
        self._last: Sequence[bytes] = ()
        self._waits: Sequence[int] = ()
        self._deadline: Instant | None = None
        self._try(now)

    def _try(self, now: Instant) -> None:
        app = self._app
        self._left -= 1
        self._waits = app.patience
        self._deadline = Instant(now + self._waits[0])
        if app.transport == "tcp":
            self._speaker = None
            self._endpoint = self._host.connect(now, self._sport, self._server, app.port)
        else:
            self._speaker = app.client()
            self._socket = self._host.bind(self._sport)
            self._socket.connect(self._server, app.port)
            self._say(now, self._speaker.begin())
        self._sport += 1

    def _say(self, now: Instant, parts: Sequence[bytes]) -> None:
        if not parts:
            return
        if self._endpoint is not None:
            for part in parts:
                self._endpoint.send(now, part)
        elif self._socket is not None:
            self._last = parts
            for part in parts:
                self._socket.send(now, part)

    def receive(self, now: Instant, packet: Packet) -> None:
        """Take a packet that has arrived."""
        self._host.receive(now, packet)
        self._hear(now)

    def _hear(self, now: Instant) -> None:
        source = self._endpoint or self._socket
        if source is None:
            return
        for event in source.events():
            if isinstance(event, Data):
                self._take(now, event.data)
            elif isinstance(event, Opened):
                self._speaker = self._app.client()
                self._say(now, self._speaker.begin())
            elif type(event) in _ENDINGS:
                self._fail(now, _ENDINGS[type(event)])

    def _take(self, now: Instant, data: bytes) -> None:
        speaker = self._speaker
        if speaker is None:
            return
        known = len(speaker.heard)
        said = speaker.take(data)
        if self.experience is None:
            self._say(now, said)
            if said and self._socket is not None:
                # Whoever gets on with it has as much patience for the next answer as for the first.
                self._waits = self._app.patience
                self._deadline = Instant(now + self._waits[0])
        if len(speaker.heard) == known:
            return
        self._answers += [Answer(now - self._start, heard.says, heard.intact) for heard in speaker.heard[known:]]
        if self.experience is None:
            self._conclude(now, "answered" if speaker.heard[0].intact else "misled")
            if self._endpoint is not None:
                self._endpoint.close(now)

    def _fail(self, now: Instant, ending: Ending) -> None:
        if self.experience is not None:
            return
        if self._endpoint is not None:
            self._endpoint.close(now)
        if self._left:
            self._try(now)
        else:
            self._conclude(now, ending)

    def _conclude(self, now: Instant, ending: Ending) -> None:
        self._deadline = None
        self.experience = experienced(ending, now, self._start, self._speaker)

    def finished(self, now: Instant) -> Experience:
        """Return what it went through, with all answers so far; a client that is still waiting is broken off."""
        known = self.experience or experienced("timed out", now, self._start, self._speaker)
        if not self._answers:
            return known
        return Experience(known.ending, known.time, self._answers[0].says, tuple(self._answers))

    def packets(self) -> list[Packet]:
        """Return what is to be sent now, each packet once."""
        return self._host.packets()

    def next_timer(self) -> Instant | None:
        """Return when `fire` wants to be called; None while no timer runs."""
        timer, deadline = self._host.next_timer(), self._deadline
        return timer if deadline is None or (timer is not None and timer <= deadline) else deadline

    def fire(self, now: Instant) -> None:
        """Let the timers that are due go off."""
        self._host.fire(now)
        self._hear(now)
        if self._deadline is None or now < self._deadline:
            return
        if len(self._waits) > 1:
            self._waits = self._waits[1:]
            self._deadline = Instant(now + self._waits[0])
            self._say(now, self._last)
        else:
            self._fail(now, "timed out")


class ServerEnd:
    """A host that serves one application on its port, to whoever comes.

    Args:
        app: what it serves.
        host: who serves it.
    """

    __slots__ = ("_app", "_connections", "_datagrams", "_host", "_socket")

    def __init__(self, app: App, host: Stack) -> None:
        self._app = app
        self._host = host
        self._connections: list[tuple[Connection, Speaker]] = []
        self._datagrams: dict[tuple[bytes | None, int], Speaker] = {}
        self._socket: Datagrams | None = None
        if app.transport == "tcp":
            host.listen(app.port)
        else:
            self._socket = host.bind(app.port)

    def receive(self, now: Instant, packet: Packet) -> None:
        """Take a packet that has arrived."""
        self._host.receive(now, packet)
        if self._socket is not None:
            self._serve(now, self._socket)
        else:
            self._hear(now)

    def _serve(self, now: Instant, socket: Datagrams) -> None:
        for event in socket.events():
            if isinstance(event, Data):
                peer = socket.peer, socket.peer_port
                speaker = self._datagrams.get(peer)
                if speaker is None:
                    speaker = self._datagrams[peer] = self._app.server()
                    for part in speaker.begin():
                        socket.send(now, part)
                for part in speaker.take(event.data):
                    socket.send(now, part)

    def _hear(self, now: Instant) -> None:
        for endpoint in self._host.accepted():
            speaker = self._app.server()
            self._connections.append((endpoint, speaker))
            for part in speaker.begin():
                endpoint.send(now, part)
        for endpoint, speaker in self._connections:
            if endpoint.events_:
                self._attend(now, endpoint, speaker)

    def _attend(self, now: Instant, endpoint: Connection, speaker: Speaker) -> None:
        for event in endpoint.events():
            if isinstance(event, Data):
                for part in speaker.take(event.data):
                    endpoint.send(now, part)
                if speaker.done:
                    endpoint.close(now)
            elif isinstance(event, PeerClosed):
                endpoint.close(now)

    def packets(self) -> list[Packet]:
        """Return what is to be sent now, each packet once."""
        return self._host.packets()

    def next_timer(self) -> Instant | None:
        """Return when `fire` wants to be called; None while no timer runs."""
        return self._host.next_timer()

    def fire(self, now: Instant) -> None:
        """Let the timers that are due go off."""
        self._host.fire(now)
        if self._socket is None:
            self._hear(now)

