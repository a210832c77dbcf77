"""This machine in, labs on it and views of it from outside out: who runs, what its interfaces, routes and rules are."""

import contextlib
import itertools
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from crenel.net.lab.doctor import examine
from crenel.net.lab.lab import Lab
from crenel.net.path.route import Link, Route
from crenel.wall.wall import Limits, Wall

SOURCE = Path(__file__).parents[3] / "src"
MISSING = examine().missing
NEEDS_LAB = pytest.mark.skipif(bool(MISSING), reason=f"no lab on this machine: {MISSING}")

OPEN = Wall("open", "No box", (), limits=Limits(flows=10_000, residual_entries=10, stream_bytes=65536), utc_offset=0, hour=12)
NEAR = Route((Link(2, 0), Link(3, 0)), (OPEN,))
"""A way of six hops that takes no time, with a wall that does nothing at the third."""
SERVER = "203.0.113.9"

ECHO = """
import socket
server = socket.create_server(("", {port}))
while True:
    near, _ = server.accept()
    near.sendall(near.recv(65536))
    near.close()
"""
ASK = """
import socket, sys
near = socket.create_connection(({address!r}, {port}), timeout=5)
near.sendall({data!r})
while part := near.recv(65536):
    sys.stdout.buffer.write(part)
"""


def python(script: str, *arguments: str) -> list[str]:
    """Return the command line that runs a script in a bare interpreter."""
    return [sys.executable, "-I", "-S", "-c", script, *arguments]


def crenel_python(script: str) -> list[str]:
    """Return the command line that runs a script which may import what needs nothing but the standard library."""
    return python(f"import sys; sys.path.insert(0, {str(SOURCE)!r})\n{script}")


def near_lab() -> Lab:
    """Return a lab, not yet open, in which nothing happens to packets."""
    return Lab(OPEN, route=NEAR)


def echo(lab: Lab, data: bytes, port: int = 7000) -> bytes:
    """Return what comes back when the client says something to an echo on the server."""
    server = lab.serve(python(ECHO.format(port=port)), port=port)
    done = lab.run(python(ASK.format(address=SERVER, port=port, data=data)), timeout=20)
    server.stop()
    assert not done.stderr, done.stderr.decode()
    return done.stdout


def descendants(root: int) -> dict[int, str]:
    """Return the processes below one, each with the moment it began, so that a number that is used again is told apart."""
    parents: dict[int, tuple[int, str]] = {}
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            with contextlib.suppress(OSError):
                fields = (place / "stat").read_text().rpartition(")")[2].split()
                parents[int(place.name)] = int(fields[1]), fields[19]
    found: dict[int, str] = {}
    edge = [root]
    while edge:
        edge = [number for number, (parent, _) in parents.items() if parent in edge]
        found |= {number: parents[number][1] for number in edge}
    return found


def remaining(processes: dict[int, str]) -> dict[int, str]:
    """Return those of some processes that still run."""
    found = {}
    for number, began in processes.items():
        with contextlib.suppress(OSError):
            state, *fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
            if fields[18] == began and state not in "ZX":
                found[number] = began
    return found


def wait_until_gone(processes: dict[int, str], seconds: float = 5.0) -> dict[int, str]:
    """Return those of some processes that still run after so long a time."""
    deadline = time.monotonic() + seconds
    while (left := remaining(processes)) and time.monotonic() < deadline:
        time.sleep(0.01)
    return left


def network() -> dict[str, str]:
    """Return the interfaces, routes, rules and named namespaces of the namespace in which this process is."""
    found = {"interfaces": " ".join(sorted(name for _, name in socket.if_nameindex()))}
    for name in ("route", "fib_trie", "if_inet6", "ipv6_route"):
        with contextlib.suppress(OSError):
            lines = [line.split() for line in Path("/proc/net", name).read_text().splitlines()]
            if name == "ipv6_route":
                lines = [fields[:6] + fields[8:] for fields in lines]  # but for the counts of references and uses
            found[name] = "\n".join(map(" ".join, lines))
    with contextlib.suppress(OSError):
        found["named"] = " ".join(sorted(place.name for place in Path("/run/netns").iterdir()))
    found["mounts"] = Path("/proc/self/mounts").read_text()
    if shutil.which("ip"):
        for what in (["rule"], ["-6", "rule"], ["route", "show", "table", "all"]):
            found[" ".join(what)] = subprocess.run(["ip", *what], capture_output=True, text=True, check=False).stdout
    return found


def addresses() -> list[str]:
    """Return the IPv4 addresses of this machine, the loopback address aside."""
    lines = Path("/proc/net/fib_trie").read_text().splitlines()
    found = {before.split()[-1] for before, line in itertools.pairwise(lines) if "host LOCAL" in line}
    return sorted(address for address in found if not address.startswith("127."))


@contextlib.contextmanager
def listener(address: str) -> Iterator[socket.socket]:
    """Listen on an address of this machine, at a free port."""
    with socket.create_server((address, 0)) as server:
        server.settimeout(0)
        yield server
