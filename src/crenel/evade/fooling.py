"""An invented packet and a word for why no server takes it in, the packet made so out.

The words and the amounts that they have without a number are those of zapret's nfqws.
"""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from crenel.evade.draws import Draws, draw_bytes
from crenel.evade.options import MD5, TIMESTAMP, option_body, with_option
from crenel.wire.ip import write_transport
from crenel.wire.packet import ACK, TCP, UDP, Packet

_MASK = 0xFFFFFFFF
_replace = msgspec.structs.replace


class Fooler(msgspec.Struct, frozen=True):
    """One word: how it is written, whether a number goes with it, and what it does; `reach` is the number used without one."""

    form: str
    apply: Callable[[Packet, int, Draws], Packet]
    reach: int = 0
    takes_value: bool = False
    needs_value: bool = False


def _ttl(packet: Packet, value: int, draws: Draws) -> Packet:
    return _replace(packet, ttl=min(max(value, 0), 255))


def _md5(packet: Packet, value: int, draws: Draws) -> Packet:
    if packet.proto != TCP:
        return packet
    options = with_option(packet.options, MD5, draw_bytes(draws, "md5header", 16))
    return packet if options is None else _replace(packet, options=options)


def _badsum(packet: Packet, value: int, draws: Draws) -> Packet:
    if packet.proto not in (TCP, UDP):
        return packet
    at = 16 if packet.proto == TCP else 6
    right = int.from_bytes(write_transport(packet)[at : at + 2], "big")
    # Zero would mean "no checksum" to UDP (RFC 768).
    return _replace(packet, checksum=right ^ 0x5555 or 1)


def _badseq(packet: Packet, value: int, draws: Draws) -> Packet:
    return _replace(packet, seq=packet.seq + value & _MASK) if packet.proto == TCP else packet


def _badack(packet: Packet, value: int, draws: Draws) -> Packet:
    return _replace(packet, ack=packet.ack + value & _MASK) if packet.proto == TCP else packet


def _noack(packet: Packet, value: int, draws: Draws) -> Packet:
    return _replace(packet, flags=packet.flags & ~ACK) if packet.proto == TCP else packet


def _ts(packet: Packet, value: int, draws: Draws) -> Packet:
    body = option_body(packet.options, TIMESTAMP) if packet.proto == TCP else None
    if body is None or len(body) != 8:
        return packet
    moved = int.from_bytes(body[:4], "big") + value & _MASK
    return _replace(packet, options=with_option(packet.options, TIMESTAMP, moved.to_bytes(4, "big") + body[4:]) or packet.options)


FOOLINGS: Final[Mapping[str, Fooler]] = {
    "ttl": Fooler("ttl=N", _ttl, takes_value=True, needs_value=True),
    "md5": Fooler("md5", _md5),
    "badseq": Fooler("badseq or badseq=N", _badseq, -10000, takes_value=True),
    "badack": Fooler("badack or badack=N", _badack, -66000, takes_value=True),
    "ts": Fooler("ts or ts=N", _ts, -600000, takes_value=True),
    "noack": Fooler("noack", _noack),
    "badsum": Fooler("badsum", _badsum),
}
"""A TTL that ends before the server; an MD5 signature option without a key agreed (RFC 2385); a sequence number, an acknowledgement
number or a timestamp off by so much (where it has one); no ACK flag; a wrong checksum. Applied in this order, the checksum last."""
