"""A word for what an invented packet carries, and the packet that it goes with, in; the bytes out.

Names of hosts are those reserved for examples unless the strategy gives one.
"""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from crenel.errors import UsageError
from crenel.evade.draws import Draws, draw_bytes
from crenel.evade.escape import unquote
from crenel.wire.dns_build import build_query, frame_tcp
from crenel.wire.http import build_request
from crenel.wire.packet import TCP, Packet
from crenel.wire.tls_build import build_client_hello

INNOCENT: Final = "allowed.example"
"""The host name of invented requests: no example list holds it."""
LONGEST: Final = 1400
"""The most bytes that a payload of a given size may have, so that it fits a frame (bench)."""


class Kind(msgspec.Struct, frozen=True):
    """One word: how it is written, which values it takes (None: without one), and its bytes."""

    form: str
    accepts: Callable[[str | None], bool]
    make: Callable[[str | None, Packet, Draws], bytes]


def _is_size(value: str | None) -> bool:
    return value is None or (value.isascii() and value.isdecimal() and len(value) <= 4 and int(value) <= LONGEST)


def _is_name(value: str | None) -> bool:
    if value is None:
        return True
    try:
        build_query(unquote(value))
    except UsageError:
        return False
    return bool(value)


def _size(value: str | None, packet: Packet) -> int:
    return len(packet.payload) if value is None else int(value)


def _name(value: str | None) -> bytes:
    return unquote(INNOCENT if value is None else value)


def _query(value: str | None, packet: Packet, draws: Draws) -> bytes:
    query = build_query(_name(value), ident=int.from_bytes(draw_bytes(draws, "payload dns", 2), "big"))
    return frame_tcp(query) if packet.proto == TCP else query


PAYLOADS: Final[Mapping[str, Kind]] = {
    "zeros": Kind("zeros or zeros=SIZE", _is_size, lambda value, packet, draws: bytes(_size(value, packet))),
    "random": Kind("random or random=SIZE", _is_size, lambda value, packet, draws: draw_bytes(draws, "payload random", _size(value, packet))),
    "http": Kind("http or http=HOST", _is_name, lambda value, packet, draws: build_request(_name(value))),
    "tls": Kind(
        "tls or tls=HOST", _is_name, lambda value, packet, draws: build_client_hello(_name(value), random=draw_bytes(draws, "payload tls", 32)),
    ),
    "dns": Kind("dns or dns=HOST", _is_name, _query),
    "text": Kind("text=TEXT", bool, lambda value, packet, draws: unquote(value or "")),
}
"""Zero or random bytes, as many as the packet's payload has or the given size; an HTTP request, a TLS ClientHello or a DNS query for an
innocent host or the given one; or a text, in which %xx stands for any byte."""
