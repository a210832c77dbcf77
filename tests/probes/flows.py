"""Payloads in, the packets of small conversations with their times out."""

import ipaddress
from collections.abc import Sequence
from typing import NamedTuple

from crenel.instant import Instant, seconds
from crenel.wall.effects import Side
from crenel.wire.packet import ACK, PSH, SYN, Packet, tcp_packet, udp_packet
from tests.conversation import BASE

Shown = tuple[Instant, Side, Packet]
"""A packet as it passes the wall's hop."""

CLIENT, SERVER = "192.0.2.1", "198.51.100.2"
CLIENT6, SERVER6 = "2001:db8:1::1", "2001:db8:2::2"


class Ends(NamedTuple):
    """Who talks to whom, and who of them stands inside."""

    client: str = CLIENT
    sport: int = 40000
    server: str = SERVER
    dport: int = 80
    inside: bool = True

    def six(self) -> "Ends":
        """Return the same over IPv6."""
        return self._replace(client=CLIENT6, server=SERVER6)

    def from_client(self, flags: int, seq: int, ack: int, payload: bytes = b"") -> tuple[Side, Packet]:
        """Return a TCP packet of the client."""
        ends = (_packed(self.client), _packed(self.server), self.sport, self.dport)
        return Side(not self.inside), tcp_packet(*ends, seq=seq % (1 << 32), ack=ack, flags=flags, payload=payload, ttl=57, ident=7)

    def from_server(self, flags: int, seq: int, ack: int, payload: bytes = b"") -> tuple[Side, Packet]:
        """Return a TCP packet of the server."""
        ends = (_packed(self.server), _packed(self.client), self.dport, self.sport)
        return Side(self.inside), tcp_packet(*ends, seq=seq % (1 << 32), ack=ack, flags=flags, payload=payload, ttl=51, ident=9)

    def datagram(self, payload: bytes) -> tuple[Side, Packet]:
        """Return a UDP packet of the client."""
        return Side(not self.inside), udp_packet(_packed(self.client), _packed(self.server), self.sport, self.dport, payload, ttl=57, ident=7)


def _packed(address: str) -> bytes:
    return ipaddress.ip_address(address).packed


def at(moment: float) -> Instant:
    """Return the instant so many seconds after the beginning."""
    return Instant(BASE + seconds(moment))


def talk(ends: Ends, segments: Sequence[bytes], start: float = 0.0, *, opened: bool = True) -> list[Shown]:
    """Return a TCP connection in which the client sends these segments."""
    seq, ack = 1001, 5001
    packets = [ends.from_client(SYN, 1000, 0), ends.from_server(SYN | ACK, 5000, 1001), ends.from_client(ACK, 1001, 5001)] if opened else []
    for segment in segments:
        packets.append(ends.from_client(PSH | ACK, seq, ack, segment))
        seq += len(segment)
    return [(at(start + 0.01 * number), *packet) for number, packet in enumerate(packets)]


def ask(ends: Ends, datagrams: Sequence[bytes], start: float = 0.0, *, apart: float = 0.01) -> list[Shown]:
    """Return datagrams of the client."""
    return [(at(start + apart * number), *ends.datagram(payload)) for number, payload in enumerate(datagrams)]
