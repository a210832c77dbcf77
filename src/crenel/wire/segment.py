"""What the readers of TCP, UDP and ICMP hand to the reader of the IP packet round them."""

from typing import TypeAlias

Segment: TypeAlias = tuple[int, int, int, int, int, int, bytes, int, bytes, int | None, int, int | None, int | None, int, int, int, bool]
"""Source port, destination port, sequence number, acknowledgement number, flags, window, payload, urgent pointer, options,
data offset, reserved bits, checksum, UDP length, ICMP type, code and rest, headless: the fields of `Packet` by these names.
A plain tuple, since one is made for every packet."""


def no_transport(payload: bytes, *, headless: bool) -> Segment:
    """Return the fields of a packet of which only the payload is known."""
    return 0, 0, 0, 0, 0, 0, payload, 0, b"", None, 0, None, None, 0, 0, 0, headless
