"""Commands in a lab in, what a probe of OONI would have measured of their flows out, with the truth from the lab's own servers."""

import pytest

from crenel.atlas.compile import load_wall
from crenel.net.lab.pace import Pace
from crenel.net.lab.stage import Stage
from crenel.report.ooni import Json
from crenel.report.ooni_run import run_measurements
from crenel.report.run import tell_flows
from tests.net.lab.machine import ASK, NEEDS_LAB, SERVER, python

WALL = load_wall("gfw", as_of="2025-01-15")
REQUEST = b"GET / HTTP/1.1\r\nHost: %b\r\nConnection: close\r\n\r\n"
LOOK_UP = """
import socket
try:
    found = socket.getaddrinfo({name!r}, 80, socket.AF_INET, socket.SOCK_STREAM)[0][4]
    with socket.create_connection(found, 1) as line:
        line.sendall(b"GET / HTTP/1.1\\r\\nHost: {name}\\r\\nConnection: close\\r\\n\\r\\n")
        while line.recv(4096):
            pass
except OSError:
    pass
"""


def measured(*scripts: list[str]) -> list[dict[str, Json]]:
    with Stage(WALL, pace=Pace.STILL) as stage:
        return [one for script in scripts for one in run_measurements(tell_flows(stage.run(script, timeout=30), ""), "0")]


def keys(one: dict[str, Json]) -> dict[str, Json]:
    found = one["test_keys"]
    assert isinstance(found, dict)
    return found


@NEEDS_LAB
@pytest.mark.parametrize(("name", "blocking", "outcome"), [("allowed.example", False, "passed"), ("blocked.example", "http-failure", "blocked")])
def test_a_request_without_a_look_up_is_a_website(name: str, blocking: Json, outcome: str) -> None:
    (site,) = measured(python(ASK.format(address=SERVER, port=80, data=REQUEST % name.encode())))
    assert (site["test_name"], site["input"]) == ("web_connectivity", f"http://{name}/")
    assert keys(site)["blocking"] == blocking
    truth = site["annotations"]
    assert isinstance(truth, dict)
    assert truth["crenel_outcome"] == outcome


@NEEDS_LAB
def test_a_look_up_and_its_website_are_one_and_the_page_is_the_labs_own() -> None:
    (site,) = measured(python(LOOK_UP.format(name="www.allowed.example")))
    found = keys(site)
    assert (site["test_name"], found["blocking"], found["dns_consistency"]) == ("web_connectivity", False, "consistent")
    requests, control = found["requests"], found["control"]
    assert isinstance(requests, list)
    (request,) = requests
    assert isinstance(request, dict)
    assert isinstance(control, dict)
    page = request["response"]
    assert isinstance(page, dict)
    assert "www.allowed.example" in str(page["body"])
    assert control["http_request"]["body_length"] == len(str(page["body"]))  # type: ignore[index,call-overload]


@NEEDS_LAB
def test_a_look_up_that_led_nowhere_is_a_check_of_the_resolver() -> None:
    (look_up,) = measured(python(LOOK_UP.format(name="blocked.example")))
    truth = look_up["annotations"]
    assert isinstance(truth, dict)
    assert (look_up["test_name"], truth["crenel_outcome"]) == ("dnscheck", "tampered")
