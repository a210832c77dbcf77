"""A few words about each packet of a conversation in, the events that a lab would tell of it out."""

from typing import Literal

import msgspec

from crenel.net.trace import Event, What
from crenel.wire.packet import ACK, FIN, RST, SYN, Packet, tcp_packet, udp_packet

NEAR, FAR = bytes((192, 0, 2, 2)), bytes((203, 0, 113, 2))
PORT, SERVICE = 50_000, 443
ASKED, SAID = 1000, 9000
"""Initial sequence numbers of client and server."""
_FLAGS = {"S": SYN, "A": ACK, "F": FIN, "R": RST}


class Talk:
    """A conversation that is put together packet by packet; each goes all the way unless told otherwise.

    Args:
        service: the server's port.
    """

    def __init__(self, service: int = SERVICE) -> None:
        self.events: list[Event] = []
        self._service = service
        self._time = 0
        self._number = 0

    def client(self, flags: str, seq: int = 0, data: bytes = b"", ack: int = 0, *, stopped: str | None = None, lost: bool = False) -> "Talk":
        """Let the client send a segment; `seq` and `ack` count from the initial numbers."""
        packet = tcp_packet(NEAR, FAR, PORT, self._service, seq=ASKED + seq, ack=SAID + ack, flags=flags_of(flags), payload=data)
        return self._carry("client", packet, stopped=stopped, lost=lost)

    def server(
        self, flags: str, seq: int = 0, data: bytes = b"", ack: int = 0, *, stopped: str | None = None, forged: str | None = None
    ) -> "Talk":
        """Let the server, or a box in its name, send a segment."""
        packet = tcp_packet(FAR, NEAR, self._service, PORT, seq=SAID + seq, ack=ASKED + ack, flags=flags_of(flags), payload=data)
        return self._carry("server", packet, stopped=stopped, forged=forged)

    def opening(self) -> "Talk":
        """Let both ends shake hands."""
        return self.client("S").server("SA", ack=1).client("A", 1, ack=1)

    def ask(self, data: bytes, *, stopped: str | None = None) -> "Talk":
        """Let the client send a datagram."""
        return self._carry("client", udp_packet(NEAR, FAR, PORT, self._service, data), stopped=stopped)

    def tell(self, data: bytes, *, forged: str | None = None) -> "Talk":
        """Let the server, or a box in its name, send a datagram."""
        return self._carry("server", udp_packet(FAR, NEAR, self._service, PORT, data), forged=forged)

    def _carry(
        self, sender: Literal["client", "server"], packet: Packet, *, stopped: str | None = None, forged: str | None = None, lost: bool = False
    ) -> "Talk":
        self._number += 1
        toward: Literal["client", "server"] = "server" if sender == "client" else "client"
        whole = Event(self._time, "wall" if forged else sender, toward, packet, forged, number=self._number)
        self._add(whole, "injected" if forged else "sent", "wall" if forged else sender)
        if lost:
            self._add(whole, "lost", "path")
        elif stopped is not None:
            self._add(msgspec.structs.replace(whole, dropped_by=stopped), "dropped", "wall")
        else:
            if not forged:
                self._add(whole, "passed", "wall")
            self._add(whole, "arrived", toward)
        return self

    def _add(self, event: Event, what: What, where: str) -> None:
        self._time += 1_000_000
        self.events.append(msgspec.structs.replace(event, what=what, where=where, time=self._time))


def flags_of(letters: str) -> int:
    """Return the flags that letters stand for."""
    return sum(_FLAGS[letter] for letter in letters)
