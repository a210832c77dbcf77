"""Connections to every service in, answers out: DNS over each carrier, programs that take a port or an address of it."""

import http.client
import socket
import ssl
import struct
import sys
from pathlib import Path

import curl_cffi
import dns.message
import dns.query
import dns.rcode
import pytest
from curl_cffi import CurlHttpVersion, CurlOpt

from crenel.errors import LabError
from crenel.net.lab.internet.caddy import find_caddy
from crenel.net.lab.internet.internet import Internet
from crenel.net.lab.internet.scenario import Listen, Program
from tests.net.lab.internet.nearby import ADDRESS, AUTHORITY, NAMES, internet, setup_in
from tests.net.lab.internet.test_listening import free_port
from tests.net.lab.internet.test_programs import SERVER

TRUSTING = ssl.create_default_context(cadata=AUTHORITY.certificate)
QUERY = dns.message.make_query("www.example.org", "A")


def page(made: Internet, address: str, service: str = "http") -> bytes:
    connection = http.client.HTTPConnection(address, made.ports[service], timeout=10)
    connection.request("GET", "/")
    body = connection.getresponse().read()
    connection.close()
    return body


def test_dns_is_answered_over_each_carrier(near: Internet) -> None:
    ports = near.ports
    answers = [
        dns.query.udp(QUERY, ADDRESS, 10, ports["dns"]),
        dns.query.tcp(QUERY, ADDRESS, 10, ports["dns"]),
        dns.query.tls(QUERY, ADDRESS, 10, ports["dot"], ssl_context=TRUSTING, server_hostname="dns.example"),
    ]
    for answered in answers:
        assert answered.rcode() == dns.rcode.NOERROR
        assert answered.answer == answers[0].answer
        assert answered.answer[0][0].to_text() == NAMES.look_up("www.example.org")[0]


def test_queries_on_one_connection_are_answered_in_turn_until_one_is_none(near: Internet) -> None:
    wire = QUERY.to_wire()
    with socket.create_connection((ADDRESS, near.ports["dns"]), timeout=10) as raw:
        raw.sendall((struct.pack("!H", len(wire)) + wire) * 3 + b"\0\x03abc")
        heard = b""
        while part := raw.recv(65536):
            heard += part
    (size,) = struct.unpack_from("!H", heard)
    assert len(heard) == 3 * (size + 2)


def test_tls_without_a_name_shows_the_certificate_of_the_addresses(near: Internet) -> None:
    with TRUSTING.wrap_socket(socket.create_connection((ADDRESS, near.ports["dot"]), timeout=10), server_hostname=ADDRESS) as secure:
        assert secure.version() == "TLSv1.3"


def test_garbage_to_each_service_harms_no_other(near: Internet) -> None:
    for service, port in near.ports.items():
        with socket.create_connection((ADDRESS, port), timeout=10) as raw:
            raw.sendall(b"\xff" * 3000)
        assert service
    assert dns.query.udp(QUERY, ADDRESS, 10, near.ports["dns"]).answer


def test_without_caddy_quic_is_refused_at_once(near: Internet) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as quic:
        quic.settimeout(10)
        quic.connect((ADDRESS, near.ports["https"]))
        quic.send(b"hello")
        with pytest.raises(ConnectionRefusedError):
            quic.recv(100)


def program_at(address: str, port: int) -> tuple[Program, Listen]:
    command = (sys.executable, "-I", "-S", "-c", SERVER, "tcp", address, str(port))
    return Program("mine", command, (f"tcp/{address}:{port}",)), Listen("tcp", address, port)


def test_a_program_has_its_address_and_names_still_lead_to_pages(tmp_path: Path) -> None:
    port = free_port()
    program, claim = program_at("127.0.0.9", port)
    setup = setup_in(tmp_path)
    with internet(setup, ports={**setup.ports, "http": port}, programs=(program,), claims=(claim,)) as made:
        assert b"in a lab" in page(made, ADDRESS)
        address = NAMES.look_up("other.example")[0]
        with pytest.raises(ConnectionRefusedError):
            page(made, address)
        assert dns.query.udp(dns.message.make_query("other.example", "A"), ADDRESS, 10, made.ports["dns"]).answer
        assert b"in a lab" in page(made, address)
        socket.create_connection(("127.0.0.9", port), timeout=10).close()
        assert not made.problems()


def test_the_same_with_caddy(tmp_path: Path) -> None:
    caddy = find_caddy()
    if caddy is None:
        pytest.skip("peer absent: caddy (the extra lab brings it)")
    trust = tmp_path / "trust.pem"
    trust.write_text(AUTHORITY.certificate)
    port = free_port()
    program, claim = program_at("127.0.0.9", port)
    setup = setup_in(tmp_path)
    with internet(setup, ports={**setup.ports, "https": port}, programs=(program,), claims=(claim,), caddy=caddy) as made:
        for name in ("other.example", "third.example"):
            dns.query.udp(dns.message.make_query(name, "A"), ADDRESS, 10, made.ports["dns"])
            place = f"{name}:{port}:{NAMES.look_up(name)[0]}"
            with curl_cffi.Session(curl_options={CurlOpt.RESOLVE: [place]}) as session:
                found = session.get(f"https://{name}:{port}/", http_version=CurlHttpVersion.V2TLS, verify=str(trust), timeout=10)
            assert "over HTTP/2.0" in found.text


@pytest.mark.parametrize("service", ["http", "dns", "https"])
@pytest.mark.parametrize("kind", ["near", "near-caddy"])
def test_a_port_is_given_to_a_program_that_comes_later(tmp_path: Path, service: str, kind: str) -> None:
    caddy = find_caddy() if kind == "near-caddy" else None
    if kind == "near-caddy" and caddy is None:
        pytest.skip("peer absent: caddy (the extra lab brings it)")
    with internet(setup_in(tmp_path), caddy=caddy) as made:
        assert b"in a lab" in page(made, ADDRESS)
        port = made.ports[service]
        made.release("tcp", port)
        socket.create_server((ADDRESS, port)).close()
        if service != "http":
            assert b"in a lab" in page(made, ADDRESS)
        made.release("tcp", port)


def test_a_program_that_does_not_come_up_is_an_error(tmp_path: Path) -> None:
    program = Program("mine", ("sh", "-c", "echo no key >&2; exit 2"), ("tcp/1",))
    with (
        pytest.raises(LabError, match=r"the server program mine ended with status 2, before it listened on tcp/1: no key"),
        internet(setup_in(tmp_path), programs=(program,), claims=(Listen("tcp", None, 1),)),
    ):
        pass


def test_a_program_that_cannot_be_run_is_an_error(tmp_path: Path) -> None:
    programs = (Program("mine", ("no-such-server",)),)
    with pytest.raises(LabError, match="no-such-server: No such file"), internet(setup_in(tmp_path), programs=programs):
        pass
