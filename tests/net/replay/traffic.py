"""Packets with times in, a capture in one of several containers and what a made wall says of its flows out."""

import functools
import struct
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from crenel.net.replay.check import CheckedCapture, check_capture
from crenel.wall.wall import Wall
from crenel.wire.dns_build import build_query
from crenel.wire.ip import serialise
from crenel.wire.packet import ACK, FIN, PSH, SYN, Packet, tcp_packet, udp_packet
from crenel.wire.pcapng_writer import write_pcapng
from tests.net.made import QUERY, box, wall_with

SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND
CLIENT, SERVER = bytes((192, 0, 2, 7)), bytes((198, 51, 100, 9))
CLIENT6, SERVER6 = bytes.fromhex("20010db8" + "00" * 11 + "07"), bytes.fromhex("20010db8" + "00" * 11 + "09")
LISTED = b"GET / HTTP/1.1\r\nHost: blocked.example\r\n\r\n"
UNLISTED = b"GET / HTTP/1.1\r\nHost: allowed.example\r\n\r\n"

Sent = Packet | tuple[int, Packet]
"""A packet a millisecond after the one before, or at so many nanoseconds after the start."""


def timed(packets: Iterable[Sent]) -> list[tuple[int, Packet]]:
    """Return packets with the time of each."""
    now, out = START - 1_000_000, []
    for sent in packets:
        now, packet = (START + sent[0], sent[1]) if isinstance(sent, tuple) else (now + 1_000_000, sent)
        out.append((now, packet))
    return out


def ethernet(packet: bytes, tag: bytes = b"") -> bytes:
    """Return an Ethernet frame of an IP packet."""
    return bytes(12) + tag + (b"\x08\x00" if packet[0] >> 4 == 4 else b"\x86\xdd") + packet


def pcap_of(frames: Iterable[tuple[int, bytes]], link_type: int = 1, snap: int = 262144) -> bytes:
    """Return a pcap with times in nanoseconds; frames longer than `snap` are cut."""
    head = struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, snap, link_type)
    return head + b"".join(struct.pack("<IIII", *divmod(at, SECOND), len(frame[:snap]), len(frame)) + frame[:snap] for at, frame in frames)


def _plain(packets: Sequence[tuple[int, Packet]]) -> bytes:
    return pcap_of((at, ethernet(serialise(packet))) for at, packet in packets)


def _tagged(packets: Sequence[tuple[int, Packet]]) -> bytes:
    return pcap_of((at, ethernet(serialise(packet), b"\x81\x00\x00\x05")) for at, packet in packets)


def _raw(packets: Sequence[tuple[int, Packet]]) -> bytes:
    return b"".join(write_pcapng((at, serialise(packet), None) for at, packet in packets))


CONTAINERS: dict[str, Callable[[Sequence[tuple[int, Packet]]], bytes]] = {"pcap": _plain, "vlan": _tagged, "pcapng": _raw}
"""Plain Ethernet in pcap, which has a short way through the judge; the same behind a VLAN tag; bare IP in pcapng."""


@functools.cache
def sure_wall() -> Wall:
    """Return a wall with a box `web` for HTTP and a box `dns` for UDP, which always act on the names of the list."""
    with tempfile.TemporaryDirectory() as folder:
        return wall_with(
            Path(folder), box("web", chance='p = 1.0, per = "flow"'),
            box("dns", transport="udp", tcb=None, trigger=QUERY, chance='p = 1.0, per = "event"'),
        )  # fmt: skip


def check(path: Path, packets: Iterable[Sent], container: str = "pcap", *, wall: Wall | None = None, inside: Sequence[str] = ()) -> CheckedCapture:
    """Write packets to a file and judge it."""
    path = path / f"capture.{container}"
    path.write_bytes(CONTAINERS[container](timed(packets)))
    return check_capture(str(path), wall if wall is not None else sure_wall(), inside=inside)


class Talk:
    """Both ends of a TCP connection, whose packets can be asked for one by one."""

    def __init__(self, *, sport: int = 40000, dport: int = 80, isn: int = 1000, client: bytes = CLIENT, server: bytes = SERVER) -> None:
        self.ends = (client, server, sport, dport)
        self.isn = isn
        self.seq, self.ack = isn + 1, 5001

    def syn(self) -> Packet:
        """Return the packet that opens it."""
        return tcp_packet(*self.ends, seq=self.isn, flags=SYN)

    def syn_ack(self) -> Packet:
        """Return the answer."""
        client, server, sport, dport = self.ends
        return tcp_packet(server, client, dport, sport, seq=self.ack - 1, ack=self.isn + 1, flags=SYN | ACK)

    def bare_ack(self) -> Packet:
        """Return what completes the handshake."""
        return tcp_packet(*self.ends, seq=self.seq, ack=self.ack)

    def shake(self) -> list[Packet]:
        """Return the handshake."""
        return [self.syn(), self.syn_ack(), self.bare_ack()]

    def say(self, payload: bytes, *, flags: int = PSH | ACK) -> Packet:
        """Return the next data of the client."""
        packet = tcp_packet(*self.ends, seq=self.seq & 0xFFFFFFFF, ack=self.ack, flags=flags, payload=payload)
        self.seq += len(payload)
        return packet

    def hear(self, payload: bytes, *, flags: int = PSH | ACK) -> Packet:
        """Return the next data of the server."""
        client, server, sport, dport = self.ends
        packet = tcp_packet(server, client, dport, sport, seq=self.ack, ack=self.seq & 0xFFFFFFFF, flags=flags, payload=payload)
        self.ack += len(payload)
        return packet

    def end(self) -> list[Packet]:
        """Return a FIN of each end."""
        return [self.say(b"", flags=FIN | ACK), self.hear(b"", flags=FIN | ACK)]


def query(name: bytes, *, sport: int = 50000, client: bytes = CLIENT, server: bytes = SERVER) -> Packet:
    """Return a DNS query over UDP."""
    return udp_packet(client, server, sport, 53, build_query(name))
