"""Interfaces, addresses and routes, set up inside a lab: the kernel does as asked or says why not."""

from crenel.net.lab.lab import Lab
from tests.net.lab.machine import NEEDS_LAB, crenel_python, near_lab, python

SCRIPT = """
import ipaddress, socket
from crenel.net.lab.netlink import Interfaces

def can_bind(address):
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as near:
        try:
            near.bind((address, 0))
        except OSError:
            return False
        return True

interfaces = Interfaces()
print(*map(can_bind, ("192.0.2.77", "198.18.4.5")))
interfaces.add_address("lo", "192.0.2.77")
interfaces.own(ipaddress.ip_network("198.18.4.0/24"))
interfaces.own(ipaddress.ip_network("2001:db8:99::/64"))
print(*map(can_bind, ("192.0.2.77", "198.18.4.5")))
interfaces.up("lo", mtu=9000, queue=17)
for name in ("mtu", "tx_queue_len"):
    print(open(f"/sys/class/net/lo/{name}").read().strip())
interfaces.route("lo", ipaddress.ip_network("198.18.9.0/24"))
print("000912C6" in open("/proc/net/route").read())
try:
    interfaces.add_address("lo", "192.0.2.77")
except OSError as problem:
    print(problem)
try:
    interfaces.up("nosuch0")
except OSError as problem:
    print(problem)
interfaces.close()
"""


@NEEDS_LAB
def test_interfaces_are_set_up_as_asked() -> None:
    with near_lab() as own:
        done = own.run(crenel_python(SCRIPT), timeout=20)
    assert done.stdout.decode().splitlines() == [
        "False False", "True True", "9000", "17", "True", "[Errno 17] rtnetlink request 20: File exists",
        "no interface with this name",
    ], done.stderr  # fmt: skip


def test_a_side_has_no_interface_but_its_own_and_no_address_nobody_gave_it(lab: Lab) -> None:
    script = (
        "import socket\nprint(sorted(name for _, name in socket.if_nameindex()))\n"
        "print(*sorted(line.split()[0] for line in open('/proc/net/if_inet6')))"
    )
    for end, address in (("client", "20010db8000c0000"), ("server", "20010db8005e0000")):
        done = lab.run(python(script), timeout=20, end="client" if end == "client" else "server")
        names, owned = done.stdout.decode().splitlines()
        assert names == "['lab0', 'lo']"
        assert owned.split() == ["0" * 31 + "1", address + "0" * 15 + "2"]
