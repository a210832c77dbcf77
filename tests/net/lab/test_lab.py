"""Programs behind walls: what the wall does to them is what the simulated path does, and every packet of it is told."""

import shutil
from pathlib import Path

import pytest

from crenel.atlas.compile import load_wall
from crenel.atlas.load import load_vantage
from crenel.coins import ScriptedCoins
from crenel.errors import LabError, ProfileError, UsageError
from crenel.net.lab.lab import Lab
from crenel.net.lab.pace import Pace
from crenel.net.lab.plan import Layout, Plan
from crenel.net.path.route import Link, Route
from crenel.wall.effects import Inject
from tests.net.lab.machine import ECHO, NEAR, NEEDS_LAB, OPEN, SERVER, echo, near_lab, python
from tests.net.made import box, wall_with
from tests.net.telling import check_accounts

WALL = load_wall("gfw", as_of="2025-01-15", vantage="four-cities-2020")
HTTPD = """
import socket
server = socket.create_server(("", 80), backlog=64)
while True:
    near, _ = server.accept()
    near.recv(65536)
    try:
        near.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 4\\r\\nConnection: close\\r\\n\\r\\nbody")
    except OSError:
        pass
    near.close()
"""
GET = """
import socket, sys
near = socket.create_connection((sys.argv[1], 80), timeout=5)
near.sendall(b"GET / HTTP/1.1\\r\\nHost: " + sys.argv[2].encode() + b"\\r\\n\\r\\n")
said = b""
try:
    while part := near.recv(4096):
        said += part
    print(said[-4:].decode())
except OSError as problem:
    print(type(problem).__name__)
"""


def ask(lab: Lab, name: str) -> str:
    done = lab.run(python(GET, SERVER, name), timeout=20)
    assert not done.stderr, done.stderr.decode()
    return done.stdout.decode().strip()


@NEEDS_LAB
@pytest.mark.parametrize("pace", list(Pace))
def test_a_listed_name_is_reset_and_told_of(pace: Pace) -> None:
    with Lab(WALL, coins=ScriptedCoins(), pace=pace) as lab:
        lab.serve(python(HTTPD), port=80)
        assert ask(lab, "allowed.example") == "body"
        assert not lab.effects
        assert ask(lab, "blocked.example") == "ConnectionResetError"
    forged = [(told.packet, told.effect.because) for told in lab.effects if isinstance(told.effect, Inject)]
    assert {because.value for _, because in forged} == {b"blocked.example"}
    trace = lab.trace
    check_accounts(trace, finished=pace is Pace.STILL)
    ground = [event for event in trace if event.number == forged[0][0]]
    assert b"blocked.example" in ground[0].packet.payload
    assert [event.where for event in ground if event.what == "passed"] == [WALL.name]
    assert {event.injected_by for event in trace if event.what == "injected"} == {because.middlebox for _, because in forged}


@NEEDS_LAB
def test_where_every_coin_falls_to_miss_nothing_is_reset() -> None:
    with Lab(WALL, coins=ScriptedCoins(otherwise=False), pace=Pace.STILL) as lab:
        lab.serve(python(HTTPD), port=80)
        assert ask(lab, "blocked.example") == "body"
        assert lab.effects


@NEEDS_LAB
def test_the_seed_of_the_wall_decides_alike_each_time(tmp_path: Path) -> None:
    found = []
    for seed in (1, 1, 2, 3, 4, 5, 6, 7):
        with Lab(wall_with(tmp_path, box("half"), seed=seed), route=None, pace=Pace.STILL) as lab:
            lab.serve(python(HTTPD), port=80)
            found.append(ask(lab, "blocked.example"))
    assert found[0] == found[1]
    assert set(found) == {"body", "ConnectionResetError"}


@NEEDS_LAB
def test_packets_of_both_versions_cross(lab: Lab) -> None:
    ask_six = "import socket\nnear = socket.create_connection(('2001:db8:5e::9', 7020), timeout=5)\nnear.sendall(b'six')\nprint(near.recv(9))"
    server = lab.serve(python(ECHO.replace('("", {port})', '("::", 7020), family=socket.AF_INET6')), port=7020)
    assert lab.run(python(ask_six), timeout=20).stdout == b"b'six'\n"
    server.stop()
    assert echo(lab, b"four", 7021) == b"four"
    assert {event.packet.version for event in lab.trace} == {4, 6}


@NEEDS_LAB
def test_a_bulk_of_data_passes_unharmed(lab: Lab) -> None:
    size = 8 << 20
    serve = f"import socket\nnear, _ = socket.create_server(('', 7022)).accept()\nnear.sendall(bytes(range(256)) * {size // 256})\nnear.close()\n"
    take = (
        f"import socket, hashlib\nnear = socket.create_connection(({SERVER!r}, 7022), timeout=5)\nfound = hashlib.sha256()\nsize = 0\n"
        "while part := near.recv(1 << 20):\n    size += len(part)\n    found.update(part)\n"
        f"print(size == {size}, found.digest() == hashlib.sha256(bytes(range(256)) * {size // 256}).digest())\n"
    )
    lab.serve(python(serve), port=7022)
    assert lab.run(python(take), timeout=60).stdout == b"True True\n"
    assert lab.counts.untold > 1000


@NEEDS_LAB
def test_the_vantage_decides_the_delay() -> None:
    with Lab(OPEN, route=Route((Link(2, 20_000_000), Link(3, 30_000_000)), (OPEN,))) as lab:
        lab.serve(python(ECHO.format(port=7000)), port=7000)
        asked = f"import socket, time\nt = time.monotonic()\nsocket.create_connection(({SERVER!r}, 7000))\nprint(time.monotonic() - t)"
        took = float(lab.run(python(asked), timeout=20).stdout)
    assert 0.1 <= took < 5


@NEEDS_LAB
def test_what_runs_on_this_terminal_gets_its_streams(capfd: pytest.CaptureFixture[str]) -> None:
    with near_lab() as lab:
        assert lab.attach(["sh", "-c", "echo out; echo err >&2; exit 5"]) == 5
        assert lab.attach(["sleep", "60"], timeout=0.2) is None
    assert capfd.readouterr() == ("out\n", "err\n")


@NEEDS_LAB
def test_a_device_that_a_program_deletes_ends_the_lab_with_a_reason() -> None:
    script = (
        "import socket, struct\ns = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)\n"
        "body = struct.pack('=BxHiII', 0, 0, socket.if_nametoindex('lab0'), 0, 0)\n"
        "s.send(struct.pack('=IHHII', 16 + len(body), 17, 5, 1, 0) + body)\ns.recv(100)\nimport time\ntime.sleep(20)"
    )
    with near_lab() as lab:
        with pytest.raises(LabError, match="the lab broke down: the client's device is gone: a program in the lab deleted it"):
            lab.run(python(script), timeout=10)
        with pytest.raises(LabError, match="the lab broke down"):
            lab.run(["true"], timeout=10)


@NEEDS_LAB
def test_a_vantage_may_be_named_or_given() -> None:
    for vantage in ("shanghai", load_vantage("shanghai")):
        assert Lab(WALL, vantage).route.hops == load_vantage("shanghai").hops_to_server


def test_what_cannot_be_is_refused_before_anything_is_made() -> None:
    with pytest.raises(UsageError, match="names no vantage"):
        Lab(OPEN)
    with pytest.raises(ProfileError):
        Lab(WALL, "no-such-vantage")
    with pytest.raises(UsageError, match="the layout of the lab"):
        Lab(WALL, plan=Plan(layout=Layout(resolver="x")))
    with pytest.raises(LabError, match="the lab is not open"):
        Lab(OPEN, route=NEAR).run(["true"])
    with pytest.raises(LabError, match="the lab was never open"):
        assert Lab(OPEN, route=NEAR).trace


@NEEDS_LAB
@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is absent")
def test_curl_through_a_lab_and_down_again() -> None:
    """How long that takes is measured by tests/net/lab/test_speed.py, which is no test of a busy machine."""
    with Lab(WALL, pace=Pace.STILL) as lab:
        lab.serve(python(HTTPD), port=80)
        done = lab.run(["curl", "-sS", "--max-time", "5", f"http://{SERVER}/"], timeout=20)
        assert (done.stdout, done.status) == (b"body", 0), done.stderr


