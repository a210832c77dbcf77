"""Sockets of a side's kernel: they live in its namespace, nobody else holds them, and nothing is left when they are given back."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from crenel.errors import LabError
from crenel.net.lab.kernel_side import BATCH
from crenel.net.lab.kernel_sockets import Sockets
from crenel.net.lab.namespaces import Namespaces
from crenel.net.lab.plan import Plan
from crenel.net.path.path import End
from tests.net.lab.machine import NEEDS_LAB

pytestmark = NEEDS_LAB


@pytest.fixture(scope="module")
def namespaces() -> Iterator[Namespaces]:
    made = Namespaces(Plan())
    yield made
    made.close()


def test_a_socket_is_that_of_its_side(namespaces: Namespaces) -> None:
    with Sockets(namespaces, End.CLIENT) as sockets, sockets.take(socket.AF_INET, socket.SOCK_STREAM) as made:
        made.bind(("192.0.2.2", 0))
        assert not made.getblocking()
        assert 0 < sockets.rto <= 200_000
    with Sockets(namespaces, End.SERVER) as sockets, sockets.take(socket.AF_INET, socket.SOCK_STREAM) as made, pytest.raises(OSError, match="assign"):
        made.bind(("192.0.2.2", 0))


def test_closing_a_socket_ends_it_at_once(namespaces: Namespaces) -> None:
    """Another holder of it would keep its port."""
    with Sockets(namespaces, End.SERVER) as sockets:
        for _ in range(3 * BATCH):
            listener = sockets.take(socket.AF_INET, socket.SOCK_STREAM)
            listener.bind(("", 8080))
            listener.listen()
            listener.close()


def held() -> int:
    """Return how many descriptors this process holds."""
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_store_is_given_back(namespaces: Namespaces) -> None:
    before = held()
    with Sockets(namespaces, End.CLIENT) as sockets:
        sockets.take(socket.AF_INET, socket.SOCK_DGRAM).close()
        assert held() > before + BATCH // 2
    assert held() == before


def test_a_side_without_such_a_socket_says_so(namespaces: Namespaces) -> None:
    with Sockets(namespaces, End.CLIENT) as sockets, pytest.raises(LabError, match=r"^the client's kernel gives no socket: .*not supported"):
        sockets.take(9999, socket.SOCK_STREAM)


def test_a_side_that_is_gone_says_so() -> None:
    made = Namespaces(Plan())
    with Sockets(made, End.CLIENT) as sockets:
        made.close()
        with pytest.raises(LabError, match="that side of the lab is gone"):
            sockets.take(socket.AF_INET, socket.SOCK_STREAM)
