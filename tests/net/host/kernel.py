"""A script's steps in, what the Linux kernel makes of them out: real sockets behind a TUN device in a network namespace of the test's own."""

import contextlib
import ctypes
import errno
import fcntl
import os
import select
import socket
import struct
import time
from pathlib import Path

from crenel.wire.ip import parse_packet, serialise
from crenel.wire.packet import TCP, Packet
from tests.net.host.script import HOST, PEER, Do

_CLONE_NEWNET = 0x40000000
_TUNSETIFF, _SIOCSIFADDR, _SIOCSIFNETMASK, _SIOCSIFFLAGS = 0x400454CA, 0x8916, 0x891C, 0x8914
_IFF_TUN, _IFF_NO_PI, _UP_RUNNING = 1, 0x1000, 0x41
_STATES = (
    "", "ESTABLISHED", "SYN-SENT", "SYN-RECEIVED", "FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT", "CLOSED", "CLOSE-WAIT", "LAST-ACK", "LISTEN", "CLOSING",
)  # fmt: skip
_SETTINGS = {
    "tcp_invalid_ratelimit": "0",  # every challenge is answered, so that a script may send several
    "tcp_early_retrans": "0",  # no tail loss probes: they are a matter of timers
    "tcp_congestion_control": "reno",  # no pacing
    "tcp_rmem": "4096 131072 6291456",
    "tcp_syncookies": "0",
    "tcp_no_metrics_save": "1",
}


def missing() -> str:
    """Return what this machine lacks for a namespace with a TUN device, or an empty string."""
    if os.geteuid() != 0:
        return "root (CAP_NET_ADMIN)"
    try:
        os.close(os.open("/dev/net/tun", os.O_RDWR))
    except OSError:
        return "/dev/net/tun"
    return ""


class Namespace:
    """A network namespace with one TUN device; the calling thread enters it for good."""

    def __init__(self) -> None:
        if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "unshare")
        self.tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(self.tun, _TUNSETIFF, struct.pack("16sH22x", b"crenel0", _IFF_TUN | _IFF_NO_PI))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
            for call, address in ((_SIOCSIFADDR, HOST), (_SIOCSIFNETMASK, bytes((255, 255, 255, 0)))):
                fcntl.ioctl(control, call, struct.pack("16sHH4s8x", b"crenel0", socket.AF_INET, 0, address))
            fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sH22x", b"crenel0", _UP_RUNNING))
        for name, value in _SETTINGS.items():
            self.set(name, value)

    def set(self, name: str, value: str) -> None:
        """Set a sysctl of this namespace."""
        Path("/proc/sys/net/ipv4", name).write_text(value, "ascii")

    def close(self) -> None:
        """Take the device away; the namespace goes with its last thread."""
        os.close(self.tun)


class KernelGround:
    """The kernel's TCP as one end of a script; the settle time is how long to wait for stragglers."""

    def __init__(self, namespace: Namespace, host_port: int, peer_port: int) -> None:
        self.tun = namespace.tun
        self.host_port, self.peer_port = host_port, peer_port
        self.listener: socket.socket | None = None
        self.socket: socket.socket | None = None
        self.ended = False
        self.unread: list[str] = []
        self.collect()

    def send(self, packet: Packet) -> None:
        self._hurry()
        os.write(self.tun, serialise(packet))
        self._hurry()

    def _hurry(self) -> None:
        """Ask for acknowledgements without delay: when they come is a matter of timers."""
        if self.socket is not None:
            with contextlib.suppress(OSError):
                self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

    def do(self, step: Do) -> None:
        if step.action in {"listen", "connect", "inline"}:
            self._open(step.action)
        elif self.socket is None:
            raise AssertionError(f"no socket to {step.action}")
        elif step.action == "send":
            self.socket.send(step.data)
        elif step.action == "shutdown":
            self.socket.shutdown(socket.SHUT_WR)
        else:
            if step.action == "abort":
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.socket.close()
            self.socket, self.ended = None, True

    def _open(self, action: str) -> None:
        opened = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        opened.setblocking(False)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, action == "inline")
        opened.bind((socket.inet_ntoa(HOST), self.host_port))
        if action == "connect":
            self.socket = opened
            opened.connect_ex((socket.inet_ntoa(PEER), self.peer_port))
        else:
            opened.listen(8)
            self.listener = opened

    def wait(self, milliseconds: int) -> None:
        time.sleep(milliseconds / 1000)

    def collect(self) -> list[Packet]:
        found = self._poll(0.004)
        # With everything read, an acknowledgement that was put off for unread data can be asked for.
        self.unread += self._drain()
        self._hurry()
        return found + self._poll(0)

    def _poll(self, settle: float) -> list[Packet]:
        found = []
        while select.select([self.tun], [], [], settle)[0]:
            packet = parse_packet(os.read(self.tun, 65536))
            if isinstance(packet, Packet) and packet.proto == TCP and packet.sport == self.host_port:
                found.append(packet)
        return found

    def read(self) -> list[str]:
        drained, self.unread = self.unread + self._drain(), []
        return drained

    def _drain(self) -> list[str]:
        if self.socket is None and self.listener is not None and not self.ended:
            try:
                self.socket, _ = self.listener.accept()
            except BlockingIOError:
                return []
            self.socket.setblocking(False)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        lines: list[str] = []
        while self.socket is not None and not self.ended:
            if select.select([], [], [self.socket], 0)[2]:
                with contextlib.suppress(OSError):
                    lines.append(f"urgent {self.socket.recv(1, socket.MSG_OOB).decode()}")
            try:
                data = self.socket.recv(65536)
            except BlockingIOError:
                break
            except OSError as problem:
                if problem.errno in {errno.ENOTCONN, errno.EAGAIN}:
                    break
                lines.append(errno.errorcode[problem.errno or 0])
                self.ended = True
                break
            lines.append(f"data {data.decode('latin-1')}" if data else "end")
            if not data:
                break
        return lines

    def state(self) -> str:
        if self.socket is None:
            return ""
        return _STATES[self.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 8)[0]]

    def close(self) -> None:
        for opened in (self.socket, self.listener):
            if opened is not None:
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                opened.close()
