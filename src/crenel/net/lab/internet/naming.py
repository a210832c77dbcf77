"""A host name in, its addresses in the lab out: the same in every lab, and nobody's outside."""

import hashlib
import ipaddress
from collections.abc import Mapping

import msgspec

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_QUIET = (0, 255)
"""Last bytes that an address of version 4 does not get: many programs take them for a network or for everybody in it."""


class Names(msgspec.Struct, frozen=True, kw_only=True):
    """Which name has which addresses: those that are given, and for every other name two that follow from it."""

    network_4: str = "10.64.0.0/10"
    """From here comes a name's address of version 4; private, and part of what the lab's server owns."""
    network_6: str = "2001:db8:5e::/48"
    """The same of version 6; reserved for documentation."""
    hosts: Mapping[str, tuple[str, ...]] = {}
    """Addresses of names that have their own, in small letters; `*.` in front stands for one or more labels."""
    with_6: bool = True
    """Does a name have an address of version 6?"""

    def look_up(self, name: str) -> tuple[str, ...]:
        """Return the addresses of a name, whatever its case and with or without a final dot; nothing where there can be none."""
        name = name.lower().rstrip(".")
        if not name or name.endswith(".invalid") or name == "invalid":
            return ()  # RFC 6761 section 6.4
        if name == "localhost" or name.endswith(".localhost"):
            return ("127.0.0.1", "::1")  # RFC 6761 section 6.3
        given = self._given(name)
        if given is not None:
            return given
        derived = (derive(name, ipaddress.ip_network(self.network_4)), derive(name, ipaddress.ip_network(self.network_6)))
        return derived if self.with_6 else derived[:1]

    def _given(self, name: str) -> tuple[str, ...] | None:
        if name in self.hosts:
            return self.hosts[name]
        while name:
            _, _, name = name.partition(".")
            if name and f"*.{name}" in self.hosts:
                return self.hosts[f"*.{name}"]
        return None


def derive(name: str, network: Network) -> str:
    """Return an address of a network that follows from a name and from nothing else; two names seldom share one."""
    digest = int.from_bytes(hashlib.blake2b(name.encode("utf-8", "surrogateescape"), digest_size=16).digest(), "big")
    address = network.network_address + digest % network.num_addresses
    if address.version == 4 and address.packed[3] in _QUIET:
        address = network.network_address + (int(address) - int(network.network_address) ^ 1)
    elif address == network.network_address:
        address += 1
    return str(address)
