"""Fields of a packet's headers in, whether a wall's address list or port rule covers them out."""

import ipaddress
from typing import Literal, TypeAlias

import msgspec

from crenel.flow.key import CLASS_ACK, CLASS_LOAD, CLASS_RST, CLASS_SECOND, CLASS_SYN, CLASSES
from crenel.wall.match import AddressList, Entry
from crenel.wall.readers.reading import Found
from crenel.wire.packet import Packet

PacketKind: TypeAlias = Literal["syn", "syn-ack", "client", "server", "client-data", "server-data"]
"""Which packets a box looks at: the opener's SYN, the answer to it, all packets of one end, or those with payload."""

_MASKS: dict[str, tuple[int, int]] = {
    "syn": (CLASS_SECOND | CLASS_SYN | CLASS_ACK | CLASS_RST, CLASS_SYN),
    "syn-ack": (CLASS_SECOND | CLASS_SYN | CLASS_ACK | CLASS_RST, CLASS_SECOND | CLASS_SYN | CLASS_ACK),
    "client": (CLASS_SECOND, 0),
    "server": (CLASS_SECOND, CLASS_SECOND),
    "client-data": (CLASS_SECOND | CLASS_LOAD, CLASS_LOAD),
    "server-data": (CLASS_SECOND | CLASS_LOAD, CLASS_SECOND | CLASS_LOAD),
}


def _classes(kinds: tuple[PacketKind, ...]) -> int:
    """Return the bit set of the packet classes that are of one of the kinds."""
    masks = [_MASKS[kind] for kind in kinds]
    return sum(1 << number for number in range(CLASSES) if any(number & mask == value for mask, value in masks))


def _class(packet: Packet, *, second: bool) -> int:
    flags = packet.flags
    return (
        (CLASS_SECOND if second else 0)
        | (CLASS_LOAD if packet.payload else 0)
        | (flags & CLASS_SYN)
        | (flags & CLASS_RST)
        | (CLASS_ACK if flags & 0x10 else 0)
    )


class _Header(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What both readers share: the packets they look at."""

    packets: tuple[PacketKind, ...]
    packets_from_outside: tuple[PacketKind, ...] | None = None
    """The same for flows opened from outside, where that differs."""

    def classes(self) -> int:
        """Return the packet classes that any flow could be judged by, as a bit set."""
        return _classes(self.packets + (self.packets_from_outside or ()))

    def _looks_at(self, packet: Packet, *, second: bool, opened_inside: bool) -> bool:
        kinds = self.packets if opened_inside or self.packets_from_outside is None else self.packets_from_outside
        own = _class(packet, second=second)
        return any(own & mask == value for mask, value in (_MASKS[kind] for kind in kinds))


class IpAddress(_Header, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="reads", tag="ip.address"):
    """The address, and where the list says so the port, of one end of a connection."""

    list: str
    """The list of addresses that the value is compared with."""
    side: Literal["server", "client"]
    """Whose address is compared: that of the end that answers, or of the one that opens."""

    def concerns(self, server: bytes, server_port: int, client: bytes, client_port: int, names: object) -> bool:
        """Say whether any packet of a flow between these ends could be covered."""
        end = (server, server_port) if self.side == "server" else (client, client_port)
        return isinstance(names, AddressList) and names.find(*end) is not None

    def read_header(self, packet: Packet, names: object, *, second: bool, opened_inside: bool) -> tuple[Found | None, Entry | None]:
        """Return the address and the entry that covers it, or two Nones."""
        if not isinstance(names, AddressList) or not self._looks_at(packet, second=second, opened_inside=opened_inside):
            return None, None
        source = second == (self.side == "server")
        address, port = (packet.src, packet.sport) if source else (packet.dst, packet.dport)
        entry = names.find(address, port)
        if entry is None:
            return None, None
        value = str(ipaddress.ip_address(address)).encode()
        return Found("ip.address", value, 0, 0, f"address of the {self.side}, port {port}"), entry


class TcpPort(_Header, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="reads", tag="tcp.port"):
    """The server's port, whoever the ends are."""

    ports: tuple[int, ...]

    def concerns(self, server: bytes, server_port: int, client: bytes, client_port: int, names: object) -> bool:
        """Say whether any packet of a flow between these ends could be covered."""
        return server_port in self.ports

    def read_header(self, packet: Packet, names: object, *, second: bool, opened_inside: bool) -> tuple[Found | None, Entry | None]:
        """Return the port where the rule is about it, or two Nones."""
        port = packet.sport if second else packet.dport
        if port not in self.ports or not self._looks_at(packet, second=second, opened_inside=opened_inside):
            return None, None
        return Found("tcp.port", str(port).encode(), 0, 0, f"any packet to or from port {port} of a server"), None
