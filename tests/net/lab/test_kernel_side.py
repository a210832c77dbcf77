"""The process in a side's namespace: how it sets up sockets, and that what it hands out is no longer its own."""

import socket
import sys
import threading

import pytest

from crenel.net.lab import kernel_side

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux sockets")


def test_a_socket_does_not_wait_and_sends_at_once() -> None:
    with kernel_side.prepared(socket.AF_INET, socket.SOCK_STREAM) as made:
        assert not made.getblocking()
        assert made.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert made.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR)
    with kernel_side.prepared(socket.AF_INET, socket.SOCK_DGRAM) as made:
        assert made.type == socket.SOCK_DGRAM


def test_requests_are_answered_until_the_channel_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a thread, with no settings, because they are those of this machine's own namespace."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    monkeypatch.setattr(kernel_side, "_SETTINGS", ())
    monkeypatch.setattr(kernel_side, "BATCH", 3)
    thread = threading.Thread(target=kernel_side.serve, args=(theirs,))
    thread.start()
    ours.settimeout(5)
    ours.send(b"1000")
    assert int(ours.recv(100)) > 0
    ours.send(b"%d %d" % (socket.AF_INET, socket.SOCK_STREAM))
    message, descriptors, _, _ = socket.recv_fds(ours, 100, 10)
    assert (message, len(descriptors)) == (b"ok", 3)
    assert ours.recv(100) == b"theirs alone"
    for descriptor in descriptors:
        socket.socket(fileno=descriptor).close()
    ours.send(b"9999 1")
    assert b"not supported" in ours.recv(100)
    ours.close()
    thread.join(5)
    assert not thread.is_alive()
