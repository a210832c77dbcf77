"""One real stack alone, spoken to by hand: what its sockets tell, what it answers, and what it sends again."""

import socket
from collections.abc import Iterator

import msgspec
import pytest

from crenel.instant import Instant, seconds
from crenel.net.host.state import Data, Opened, PeerClosed, Refused, Reset, Unreachable
from crenel.net.lab.kernel_numbers import Numbers
from crenel.net.lab.kernel_sockets import Sockets
from crenel.net.lab.kernel_stack import MOST_WAITS, KernelStack
from crenel.net.lab.namespaces import Namespaces
from crenel.net.lab.plan import Layout, Plan
from crenel.net.path.path import End
from crenel.net.path.router import answer_of
from crenel.wire.packet import ACK, FIN, ICMP, PSH, RST, SYN, UDP, Packet, tcp_packet, udp_packet
from tests.net.lab.machine import NEEDS_LAB

pytestmark = NEEDS_LAB
CLIENT, SERVER = bytes((192, 0, 2, 2)), bytes((198, 51, 100, 2))
NOW = Instant(seconds(1))
PORT = 50_000


@pytest.fixture(scope="module")
def namespaces() -> Iterator[Namespaces]:
    made = Namespaces(Plan(layout=Layout(client=("192.0.2.2",), server=("198.51.100.2",), served=())))
    yield made
    made.close()


class Side:
    """A stack of its own for each test, with ports of its own."""

    real = 20_000

    def __init__(self, namespaces: Namespaces, end: End, sockets: Sockets) -> None:
        Side.real += 16
        self.listeners: dict[int, socket.socket] = {}
        self.stack = KernelStack(
            end, SERVER if end else CLIENT, namespaces.tuns[end], sockets, self.listeners, Numbers(Side.real - PORT, (1000, 9000)), NOW
        )

    def close(self, peer: bytes, port: int) -> None:
        self.stack.close(peer, port)
        for listener in self.listeners.values():
            listener.close()


@pytest.fixture
def client(namespaces: Namespaces) -> Iterator[KernelStack]:
    with Sockets(namespaces, End.CLIENT) as sockets:
        side = Side(namespaces, End.CLIENT, sockets)
        yield side.stack
        side.close(SERVER, 80)


@pytest.fixture
def server(namespaces: Namespaces) -> Iterator[KernelStack]:
    with Sockets(namespaces, End.SERVER) as sockets:
        side = Side(namespaces, End.SERVER, sockets)
        yield side.stack
        side.close(CLIENT, 80)


def theirs(flags: int, seq: int, ack: int, payload: bytes = b"") -> Packet:
    return tcp_packet(SERVER, CLIENT, 80, PORT, seq=seq, ack=ack, flags=flags, payload=payload)


def ours(flags: int, seq: int, ack: int = 0, payload: bytes = b"") -> Packet:
    return tcp_packet(CLIENT, SERVER, PORT, 80, seq=seq, ack=ack, flags=flags, payload=payload)


def seen(packets: list[Packet]) -> list[tuple[int, int, int, bytes]]:
    return [(packet.flags, packet.seq, packet.ack, packet.payload) for packet in packets]


def test_a_client_opens_speaks_hears_and_is_told_of_the_end(client: KernelStack) -> None:
    connection = client.connect(NOW, PORT, SERVER, 80)
    assert connection.events() == []
    assert seen(client.packets()) == [(SYN, 51_000, 0, b"")]
    client.receive(NOW, theirs(SYN | ACK, 7000, 51_001))
    assert connection.events_
    assert connection.events() == [Opened()]
    connection.send(NOW, b"GET")
    assert seen(client.packets()) == [(ACK, 51_001, 7001, b""), (PSH | ACK, 51_001, 7001, b"GET")]
    client.receive(NOW, theirs(PSH | ACK, 7001, 51_004, b"page"))
    assert connection.events() == [Data(b"page")]
    assert seen(client.packets()) == [(ACK, 51_004, 7005, b"")]
    client.receive(NOW, theirs(FIN | ACK, 7005, 51_004))
    assert connection.events() == [PeerClosed()]
    connection.close(NOW)
    assert connection.events() == []
    assert seen(client.packets())[-1] == (FIN | ACK, 51_004, 7006, b"")


def test_a_refusal_and_a_reset_are_told_apart(client: KernelStack) -> None:
    refused = client.connect(NOW, PORT, SERVER, 80)
    client.packets()
    client.receive(NOW, theirs(RST | ACK, 0, 51_001))
    assert refused.events() == [Refused()]
    client.connect(NOW, PORT + 1, SERVER, 80)
    again = client.connect(NOW, PORT + 2, SERVER, 80)
    client.packets()
    client.receive(NOW, msgspec.structs.replace(theirs(SYN | ACK, 7000, 51_003), dport=PORT + 2))
    assert again.events() == [Opened()]
    client.packets()
    client.receive(NOW, msgspec.structs.replace(theirs(RST, 7001, 0), dport=PORT + 2))
    assert again.events() == [Reset()]
    again.send(NOW, b"too late")
    assert client.packets() == []


def test_a_ttl_that_ran_out_ends_a_handshake_and_no_datagram(client: KernelStack) -> None:
    connection = client.connect(NOW, PORT, SERVER, 80)
    (syn,) = client.packets()
    datagrams = client.bind(PORT)
    datagrams.connect(SERVER, 53)
    datagrams.send(NOW, b"query")
    (query,) = client.packets()
    for packet in (syn, query):
        error = answer_of(msgspec.structs.replace(packet, ttl=0), bytes((100, 64, 0, 3)))
        assert error is not None
        client.receive(NOW, error)
    assert [type(event) for event in connection.events()] == [Unreachable]
    assert datagrams.events() == []


def test_datagrams_go_to_and_fro(server: KernelStack) -> None:
    datagrams = server.bind(53)
    assert server.bind(53) is datagrams
    datagrams.send(NOW, b"to nobody")
    server.receive(NOW, udp_packet(CLIENT, SERVER, PORT, 53, b"query"))
    assert datagrams.events() == [Data(b"query")]
    datagrams.send(NOW, b"answer")
    (answer,) = server.packets()
    assert (answer.proto, answer.sport, answer.dport, answer.payload) == (UDP, 53, PORT, b"answer")
    server.receive(NOW, udp_packet(CLIENT, SERVER, PORT, 54, b"nobody listens"))
    (error,) = server.packets()
    assert (error.proto, error.icmp_type, error.icmp_code) == (ICMP, 3, 3)


def test_a_port_out_of_reach_is_told_to_its_socket(client: KernelStack) -> None:
    datagrams = client.bind(PORT)
    datagrams.connect(SERVER, 53)
    datagrams.send(NOW, b"query")
    (query,) = client.packets()
    error = answer_of(query, SERVER)
    assert error is not None
    client.receive(NOW, msgspec.structs.replace(error, icmp_type=3, icmp_code=3))
    assert [type(event) for event in datagrams.events()] == [Unreachable]


def test_a_server_accepts_once_and_answers(server: KernelStack) -> None:
    server.listen(80)
    server.receive(NOW, ours(SYN, 51_000))
    assert server.accepted() == []
    assert seen(server.packets()) == [(SYN | ACK, 59_000, 51_001, b"")]
    server.receive(NOW, ours(ACK, 51_001, 59_001))
    (connection,) = server.accepted()
    assert connection.port == PORT
    assert server.accepted() == []
    server.receive(NOW, ours(PSH | ACK, 51_001, 59_001, b"GET"))
    assert connection.events() == [Data(b"GET")]
    connection.send(NOW, b"page")
    assert seen(server.packets()) == [(ACK, 59_001, 51_004, b""), (PSH | ACK, 59_001, 51_004, b"page")]


def test_a_syn_without_answer_is_sent_again_for_a_while(client: KernelStack) -> None:
    client.connect(NOW, PORT, SERVER, 80)
    (syn,) = client.packets()
    due = client.next_timer()
    assert due == NOW + seconds(1)
    client.fire(Instant(due - 1))
    assert client.packets() == []
    for _ in range(MOST_WAITS):
        due = client.next_timer()
        assert due is not None
        client.fire(due)
        (again,) = client.packets()
        assert (again.flags, again.seq) == (SYN, syn.seq)
        # Its clock has gone on with the path's.
        assert again.options != syn.options
    assert client.next_timer() is None


def test_a_lost_request_is_sent_again_by_the_kernel_itself(client: KernelStack) -> None:
    connection = client.connect(NOW, PORT, SERVER, 80)
    client.packets()
    client.receive(NOW, theirs(SYN | ACK, 7000, 51_001))
    connection.events()
    client.packets()
    assert client.next_timer() is None
    connection.send(NOW, b"GET")
    first = client.packets()
    due = client.next_timer()
    assert due is not None
    client.fire(due)
    assert seen(client.packets()) == seen(first)


def test_a_listener_answers_once_more_unless_the_handshake_is_over(server: KernelStack) -> None:
    server.listen(80)
    server.receive(NOW, ours(SYN, 51_000))
    (answer,) = server.packets()
    due = server.next_timer()
    assert due == NOW + seconds(1)
    server.fire(due)
    assert seen(server.packets()) == seen([answer])
    server.receive(due, ours(RST, 51_001))
    assert server.next_timer() is None


def test_what_no_wire_can_carry_and_no_kernel_take_is_dropped(server: KernelStack) -> None:
    server.receive(NOW, udp_packet(CLIENT, SERVER, PORT, 53, bytes(70_000)))
    server.receive(NOW, Packet(4, CLIENT, SERVER, 253, header_words=1))
    assert server.packets() == []
