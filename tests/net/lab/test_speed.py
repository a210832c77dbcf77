"""How much a relay carries between two kernels, with the whole wall and with an empty one in the same run."""

import threading
import time

import pytest

from crenel.atlas.compile import load_wall
from crenel.net.lab.lab import Lab
from crenel.net.lab.pace import Pace
from crenel.wall.wall import Wall
from tests.net.lab.machine import NEEDS_LAB, SERVER, python

pytestmark = [pytest.mark.long, NEEDS_LAB]

FULL = load_wall("gfw", as_of="2025-01-15", vantage="beijing")
EMPTY = Wall("empty", "No box", (), limits=FULL.limits, utc_offset=0, hour=12, about=FULL.about)
VANTAGE = "beijing"

HTTPD = """
import socket
server = socket.create_server(("", 80), backlog=512)
answer = b"HTTP/1.1 200 OK\\r\\nContent-Length: 100\\r\\nConnection: close\\r\\n\\r\\n" + b"x" * 100
while True:
    near, _ = server.accept()
    near.recv(4096)
    near.sendall(answer)
    near.close()
"""
EXCHANGES = """
import socket, sys, time
done, began = 0, time.perf_counter()
for _ in range(int(sys.argv[2])):
    near = socket.create_connection((sys.argv[1], 80))
    near.sendall(b"GET /index.html HTTP/1.1\\r\\nHost: allowed.example\\r\\nUser-Agent: a program\\r\\n\\r\\n")
    said = b""
    while part := near.recv(4096):
        said += part
    done += said.endswith(b"x" * 100)
    near.close()
print(done, time.perf_counter() - began)
"""
SINK = """
import socket, sys
near = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
near.bind(("", int(sys.argv[1])))
room = bytearray(2048)
while True:
    near.recv_into(room)
"""
FLOOD = """
import socket, sys, time
near = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
near.connect((sys.argv[1], int(sys.argv[2])))
data, ends = bytes(range(64)), time.perf_counter() + 2.0
while time.perf_counter() < ends:
    for _ in range(64):
        near.send(data)
"""
SOURCE = """
import socket
server = socket.create_server(("", 80))
while True:
    near, _ = server.accept()
    near.recv(4096)
    near.sendall(b"HTTP/1.1 200 OK\\r\\n\\r\\n")
    for _ in range(64):
        near.sendall(bytes(1 << 20))
    near.close()
"""
DOWNLOAD = """
import socket, sys, time
near = socket.create_connection((sys.argv[1], 80))
began, size, room = time.perf_counter(), 0, bytearray(1 << 20)
near.sendall(b"GET / HTTP/1.1\\r\\nHost: allowed.example\\r\\n\\r\\n")
while part := near.recv_into(room):
    size += part
print(size * 8 / (time.perf_counter() - began) / 1e6)
"""


def measure(wall: Wall) -> dict[str, float]:
    """Return rates through a still lab with this wall: exchanges and packets a second, and megabits a second."""
    found: dict[str, float] = {}
    with Lab(wall, vantage=VANTAGE, pace=Pace.STILL) as lab:
        server = lab.serve(python(HTTPD), port=80)
        found["exchanges, one at a time"] = exchanges(lab, 2000, 1)
        found["exchanges, four at a time"] = exchanges(lab, 1000, 4)
        server.stop()
        for port in (9999, 443):
            server = lab.serve(python(SINK, str(port)), port=port, transport="udp")
            before = lab.counts.packets
            lab.run(python(FLOOD, SERVER, str(port)), timeout=60)
            found[f"small packets to port {port}"] = (lab.counts.packets - before) / 2.0
            server.stop()
        server = lab.serve(python(SOURCE), port=80)
        before, began = lab.counts.packets, time.process_time()
        found["megabits"] = float(lab.run(python(DOWNLOAD, SERVER), timeout=60).stdout)
        found["bulk packets per second of processor"] = (lab.counts.packets - before) / (time.process_time() - began)
        server.stop()
    return found


def exchanges(lab: Lab, count: int, clients: int) -> float:
    rates: list[float] = []

    def run() -> None:
        done, took = lab.run(python(EXCHANGES, SERVER, str(count)), timeout=100).stdout.split()
        assert int(done) == count
        rates.append(count / float(took))

    running = [threading.Thread(target=run) for _ in range(clients)]
    for one in running:
        one.start()
    for one in running:
        one.join()
    assert len(rates) == clients
    return sum(rates)


@pytest.mark.timeout(300)
def test_a_whole_wall_keeps_up_with_real_programs() -> None:
    rounds = [(measure(FULL), measure(EMPTY)) for _ in range(2)]
    best = [{what: max(found[number][what] for found in rounds) for what in rounds[0][0]} for number in (0, 1)]
    for what, rate in best[0].items():
        print(f"{what}: {rate:,.0f} with the whole wall, {best[1][what]:,.0f} with an empty one, ratio {rate / best[1][what]:.2f}")
    full, empty = best
    assert min(full["small packets to port 9999"], full["small packets to port 443"]) >= 40_000
    assert full["megabits"] >= 300
    assert full["exchanges, four at a time"] >= 1_500
    assert all(full[what] >= 0.5 * empty[what] for what in full)
