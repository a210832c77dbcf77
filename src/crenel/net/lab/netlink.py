"""Addresses and prefixes in, the interfaces and routes of this network namespace set up with them (rtnetlink, RFC 3549)."""

import ipaddress
import os
import socket
import struct

# linux/rtnetlink.h, linux/if_link.h, linux/if_addr.h
_NEWLINK, _NEWADDR, _NEWROUTE = 16, 20, 24
_ERROR = 2
_REQUEST, _ACK, _CREATE = 0x1, 0x4, 0x400
_HEADER = struct.Struct("=IHHII")
_LINK = struct.Struct("=BxHiII")
_ADDRESS = struct.Struct("=BBBBI")
_ROUTE = struct.Struct("=BBBBBBBBI")
_ATTRIBUTE = struct.Struct("=HH")
_IFF_UP = 1
_IFLA_MTU, _IFLA_TXQLEN = 4, 13
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_IFA_F_NODAD = 0x02
_RTA_DST, _RTA_OIF = 1, 4
_TABLE_MAIN, _TABLE_LOCAL = 254, 255
_PROTOCOL_STATIC = 4
_UNICAST, _LOCAL = 1, 2
_SCOPE_UNIVERSE, _SCOPE_LINK, _SCOPE_HOST = 0, 253, 254

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Interfaces:
    """Sets up the network namespace in which it is made; each method raises OSError where the kernel refuses."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0)  # NETLINK_ROUTE
        self._serial = 0

    def close(self) -> None:
        """Let the kernel go."""
        self._socket.close()

    def up(self, name: str, *, mtu: int | None = None, queue: int | None = None) -> None:
        """Switch an interface on, with an MTU in bytes and a queue of so many packets."""
        body = _LINK.pack(socket.AF_UNSPEC, 0, socket.if_nametoindex(name), _IFF_UP, _IFF_UP)
        for kind, number in ((_IFLA_MTU, mtu), (_IFLA_TXQLEN, queue)):
            if number is not None:
                body += _attribute(kind, struct.pack("=I", number))
        self._ask(_NEWLINK, body, 0)

    def add_address(self, name: str, address: str) -> None:
        """Give an interface an address that no other on its link has."""
        value = ipaddress.ip_address(address)
        length = value.max_prefixlen
        body = _ADDRESS.pack(_family(value.version), length, _IFA_F_NODAD, _SCOPE_UNIVERSE, socket.if_nametoindex(name))
        body += _attribute(_IFA_LOCAL, value.packed) + _attribute(_IFA_ADDRESS, value.packed)
        self._ask(_NEWADDR, body, _CREATE)

    def route(self, name: str, network: Network) -> None:
        """Send what is meant for a network through an interface."""
        scope = _SCOPE_LINK if network.version == 4 else _SCOPE_UNIVERSE
        self._route(name, network, _TABLE_MAIN, _UNICAST, scope)

    def own(self, network: Network) -> None:
        """Take every address of a network for one of this namespace's own."""
        self._route("lo", network, _TABLE_LOCAL, _LOCAL, _SCOPE_HOST if network.version == 4 else _SCOPE_UNIVERSE)

    def _route(self, name: str, network: Network, table: int, kind: int, scope: int) -> None:
        body = _ROUTE.pack(_family(network.version), network.prefixlen, 0, 0, table, _PROTOCOL_STATIC, scope, kind, 0)
        if network.prefixlen:
            body += _attribute(_RTA_DST, network.network_address.packed)
        body += _attribute(_RTA_OIF, struct.pack("=i", socket.if_nametoindex(name)))
        self._ask(_NEWROUTE, body, _CREATE)

    def _ask(self, kind: int, body: bytes, flags: int) -> None:
        self._serial += 1
        self._socket.send(_HEADER.pack(16 + len(body), kind, _REQUEST | _ACK | flags, self._serial, 0) + body)
        answer = self._socket.recv(65536)
        _, answered, _, _, _ = _HEADER.unpack_from(answer)
        (code,) = struct.unpack_from("=i", answer, 16)
        if answered != _ERROR or code:
            raise OSError(-code, f"rtnetlink request {kind}: {os.strerror(-code)}")


def _family(version: int) -> int:
    return socket.AF_INET if version == 4 else socket.AF_INET6


def _attribute(kind: int, value: bytes) -> bytes:
    return _ATTRIBUTE.pack(4 + len(value), kind) + value + bytes(-len(value) % 4)
