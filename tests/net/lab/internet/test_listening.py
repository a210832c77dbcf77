"""Services and claims in, sockets out: wildcards where a port is free of programs, single addresses where it is not."""

import contextlib
import socket
from collections.abc import Iterator

import pytest

from crenel.net.lab.internet.listening import SERVICES, Claim, Listening
from tests.net.lab.internet.nearby import ADDRESS

FREE = dict.fromkeys(SERVICES, 0)


@contextlib.contextmanager
def listening(*claims: Claim, **ports: int) -> Iterator[Listening]:
    made = Listening((ADDRESS,), FREE | ports, claims)
    try:
        yield made
    finally:
        made.close()


def free_port() -> int:
    with socket.create_server((ADDRESS, 0)) as server:
        port: int = server.getsockname()[1]
        return port


def test_every_service_listens_at_the_port_that_is_told() -> None:
    with listening() as made:
        for service, (_, transports) in SERVICES.items():
            for transport in transports:
                (one,) = made.of(service, transport)
                assert one.getsockname() == (ADDRESS, made.ports[service])
                assert one.type == (socket.SOCK_STREAM if transport == "tcp" else socket.SOCK_DGRAM)
        socket.create_connection((ADDRESS, made.ports["http"]), timeout=5).close()


def test_a_port_that_a_program_wants_whole_is_left_to_it() -> None:
    port = free_port()
    with listening(Claim("tcp", None, port), dns=port) as made:
        assert not made.of("dns", "tcp")
        assert made.of("dns", "udp")
        assert not made.narrow
        socket.create_server((ADDRESS, port)).close()


def test_a_port_of_which_a_program_wants_an_address_is_opened_address_by_address() -> None:
    port = free_port()
    with listening(Claim("tcp", "127.0.0.9", port), https=port) as made:
        assert not made.of("https", "tcp")
        assert made.of("https", "udp")
        assert made.narrow == {("https", "tcp")}
        new = made.reach(["127.0.0.8", "127.0.0.9", "203.0.113.9"])
        assert [opened.socket.getsockname() for opened in new] == [("127.0.0.8", port)]
        assert not made.reach(["127.0.0.7"], leave=("https",))
        assert made.may("https", "tcp", "127.0.0.7")
        assert not made.may("https", "tcp", "127.0.0.9")
        assert not made.may("https", "udp", "127.0.0.7")
        socket.create_server(("127.0.0.9", port)).close()


def test_what_is_released_is_free() -> None:
    with listening() as made:
        port = made.ports["dns"]
        (gone,) = made.release("tcp", port)
        assert gone.service == "dns"
        gone.socket.close()
        assert not made.of("dns", "tcp")
        assert made.of("dns", "udp")
        socket.create_server((ADDRESS, port)).close()


def test_a_port_that_is_taken_is_an_error_and_nothing_stays_open() -> None:
    with socket.create_server((ADDRESS, 0)) as taken, pytest.raises(OSError, match="Address already in use"), listening(dot=taken.getsockname()[1]):
        pass


def test_a_machine_without_ipv6_is_told_of() -> None:
    made = Listening((ADDRESS, "2001:db8::1"), FREE, ())
    made.close()
    assert made.lacks_6


def test_who_is_accepted_is_known_to_speak_tcp() -> None:
    with listening() as made:
        (server,) = made.of("dot", "tcp")
        client = socket.create_connection((ADDRESS, made.ports["dot"]), timeout=5)
        accepted, _ = server.accept()
        with client, accepted:
            assert accepted.proto == socket.IPPROTO_TCP  # or else asyncio leaves Nagle's algorithm on
