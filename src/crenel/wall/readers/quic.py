"""A UDP datagram in, the server name of its QUIC client Initial out, as far as the wall's QUIC box follows it."""

import struct
from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from crenel.wall.readers.reading import NOT_MINE, Answer, Found
from crenel.wall.readers.tls import read_name
from crenel.wire.quic import CRYPTO, Frame, Initial, open_initial

_HEAD = struct.Struct(">BIB").unpack_from
_SHORTEST: Final = 7
"""First byte, version, two connection ID lengths (RFC 8999 section 5.1)."""


class QuicSni(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="reads", tag="quic.sni"):
    """The server name of a client Initial, in lower case (QUIC'25 section 4, table 3).

    The Initial must decrypt with the keys of its connection ID and carry a valid tag. No datagram is joined with another,
    and none is too short: 95 bytes were enough.
    """

    list: str
    """The list of names that the value is compared with."""
    version: int
    """Wire version that is decrypted; others, version 2 included, are let pass."""
    longest_dcid: int
    """Bytes of destination connection ID above which nothing is decrypted (payload 9: 255)."""
    packets: int
    """Packets of one datagram that are looked at, from its beginning."""
    crypto_first: bool
    """Whether the first frame must be CRYPTO at offset 0: PING or PADDING before it blinds the box (payload 13)."""
    crypto_frames: int
    """CRYPTO frames that the box puts together; 1: the whole hello must stand in the first (payload 12)."""
    crypto_header: Literal["fixed", "varint"]
    """How the header of the frame at offset 0 is read: `fixed`, one byte of offset and two of length, or as RFC 9000 says (payload 10)."""
    empty_crypto: Literal["rest", "empty"]
    """What a CRYPTO length of 0 means: the rest of the packet (payload 10), or no data."""

    def read(  # every reader is called alike
        self, datagram: bytes, ends: Sequence[int] | None = None, oddly_opened: bool = False  # noqa: FBT001, FBT002
    ) -> Answer:
        """Return the name of the first packet that has one."""
        offset = 0
        for _ in range(self.packets):
            if len(datagram) - offset < _SHORTEST:
                break
            first, version, size = _HEAD(datagram, offset)
            if not first & 0x80 or version != self.version or size > self.longest_dcid:
                break
            initial = open_initial(datagram, offset)
            if not isinstance(initial, Initial):
                break
            found = self._name_of(initial)
            if found is not None:
                return Answer((found,), len(datagram), False)
            offset = initial.end
        return NOT_MINE

    def _name_of(self, initial: Initial) -> Found | None:
        frames = initial.frames
        if self.crypto_first and (not frames or frames[0].kind != CRYPTO or frames[0].crypto_offset):
            return None
        crypto = [frame for frame in frames if frame.kind == CRYPTO][: self.crypto_frames]
        if not crypto:
            return None
        message, pieces = self._join(initial, crypto)
        found = read_name(message, "quic.sni")
        if found is None:
            return None
        here, there = max(piece for piece in pieces if piece[0] <= found.offset)
        return Found("quic.sni", found.value, initial.payload_at + there + found.offset - here, found.length)

    def _join(self, initial: Initial, crypto: Sequence[Frame]) -> tuple[bytes, Sequence[tuple[int, int]]]:
        """Return the handshake bytes from offset 0, and where each piece of them stands in the plaintext."""
        parts: list[bytes] = []
        pieces = [(0, 0)]
        have = 0
        for frame in sorted(crypto, key=lambda one: one.crypto_offset):
            if frame.crypto_offset != have:
                break
            at, length = frame.offset + frame.length - len(frame.data), len(frame.data)
            if not have and self.crypto_header == "fixed":
                at = frame.offset + 4
                length = int.from_bytes(initial.plaintext[at - 2 : at], "big") & 0x3FFF
            data = initial.plaintext[at:] if length == 0 and self.empty_crypto == "rest" else initial.plaintext[at : at + length]
            pieces.append((have, at))
            parts.append(data)
            have += len(data)
        return b"".join(parts), pieces
