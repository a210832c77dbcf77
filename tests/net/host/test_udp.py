"""A UDP socket: datagrams in and out, and what it does not read."""

import msgspec

from crenel.instant import Instant
from crenel.net.host import Data, UdpSocket, Unreachable
from crenel.wire.packet import udp_packet

A, B = bytes((10, 0, 0, 1)), bytes((10, 0, 0, 2))
NOW = Instant(0)


def test_an_answer_goes_to_whoever_asked() -> None:
    socket = UdpSocket(B, 53)
    for port in (1, 2):
        socket.receive(NOW, udp_packet(A, B, port, 53, b"query"))
        socket.send(NOW, b"answer")
    assert [(packet.dst, packet.dport, packet.payload) for packet in socket.packets()] == [(A, 1, b"answer"), (A, 2, b"answer")]
    assert socket.events() == [Data(b"query")] * 2


def test_a_connected_socket_hears_its_peer_only() -> None:
    socket = UdpSocket(A, 1)
    socket.connect(B, 53)
    socket.receive(NOW, udp_packet(B, A, 53, 1, b"yes"))
    socket.receive(NOW, udp_packet(B, A, 54, 1, b"no"))
    socket.unreachable(3, 3)
    assert socket.events() == [Data(b"yes"), Unreachable(3, 3)]


def test_a_wrong_checksum_or_length_is_dropped_and_a_short_length_believed() -> None:
    socket, packet = UdpSocket(B, 53), udp_packet(A, B, 1, 53, b"query")
    socket.receive(NOW, msgspec.structs.replace(packet, checksum=0x1234))
    socket.receive(NOW, msgspec.structs.replace(packet, udp_length=7))
    socket.receive(NOW, msgspec.structs.replace(packet, udp_length=99))
    assert socket.events() == []
    socket.receive(NOW, msgspec.structs.replace(packet, udp_length=10, checksum=0))
    assert socket.events() == [Data(b"qu")]


def test_an_error_that_may_pass_is_not_told() -> None:
    """A host that sends datagrams for a box on the way alone is told at each that its TTL ran out."""
    old, new = UdpSocket(A, 1), UdpSocket(bytes(16), 1)
    for socket, passing, lasting in ((old, (11, 0), (3, 13)), (new, (3, 0), (1, 4))):
        socket.unreachable(*passing)
        assert socket.events() == []
        socket.unreachable(*lasting)
        assert socket.events() == [Unreachable(*lasting)]
