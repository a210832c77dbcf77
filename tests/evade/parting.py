"""The strategies on which simulated hosts and a kernel part on purpose: at which packet, which rule decides, and why the simulation keeps its way."""

from typing import NamedTuple


class Parting(NamedTuple):
    """One strategy with which some exchange ends otherwise on a kernel."""

    packet: str
    decides: str
    reason: str


EXCEPTIONS = {
    "rst-ack-badack-early": Parting(
        "the RST/ACK with a wrong acknowledgement number that the client sends at the server's next sequence number, before its ACK",
        "tcp_check_req: Linux 6.18 weighs RST before the acknowledgement number, so the request that waits for its ACK is gone",
        "the servers against which the strategy was measured ran earlier kernels, on which this packet does no harm",
    ),
}
"""By the strategy's name. The rule is that of `tests/net/host/exceptions.py`."""
