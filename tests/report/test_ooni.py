"""Measurements as a probe of OONI would have taken them: of its shapes, read by its own library, and with the truth beside them."""

import json
import os
import subprocess
from pathlib import Path

import msgspec
import pytest

from crenel.errors import UsageError
from crenel.net.app.target import read_target
from crenel.report.ooni import Json, measurement, probe_steps
from tests.data import data_path
from tests.report.tried import carried, wall_of

SITES = ["https://blocked.example/", "https://allowed.example/", "http://allowed.example/?q=ultrasurf", "http://allowed.example/", "https://192.0.2.1/"]
NAMES = ["blocked.example", "allowed.example", "dns-tcp://blocked.example", "dns://allowed.example?type=AAAA"]
READ = """
import json, sys
from oonidata.models.nettests import NETTEST_MODELS
for line in sys.stdin:
    raw = json.loads(line)
    model = NETTEST_MODELS[raw["test_name"]].from_dict(raw)
    keys = model.test_keys
    lookups = keys.queries if raw["test_name"] == "web_connectivity" else [query for one in keys.lookups.values() for query in one.queries]
    print(type(model).__name__, [answer.ipv4 or answer.ipv6 for query in lookups for answer in query.answers or []], getattr(keys, "blocking", None))
"""


def measured(target: str, day: str = "2025-01-15") -> dict[str, Json]:
    steps = probe_steps(read_target(target))
    return measurement(steps, [one.exchange for one in carried(wall_of(day), *steps, after=0.0)])


def keys(target: str) -> dict[str, Json]:
    found = measured(target)["test_keys"]
    assert isinstance(found, dict)
    return found


def kinds(value: Json, sample: object, place: str = "") -> list[str]:
    """Return where a value has another type than a real measurement, as far as both have something there."""
    if isinstance(value, dict) and isinstance(sample, dict):
        return [fault for key in value.keys() & sample.keys() for fault in kinds(value[key], sample[key], f"{place}.{key}")]
    if isinstance(value, list) and isinstance(sample, list):
        return kinds(value[0], sample[0], f"{place}[]") if value and sample else []
    if value is None or sample is None or value is False or sample is False:
        return []
    same = isinstance(value, type(sample)) or (isinstance(value, int | float) and isinstance(sample, int | float))
    return [] if same else [f"{place}: {value!r} is no {type(sample).__name__}"]


@pytest.mark.parametrize("target", SITES)
def test_the_shape_is_that_of_real_measurements(target: str) -> None:
    folder = data_path("ooni/minipipeline/generated")
    mine = measured(target)
    for path in sorted(folder.glob("*/measurement.json")):
        sample = json.loads(path.read_text("utf-8"))
        assert not kinds(mine, sample)
        assert sample.keys() <= mine.keys()
        derived = {key for key in sample["test_keys"] if not key.startswith("x_")}
        assert isinstance(mine["test_keys"], dict)
        assert derived <= mine["test_keys"].keys()
        for part in ("queries", "tcp_connect", "tls_handshakes", "requests"):
            rows = mine["test_keys"][part]
            assert isinstance(rows, list)
            for row, real in zip(rows[:1], (sample["test_keys"][part] or [])[:1], strict=False):
                assert isinstance(row, dict)
                assert real.keys() - {"as_org_name"} <= row.keys(), part


@pytest.mark.parametrize(
    ("target", "blocking", "failure", "consistency"),
    [
        ("https://allowed.example/", False, None, "consistent"),
        ("https://blocked.example/", "dns", "connection_reset", "inconsistent"),
        ("http://allowed.example/?q=ultrasurf", "http-failure", "connection_reset", "consistent"),
        ("https://192.0.2.1/", False, None, "consistent"),
    ],
)
def test_a_probe_concludes_what_it_would(target: str, blocking: Json, failure: str | None, consistency: str) -> None:
    found = keys(target)
    assert (found["blocking"], found["http_experiment_failure"], found["dns_consistency"]) == (blocking, failure, consistency)
    assert found["accessible"] is (blocking is False)


def test_the_truth_stands_in_the_annotations() -> None:
    truth = measured("https://blocked.example/")["annotations"]
    assert isinstance(truth, dict)
    assert truth["crenel_lookup_outcome"] == "tampered"
    assert truth["crenel_outcome"] == "blocked"
    assert "dns-1" in str(truth["crenel_middleboxes"])
    assert measured("https://allowed.example/")["annotations"]["crenel_middleboxes"] == ""  # type: ignore[index,call-overload]


def test_a_poisoned_look_up_has_all_its_answers() -> None:
    lookups = keys("blocked.example")["lookups"]
    assert isinstance(lookups, dict)
    [(url, lookup)] = lookups.items()
    assert url == "udp://198.51.100.2:53"
    assert isinstance(lookup, dict)
    assert (lookup["failure"], len(lookup["x_dns_duplicate_responses"])) == (None, 3)  # type: ignore[arg-type]
    assert keys("dns-tcp://blocked.example")["lookups"]["tcp://198.51.100.2:53"]["failure"] == "connection_reset"  # type: ignore[index,call-overload]


def test_a_page_is_told_whole() -> None:
    requests = keys("http://allowed.example/")["requests"]
    assert isinstance(requests, list)
    request = requests[0]
    assert isinstance(request, dict)
    assert request["response"]["code"] == 200  # type: ignore[index,call-overload]
    assert "This is allowed.example" in str(request["response"]["body"])  # type: ignore[index,call-overload]


@pytest.mark.parametrize("target", ["quic://allowed.example/", "ftp://allowed.example/x"])
def test_what_ooni_does_not_measure_is_refused(target: str) -> None:
    with pytest.raises(UsageError, match="OONI measures websites"):
        probe_steps(read_target(target))


def test_oonis_own_library_reads_them() -> None:
    """It needs other versions of our dependencies, and so an interpreter of its own: CRENEL_OONIDATA names one that has it."""
    python = os.environ.get("CRENEL_OONIDATA")
    if not python or not Path(python).exists():
        pytest.skip("CRENEL_OONIDATA names no interpreter that has oonidata")
    lines = b"".join(msgspec.json.encode(measured(target)) + b"\n" for target in [*SITES, *NAMES])
    told = subprocess.run([python, "-c", READ], input=lines, capture_output=True, check=True, timeout=60).stdout.decode().splitlines()
    assert [line.partition(" ")[0] for line in told] == ["WebConnectivity"] * len(SITES) + ["DNSCheck"] * len(NAMES)
    assert told[0] == "WebConnectivity ['198.18.0.4'] dns"
    assert told[1] == "WebConnectivity ['203.0.113.227'] False"
