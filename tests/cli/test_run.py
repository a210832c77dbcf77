"""`crenel run` as its users meet it: the command's own output and status, the account beside them, and bad input in one sentence."""

import contextlib
import json
import os
import pty
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from crenel.wire.capture import open_capture
from crenel.wire.result import Unparseable
from tests.cli.running import DAY, ROOT, Ran, command, run
from tests.net.lab.machine import MISSING, NEEDS_LAB, descendants, network, wait_until_gone

STILL = (*DAY, "--pace", "still")
SAY = "import sys; print('out'); print('err', file=sys.stderr); raise SystemExit(int(sys.argv[1]))"
GET = (
    "import socket, sys\nnear = socket.create_connection((sys.argv[1], int(sys.argv[3])), timeout=5)\n"
    "near.sendall(b'GET / HTTP/1.1\\r\\nHost: ' + sys.argv[2].encode() + b'\\r\\nConnection: close\\r\\n\\r\\n')\n"
    "print(near.recv(12).decode())"
)
ADDRESS = "203.0.113.9"


def behind(*arguments: str, stdin: bytes = b"", environment: dict[str, str] | None = None, cwd: Path = ROOT) -> Ran:
    """Run `crenel run` as a process of its own: the command inherits its streams."""
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src"), **(environment or {})}
    done = subprocess.run(command("run", *arguments), input=stdin, capture_output=True, cwd=cwd, check=False, timeout=60, env=env)
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


def get(name: str, port: int = 80) -> tuple[str, ...]:
    return (sys.executable, "-c", GET, ADDRESS, name, str(port))


@NEEDS_LAB
def test_output_and_status_are_the_commands_own_and_the_account_follows_on_standard_error() -> None:
    ran = behind(*STILL, "--", sys.executable, "-c", SAY, "7")
    assert (ran.status, ran.out) == (7, "out\n")
    first, blank, title, *rest = ran.err.splitlines()
    assert (first, blank) == ("err", "")
    assert title.startswith("What the wall did to: ")
    assert rest[-1] == "the command ended with status 7"


@NEEDS_LAB
def test_a_command_reads_standard_input_and_needs_no_dashes() -> None:
    assert behind(*STILL, "cat", "-", stdin=b"said").out == "said"


@NEEDS_LAB
@pytest.mark.parametrize(("name", "port", "status"), [("allowed.example", 80, 0), ("blocked.example", 80, 1), ("allowed.example", 81, 3)])
def test_the_status_of_the_wall(name: str, port: int, status: int) -> None:
    ran = behind(*STILL, "--status", "wall", "--", *get(name, port))
    assert ran.status == status, ran.err
    if status == 3:
        assert "inconclusive: its connection was refused" in ran.err


@NEEDS_LAB
def test_the_account_tells_of_the_flow_that_was_blocked() -> None:
    ran = behind(*STILL, "--", *get("blocked.example"))
    assert "flow 1: http over tcp to blocked.example:80" in ran.err
    assert "===> forged by the wall" in ran.err
    assert "read        Host blocked.example" in ran.err
    assert "sources     " in ran.err


@NEEDS_LAB
def test_json_is_alone_on_standard_output() -> None:
    ran = behind(*STILL, "--format", "json", "--", *get("blocked.example"))
    whole = json.loads(ran.out)
    assert (whole["passed"], [flow["name"] for flow in whole["flows"]]) == (False, ["blocked.example"])
    head, flow = map(json.loads, behind(*STILL, "--format", "jsonl", "--header", "--", *get("allowed.example")).lines)
    assert (head["passed"], head["status"], flow["outcome"]) == (True, 0, "passed")


@NEEDS_LAB
def test_a_server_of_ones_own_is_started_first(tmp_path: Path) -> None:
    (tmp_path / "serve.py").write_text(
        "import socket\nserver = socket.create_server(('', 8388))\nwhile True:\n    near, _ = server.accept()\n    near.sendall(b'HTTP/1.1 299')\n"
    )
    ran = behind(*STILL, "--server", f"{sys.executable} {tmp_path / 'serve.py'}", "--", *get("allowed.example", 8388))
    assert ran.out == "HTTP/1.1 299\n", ran.err


@NEEDS_LAB
def test_a_capture_and_a_report_are_written(tmp_path: Path) -> None:
    capture, report = tmp_path / "x.pcapng", tmp_path / "x.html"
    ran = behind(*STILL, "--format", "jsonl", "--pcap", str(capture), "--report", str(report), "--", *get("blocked.example"))
    flow = json.loads(ran.out)
    reader = open_capture(capture.read_bytes())
    assert not isinstance(reader, Unparseable)
    records = list(reader.records())
    _, _, _, offset, length, _ = records[flow["evidence"][0]["packet"] - 1]
    assert b"Host: blocked.example" in bytes(reader.buffer[offset : offset + length])
    assert "crenel run --pace still --as-of" in report.read_text("utf-8")


@NEEDS_LAB
def test_a_shell_is_opened_without_a_command() -> None:
    ran = behind(*STILL, stdin=b"echo $CRENEL_LAB; exit 4\n", environment={"SHELL": "/bin/sh"})
    assert (ran.status, ran.out) == (4, "client\n")
    assert "crenel: a shell behind the wall" in ran.err


@NEEDS_LAB
@pytest.mark.peer("setsid")
def test_the_interrupt_key_is_the_commands_and_the_account_follows(tmp_path: Path) -> None:
    script = tmp_path / "hear.py"
    script.write_text(
        "import signal, sys\nheard = 0\ndef hear(*_):\n    global heard\n    heard += 1\n    print('heard', flush=True)\n    if heard == 2:\n"
        "        sys.exit(6)\nsignal.signal(signal.SIGINT, hear)\nprint('ready', flush=True)\nwhile True:\n    signal.pause()\n"
    )
    terminal, theirs = pty.openpty()
    words = ["setsid", "--ctty", "--wait", *command("run", *STILL, "--timeout", "20", "--", sys.executable, str(script))]
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    with subprocess.Popen(words, stdin=theirs, stdout=theirs, stderr=theirs, env=env) as process:
        os.close(theirs)
        printed, pressed = b"", 0
        with contextlib.suppress(OSError):  # a terminal whose last writer has gone
            while part := os.read(terminal, 4096):
                printed += part
                if pressed < 2 and len(re.findall(rb"^(?:\^C)?(?:ready|heard)\r$", printed, re.MULTILINE)) > pressed:
                    pressed += 1
                    os.write(terminal, b"\x03")
    os.close(terminal)
    assert process.returncode == 6
    assert b"the command ended with status 6" in printed


@NEEDS_LAB
@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("--", "no-such-program"), 2, "crenel: no-such-program: it cannot be run in the lab: No such file or directory"),
        (("--server", "no-such-server", "--", "true"), 2, "crenel: no-such-server: it cannot be run in the lab: No such file or directory"),
        (("--server", "sh -c 'echo alas; exit 3'", "--", "true"), 2, "crenel: sh ended with status 3 before it listened on any port"),
        (("--timeout", "0.2", "--", "sleep", "60"), 124, "crenel: sleep 60 had not ended after 0.2 s, and was ended"),
        (("--", "sh", "-c", "kill -9 $$"), 137, "the command was ended by signal 9"),
        (("--pcap", "/dev/full/x", "--", "true"), 2, "crenel: --pcap /dev/full/x: No such file or directory"),
        (("--inside", "10.0.0.0/8", "--", "true"), 2, "crenel: --inside is for captures"),
        (("--scenario", "absent.toml", "--", "true"), 2, "crenel: absent.toml: No such file or directory"),
    ],
)
def test_bad_input_is_one_sentence_and_nothing_is_left(arguments: tuple[str, ...], status: int, said: str) -> None:
    before, running = network(), descendants(os.getpid())
    ran = behind(*STILL, *arguments)
    assert ran.status == status, ran.err
    assert said in ran.err
    assert "Traceback" not in ran.err
    assert not wait_until_gone({number: began for number, began in descendants(os.getpid()).items() if number not in running})
    assert network() == before


@NEEDS_LAB
def test_a_scenario_in_which_two_have_one_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text('[[host]]\nname = "a.example"\naddresses = ["100.64.0.1"]\n' * 2)
    ran = behind(*STILL, "--scenario", str(tmp_path / "s.toml"), "--", "true")
    assert (ran.status, "a.example is there twice" in ran.err) == (2, True)


@NEEDS_LAB
def test_a_full_disk_is_said_once_the_account_is_printed(tmp_path: Path) -> None:
    """A limit on the size of files stands for the disk: the capture is the only one that comes near it."""
    limited = (
        "import resource, signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\nresource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))\n"
        "from crenel.cli import main\nmain()"
    )
    often = f"import sys\nfor _ in range(40):\n    exec({GET!r})"
    words = [sys.executable, "-c", limited, "run", *STILL, "--pcap", str(tmp_path / "x.pcapng"), "--"]
    words += [sys.executable, "-c", often, ADDRESS, "allowed.example", "80"]
    done = subprocess.run(words, capture_output=True, check=False, timeout=60, env={**os.environ, "PYTHONPATH": str(ROOT / "src")}, text=True)
    assert f"crenel: --pcap {tmp_path / 'x.pcapng'}: File too large" in done.stderr
    assert "What the wall did to:" in done.stderr
    assert done.returncode == 2
    assert not list(tmp_path.iterdir())


def test_where_no_lab_can_be_made_the_reason_is_said() -> None:
    if shutil.which("unshare") is None or (os.geteuid() and MISSING):
        pytest.skip("no way to take the right to make namespaces away from a process")
    taken = "import ctypes, sys\nfor cap in (12, 21):\n    ctypes.CDLL(None).prctl(24, cap, 0, 0, 0)\nimport resource\n"
    limit = "open('/proc/sys/user/max_net_namespaces', 'w').write('0')\n"
    inner = f"{taken}{limit}from crenel.cli import main\nmain()"
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    words = ["unshare", "--user", "--map-root-user", sys.executable, "-c", inner, "run", *STILL, "--", "true"]
    done = subprocess.run(words, capture_output=True, check=False, timeout=60, env=env, text=True)
    if not done.stderr.startswith("crenel: "):
        pytest.skip(f"no user namespace to take rights away in: {done.stderr.strip()[-200:]}")
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("crenel: no lab: the client's side could not be set up")
    assert "`crenel lab doctor` says what this machine lacks" in done.stderr


def test_help_says_how_it_ends() -> None:
    text = run("run", "--help").out
    assert "--server COMMAND" in text
    assert "With --status wall:" in text


@NEEDS_LAB
@pytest.mark.long
@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is absent")
def test_curl_behind_the_wall_takes_less_than_a_second_and_a_half() -> None:
    took = []
    for _ in range(5):
        began = time.monotonic()
        assert behind(*DAY, "--", "curl", "-sS", "-o", os.devnull, "https://allowed.example/").status == 0
        took.append(time.monotonic() - began)
    print(sorted(took))
    assert min(took) < 1.5
