"""A script's steps in, what the simulated endpoint makes of them out, in virtual time."""

from typing import assert_never

from crenel.instant import Instant
from crenel.net.host import Data, Endpoint, HostEvent, HostOptions, Opened, PeerClosed, Refused, Reset, State, TimedOut, Unreachable, Urgent
from crenel.wire.packet import Packet
from tests.net.host.script import HOST, PEER, Do

MILLISECOND = 1_000_000
OPTIONS = HostOptions(challenge_interval=0)


class ModelGround:
    """The simulated endpoint as one end of a script."""

    def __init__(self, host_port: int, peer_port: int, options: HostOptions = OPTIONS) -> None:
        self.host_port, self.peer_port, self.options = host_port, peer_port, options
        self.now = Instant(0)
        self.endpoint = Endpoint(HOST, host_port, isn=77_000, options=options, listening=False)
        self.closed = self.opened = self.accepted = False

    def send(self, packet: Packet) -> None:
        self.endpoint.receive(self.now, packet)

    def do(self, step: Do) -> None:
        end = self.endpoint
        self.opened = True
        match step.action:
            case "listen" | "inline":
                options = HostOptions(challenge_interval=self.options.challenge_interval, urgent_inline=step.action == "inline")
                self.endpoint = Endpoint(HOST, self.host_port, isn=77_000, options=options, listening=True)
            case "connect":
                end.connect(self.now, PEER, self.peer_port)
            case "send":
                end.send(self.now, step.data)
            case "shutdown":
                end.shutdown(self.now)
            case "close":
                end.close(self.now)
                self.closed = True
            case "abort":
                end.abort(self.now)
                self.closed = True
            case _:
                raise AssertionError(step.action)

    def wait(self, milliseconds: int) -> None:
        until = Instant(self.now + milliseconds * MILLISECOND)
        while (due := self.endpoint.next_timer()) is not None and due <= until:
            self.now = due
            self.endpoint.fire(due)
        self.now = until

    def collect(self) -> list[Packet]:
        found = self.endpoint.packets()
        self.wait(4)
        return found + self.endpoint.packets()

    def read(self) -> list[str]:
        events = self.endpoint.events()
        self.accepted = self.accepted or Opened() in events
        lines = [line for event in events if (line := line_of(event))]
        return [] if self.closed else lines

    def state(self) -> str:
        if self.closed:
            return ""
        if self.endpoint.request or self.endpoint.state is State.LISTEN:
            return "CLOSED" if self.accepted else ""  # a socket that was accepted and has ended, beside one that listens again
        if self.endpoint.state is State.TIME_WAIT:
            return "CLOSED"  # as the kernel's socket says, which has left a smaller record behind
        return self.endpoint.state.value if self.opened else ""


def line_of(event: HostEvent) -> str:
    """Return an event as the kernel's application learns it."""
    match event:
        case Opened():
            return ""
        case Data(data):
            return f"data {data.decode('latin-1')}"
        case Urgent(data):
            return f"urgent {data.decode('latin-1')}"
        case PeerClosed():
            return "end"
        case Reset():
            return "ECONNRESET"
        case Refused():
            return "ECONNREFUSED"
        case TimedOut():
            return "ETIMEDOUT"
        case Unreachable():
            return "EHOSTUNREACH"
        case _:
            assert_never(event)
