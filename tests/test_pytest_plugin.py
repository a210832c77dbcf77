"""Suites of users in, what pytest makes of them with the plugin out: each runs in a pytest of its own; so does the example project."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.net.lab.machine import NEEDS_LAB

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "transport-ci"


class Ran(NamedTuple):
    """How a pytest ended."""

    status: int
    out: str


def run(folder: Path, *options: str, environment: dict[str, str] | None = None) -> Ran:
    """Run pytest in a folder, with this plugin and xdist and no other."""
    env = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(ROOT / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    env |= {"COLUMNS": "100", **(environment or {})}
    words = [sys.executable, "-m", "pytest", "-p", "crenel.pytest_plugin", "-p", "xdist.plugin", "-p", "no:cacheprovider", "-rs", *options]
    done = subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=100)
    return Ran(done.returncode, done.stdout + done.stderr)


def suite(folder: Path, text: str) -> Path:
    """Write a suite of one module."""
    (folder / "pytest.ini").write_text("[pytest]\naddopts = --strict-markers\nfilterwarnings = error\n")
    (folder / "test_it.py").write_text(f"import crenel\nimport pytest\n\n{text}")
    return folder


NO_LAB = """
import crenel.net.lab.doctor as doctor
doctor.examine = lambda: doctor.judge({"tun": "[Errno 13] Permission denied", "root": "no", "user": "no", "lab": "no"}, [])
"""


@NEEDS_LAB
@pytest.mark.parametrize("options", [(), ("-n", "2")])
def test_the_example_passes_alone_and_with_xdist(tmp_path: Path, options: tuple[str, ...]) -> None:
    shutil.copytree(EXAMPLE, tmp_path / "veil")
    ran = run(tmp_path / "veil", "--lab-required", *options)
    assert ran.status == 0, ran.out
    assert "5 passed" in ran.out


@NEEDS_LAB
def test_a_transport_that_becomes_recognisable_fails_with_ladder_and_reason(tmp_path: Path) -> None:
    shutil.copytree(EXAMPLE, tmp_path / "veil")
    source = (tmp_path / "veil" / "veil.py").read_text("utf-8")
    assert '["greeting"])[0]' in source
    (tmp_path / "veil" / "veil.py").write_text(source.replace('["greeting"])[0]', '["bare"])[0]'), "utf-8")
    ran = run(tmp_path / "veil", "-n", "2")
    assert (ran.status, "1 failed, 4 passed" in ran.out) == (1, True), ran.out
    section = ran.out[ran.out.index("- what the wall did -") :]
    for said in ("flow 1: encrypted over tcp to 203.0.113.10:8388", "(times in ms)", "at risk, 26 %", "first payload: 232 bytes", "sources", "rule"):
        assert said in section
    assert re.search(r"where False = <Outcome of .*: status 0, 1 flows, 1 at risk>\.passed", ran.out)


def test_a_wall_judges_payloads_captures_and_simulated_exchanges_without_a_lab(tmp_path: Path) -> None:
    text = """
pytestmark = pytest.mark.wall("gfw", as_of="2022-06-01", seed=3)
NOISE = bytes(range(256))[::-1] * 2


def test_payload(wall):
    assert crenel.chance(b"GET / HTTP/1.1\\r\\nHost: allowed.example\\r\\n\\r\\n", wall, port=80) == 0
    assert crenel.chance(b"GET / HTTP/1.1\\r\\nHost: blocked.example\\r\\n\\r\\n", wall, port=80) > 0


def test_exchange(wall):
    assert crenel.try_url("https://blocked.example/", wall).at_risk
    assert wall.about.seed == 3


def test_capture(wall):
    assert any(flow.at_risk for flow in crenel.check_capture(CAPTURE, wall))


@pytest.mark.wall("gfw", as_of="2015-01-01")
def test_nearest_marker(wall):
    assert wall.about.as_of == "2015-01-01"


@pytest.mark.parametrize("day", [pytest.param(day, marks=pytest.mark.wall("gfw", as_of=day)) for day in ("2022-06-01", "2024-06-01")])
def test_days(wall, day):
    assert wall.about.as_of == day
"""
    folder = suite(tmp_path, text.replace("CAPTURE", repr(str(ROOT / "examples" / "first-look.pcapng"))))
    (folder / "conftest.py").write_text(NO_LAB)
    ran = run(folder)
    assert ran.status == 0, ran.out
    assert "6 passed" in ran.out


def test_an_exchange_that_a_failed_test_holds_is_shown(tmp_path: Path) -> None:
    text = """
@pytest.mark.wall("gfw", as_of="2025-01-15")
def test_it(wall):
    exchange = crenel.try_url("https://blocked.example/", wall)
    assert not exchange.at_risk
"""
    ran = run(suite(tmp_path, text))
    assert ran.status == 1
    section = ran.out[ran.out.index("- what the wall did -") :]
    assert "ClientHello blocked.example" in section
    assert "acts on 88 % of connections" in section


NEEDS = """
@pytest.mark.wall("gfw", as_of="2025-01-15")
def test_it(lab):
    assert lab.run("true").passed
"""


def test_without_a_lab_its_tests_are_skipped_with_what_is_missing_or_fail_where_it_is_required(tmp_path: Path) -> None:
    folder = suite(tmp_path, NEEDS)
    (folder / "conftest.py").write_text(NO_LAB)
    ran = run(folder)
    assert (ran.status, "1 skipped" in ran.out) == (0, True), ran.out
    assert "no lab on this machine: /dev/net/tun cannot be opened: [Errno 13] Permission denied (as root, `chmod 0666 /dev/net/tun`" in ran.out
    ran = run(folder, "--lab-required")
    assert (ran.status, "no lab on this machine" in ran.out) == (1, True), ran.out


@NEEDS_LAB
def test_memory_begins_empty_in_each_test_and_tolerate_is_obeyed(tmp_path: Path) -> None:
    (tmp_path / "ask.py").write_text(
        "import socket, sys\nnear = socket.create_connection(('203.0.113.9', 80))\n"
        "near.sendall(b'GET / HTTP/1.1\\r\\nHost: ' + sys.argv[1].encode() + b'\\r\\n\\r\\n')\nnear.recv(1)"
    )
    text = """
import sys


@pytest.mark.wall("gfw", as_of="2025-01-15")
def test_blocked(lab):
    assert not lab.run([sys.executable, "ask.py", "blocked.example"]).passed


@pytest.mark.wall("gfw", as_of="2025-01-15")
def test_allowed(lab):
    assert lab.run([sys.executable, "ask.py", "allowed.example"]).passed


@pytest.mark.wall("gfw", as_of="2025-01-15", tolerate=1.0, pace="real")
def test_tolerated(lab):
    outcome = lab.run([sys.executable, "ask.py", "blocked.example"])
    assert not outcome.at_risk
    assert outcome.flows[0].exchange.chance > 0
"""
    ran = run(suite(tmp_path, text), "-p", "no:randomly")
    assert ran.status == 0, ran.out
    assert "3 passed" in ran.out


def test_a_marker_that_asks_for_what_there_is_not_is_refused_with_what_there_is(tmp_path: Path) -> None:
    ran = run(suite(tmp_path, '@pytest.mark.wall("gfw", date="2025-01-15")\ndef test_it(wall):\n    pass\n'))
    assert ran.status == 1
    assert "the marker `wall` takes a name and, by keyword, as_of, assume" in ran.out
    assert "not date" in ran.out


def test_a_wall_file_lies_beside_the_test(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    shutil.copy(ROOT / "src" / "crenel" / "atlas" / "walls" / "gfw.toml", inner / "mine.toml")
    suite(inner, '@pytest.mark.wall("mine.toml", as_of="2025-01-15")\ndef test_it(wall):\n    assert wall.boxes\n')
    ran = run(tmp_path, "inner")
    assert ran.status == 0, ran.out


def test_who_does_not_use_it_imports_nothing_of_it(tmp_path: Path) -> None:
    loaded = "[name for name in sys.modules if name.startswith('crenel.')]"
    suite(tmp_path, f"import sys\n\n\ndef test_it():\n    assert {loaded} == ['crenel.pytest_plugin']\n")
    ran = run(tmp_path)
    assert ran.status == 0, ran.out


def test_the_workflow_makes_labs_possible_and_requires_them() -> None:
    text = (EXAMPLE / ".github" / "workflows" / "behind-the-wall.yml").read_text("utf-8")
    for line in ("chmod 0666 /dev/net/tun", "apparmor_restrict_unprivileged_userns=0", "crenel lab doctor", "pytest --lab-required -n auto"):
        assert line in text
