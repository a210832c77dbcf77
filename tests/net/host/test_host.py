"""A host with many connections: each packet reaches its own, and what belongs nowhere is answered."""

import msgspec
from hypothesis import given

from crenel.instant import Instant
from crenel.net.host import Data, Host, HostOptions, Opened, Refused, State, Unreachable
from crenel.wire.ip import parse_packet, serialise
from crenel.wire.packet import ACK, ICMP, RST, SYN, Packet, tcp_packet, udp_packet
from tests.net.host.test_endpoint import packets

A, B = bytes((10, 0, 0, 1)), bytes((10, 0, 0, 2))
NOW = Instant(0)


def made(address: bytes) -> Host:
    return Host(address, HostOptions(), lambda peer, peer_port, port: peer_port * 1000 + port)


def exchange(*hosts: Host) -> None:
    while moved := [packet for host in hosts for packet in host.packets()]:
        for packet in moved:
            for host in hosts:
                if host.address == packet.dst:
                    host.receive(NOW, packet)


def test_connections_of_one_port_are_kept_apart() -> None:
    client, server = made(A), made(B)
    server.listen(80)
    ends = [client.connect(NOW, port, B, 80) for port in (1, 2)]
    exchange(client, server)
    accepted = server.accepted()
    assert [end.peer_port for end in accepted] == [1, 2]
    for number, end in enumerate(ends):
        assert end.events() == [Opened()]
        end.send(NOW, f"I am {number}".encode())
    exchange(client, server)
    assert [end.events() for end in accepted] == [[Opened(), Data(b"I am 0")], [Opened(), Data(b"I am 1")]]


def test_a_port_where_nobody_listens_refuses() -> None:
    client, server = made(A), made(B)
    end = client.connect(NOW, 1, B, 80)
    exchange(client, server)
    assert end.events() == [Refused()]
    assert not client.endpoints()


def test_a_listener_resets_an_ack_and_keeps_nothing() -> None:
    server = made(B)
    server.listen(80)
    server.receive(NOW, tcp_packet(A, B, 1, 80, seq=5, ack=7, flags=ACK))
    assert [(packet.flags, packet.seq) for packet in server.packets()] == [(RST, 7)]
    assert not server.endpoints()


def test_a_request_that_nobody_completes_goes_after_a_minute() -> None:
    server = made(B)
    server.listen(80)
    server.receive(NOW, tcp_packet(A, B, 1, 80, seq=5, flags=SYN))
    sent = 0
    while (due := server.next_timer()) is not None:
        sent += len(server.packets())
        server.fire(due)
    assert sent == 6
    assert not server.endpoints()
    assert not server.accepted()


def test_udp_reaches_its_socket_or_is_unreachable() -> None:
    client, server = made(A), made(B)
    socket, asking = server.bind(53), client.bind(1)
    asking.connect(B, 53)
    asking.send(NOW, b"query")
    exchange(client, server)
    assert socket.events() == [Data(b"query")]
    asking.connect(B, 54)
    asking.send(NOW, b"query")
    exchange(client, server)
    assert asking.events() == [Unreachable(3, 3)]


def test_an_icmp_error_reaches_the_connection_it_quotes() -> None:
    client = made(A)
    end = client.connect(NOW, 1, B, 80)
    (syn,) = client.packets()
    for quoted in (serialise(syn)[:28], serialise(syn)):
        error = Packet(4, bytes((10, 9, 9, 9)), A, ICMP, icmp_type=3, icmp_code=13, payload=quoted)
        parsed = parse_packet(serialise(error))
        assert isinstance(parsed, Packet)
        end.state = State.SYN_SENT
        client.receive(NOW, parsed)
        assert end.events() == [Unreachable(3, 13)]


def test_what_is_meant_for_another_address_or_has_no_header_is_dropped() -> None:
    host = made(B)
    socket = host.bind(53)
    query = udp_packet(A, B, 1, 53, b"query")
    host.receive(NOW, msgspec.structs.replace(query, dst=A))
    host.receive(NOW, msgspec.structs.replace(query, header_words=4))
    assert (socket.events(), host.packets()) == ([], [])
    host.receive(NOW, query)
    assert socket.events() == [Data(b"query")]


def test_a_datagram_in_fragments_is_put_together() -> None:
    host = made(B)
    socket = host.bind(53)
    whole = serialise(udp_packet(A, B, 1, 53, b"a query in pieces"))
    head, body = whole[:20], whole[20:]

    def piece(start: int, end: int, *, more: bool) -> Packet:
        fragment = bytearray(head + body[start:end])
        fragment[2:4] = len(fragment).to_bytes(2, "big")
        fragment[6:8] = (more << 13 | start // 8).to_bytes(2, "big")
        parsed = parse_packet(fragment)
        assert isinstance(parsed, Packet)
        return parsed

    host.receive(NOW, piece(16, len(body), more=False))
    assert socket.events() == []
    host.receive(NOW, piece(0, 16, more=True))
    assert socket.events() == [Data(b"a query in pieces")]


def test_fragments_that_overlap_are_dropped() -> None:
    host = made(B)
    socket = host.bind(53)
    packet = udp_packet(A, B, 1, 53, b"a query in pieces")
    first = msgspec.structs.replace(packet, ip_flags=1, payload=b"a query ", udp_length=25, checksum=0)
    rest = [
        msgspec.structs.replace(packet, frag_offset=offset, payload=b"in pieces"[start:], headless=True, ip_flags=flags)
        for offset, start, flags in ((8, 0, 1), (16, 0, 0))
    ]
    for fragment in (first, *rest):
        host.receive(NOW, fragment)
    assert socket.events() == []


def test_an_echo_is_answered() -> None:
    host = made(B)
    host.receive(NOW, Packet(4, A, B, ICMP, icmp_type=8, icmp_rest=7, payload=b"ping"))
    (answer,) = host.packets()
    assert (answer.icmp_type, answer.icmp_rest, answer.payload, answer.dst) == (0, 7, b"ping", A)


@given(packets())
def test_no_packet_raises(packet: Packet) -> None:
    host = made(B)
    host.listen(80)
    host.receive(NOW, packet)
    host.receive(NOW, msgspec.structs.replace(packet, dport=81))
    host.receive(NOW, udp_packet(A, B, 1, 2, packet.payload))
    host.packets()


def test_what_is_addressed_to_somebody_else_is_dropped() -> None:
    host = Host(bytes((192, 0, 2, 1)), HostOptions(), lambda *_: 1)
    syn = tcp_packet(bytes((192, 0, 2, 9)), bytes((192, 0, 2, 2)), 1, 2, seq=1, flags=SYN)
    host.receive(Instant(0), syn)
    assert host.packets() == []
    host.receive(Instant(0), msgspec.structs.replace(syn, dst=host.address))
    assert len(host.packets()) == 1
