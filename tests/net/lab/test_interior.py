"""The file system in a lab: its own resolver, hosts and trust store, no sockets of the machine, and outside nothing has changed."""

import os
import socket
import tempfile
from pathlib import Path

import pytest

from crenel.net.lab.interior import HOME, TRUST
from crenel.net.lab.lab import Lab
from crenel.net.lab.plan import Layout, Plan
from tests.net.lab.machine import NEAR, NEEDS_LAB, OPEN

BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt")


@NEEDS_LAB
def test_what_is_planted_shows_in_the_lab_alone() -> None:
    before = {path: Path(path).read_bytes() for path in ("/etc/hosts", "/etc/resolv.conf", "/etc/hostname") if Path(path).exists()}
    plan = Plan(layout=Layout(resolver="198.51.100.7"), trust="the lab's own\n", files={"/etc/hostname": "invented\n"})
    with Lab(OPEN, route=NEAR, plan=plan) as lab:
        for end in ("client", "server"):
            done = lab.run(["cat", "/etc/resolv.conf", "/etc/hosts"], timeout=20, end="client" if end == "client" else "server")
            assert done.stdout == b"nameserver 198.51.100.7\n127.0.0.1 localhost\n::1 localhost\n"
        if "/etc/hostname" in before:
            assert lab.run(["cat", "/etc/hostname"], timeout=20).stdout == b"invented\n"
        stores = [TRUST, *(path for path in BUNDLES if Path(path).exists())]
        assert lab.run(["cat", *stores], timeout=20).stdout == b"the lab's own\n" * len(stores)
        assert lab.run(["sh", "-c", "cat $SSL_CERT_FILE $CURL_CA_BUNDLE"], timeout=20).stdout == b"the lab's own\n" * 2
        assert {path: Path(path).read_bytes() for path in before} == before
    assert not Path(HOME).exists()


@NEEDS_LAB
def test_a_file_that_is_absent_is_told_of() -> None:
    with Lab(OPEN, route=NEAR, plan=Plan(files={"/etc/no-such-file": "x", "/run/service/resolv.conf": "y"})) as lab:
        assert any(note.startswith("/etc/no-such-file is absent here") for note in lab.notes)
        assert lab.run(["cat", "/run/service/resolv.conf"], timeout=20).stdout == b"y"


def test_no_socket_of_a_service_of_the_machine_shows(lab: Lab) -> None:
    if not os.access("/run", os.W_OK):
        pytest.skip("only root may put a socket where services do")
    with tempfile.TemporaryDirectory(dir="/run") as folder, socket.socket(socket.AF_UNIX) as service:
        service.bind(f"{folder}/socket")
        assert lab.run(["test", "-e", folder], timeout=20).status == 1
    hidden = lab.run(["find", "/run", "/var/run/", "-type", "s"], timeout=20)
    assert hidden.stdout == b""
