"""Segments in, what a Linux host answers and what its application learns out: TCP and UDP ends in virtual time, without input or output."""

from crenel.net.host.endpoint import Endpoint
from crenel.net.host.host import Host
from crenel.net.host.options import HostOptions
from crenel.net.host.state import Data, HostEvent, Opened, PeerClosed, Refused, Reset, State, TimedOut, Unreachable, Urgent
from crenel.net.host.udp import UdpSocket

__all__ = [
    "Data", "Endpoint", "Host", "HostEvent", "HostOptions", "Opened", "PeerClosed", "Refused", "Reset", "State", "TimedOut", "UdpSocket",
    "Unreachable", "Urgent",
]  # fmt: skip
