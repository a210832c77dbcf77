"""HTTP/1.1 requests in, pages out: whole, cut, chunked, too long; DNS over HTTPS as another library reads it."""

import base64
import contextlib
import http.client
import socket
import ssl

import dns.message
import pytest

from crenel.net.lab.internet.internet import Internet
from tests.net.lab.internet.nearby import ADDRESS, AUTHORITY

QUERY = dns.message.make_query("www.example.org", "A", use_edns=0)
TRUSTING = ssl.create_default_context(cadata=AUTHORITY.certificate)


def talk(near: Internet, said: bytes) -> bytes:
    with socket.create_connection((ADDRESS, near.ports["http"]), timeout=10) as raw:
        raw.sendall(said)
        raw.shutdown(socket.SHUT_WR)
        parts = []
        while part := raw.recv(65536):
            parts.append(part)
    return b"".join(parts)


def test_any_name_and_path_has_a_page_and_a_connection_serves_many(near: Internet) -> None:
    connection = http.client.HTTPConnection(ADDRESS, near.ports["http"], timeout=10)
    for method, path in (("GET", "/"), ("POST", "/a/b?c"), ("HEAD", "/"), ("GET", "/<b>")):
        connection.request(method, path, b"body" if method == "POST" else None, {"Host": "a.example"})
        response = connection.getresponse()
        assert response.status == 200
        assert response.read() == (b"" if method == "HEAD" else PAGE)
    connection.close()


PAGE = b"<!doctype html>\n<title>a.example</title>\n<h1>a.example</h1>\n<p>This is a.example in a lab, over HTTP/1.1.\n"


def test_a_name_that_is_a_tag_is_written_as_text(near: Internet) -> None:
    assert b"<h1>&lt;b&gt;</h1>" in talk(near, b"GET / HTTP/1.1\r\nHost: <b>\r\nConnection: close\r\n\r\n")


def test_so_many_bytes_are_sent(near: Internet) -> None:
    said = talk(near, b"GET /bytes/200000 HTTP/1.0\r\n\r\n")
    assert said.partition(b"\r\n\r\n")[2] == bytes(200_000)


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"NONSENSE\r\n\r\n", b"400"),
        (b"GET / HTTP/3.0\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", b"413"),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"413"),
        (b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n", b"413"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n", b"413"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfffffffff\r\n", b"413"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nX: y\r\n\r\n", b"200"),
        (b"GET /dns-query HTTP/1.1\r\n\r\n", b"400"),
        (b"GET /dns-query?dns=%21 HTTP/1.1\r\n\r\n", b"400"),
        (b"POST /dns-query HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", b"400"),
        (b"GET /certificate?server_name=a.example HTTP/1.1\r\n\r\n", b"200"),
    ],
)
def test_odd_requests_get_their_status(near: Internet, request_bytes: bytes, status: bytes) -> None:
    said = talk(near, request_bytes)
    assert said.split(b" ")[1] == status
    assert b"PRIVATE" not in said


def test_a_head_without_end_ends_the_connection_and_not_the_server(near: Internet) -> None:
    with contextlib.suppress(OSError):  # it may be reset while the rest of the head is still being sent
        assert talk(near, b"GET / HTTP/1.1\r\nX: " + b"a" * 200_000)[:12] == b"HTTP/1.1 431"
    assert talk(near, b"GET / HTTP/1.0\r\n\r\n")[:12] == b"HTTP/1.1 200"


def test_a_client_that_waits_is_told_to_go_on(near: Internet) -> None:
    said = talk(near, b"POST / HTTP/1.1\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\na")
    assert said.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")


def test_a_request_that_is_cut_gets_nothing(near: Internet) -> None:
    assert talk(near, b"GET / HTTP/1.1\r\nHost:") == b""


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_dns_is_answered_over_https(near: Internet, method: str) -> None:
    raw = socket.create_connection((ADDRESS, near.ports["https"]), timeout=10)
    connection = http.client.HTTPSConnection("dns.example", timeout=10)
    connection.sock = TRUSTING.wrap_socket(raw, server_hostname="dns.example")
    wire = QUERY.to_wire()
    path = "/dns-query" if method == "POST" else f"/dns-query?dns={base64.urlsafe_b64encode(wire).decode().rstrip('=')}"
    connection.request(method, path, wire if method == "POST" else None)
    response = connection.getresponse()
    assert response.headers["Content-Type"] == "application/dns-message"
    answered = dns.message.from_wire(response.read())
    assert QUERY.is_response(answered)
    assert answered.answer
    connection.close()
