"""Requests in, sockets of this network namespace out, after its kernel was set up as the simulated hosts are.

This runs inside a side of a lab, in an interpreter without site packages: it imports the standard library only.
"""

import contextlib
import socket

BATCH = 32
"""Sockets that are handed out at once (bench)."""
CHALLENGES = 8
"""Milliseconds within which a kernel answers one packet out of order and no other: Linux's 500, as much shorter as trials are (bench)."""
_UNSET = 200_000
"""Microseconds: Linux's TCP_RTO_MIN, where it cannot be set."""
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
    """Serve whoever holds the other end of standard input."""
    serve(socket.socket(fileno=0))


def serve(channel: socket.socket) -> None:
    """Set up the kernel as the first message says, tell the least time-out that it has then, and answer requests until the other end is closed."""
    with channel:
        rto = channel.recv(64).decode()
        for name, value in _SETTINGS:
            # A kernel without one of these does not have what it sets either.
            with contextlib.suppress(OSError), open(f"/proc/sys/net/ipv4/{name}", "w", encoding="ascii") as file:  # noqa: PTH123  no imports that cost
                file.write(value.format(rto=rto))
        channel.send(b"%d" % _least())
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
            # Until then closing a socket elsewhere would not end its connection.
            channel.send(b"theirs alone")


def _least() -> int:
    """Return the microseconds after which this kernel at least sends something again."""
    try:
        with open("/proc/sys/net/ipv4/tcp_rto_min_us", "rb") as file:  # noqa: PTH123  no imports that cost
            return int(file.read())
    except OSError:
        return _UNSET


def prepared(family: int, kind: int) -> socket.socket:
    """Return a socket that does not wait and, over TCP, sends at once what it is given. Raises OSError."""
    made = socket.socket(family, kind | socket.SOCK_NONBLOCK)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if kind == socket.SOCK_STREAM:
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made
