"""Requests in, sockets of this network namespace out, after its kernel was set up as the simulated hosts are.

This runs inside a side of a lab, in an interpreter without site packages: it imports the standard library only.
"""

import contextlib
import socket

BATCH = 32
"""Sockets that are handed out at once (bench)."""
CHALLENGES = 8
"""Milliseconds within which a kernel answers one packet out of order and no other: Linux's 500, as much shorter as trials are (bench)."""
_SETTINGS = (
    ("tcp_invalid_ratelimit", str(CHALLENGES)),
    ("tcp_early_retrans", "0"),  # no tail loss probes
    ("tcp_rto_min_us", "{rto}"),
    ("tcp_congestion_control", "reno"),  # no pacing
    ("tcp_rmem", "4096 131072 6291456"),
    ("tcp_syncookies", "0"),
    ("tcp_timestamps", "1"),
    ("tcp_sack", "1"),
    ("tcp_window_scaling", "1"),
    ("tcp_ecn", "2"),
    ("tcp_fastopen", "0"),
    ("tcp_tw_reuse", "1"),
    ("tcp_fin_timeout", "1"),
    ("tcp_synack_retries", "1"),
    ("tcp_orphan_retries", "1"),
    ("tcp_pingpong_thresh", "255"),
    ("tcp_max_syn_backlog", "4096"),
    ("icmp_ratelimit", "0"),
)


def main() -> None:
    """Set up the kernel as the first message says, then answer each request on standard input until its other end is closed."""
    channel = socket.socket(fileno=0)
    rto = channel.recv(64).decode()
    for name, value in _SETTINGS:
        # A kernel without one of these does not have what it sets either.
        with contextlib.suppress(OSError), open(f"/proc/sys/net/ipv4/{name}", "w", encoding="ascii") as file:  # noqa: PTH123  no imports that cost
            file.write(value.format(rto=rto))
    while request := channel.recv(64):
        family, kind = map(int, request.split())
        try:
            made = [prepared(family, kind) for _ in range(BATCH)]
        except OSError as problem:
            channel.send(str(problem).encode())
            continue
        socket.send_fds(channel, [b"ok"], [one.fileno() for one in made])
        for one in made:
            one.close()


def prepared(family: int, kind: int) -> socket.socket:
    """Return a socket that does not wait and, over TCP, sends at once what it is given. Raises OSError."""
    made = socket.socket(family, kind | socket.SOCK_NONBLOCK)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if kind == socket.SOCK_STREAM:
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made
