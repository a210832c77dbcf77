"""The page in a browser: every view, wide and narrow, light and dark; no error, no other host, nothing that keeps people out.

It needs Debian's chromium, and playwright-core and axe-core: `npm install playwright-core axe-core`, anywhere that NODE_PATH names.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.web.made import FIRST_LOOK

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "artefacts" / "web"
FIRST_VIEW, AFTER_TYPING = 300.0, 150.0
"""Milliseconds."""


def modules() -> str:
    """Return where Node finds what the test needs, or skip."""
    places = [os.environ.get("NODE_PATH", ""), str(ROOT / "node_modules")]
    path = os.pathsep.join(filter(None, places))
    for name in ("playwright-core", "axe-core"):
        found = subprocess.run(["node", "-e", f"require.resolve('{name}')"], env={**os.environ, "NODE_PATH": path}, capture_output=True, check=False)
        if found.returncode:
            pytest.skip(f"peer absent: {name} (npm install {name}, and NODE_PATH says where)")
    return path


@pytest.fixture(scope="module")
def served() -> Iterator[str]:
    """Serve the page, and yield its address."""
    command = (sys.executable, "-m", "crenel", "web", "--port", "0", "--no-open")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"}) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().split()[0]
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def found(request: pytest.FixtureRequest) -> Any:
    """Return what the browser found."""
    for program in ("chromium", "node"):
        if shutil.which(program) is None:
            pytest.skip(f"peer absent: {program}")
    path = modules()
    served = request.getfixturevalue("served")
    done = subprocess.run(
        ["node", str(Path(__file__).with_name("browse.cjs")), served, str(PICTURES), str(FIRST_LOOK), shutil.which("chromium") or ""],
        env={**os.environ, "NODE_PATH": path}, capture_output=True, text=True, check=False, timeout=280,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


pytestmark = [pytest.mark.peer("chromium", "node"), pytest.mark.timeout(300), pytest.mark.xdist_group("browser")]


def test_every_view_does_what_it_should(found: Any) -> None:
    assert found["failed"] == []
    assert len([*PICTURES.glob("*.png")]) >= 36


def test_no_error_in_the_console(found: Any) -> None:
    assert found["console"] == []


def test_no_other_host_is_asked(found: Any) -> None:
    assert found["foreign"] == []


def test_no_view_is_wider_than_the_window(found: Any) -> None:
    assert found["wide"] == []


def test_nothing_keeps_people_out(found: Any) -> None:
    assert [one for one in found["axe"] if one["impact"] in {"serious", "critical", "moderate"}] == []


@pytest.mark.long
def test_the_first_view_and_a_verdict_after_typing_are_quick(found: Any) -> None:
    first = sorted(one["loaded"] for one in found["timings"]["first"])
    typed = sorted(found["timings"]["typed"])
    print(f"first view {first} ms, verdict after typing {typed} ms")
    assert first[len(first) // 2] < FIRST_VIEW
    assert typed[len(typed) // 2] < AFTER_TYPING
