"""A line on a socket in, an answer out, before anything slow is loaded."""

import json
import socket
from pathlib import Path

import msgspec
import pytest

from crenel.errors import LabError
from crenel.net.lab.internet.entry import read_line, tell
from crenel.net.lab.internet.internet import Internet
from tests.net.lab.internet.nearby import ADDRESS, Child, setup_in
from tests.net.lab.machine import SOURCE, python


def test_a_line_is_read_whole_and_an_end_ends_it() -> None:
    near, far = socket.socketpair()
    with near, far:
        near.sendall(b"one" * 50_000 + b"\n")
        assert read_line(far) == b"one" * 50_000 + b"\n"
        near.sendall(b"cut")
        near.shutdown(socket.SHUT_WR)
        assert read_line(far) == b"cut"
        tell(far, {"a": 1})
        assert json.loads(near.recv(100)) == {"a": 1}


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with socket.create_server((ADDRESS, 0)) as taken:
        setup = setup_in(tmp_path)
        made = Internet(Child, msgspec.structs.replace(setup, ports={**setup.ports, "dot": taken.getsockname()[1]}))
        with pytest.raises(LabError, match="the lab's internet cannot listen: Address already in use"):
            made.listen()
        made.close()


def test_nothing_slow_is_loaded_before_it_listens() -> None:
    script = f"import sys; sys.path.insert(0, {str(SOURCE)!r}); import crenel.net.lab.internet.entry; sys.stdout.write(' '.join(sys.modules))"
    near, far = socket.socketpair()
    child = Child(python(script), (0, far.fileno(), 2))
    far.close()
    child.process.wait(20)
    loaded = set(near.makefile().read().split())
    near.close()
    assert "crenel.net.lab.internet.listening" in loaded
    assert not {"asyncio", "cryptography", "msgspec", "ssl", "subprocess"} & loaded
