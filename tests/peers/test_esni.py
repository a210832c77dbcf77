"""A small client with a ClientHello of ours that hides its name in, silence after it out: no program of today speaks that draft."""

import sys
from collections.abc import Callable
from pathlib import Path

from crenel.wire.tls_build import build_client_hello
from tests.peers.scene import ADDRESS, Case, Scene, cases, try_case, words
from tests.peers.table import OWN

_ENCRYPTED_SERVER_NAME = 0xFFCE
"""draft-ietf-tls-esni-01 to -06, section 8.1."""
_PORT = 443
_LATER = 1.2
"""Seconds after which the client speaks again: what follows such a hello was dropped after a second."""

_ANSWER = f"""
import socket
server = socket.create_server(("", {_PORT}))
while True:
    near, _ = server.accept()
    while said := near.recv(65536):
        near.sendall(b"heard %d\\n" % len(said))
"""
_CLIENT = f"""
import socket, sys, time
hello = bytes.fromhex(sys.argv[1])
near = socket.create_connection(({ADDRESS!r}, {_PORT}), timeout=5)
near.sendall(hello)
print(near.recv(65536).decode(), end="")
time.sleep(float(sys.argv[2]))
near.settimeout(1)
near.sendall(bytes(7))
try:
    print(near.recv(65536).decode(), end="")
except OSError as problem:
    print(type(problem).__name__)
"""


def _says(hello: bytes, later: float = _LATER) -> Callable[[Scene], str]:
    def play(scene: Scene) -> str:
        scene.start([sys.executable, "-I", "-S", "-c", _ANSWER], port=_PORT)
        said = words(scene.act([sys.executable, "-I", "-S", "-c", _CLIENT, hello.hex(), str(later)]))
        first = f"heard {len(hello)}\n"
        return {f"{first}heard 7\n": "passes", f"{first}TimeoutError\n": "silence"}.get(said, said)

    return play


def _hello(*, hidden: bool) -> bytes:
    # A cipher suite, a group with its share, a digest of the record and the sealed name, none of which anybody reads here.
    sealed = b"\x13\x01\x00\x1d\x00\x20" + bytes(32) + b"\x00\x20" + bytes(32) + (b"\x01\x24" + bytes(292))
    return build_client_hello(None, random=bytes(range(32)), extra=[(_ENCRYPTED_SERVER_NAME, sealed)] if hidden else ())


_HIDDEN = Case(OWN, "TLS, name encrypted", "", _says(_hello(hidden=True)), "passes")
_NAMELESS = Case(OWN, "TLS, no name", "", _says(_hello(hidden=False), 0.1), "passes")


@cases(
    _HIDDEN._replace(as_of="2020-05-01"),
    _HIDDEN._replace(as_of="2020-09-15", met="silence", boxes={"esni": 1.0}),
    _NAMELESS._replace(as_of="2020-09-15"),
)
def test_a_name_that_cannot_be_read(case: Case, tmp_path: Path, row: dict[str, str]) -> None:
    try_case(case, tmp_path, row)
