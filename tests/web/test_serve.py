"""Serving: on the loopback address only, ended by an interrupt, and a port that is taken is a sentence."""

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from crenel.errors import MissingExtraError, UsageError
from crenel.web.serve import ADDRESS, listen, serve


def test_a_free_port_is_listened_on_here_only() -> None:
    with listen(0) as listener:
        host, port = listener.getsockname()
        assert host == ADDRESS == "127.0.0.1"
        with pytest.raises(UsageError, match=rf"port {port} on 127\.0\.0\.1: Address already in use; --port takes another"):
            listen(port)


def test_without_the_extra_it_says_which_one_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(MissingExtraError, match=r"uvicorn is not installed, .* crenel\[web\] brings it"):
        serve(0, (), lambda _: None)


def peak(process: int) -> int:
    """Return the most memory that a process ever held, in bytes."""
    status = Path(f"/proc/{process}/status")
    if not status.exists():
        pytest.skip("no /proc here")
    found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text("ascii"))
    assert found is not None
    return int(found[1]) << 10


def test_an_upload_of_200_mb_is_refused_in_bounded_memory(tmp_path: Path) -> None:
    head = b'--b\r\nContent-Disposition: form-data; name="capture"; filename="x.pcap"\r\n\r\n'
    tail = b'\r\n--b\r\nContent-Disposition: form-data; name="target"\r\n\r\ntyped.example\r\n--b--\r\n'
    size, piece = 200 << 20, bytes(1 << 20)
    command = (sys.executable, "-m", "crenel", "web", "--port", "0", "--no-open")
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline().split()[0].rstrip("/").rpartition(":")[2])
            before = peak(process.pid)
            with socket.create_connection(("127.0.0.1", port), timeout=60) as sent:
                length = len(head) + size + len(tail)
                kind = "multipart/form-data; boundary=b"
                sent.sendall(f"POST / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n".encode() + head)
                for _ in range(size // len(piece)):
                    sent.sendall(piece)
                sent.sendall(tail)
                answer = b""
                while b"</html>" not in answer and (more := sent.recv(1 << 16)):
                    answer += more
            assert b"the file has more than 32 MB" in answer
            assert b'value="typed.example"' in answer
            assert peak(process.pid) - before < 32 << 20
        finally:
            process.terminate()
    assert not [*tmp_path.iterdir()]


def test_it_serves_until_it_is_interrupted_and_leaves_nothing(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in {"DISPLAY", "WAYLAND_DISPLAY"}}
    command = (sys.executable, "-m", "crenel", "web", "--port", "0")
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**environment, "TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    ) as process:
        assert process.stdout is not None
        found = re.match(r"(http://127\.0\.0\.1:(\d+)/)  \(Ctrl-C ends it\)", process.stdout.readline())
        assert found is not None
        connection = http.client.HTTPConnection("127.0.0.1", int(found[2]), timeout=20)
        connection.request("GET", "/")
        answer = connection.getresponse()
        assert b"What would the wall do?" in answer.read()
        assert answer.headers["server"] is None
        connection.close()
        with socket.create_connection(("127.0.0.1", int(found[2])), timeout=20) as other:
            other.sendall(b"GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")
            assert other.recv(100).startswith(b"HTTP/1.1 403")
        begun = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
        assert time.monotonic() - begun < 10
        assert process.stderr is not None
        assert process.stderr.read() == "crenel: no browser could be opened here; open the address above yourself\n"
    assert not [*tmp_path.glob("crenel-web-*")]
