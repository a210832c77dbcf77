"""A setup on the control socket in, listening sockets out at once, and then all that serves them: the first step of the server process.

It runs in a bare interpreter on standard input as a socket; what is slow to load is loaded after everything listens.
"""

import json
import os
import socket
from typing import Any

from crenel.net.lab.internet.listening import Claim, Listening


def main() -> None:
    """Listen, tell who asked, and serve until the control socket is closed."""
    control = socket.socket(fileno=os.dup(0))
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    text = read_line(control)
    setup: dict[str, Any] = json.loads(text)
    claims = [Claim(claim["transport"], claim["address"], claim["port"]) for claim in setup["claims"]]
    try:
        listening = Listening(setup["wildcards"], setup["ports"], claims)
    except OSError as problem:
        tell(control, {"problem": f"the lab's internet cannot listen: {problem.strerror}"})
        return
    tell(control, {"listening": listening.ports, "lacks_6": listening.lacks_6})
    from crenel.net.lab.internet.serving import serve  # noqa: PLC0415  it takes a while, and whoever connects by now is queued

    serve(text, listening, control)


def read_line(control: socket.socket) -> bytes:
    """Return the first line that comes; whoever writes waits for an answer before the next."""
    parts: list[bytes] = []
    while not parts or not parts[-1].endswith(b"\n"):
        part = control.recv(65536)
        if not part:
            break
        parts.append(part)
    return b"".join(parts)


def tell(control: socket.socket, message: dict[str, Any]) -> None:
    """Send one message."""
    control.sendall(json.dumps(message).encode() + b"\n")
