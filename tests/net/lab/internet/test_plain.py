"""Bytes in, echoes or silence out, over TCP and UDP."""

import socket

from crenel.net.lab.internet.internet import Internet
from tests.net.lab.internet.nearby import ADDRESS


def test_an_echo_says_what_it_hears(near: Internet) -> None:
    with socket.create_connection((ADDRESS, near.ports["echo"]), timeout=10) as tcp:
        tcp.sendall(b"one")
        assert tcp.recv(10) == b"one"
        tcp.shutdown(socket.SHUT_WR)
        assert tcp.recv(10) == b""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.settimeout(10)
        udp.connect((ADDRESS, near.ports["echo"]))
        udp.send(b"two")
        assert udp.recv(10) == b"two"


def test_a_sink_hears_all_and_says_nothing(near: Internet) -> None:
    with socket.create_connection((ADDRESS, near.ports["discard"]), timeout=10) as tcp:
        tcp.sendall(bytes(1_000_000))
        tcp.shutdown(socket.SHUT_WR)
        assert tcp.recv(10) == b""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as echo:
        for one, service in ((udp, "discard"), (echo, "echo")):
            one.connect((ADDRESS, near.ports[service]))
            one.send(b"three")
        echo.settimeout(10)
        assert echo.recv(10) == b"three"
        udp.setblocking(False)
        try:
            heard = udp.recv(10)
        except BlockingIOError:
            heard = b""
        assert heard == b""
