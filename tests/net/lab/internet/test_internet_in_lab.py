"""Real programs in a lab's client namespace in, what the lab's internet says to them out, from the very addresses that they ask."""

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from crenel.net.lab.command import Completed
from crenel.net.lab.internet.authority import make_authority
from crenel.net.lab.internet.caddy import find_caddy
from crenel.net.lab.internet.internet import Internet
from crenel.net.lab.internet.naming import Names
from crenel.net.lab.internet.scenario import Program, Scenario, parse_scenario
from crenel.net.lab.internet.setup import missing_networks, set_up
from crenel.net.lab.lab import Lab
from crenel.net.lab.plan import Layout, Plan, environment
from crenel.net.path.path import End
from tests.net.lab.internet.test_programs import SERVER
from tests.net.lab.machine import MISSING, NEAR, OPEN, descendants, wait_until_gone

NAMES = Names()


@contextlib.contextmanager
def lab_with(scenario: Scenario) -> Iterator[tuple[Lab, Internet]]:
    """Open a lab in which nothing happens to packets, with an internet."""
    authority = make_authority()
    layout = Layout()
    layout = Layout(served=(*layout.served, *missing_networks(scenario, layout.served)))
    setup = set_up(authority.certificate, authority.key, scenario, addresses=(layout.resolver, *layout.server), caddy=find_caddy())
    with Lab(OPEN, route=NEAR, plan=Plan(layout=layout, trust=authority.certificate)) as lab:
        namespaces = lab._namespaces
        assert namespaces is not None
        made = Internet(
            lambda argv, streams: namespaces.spawn(End.SERVER, argv, streams, environment(End.SERVER), "/", own_session=True), setup
        )
        try:
            made.listen()
            yield lab, made
            assert made._last_words() == ""
        finally:
            made.close()


@pytest.fixture(scope="module")
def furnished() -> Iterator[Lab]:
    if MISSING:
        pytest.skip(f"no lab on this machine: {MISSING}")
    with lab_with(Scenario()) as (lab, _):
        yield lab


def run(lab: Lab, command: str) -> Completed:
    return lab.run(command.split(), timeout=20)


@pytest.mark.peer("curl")
@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("curl -sS http://www.example.org/", b"This is www.example.org in a lab, over HTTP/1.1"),
        ("curl -sS -4 https://www.example.org/", b"This is www.example.org in a lab, over HTTP/"),
        ("curl -sS -6 https://www.example.org/", b"This is www.example.org in a lab, over HTTP/"),
        ("curl -sS https://203.0.113.77/", b"This is 203.0.113.77 in a lab"),
        ("curl -sS --doh-url https://dns.example/dns-query https://b.example/", b"This is b.example in a lab"),
        ("curl -sS -4 ftp://f.example/a.txt", b"This is a.txt in a lab."),
        ("curl -sS -6 ftp://f.example/a.txt", b"This is a.txt in a lab."),
        ("curl -sS -o /dev/null -w %{size_download} https://b.example/bytes/500000", b"500000"),
    ],
)
def test_curl_is_served_and_believes(furnished: Lab, command: str, said: bytes) -> None:
    done = run(furnished, command)
    assert not done.stderr, done.stderr.decode()
    assert said in done.stdout
    assert done.status == 0


@pytest.mark.peer("dig")
@pytest.mark.parametrize("how", ["", "+tcp", "@203.0.113.9", "@2001:db8:5e::53", "@203.0.113.53 +tls", "@203.0.113.53 +https", "@10.99.1.2"])
def test_dig_is_answered_from_where_it_asks(furnished: Lab, how: str) -> None:
    done = run(furnished, f"dig +short +tries=1 +time=10 {how} www.example.org")
    assert done.stdout.decode().split() == [NAMES.look_up("www.example.org")[0]], done


def test_the_resolver_of_the_system_finds_every_name(furnished: Lab) -> None:
    script = "import socket; print(*{each[4][0] for each in socket.getaddrinfo('www.example.org', 80)})"
    done = furnished.run([sys.executable, "-I", "-S", "-c", script], timeout=20)
    assert set(done.stdout.decode().split()) == set(NAMES.look_up("www.example.org")), done.stderr


HTTP_3 = """
import os, curl_cffi
from curl_cffi import CurlHttpVersion
for name in ("a.example", "b.example"):
    print(curl_cffi.get(f"https://{name}/", http_version=CurlHttpVersion.V3ONLY, verify=os.environ["SSL_CERT_FILE"]).text)
"""


def test_http_3_is_spoken_from_the_address_that_was_asked(furnished: Lab) -> None:
    if find_caddy() is None:
        pytest.skip("peer absent: caddy (the extra lab brings it)")
    done = furnished.run([sys.executable, "-c", HTTP_3], timeout=30)
    assert done.stdout.count(b"over HTTP/3.0") == 2, done.stderr.decode()


SCENARIO = """
[[host]]
name = "far.example"
addresses = ["198.18.7.7"]

[[program]]
name = "mine"
command = [{python!r}, "-I", "-S", "-c", '''{script}''', "tcp", "198.18.7.7", "443"]
listen = ["tcp/198.18.7.7:443"]
"""


@pytest.mark.skipif(bool(MISSING), reason=f"no lab on this machine: {MISSING}")
@pytest.mark.peer("curl")
def test_a_scenario_adds_a_host_with_a_program_beside_the_pages() -> None:
    scenario = parse_scenario(SCENARIO.format(python=sys.executable, script=SERVER).encode(), "scenario.toml")
    with lab_with(scenario) as (lab, made):
        made.come_up()
        assert not made.problems()
        assert b"far.example" in run(lab, "curl -sS http://far.example/").stdout
        assert run(lab, "curl -sS --connect-timeout 5 -m 1 https://far.example/").status == 28  # the program takes the call and says nothing
        assert b"other.example" in run(lab, "curl -sS https://other.example/").stdout


@pytest.mark.skipif(bool(MISSING), reason=f"no lab on this machine: {MISSING}")
@pytest.mark.peer("curl")
def test_nothing_of_it_outlives_the_lab() -> None:
    before = descendants(os.getpid())
    program = Program("mine", ("sh", "-c", "setsid sleep 60 & exec sleep 60"))
    with lab_with(Scenario(program=(program,))) as (lab, made):
        made.come_up()
        assert run(lab, "curl -sS https://a.example/").status == 0
        during = {number: began for number, began in descendants(os.getpid()).items() if number not in before}
        assert len(during) >= 6  # the keeper, the first process, two sides, the waiter, the internet, Caddy and two that sleep
    assert not wait_until_gone(during)


@pytest.mark.skipif(bool(MISSING), reason=f"no lab on this machine: {MISSING}")
def test_a_port_is_given_to_a_server_that_comes_later() -> None:
    with lab_with(Scenario()) as (lab, made):
        made.come_up()
        made.release("tcp", 443)
        lab.serve([sys.executable, "-m", "http.server", "443", "--bind", "0.0.0.0", "--directory", str(Path(__file__).parent)], port=443)


@pytest.mark.long
@pytest.mark.skipif(bool(MISSING), reason=f"no lab on this machine: {MISSING}")
@pytest.mark.peer("curl")
def test_up_one_page_and_down_is_quick() -> None:
    found = []
    for _ in range(7):
        began = time.perf_counter()
        with lab_with(Scenario()) as (lab, _):
            up = time.perf_counter()
            assert run(lab, "curl -sS https://www.example.org/").status == 0
            done = time.perf_counter()
        found.append((time.perf_counter() - began, up - began, done - up))
    whole, up, page = sorted(found)[3]
    print(f"whole {whole * 1000:.0f} ms: up {up * 1000:.0f} ms, curl {page * 1000:.0f} ms")
    assert whole < 1.5
    assert up < 0.4
