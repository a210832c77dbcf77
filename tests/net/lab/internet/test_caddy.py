"""Sockets in, Caddy behind them out: HTTP/1.1, HTTP/2 and HTTP/3 for any name, begun by the first connection, done without where it fails."""

import json
import os
import time
from pathlib import Path

import curl_cffi
import dns.message
import pytest
from curl_cffi import CurlHttpVersion, CurlOpt

from crenel.net.lab.internet.authority import make_authority
from crenel.net.lab.internet.caddy import configure, find_caddy
from crenel.net.lab.internet.internet import Internet
from tests.net.lab.internet.nearby import ADDRESS, AUTHORITY, internet, setup_in
from tests.net.lab.machine import descendants


@pytest.fixture
def trust(tmp_path: Path) -> str:
    file = tmp_path / "trust.pem"
    file.write_text(AUTHORITY.certificate)
    return str(file)


def fetch(made: Internet, name: str, trust: str, version: CurlHttpVersion, path: str = "/", data: bytes | None = None) -> curl_cffi.Response:
    port = made.ports["https"]
    with curl_cffi.Session(curl_options={CurlOpt.RESOLVE: [f"{name}:{port}:{ADDRESS}"]}) as session:
        url = f"https://{name}:{port}{path}"
        method = "GET" if data is None else "POST"
        answer: curl_cffi.Response = session.request(method, url, data=data, http_version=version, verify=trust, timeout=10)
        return answer


@pytest.mark.parametrize(
    ("version", "said"), [(CurlHttpVersion.V1_1, "HTTP/1.1"), (CurlHttpVersion.V2TLS, "HTTP/2.0"), (CurlHttpVersion.V3ONLY, "HTTP/3.0")]
)
def test_any_name_is_served_over_each_version(near_caddy: Internet, trust: str, version: CurlHttpVersion, said: str) -> None:
    for name in ("a.example", "www.b.example"):
        page = fetch(near_caddy, name, trust, version)
        assert page.status_code == 200
        assert page.text.endswith(f"<p>This is {name} in a lab, over {said}.\n")


def test_a_client_that_trusts_others_refuses(near_caddy: Internet, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    other.write_text(make_authority().certificate)
    with pytest.raises(curl_cffi.CurlError, match=r"SSL certificate|unable to get local issuer"):
        fetch(near_caddy, "a.example", str(other), CurlHttpVersion.V2TLS)


def test_plain_http_is_served(near_caddy: Internet) -> None:
    page = curl_cffi.get(f"http://{ADDRESS}:{near_caddy.ports['http']}/x", headers={"Host": "a.example"}, timeout=10)
    assert page.text.endswith("<p>This is a.example in a lab, over HTTP/1.1.\n")
    assert "Location" not in page.headers


@pytest.mark.parametrize("version", [CurlHttpVersion.V2TLS, CurlHttpVersion.V3ONLY])
def test_what_is_no_mere_page_is_passed_on(near_caddy: Internet, trust: str, version: CurlHttpVersion) -> None:
    assert fetch(near_caddy, "a.example", trust, version, "/bytes/300000").content == bytes(300_000)
    query = dns.message.make_query("www.example.org", "A")
    answered = dns.message.from_wire(fetch(near_caddy, "dns.example", trust, version, "/dns-query", query.to_wire()).content)
    assert query.is_response(answered)
    assert answered.answer


def test_no_client_gets_a_key(near_caddy: Internet, trust: str) -> None:
    assert "PRIVATE" not in fetch(near_caddy, "a.example", trust, CurlHttpVersion.V2TLS, "/certificate?server_name=a.example").text


def commands() -> list[str]:
    found = []
    for number in descendants(os.getpid()):
        try:
            found.append(Path(f"/proc/{number}/cmdline").read_bytes().partition(b"\0")[0].decode())
        except OSError:
            continue
    return found


def test_it_begins_with_the_first_connection_and_ends_with_the_rest(tmp_path: Path, trust: str) -> None:
    caddy = find_caddy()
    if caddy is None:
        pytest.skip("peer absent: caddy (the extra lab brings it)")
    alias = tmp_path / "caddy-of-this-test"
    alias.symlink_to(caddy)
    with internet(setup_in(tmp_path), caddy=str(alias)) as made:
        assert str(alias) not in commands()
        assert fetch(made, "a.example", trust, CurlHttpVersion.V2TLS).status_code == 200
        assert commands().count(str(alias)) == 1
    assert str(alias) not in commands()


@pytest.mark.parametrize("program", ["false", "absent"])
def test_python_serves_where_it_does_not_run(tmp_path: Path, trust: str, program: str) -> None:
    broken = tmp_path / program
    if program == "false":
        broken.write_text("#!/bin/sh\nexit 1\n")
        broken.chmod(0o755)
    with internet(setup_in(tmp_path), caddy=str(broken)) as made:
        assert not made.problems()
        assert "over HTTP/1.1" in fetch(made, "a.example", trust, CurlHttpVersion.V2TLS).text
        assert made.problems() == ("Caddy does not run here, so that the lab's web servers speak no HTTP/2 and HTTP/3",)


def test_a_configuration_names_only_what_there_is() -> None:
    servers = configure((), {("http", "tcp"): ["127.0.0.9:80"]}, 1, "/nowhere")["apps"]["http"]["servers"]
    assert list(servers) == ["plain"]
    assert servers["plain"]["listen"] == ["127.0.0.9:80"]
    both = configure((), {("https", "udp"): ["[::1]:443"], ("https", "tcp"): ["127.0.0.9:443"]}, 1, "/nowhere")
    assert both["apps"]["http"]["servers"]["secure"]["listen"] == ["127.0.0.9:443", "[::1]:443"]
    assert both["apps"]["http"]["servers"]["secure"]["listen_protocols"] == [["h1", "h2"], ["h3"]]
    assert json.dumps(both)


@pytest.mark.long
def test_how_long_the_first_page_takes(tmp_path: Path, trust: str) -> None:
    caddy = find_caddy()
    for number in range(5):
        with internet(setup_in(tmp_path / str(number)), caddy=caddy) as made:
            began = time.perf_counter()
            fetch(made, "a.example", trust, CurlHttpVersion.V2TLS)
            first = time.perf_counter()
            fetch(made, "b.example", trust, CurlHttpVersion.V2TLS)
            print(f"first {(first - began) * 1000:.0f} ms, next {(time.perf_counter() - first) * 1000:.0f} ms")
