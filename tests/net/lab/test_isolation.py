"""From inside a lab to outside: no address of this machine or beyond, no loopback, no way but the lab's own device."""

import os
import socket
import subprocess
import sys

import pytest

from crenel.net.lab.lab import Lab
from tests.net.lab.machine import NEEDS_LAB, SOURCE, addresses, listener, python

TRY = (
    "import socket, sys\n"
    "for kind, name in ((socket.SOCK_STREAM, 'tcp'), (socket.SOCK_DGRAM, 'udp')):\n"
    "    near = socket.socket(socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET, kind)\n"
    "    near.settimeout(0.2)\n"
    "    try:\n"
    "        near.connect((sys.argv[1], int(sys.argv[2])))\n"
    "        near.send(b'out')\n"
    "        near.recv(1)\n"
    "    except OSError as problem:\n"
    "        print(name, type(problem).__name__)\n"
)  # fmt: skip
ENDS = pytest.mark.parametrize("end", ["client", "server"])
OUTSIDE = ("192.0.2.99", "198.19.0.1", "2001:db8:1::1")
"""Reserved addresses that no lab serves, so that a test which fails disturbs nobody."""


@ENDS
def test_the_loopback_of_this_machine_is_not_that_of_the_lab(lab: Lab, end: str) -> None:
    with listener("127.0.0.1") as server, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        port = server.getsockname()[1]
        datagrams.bind(("127.0.0.1", port))
        datagrams.setblocking(False)
        done = lab.run(python(TRY, "127.0.0.1", str(port)), timeout=20, end="client" if end == "client" else "server")
        assert done.stdout.splitlines() == [b"tcp ConnectionRefusedError", b"udp ConnectionRefusedError"]
        check_untouched(server, datagrams)


@ENDS
def test_no_address_of_this_machine_is_reached(lab: Lab, end: str) -> None:
    if not addresses():
        pytest.skip("this machine has no address but the loopback one")
    for address in addresses():
        with listener(address) as server, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
            port = server.getsockname()[1]
            datagrams.bind((address, port))
            datagrams.setblocking(False)
            done = lab.run(python(TRY, address, str(port)), timeout=20, end="client" if end == "client" else "server")
            assert set(done.stdout.splitlines()) <= {
                b"%b %b" % (transport, kind) for transport in (b"tcp", b"udp") for kind in (b"TimeoutError", b"OSError", b"ConnectionRefusedError")
            }
            assert len(done.stdout.splitlines()) == 2
            check_untouched(server, datagrams)


def check_untouched(server: socket.socket, datagrams: socket.socket) -> None:
    with pytest.raises(BlockingIOError):
        server.accept()
    with pytest.raises(BlockingIOError):
        datagrams.recv(10)


@ENDS
@pytest.mark.parametrize("address", OUTSIDE)
def test_no_address_beyond_is_reached(lab: Lab, end: str, address: str) -> None:
    done = lab.run(python(TRY, address, "53"), timeout=20, end="client" if end == "client" else "server")
    kinds = [line.split()[1] for line in done.stdout.splitlines()]
    assert len(kinds) == 2
    assert set(kinds) <= {b"TimeoutError", b"OSError"}, "nobody answers, not even with a refusal"


@ENDS
def test_every_route_leads_to_the_lab(lab: Lab, end: str) -> None:
    script = (
        "import socket\n"
        "print(*sorted(name for _, name in socket.if_nameindex()))\n"
        "print(*{line.split()[0] for line in open('/proc/net/route').read().splitlines()[1:]})\n"
        "print(*sorted({line.split()[-1] for line in open('/proc/net/ipv6_route')}))\n"
    )
    done = lab.run(python(script), timeout=20, end="client" if end == "client" else "server")
    names, routes, routes_6 = done.stdout.decode().splitlines()
    assert names.split() == ["lab0", "lo"]
    assert routes.split() == ["lab0"]
    assert set(routes_6.split()) <= {"lab0", "lo"}


def test_no_variable_points_outside(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTPS_PROXY", "ALL_PROXY", "SSH_AUTH_SOCK", "DBUS_SESSION_BUS_ADDRESS"):
        monkeypatch.setenv(name, "somewhere")
    assert b"somewhere" not in lab.run(["env"], timeout=20).stdout


UNPRIVILEGED = f"""
import ctypes, sys
libc = ctypes.CDLL(None, use_errno=True)
for capability in set(range(64)) - {{31}}:  # CAP_SETFCAP: without it root, unlike any other user, may not be root in a namespace of its own
    libc.prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP
import os
os.execv(sys.executable, [sys.executable, "-c", '''
import sys, os
sys.path[:0] = [{str(SOURCE)!r}, {str(SOURCE.parent)!r}]
assert not int([line for line in open("/proc/self/status") if line.startswith("CapEff")][0].split()[1], 16) & ~(1 << 31)
from crenel.net.lab.doctor import examine
if not examine().able:
    sys.exit("cannot: " + examine().missing)
from tests.net.lab.machine import near_lab, echo, network, descendants, remaining
before = network()
with near_lab() as lab:
    assert echo(lab, b"said", 80) == b"said"
    assert lab.run(["id", "-u"]).stdout.strip() == b"0"
    assert lab.run(["cat", "/etc/resolv.conf"]).stdout == b"nameserver 203.0.113.53\\\\n"
    assert lab.run(["sh", "-c", "ls -d /proc/[0-9]* | wc -l"]).stdout.split()[0] in (b"5", b"6", b"7", b"8"), lab.notes
    processes = descendants(os.getpid())
assert not remaining(processes)
assert network() == before
print("carried", lab.counts.packets)
'''])
"""


@NEEDS_LAB
def test_a_user_without_any_right_may_run_a_lab() -> None:
    done = subprocess.run([sys.executable, "-c", UNPRIVILEGED], capture_output=True, text=True, check=False, timeout=60)
    if done.stderr.startswith("cannot: "):
        pytest.skip(f"no lab without privilege on this machine: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("carried ")


@pytest.mark.skipif(os.name == "posix" and os.geteuid() != 0, reason="root alone can give rights away that an ordinary user does not have")
@NEEDS_LAB
def test_whoever_may_not_is_told_so_in_a_sentence() -> None:
    script = UNPRIVILEGED.replace("set(range(64)) - {31}", "range(64)").replace('sys.exit("cannot: " + examine().missing)', "pass")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60)
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("crenel.errors.LabError: no lab: no namespaces of the lab's own can be made: [Errno 1] Operation not permitted"), last


def test_the_lab_takes_no_interface_from_outside() -> None:
    """No option names an interface, a bridge, a route or a queue that exists already: what is set up is called so in the source alone."""
    source = "".join(path.read_text("utf-8") for path in (SOURCE / "crenel" / "net" / "lab").glob("*.py"))
    for word in ("setns", "AF_PACKET", "NFQUEUE", "netns/", "bridge", "IFLA_NET_NS", "SO_BINDTODEVICE"):
        assert word not in source, word
    assert source.count("_TUNSETIFF, _REQUEST") == 1
