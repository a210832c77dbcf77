"""The user's programs in, whether and where they listen out."""

import asyncio
import socket
import sys
import time

import pytest

from crenel.net.lab.internet.programs import Running, listeners, listens_there, read_listener, start
from crenel.net.lab.internet.scenario import Listen, Program

SERVER = """
import socket, sys, time
kind = socket.SOCK_STREAM if sys.argv[1] == "tcp" else socket.SOCK_DGRAM
made = socket.socket(socket.AF_INET, kind)
made.bind((sys.argv[2], int(sys.argv[3])))
if kind == socket.SOCK_STREAM:
    made.listen()
time.sleep(60)
"""


def run(*words: str, listen: tuple[str, ...] = (), within: float = 10.0) -> Running:
    started = start(Program("mine", words, listen, within))
    assert isinstance(started, Running), started
    return started


def free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@pytest.mark.parametrize(("transport", "kind"), [("tcp", socket.SOCK_STREAM), ("udp", socket.SOCK_DGRAM)])
def test_a_program_is_up_once_it_listens_where_it_should(transport: str, kind: socket.SocketKind) -> None:
    port = free_port(kind)
    running = run(sys.executable, "-I", "-S", "-c", SERVER, transport, "127.0.0.1", str(port), listen=(f"{transport}/127.0.0.1:{port}",))
    assert asyncio.run(running.come_up()) is None
    assert running.problem is None
    assert (transport, "127.0.0.1", port) in listeners()
    running.end()
    assert (transport, "127.0.0.1", port) not in listeners()
    assert running.problem == "the server program mine ended with status -9; it printed nothing"


def test_a_program_that_listens_elsewhere_is_not_up() -> None:
    port = free_port(socket.SOCK_STREAM)
    running = run(sys.executable, "-I", "-S", "-c", SERVER, "tcp", "127.0.0.1", str(port), listen=(f"tcp/127.0.0.2:{port}",), within=0.3)
    assert asyncio.run(running.come_up()) == (
        f"the server program mine did not listen on tcp/127.0.0.2:{port} within 0.3 seconds; it printed nothing"
    )


def test_a_program_that_ends_is_told_of_with_its_last_words() -> None:
    running = run("sh", "-c", "echo no such certificate >&2; exit 4", listen=("tcp/1",))
    assert asyncio.run(running.come_up()) == "the server program mine ended with status 4, before it listened on tcp/1: no such certificate"


def test_what_a_program_started_ends_with_it() -> None:
    began = time.monotonic()
    running = run("sh", "-c", "sleep 60 & sleep 60")
    running.end()
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    ("program", "says"),
    [
        (Program("mine", ("no-such-server",)), "the server program mine cannot be run: no-such-server: No such file or directory"),
        (Program("mine", ("true",), folder="/nowhere"), "the server program mine cannot be run: /nowhere: No such file or directory"),
    ],
)
def test_what_cannot_be_run_is_told(program: Program, says: str) -> None:
    assert start(program) == says


def test_a_place_is_read_from_a_table_of_the_kernel() -> None:
    assert read_listener("   0: 00000000:0016 00000000:0000 0A", "tcp") == ("tcp", "0.0.0.0", 22)
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as server:
        assert ("tcp", "::1", server.getsockname()[1]) in listeners()


@pytest.mark.parametrize(
    ("listen", "there"),
    [
        (Listen("tcp", "203.0.113.9", 443), True),
        (Listen("tcp", "203.0.113.8", 443), False),
        (Listen("tcp", None, 443), True),
        (Listen("udp", "203.0.113.9", 443), False),
        (Listen("tcp", "203.0.113.8", 80), True),
        (Listen("tcp", None, 81), False),
    ],
)
def test_a_wildcard_stands_for_every_address(listen: Listen, *, there: bool) -> None:
    assert listens_there(listen, [("tcp", "203.0.113.9", 443), ("tcp", "0.0.0.0", 80)]) == there
