"""Addresses, files and certificates in, the plan by which a lab's namespaces are built out."""

import ipaddress
import os
from collections.abc import Mapping

import msgspec

from crenel.errors import UsageError
from crenel.net.lab.interior import TRUST
from crenel.net.path.path import End

_FORGOTTEN = frozenset({
    "http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy", "hostaliases", "localdomain", "res_options", "resolv_host_conf",
    "ssh_auth_sock", "dbus_session_bus_address", "dbus_system_bus_address", "xdg_runtime_dir", "notify_socket",
})  # fmt: skip
"""Variables, in small letters, that point at services outside, or past the lab's resolver."""
_TRUSTING = ("SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "GIT_SSL_CAINFO", "AWS_CA_BUNDLE")
"""Variables by which programs are told what to trust."""
_NO_CERTIFICATE = "# This lab has no certificate authority, so nothing is trusted.\n"


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """Who has which address in a lab.

    All are reserved for documentation but for 10.64.0.0/10, which is private. Addresses that nobody has stay silent.
    """

    client: tuple[str, ...] = ("192.0.2.2", "2001:db8:c::2")
    server: tuple[str, ...] = ("203.0.113.2", "2001:db8:5e::2")
    """From the first of each version the server answers what it is not asked at a particular address."""
    served: tuple[str, ...] = ("10.64.0.0/10", "198.51.100.0/24", "203.0.113.0/24", "2001:db8:5e::/48")
    """Networks whose every address is one of the server's own."""
    resolver: str = "203.0.113.53"
    """Whom the client's /etc/resolv.conf names."""

    def check(self) -> None:
        """Raise UsageError unless every address and network can be read."""
        for address in (*self.client, *self.server, self.resolver):
            try:
                ipaddress.ip_address(address)
            except ValueError as problem:
                raise UsageError(f"the layout of the lab: {problem}") from None
        for network in self.served:
            try:
                ipaddress.ip_network(network)
            except ValueError as problem:
                raise UsageError(f"the layout of the lab: {problem}") from None
        if not self.client or not self.server:
            raise UsageError("the layout of the lab: client and server need an address each")


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a lab's namespaces are like."""

    layout: Layout = Layout()
    trust: str = _NO_CERTIFICATE
    """Certificates that programs in the lab trust, as PEM."""
    files: Mapping[str, str] = {}
    """Texts that stand at these paths in the lab, in place of what the machine has there."""
    mtu: int = 1500
    queue: int = 4000
    """Packets that a side's kernel holds while the network is busy (bench)."""

    def side(self, end: End) -> dict[str, object]:
        """Return what the keeper is told about one side."""
        layout = self.layout
        client = end is End.CLIENT
        return {
            "name": "client" if client else "server",
            "addresses": layout.client if client else layout.server,
            "own": () if client else layout.served,
            "files": {**_names(layout.resolver), **self.files},
            "trust": self.trust,
        }


def _names(resolver: str) -> dict[str, str]:
    return {
        "/etc/resolv.conf": f"nameserver {resolver}\n",
        "/etc/hosts": "127.0.0.1 localhost\n::1 localhost\n",
        # Without this a machine may ask a service of its own for names, past the lab.
        "/etc/nsswitch.conf": "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nnetworks: files\nprotocols: files\nservices: files\n",
    }


def environment(end: End, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the variables that a command in the lab gets: those of this process, less what points outside, and more that are asked for."""
    kept = {name: value for name, value in os.environ.items() if name.lower() not in _FORGOTTEN}
    return kept | dict.fromkeys(_TRUSTING, TRUST) | {"CRENEL_LAB": "client" if end is End.CLIENT else "server"} | dict(more or {})
