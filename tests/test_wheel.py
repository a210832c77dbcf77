"""The checkout in, a wheel installed far from it out: it carries the atlas, and its command answers."""

import json
import os
import struct
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from zipfile import ZipFile

import pytest

pytestmark = pytest.mark.xdist_group("wheel")  # one process builds it, once

ROOT = Path(__file__).parents[1]

QUESTION = bytes.fromhex("1234 0100 0001 0000 0000 0000") + b"\x07blocked\x07example\0" + bytes.fromhex("0001 0001")
"""A DNS query for the address of blocked.example."""


def capture_of_one_query() -> bytes:
    """Return a pcap file (link type 101, raw IP) with one DNS query over UDP, from 192.0.2.2 to 198.51.100.53; written here by hand."""
    udp = struct.pack(">HHHH", 40000, 53, 8 + len(QUESTION), 0) + QUESTION
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0, bytes([192, 0, 2, 2]), bytes([198, 51, 100, 53]))
    words = sum(struct.unpack(">10H", ip))
    checksum = 0xFFFF - (words % 0xFFFF or 0xFFFF)
    packet = ip[:10] + checksum.to_bytes(2, "big") + ip[12:] + udp
    return struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101) + struct.pack("<IIII", 1_700_000_000, 0, len(packet), len(packet)) + packet


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, ROOT], check=True, timeout=100)
    [built] = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def elsewhere(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the scripts folder of an environment that holds the wheel; its dependencies are lent by the environment of the tests."""
    home = tmp_path_factory.mktemp("elsewhere") / "venv"
    venv.create(home, with_pip=True)
    python = home / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "-qq", "--no-index", "--no-deps", wheel], check=True, timeout=100)
    # A folder named in a .pth file is searched for modules, but .pth files inside it are not obeyed: the editable project stays behind.
    [site] = home.glob("lib/python*/site-packages")
    (site / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return home / "bin"


def answer(scripts: Path, folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a program of that environment in an empty folder, with nothing in the variables that could lead back to the checkout."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV", "CRENEL", "COV_"))}
    return subprocess.run([scripts / command[0], *command[1:]], cwd=folder, env=kept, capture_output=True, text=True, check=False, timeout=60)


def test_the_wheel_holds_every_file_of_the_package(wheel: Path) -> None:
    source = ROOT / "src"
    files = {path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    with ZipFile(wheel) as archive:
        assert {name for name in archive.namelist() if ".dist-info/" not in name} == files
    assert "crenel/py.typed" in files


def test_it_is_the_wheel_that_answers(elsewhere: Path, tmp_path: Path) -> None:
    done = answer(elsewhere, tmp_path, "python", "-c", "import crenel, msgspec; print(crenel.__file__)")
    assert Path(done.stdout.strip()).is_relative_to(elsewhere.parent), done.stderr


def test_the_installed_command_judges_a_capture(elsewhere: Path, tmp_path: Path) -> None:
    (tmp_path / "query.pcap").write_bytes(capture_of_one_query())
    done = answer(elsewhere, tmp_path, "crenel", "check", "query.pcap", "--format", "jsonl")
    assert done.returncode in {0, 1}, done.stderr
    [flow] = map(json.loads, done.stdout.splitlines())
    assert (flow["capture"], flow["flow"], flow["name"], flow["packets"]) == ("query.pcap", 1, "blocked.example", 1)


def test_the_installed_command_shows_the_wall(elsewhere: Path, tmp_path: Path) -> None:
    done = answer(elsewhere, tmp_path, "crenel", "walls", "show", "gfw")
    assert not done.returncode, done.stderr
    assert "tls-sni-triple" in done.stdout
