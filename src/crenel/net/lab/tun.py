"""A name in, a TUN device out: what the kernel sends into it is read as IP packets, and what is written to it the kernel receives."""

import os
import struct

from crenel.net.lab.calls import control

DEVICE = "/dev/net/tun"

# linux/if_tun.h
_TUNSETIFF = 0x400454CA
_IFF_TUN = 0x0001
_IFF_NO_PI = 0x1000
_REQUEST = struct.Struct("16sH22x")


def open_tun(name: str) -> int:
    """Return the descriptor of a new TUN device in the network namespace of this process; the device goes when it is closed.

    Without offload, so that the kernel hands over packets no longer than the MTU with finished checksums, and checks what it is given.

    Raises OSError.
    """
    descriptor = os.open(DEVICE, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        control(descriptor, _TUNSETIFF, _REQUEST.pack(name.encode(), _IFF_TUN | _IFF_NO_PI))
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
