"""One end of a lab: its network namespace with a TUN device, and the process that starts commands and opens sockets there on request."""

import contextlib
import ipaddress
import json
import os
import signal
import socket
from typing import Any

from crenel.net.lab import calls
from crenel.net.lab.interior import furnish, plant, show_interfaces
from crenel.net.lab.netlink import Interfaces
from crenel.net.lab.tun import open_tun
from crenel.net.lab.waiter import attend

DEVICE = "lab0"
"""The only way out of a side."""
LISTINGS = ("tcp", "tcp6", "udp", "udp6")
"""Tables of /proc/net that say who listens."""
SPAWN, SOCKET = b"spawn", b"socket"
"""What may be asked of a side: to run what the first descriptor's file describes, or for a new socket of a family and a kind."""

_MOST_DESCRIPTORS = 5
_SETTINGS = (
    ("ipv6/conf/lab0/accept_ra", "0"),
    ("ipv6/conf/lab0/addr_gen_mode", "1"),  # no address that nobody gave it
    ("ipv6/conf/lab0/router_solicitations", "0"),
    ("ipv6/conf/lab0/accept_dad", "0"),
    ("ipv4/conf/lab0/rp_filter", "0"),
    ("ipv4/conf/all/rp_filter", "0"),
    ("ipv6/ip_nonlocal_bind", "1"),  # of IPv6, an address in a network that is all its own cannot be bound otherwise
    ("ipv4/ip_unprivileged_port_start", "0"),
    ("ipv4/ping_group_range", "0 0"),
    ("ipv4/tcp_no_metrics_save", "1"),  # what one connection measured is not carried over to the next
)
_NAMESPACES = calls.CLONE_NEWNET | calls.CLONE_NEWNS | calls.CLONE_NEWUTS | calls.CLONE_NEWIPC


def hold(plan: dict[str, Any], side: dict[str, Any], control: socket.socket, notes: list[str]) -> None:
    """Build one side, say so, and serve it until the other end of the control socket is closed; never return."""
    try:
        calls.die_with_parent(signal.SIGKILL)
        calls.unshare(_NAMESPACES)
        tun = open_tun(DEVICE)
        more = set_up(plan, side)
        listings = open_listings()
        answer = json.dumps({"notes": notes + more}).encode()
        socket.send_fds(control, [answer], [tun, *listings])
        for descriptor in (tun, *listings):
            os.close(descriptor)
    except OSError as problem:
        with contextlib.suppress(OSError):
            control.send(json.dumps({"problem": f"the {side['name']}'s side could not be set up: {problem}"}).encode())
        os._exit(1)
    _serve(control)
    os._exit(0)


def set_up(plan: dict[str, Any], side: dict[str, Any]) -> list[str]:
    """Give this namespace its interfaces, routes, name and files; return what could not be had. Raises OSError."""
    furnish()
    notes = plant(side["files"], side["trust"])
    if not show_interfaces():
        notes.append("/sys shows the interfaces outside: this machine lets no user mount it anew")
    socket.sethostname(side["name"])
    for path, value in _SETTINGS:
        # A kernel without one of these does not have what it sets either.
        with contextlib.suppress(OSError), open(f"/proc/sys/net/{path}", "w", encoding="ascii") as file:  # noqa: PTH123
            file.write(value)
    interfaces = Interfaces()
    interfaces.up("lo")
    interfaces.up(DEVICE, mtu=plan["mtu"], queue=plan["queue"])
    versions = {4}
    for address in side["addresses"]:
        try:
            interfaces.add_address(DEVICE, address)
        except OSError:
            if ":" not in address:
                raise
            notes.append("this kernel has no IPv6")
        else:
            versions.add(6 if ":" in address else 4)
    for network in map(ipaddress.ip_network, side["own"]):
        if network.version in versions:
            interfaces.own(network)
    for network in map(ipaddress.ip_network, ("0.0.0.0/0", "::/0")):
        if network.version in versions:
            interfaces.route(DEVICE, network)
    interfaces.close()
    return notes


def open_listings() -> list[int]:
    """Return descriptors of the tables of listening sockets; one that does not exist is replaced by an empty one. Raises OSError."""
    found = []
    for name in LISTINGS:
        try:
            found.append(os.open(f"/proc/self/net/{name}", os.O_RDONLY | os.O_CLOEXEC))
        except FileNotFoundError:
            found.append(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))
    return found


def _serve(control: socket.socket) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # waiters leave no trace
    while True:
        request, descriptors = calls.receive(control, _MOST_DESCRIPTORS)
        if not request:
            return
        kind, *numbers = request.split()
        if kind == SPAWN:
            if not os.fork():
                control.close()
                attend(descriptors)
        elif kind == SOCKET:
            _open_socket(control, int(numbers[0]), int(numbers[1]))
        for descriptor in descriptors:
            os.close(descriptor)


def _open_socket(control: socket.socket, family: int, kind: int) -> None:
    try:
        opened = socket.socket(family, kind)
    except OSError as problem:
        control.send(json.dumps({"problem": f"no such socket: {problem}"}).encode())
        return
    socket.send_fds(control, [b"{}"], [opened.fileno()])
    opened.close()
