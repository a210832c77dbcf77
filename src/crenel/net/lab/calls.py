"""Numbers and names in, Linux system calls out that Python's library does not have everywhere: namespaces, mounts, device control.

The modules of the lab import nothing that only some systems have, so that the whole package can be imported anywhere.
"""

import array
import ctypes
import functools
import os
import socket

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY = 0x1
MS_NOSUID = 0x2
MS_NODEV = 0x4
MS_NOEXEC = 0x8
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 0x40000

_LONGEST = 65536
_PR_SET_PDEATHSIG = 1
_CLOCK_MONOTONIC = 1
_TFD_NONBLOCK, _TFD_CLOEXEC = 0o4000, 0o2000000
_TFD_TIMER_ABSTIME = 1


@functools.cache
def _library() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def unshare(flags: int) -> None:
    """Leave namespaces for new ones; a new process namespace is that of the children. Raises OSError."""
    _checked(_library().unshare(ctypes.c_int(flags)), "unshare")


def mount(source: str, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    """Mount something in this mount namespace. Raises OSError."""
    texts = [None if text is None else text.encode() for text in (source, target, kind, data)]
    result = _library().mount(texts[0], texts[1], texts[2], ctypes.c_ulong(flags), texts[3])
    _checked(result, f"mount on {target}")


def die_with_parent(signal: int) -> None:
    """Have this process killed when the thread that made it ends; what changes its rights undoes that. Raises OSError."""
    nothing = ctypes.c_ulong(0)
    _checked(_library().prctl(ctypes.c_int(_PR_SET_PDEATHSIG), ctypes.c_ulong(signal), nothing, nothing, nothing), "prctl")


def receive(control: socket.socket, most: int) -> tuple[bytes, list[int]]:
    """Return a message and the descriptors that came with it, at most so many; no program that is started inherits them. Raises OSError.

    (`socket.recv_fds` takes flags and leaves them out, so that every program would inherit them.)
    """
    numbers = array.array("i")
    message, ancillary, _, _ = control.recvmsg(_LONGEST, socket.CMSG_SPACE(most * numbers.itemsize), socket.MSG_CMSG_CLOEXEC)
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            numbers.frombytes(data[: len(data) - len(data) % numbers.itemsize])
    return message, list(numbers)


class Timer:
    """A descriptor that can be read from a moment on, to the microsecond; waiting for descriptors alone counts in milliseconds."""

    def __init__(self) -> None:
        self.descriptor = _checked(
            _library().timerfd_create(ctypes.c_int(_CLOCK_MONOTONIC), ctypes.c_int(_TFD_NONBLOCK | _TFD_CLOEXEC)), "timerfd_create"
        )
        self._set = _library().timerfd_settime
        self._set.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
        # Interval and value, in seconds and nanoseconds each.
        self._times = (ctypes.c_long * 4)()
        self._address = ctypes.addressof(self._times)

    def set(self, moment: int) -> None:
        """Go off at a moment of the monotonic clock, in nanoseconds; 0: never. What it was set to before is forgotten."""
        self._times[2], self._times[3] = divmod(moment, 1_000_000_000)
        self._set(self.descriptor, _TFD_TIMER_ABSTIME, self._address, None)

    def close(self) -> None:
        """Give the descriptor back."""
        os.close(self.descriptor)


def control(descriptor: int, request: int, argument: bytes) -> bytes:
    """Give a device a command with a structure of bytes; return the structure as the device leaves it. Raises OSError."""
    buffer = ctypes.create_string_buffer(argument, len(argument))
    _checked(_library().ioctl(ctypes.c_int(descriptor), ctypes.c_ulong(request), buffer), "ioctl")
    return buffer.raw
