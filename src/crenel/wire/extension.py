"""IPv6 extension headers in, what stands behind them out (RFC 8200 section 4)."""

from struct import Struct
from typing import NamedTuple

from crenel.wire.buffer import Buffer

FRAGMENT = 44
AUTHENTICATION = 51
NO_NEXT_HEADER = 59

# Hop-by-hop options, routing, fragment, authentication, destination options, mobility, HIP, shim6 (IANA's list of extension
# headers; ESP is left out, since nothing behind it can be read).
_WALKED = frozenset((0, 43, FRAGMENT, AUTHENTICATION, 60, 135, 139, 140))

_FRAGMENT = Struct("!BxHI")


class Chain(NamedTuple):
    """What a chain of extension headers leads to."""

    proto: int
    """The type of what stands at `position`: a transport, or the first header that is cut or not walked."""
    position: int
    fragment_at: int = -1
    """Where the fragment header stands, or -1; a second one is not walked."""
    offset: int = 0
    """Fragment offset in bytes."""
    more: int = 0
    ident: int = 0


def walk_extensions(buffer: Buffer, position: int, end: int, next_header: int) -> Chain:
    """Follow the extension headers that begin at `position` with one of type `next_header`; never past `end`.

    It stops behind a fragment header with an offset: what follows there is the middle of something.
    """
    fragment_at, offset, more, ident = -1, 0, 0, 0
    while next_header in _WALKED and end - position >= 8:
        if next_header == FRAGMENT:
            if fragment_at >= 0:
                break
            fragment_at = position
            following, field, ident = _FRAGMENT.unpack_from(buffer, position)
            offset, more = field & 0xFFF8, field & 1
            next_header = following
            position += 8
            if offset:
                break
            continue
        length = _length(buffer, position, next_header)
        if position + length > end:
            break
        next_header = buffer[position]
        position += length
    return Chain(next_header, position, fragment_at, offset, more, ident)


def set_fragment(headers: bytes, at: int, offset: int, more: int, ident: int) -> bytes:
    """Return `headers` with the three fields of the fragment header at `at` written anew; its reserved bits stay."""
    field = offset & 0xFFF8 | headers[at + 3] & 6 | more & 1
    return headers[: at + 2] + field.to_bytes(2, "big") + ident.to_bytes(4, "big") + headers[at + 8 :]


def _length(buffer: Buffer, position: int, kind: int) -> int:
    # RFC 4302 section 2.2: the authentication header alone counts in words of four bytes, minus two.
    return (buffer[position + 1] + 2) * 4 if kind == AUTHENTICATION else (buffer[position + 1] + 1) * 8


def fragment_header(proto: int, offset: int, more: int, ident: int) -> bytes:
    """Return a fragment header (RFC 8200 section 4.5)."""
    return _FRAGMENT.pack(proto, offset & 0xFFF8 | more & 1, ident)
