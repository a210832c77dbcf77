"""A lab in, whether something harmless crosses it and comes back out: what a lab says of a program is worth no more than that."""

import contextlib
import select
import socket
import time

import msgspec

from crenel.net.lab.flows import Endpoint
from crenel.net.lab.lab import Lab
from crenel.wire.dns_build import build_query, build_response

NAME = b"allowed.example"
"""What it asks for: a name that stands on no example list."""

_ADDRESS = bytes((203, 0, 113, 2))
_TRIES = 3
_PATIENCE = 1.5
"""Seconds that each try may take (bench): several times the longest way of any shipped vantage and back."""


class Sung(msgspec.Struct, frozen=True):
    """What became of a canary."""

    alive: bool
    endpoint: Endpoint
    """The client's end of it, by which its packets are told apart from others."""


def sing(lab: Lab) -> Sung:
    """Send a question across the lab and back. Raises LabError where the lab is broken."""
    query = build_query(NAME, ident=0x6372)
    address = lab.plan.layout.server[0]
    version = socket.AF_INET6 if ":" in address else socket.AF_INET
    with (
        contextlib.closing(lab.open_socket("client", version, socket.SOCK_DGRAM)) as client,
        contextlib.closing(lab.open_socket("server", version, socket.SOCK_DGRAM)) as server,
    ):
        server.bind((address, 0))
        client.connect(server.getsockname())
        own, port = client.getsockname()[:2]
        alive = any(_crosses(client, server, query) for _ in range(_TRIES))
    return Sung(alive, (socket.inet_pton(version, own), port))


def _crosses(client: socket.socket, server: socket.socket, query: bytes) -> bool:
    """Say whether a question and its answer arrive. They travel at once, since the answer is known: that takes half the time."""
    try:
        client.send(query)
        server.sendto(_answer(query), client.getsockname())
        deadline = time.monotonic() + _PATIENCE
        return _hears(server, query, deadline) and _hears(client, _answer(query), deadline)
    except OSError:
        return False


def _hears(end: socket.socket, awaited: bytes, deadline: float) -> bool:
    while select.select([end], [], [], max(0.0, deadline - time.monotonic()))[0]:
        if end.recv(4096) == awaited:
            return True
    return False


def _answer(query: bytes) -> bytes:
    return build_response(query, [_ADDRESS])
