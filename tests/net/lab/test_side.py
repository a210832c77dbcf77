"""One end of a lab: its name, its settings, who listens there, sockets of its kernel, and that the ends share nothing."""

import socket

import pytest

from crenel.errors import LabError
from crenel.net.lab.lab import Lab
from crenel.net.path.path import End
from tests.net.lab.machine import SERVER, python


def test_each_end_has_its_name_and_settings(lab: Lab) -> None:
    settings = "ipv4/ip_unprivileged_port_start", "ipv6/conf/lab0/accept_ra"
    asked = ["cat", "/proc/sys/kernel/hostname", *(f"/proc/sys/net/{name}" for name in settings)]
    assert lab.run(asked, timeout=20).stdout == b"client\n0\n0\n"
    assert lab.run(asked, timeout=20, end="server").stdout == b"server\n0\n0\n"


def test_the_ends_are_two_kernels_for_all_that_programs_can_tell(lab: Lab) -> None:
    asked = ["sh", "-c", "readlink /proc/self/ns/net /proc/self/ns/mnt /proc/self/ns/uts /proc/self/ns/ipc"]
    ours, theirs = lab.run(asked, timeout=20).stdout.split(), lab.run(asked, timeout=20, end="server").stdout.split()
    assert len(ours) == 4
    assert not set(ours) & set(theirs)
    asked = ["readlink", "/proc/self/ns/pid"]
    assert lab.run(asked, timeout=20).stdout == lab.run(asked, timeout=20, end="server").stdout


def test_no_process_outside_can_be_seen(lab: Lab) -> None:
    listed = lab.run(["sh", "-c", "ls -d /proc/[0-9]* | wc -l"], timeout=20)
    assert int(listed.stdout) < 10


def test_sockets_of_either_kernel_can_be_had(lab: Lab) -> None:
    kind = socket.AF_INET, socket.SOCK_STREAM
    with lab.open_socket("server", *kind) as server, lab.open_socket("client", *kind) as client:
        server.bind((SERVER, 7001))
        server.listen()
        assert ("tcp", 7001) in lab._made().listeners(End.SERVER)
        assert ("tcp", 7001) not in lab._made().listeners(End.CLIENT)
        client.settimeout(5)
        client.connect((SERVER, 7001))
        near, (address, _) = server.accept()
        with near:
            assert address == "192.0.2.2"
            near.sendall(b"heard")
            assert client.recv(100) == b"heard"


def test_a_socket_that_no_kernel_has_is_an_error(lab: Lab) -> None:
    with pytest.raises(LabError, match="no such socket"):
        lab.open_socket("client", 200, 1)
    assert lab.run(["true"], timeout=20).status == 0


def test_who_listens_is_known_by_transport_and_port(lab: Lab) -> None:
    script = "import socket, time\ns = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)\ns.bind(('::', 7002))\ntime.sleep(60)"
    server = lab.serve(python(script), port=7002, transport="udp")
    found = lab._made().listeners(End.SERVER)
    assert ("udp", 7002) in found
    assert ("tcp", 7002) not in found
    server.stop()
    assert ("udp", 7002) not in lab._made().listeners(End.SERVER)
