"""The scripts on which kernel and endpoint part on purpose: at which step, which function decides, and why the simulation keeps its way."""

from typing import NamedTuple


class Parting(NamedTuple):
    """One script on which the two differ."""

    packet: str
    decides: str
    reason: str


_ORDER = (
    "tcp_check_req: Linux 6.18 weighs RST before the acknowledgement number, as RFC 5961 section 3.2 does for open connections; "
    "earlier kernels hand a segment with a wrong number to the listener, which never answers a RST"
)
_SERVERS = "the servers against which the published strategies were measured ran earlier kernels, on which this packet does no harm"

EXCEPTIONS = {
    "request: RST/ACK with a wrong ack": Parting("RST/ACK at the next sequence number with a wrong ack", _ORDER, _SERVERS),
    "request: RST/ACK in window with a wrong ack": Parting("RST/ACK inside the window with a wrong ack", _ORDER, _SERVERS),
}
