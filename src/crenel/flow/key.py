"""Names of conversations: the bytes by which both directions of a flow are found, and the class of a packet as a small number."""

from crenel.wire.packet import ACK, FIN, RST, SYN

CLASS_LOAD = 16
"""Class bit: the packet carries payload."""
CLASS_SECOND = 32
"""Class bit: the packet comes from the flow's second end (not its opener)."""
CLASS_FIN = 1
CLASS_SYN = 2
CLASS_RST = 4
CLASS_ACK = 8
CLASSES = 64
"""Number of packet classes of one transport."""


def _class_of(flags: int) -> int:
    return (
        (CLASS_FIN if flags & FIN else 0) | (CLASS_SYN if flags & SYN else 0) | (CLASS_RST if flags & RST else 0) | (CLASS_ACK if flags & ACK else 0)
    )


FLAG_CLASS: tuple[int, ...] = tuple(_class_of(flags) for flags in range(256))
"""Class bits of the eight low TCP flags; for UDP the flags are 0."""


def flow_key(src: bytes, dst: bytes, sport: int, dport: int) -> bytes:
    """Return the key under which a packet from `src`:`sport` to `dst`:`dport` is found; for IPv4 it is bytes 12 to 24 of a packet without options."""
    return b"%b%b%b" % (src, dst, ((sport << 16) | dport).to_bytes(4, "big"))


def reverse_key(key: bytes) -> bytes:
    """Return the key of the other direction."""
    half = (len(key) - 4) // 2
    return key[half : 2 * half] + key[:half] + key[-2:] + key[-4:-2]
