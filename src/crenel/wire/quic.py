"""QUIC datagrams in, their packets out: long headers as they stand, client Initials decrypted into frames with CRYPTO data.

RFC 9000 and RFC 9001, version 2 by RFC 9369, and the last drafts. Where `cryptography` is not installed an Initial is
unparseable, with that as the reason. What a wall makes of keys and frames is modelled elsewhere.
"""

import functools
import re
import struct
from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from crenel.wire.memo import remember_last
from crenel.wire.quic_keys import Keys, client_keys, parameters
from crenel.wire.result import Unparseable

PADDING: Final = 0x00
PING: Final = 0x01
ACK: Final = 0x02
ACK_ECN: Final = 0x03
CRYPTO: Final = 0x06
CONNECTION_CLOSE: Final = 0x1C
"""The frames that an Initial may hold (RFC 9000 section 17.2.2)."""

MAX_CONNECTION_ID: Final = 20
"""RFC 9000 section 17.2."""
_TAG: Final = 16
_SAMPLE: Final = 16

_HEAD = struct.Struct(">BIB").unpack_from
_ZEROS = re.compile(rb"\x00++")

_SHORT: Final = Unparseable("not a QUIC packet with a long header")
_CUT: Final = Unparseable("the QUIC header runs past the end of the datagram")
_LONG_ID: Final = Unparseable("a QUIC connection ID is longer than 20 bytes")
_UNKNOWN: Final = Unparseable("the QUIC version has no key derivation known here")
_NEGOTIATION: Final = Unparseable("a QUIC version negotiation packet")
_NOT_INITIAL: Final = Unparseable("a QUIC packet, but not an Initial")
_CUT_PACKET: Final = Unparseable("the QUIC packet claims more bytes than the datagram has")
_TOO_SHORT: Final = Unparseable("the QUIC Initial is too short to be sampled and authenticated")
_BAD_TAG: Final = Unparseable("the QUIC Initial does not decrypt with the client keys of its connection ID")
_MISSING: Final = Unparseable("cryptography is not installed, so QUIC Initials cannot be decrypted; the extra crenel[quic] brings it")
_CUT_FRAME: Final = Unparseable("a QUIC frame runs past the end of the packet")
_BAD_FRAME: Final = Unparseable("the QUIC Initial holds a frame that no Initial may hold")


class LongHeader(msgspec.Struct, frozen=True, gc=False):
    """The part of a long header that is not protected; offsets count from the beginning of the datagram."""

    first: int
    """The first byte, its low four bits still protected."""
    version: int
    dcid: bytes
    scid: bytes
    offset: int
    token: bytes
    """Of an Initial; else empty."""
    body: int
    """Where the packet number begins; for a Retry or a version negotiation, what follows the connection IDs."""
    end: int
    """Where the packet claims to end, which may be past the end of the datagram."""

    @property
    def is_initial(self) -> bool:
        """Say whether the type bits mean Initial in this version; for an unknown version, as in version 1."""
        known = parameters(self.version)
        return self.version != 0 and self.first >> 4 & 3 == (0 if known is None else known.initial_type)


class Frame(msgspec.Struct, frozen=True, gc=False):
    """One frame: `offset` and `length` in the decrypted packet; for CRYPTO also its offset in the handshake and its data."""

    kind: int
    offset: int
    length: int
    crypto_offset: int = 0
    data: bytes = b""


class Initial(msgspec.Struct, frozen=True, gc=False):
    """One decrypted client Initial. A place p in `plaintext` stands encrypted at `payload_at` + p of the datagram."""

    version: int
    dcid: bytes
    scid: bytes
    token: bytes
    packet_number: int
    """As sent, not expanded."""
    plaintext: bytes
    frames: tuple[Frame, ...]
    payload_at: int
    end: int
    broken: Unparseable | None = None
    """Why the frames end before the plaintext does."""


def looks_like_quic(payload: bytes) -> bool:
    """Say whether a datagram begins with a long header of a known version or of a version negotiation, connection IDs fitting."""
    header = read_long_header(payload)
    return isinstance(header, LongHeader) and (header.version == 0 or parameters(header.version) is not None)


def read_long_header(datagram: bytes, offset: int = 0) -> LongHeader | Unparseable:
    """Read the long header at `offset`, of any version; nothing is decrypted and the claimed end may lie past the datagram."""
    try:
        first, version, size = _HEAD(datagram, offset)
        # RFC 8999 fixes only the top bit; the next is 1 in every version but a version negotiation (RFC 9000 section 17.2).
        if not first & 0x80 or not (first & 0x40 or version == 0):
            return _SHORT
        if size > MAX_CONNECTION_ID:
            return _LONG_ID
        position = offset + 6 + size
        scid_size = datagram[position]
        if scid_size > MAX_CONNECTION_ID:
            return _LONG_ID
        dcid = datagram[offset + 6 : position]
        scid = datagram[position + 1 : position + 1 + scid_size]
        position += 1 + scid_size
        if position > len(datagram):
            return _CUT
        kind, known = first >> 4 & 3, parameters(version)
        initial = 0 if known is None else known.initial_type
        if version == 0 or kind == (initial - 1) & 3:
            return LongHeader(first, version, dcid, scid, offset, b"", position, len(datagram))
        token = b""
        if kind == initial:
            size, position = _varint(datagram, position)
            token = datagram[position : position + size]
            position += size
        length, position = _varint(datagram, position)
    except (struct.error, IndexError):
        return _CUT if datagram[offset : offset + 1] >= b"\x80" else _SHORT
    return LongHeader(first, version, dcid, scid, offset, token, position, position + length)


def open_initial(datagram: bytes, offset: int = 0, *, original_dcid: bytes | None = None) -> Initial | Unparseable:
    """Decrypt the client Initial at `offset` and read its frames.

    The keys come from the packet's destination connection ID, or from `original_dcid`, that of the client's first Initial, once
    the client has taken over a connection ID that the server chose (RFC 9001 section 5.2).
    """
    if offset == 0 and original_dcid is None and ciphers() is not None:
        return _open_first(datagram)
    return _open(datagram, offset, original_dcid)


def _open(datagram: bytes, offset: int, original_dcid: bytes | None) -> Initial | Unparseable:
    header = read_long_header(datagram, offset)
    if not isinstance(header, LongHeader):
        return header
    if header.version == 0:
        return _NEGOTIATION
    keys = client_keys(header.version, header.dcid if original_dcid is None else original_dcid)
    if keys is None:
        return _UNKNOWN
    if not header.is_initial:
        return _NOT_INITIAL
    return open_with_keys(datagram, header, keys)


@remember_last
def _open_first(datagram: bytes) -> Initial | Unparseable:
    """Open the packet at the beginning; a wall's reader and the honest one ask for the same, and decrypting is dear."""
    return _open(datagram, 0, None)


def open_with_keys(datagram: bytes, header: LongHeader, keys: Keys) -> Initial | Unparseable:
    """Remove header protection (RFC 9001 section 5.4), authenticate and decrypt with the given keys, whatever the version says."""
    body, end = header.body, header.end
    if end > len(datagram):
        return _CUT_PACKET
    if end < body + 4 + _SAMPLE:
        return _TOO_SHORT
    aes = ciphers()
    if aes is None:
        return _MISSING
    mask = aes.mask(keys.hp, datagram[body + 4 : body + 4 + _SAMPLE])
    first = header.first ^ mask[0] & 0x0F
    size = (first & 3) + 1
    payload_at = body + size
    number = int.from_bytes(datagram[body:payload_at], "big") ^ int.from_bytes(mask[1 : 1 + size], "big")
    associated = b"%c%b%b" % (first, datagram[header.offset + 1 : body], number.to_bytes(size, "big"))
    nonce = (int.from_bytes(keys.iv, "big") ^ number).to_bytes(12, "big")
    plaintext = aes.open(keys.key, nonce, datagram[payload_at:end], associated)
    if plaintext is None:
        return _BAD_TAG
    frames, broken = read_frames(plaintext)
    return Initial(header.version, header.dcid, header.scid, header.token, number, plaintext, frames, payload_at, end, broken)


def read_datagram(datagram: bytes) -> tuple[Initial | LongHeader | Unparseable, ...]:
    """Walk the packets that one datagram coalesces (RFC 9000 section 12.2).

    An Initial is decrypted, or comes as its long header where that fails, as for a server's; what is no long header ends the walk.
    """
    found: list[Initial | LongHeader | Unparseable] = []
    offset = 0
    while offset < len(datagram):
        header = read_long_header(datagram, offset)
        if not isinstance(header, LongHeader):
            found.append(header)
            break
        initial = open_initial(datagram, offset) if header.is_initial else header
        found.append(header if isinstance(initial, Unparseable) else initial)
        offset = header.end
    return tuple(found)


def read_frames(plaintext: bytes) -> tuple[tuple[Frame, ...], Unparseable | None]:
    """Read the frames of an Initial, a run of PADDING as one, and say why they end early if they do."""
    frames: list[Frame] = []
    position, size = 0, len(plaintext)
    try:
        while position < size:
            start, kind = position, plaintext[position]
            if kind == CRYPTO:
                crypto_offset, position = _varint(plaintext, start + 1)
                length, position = _varint(plaintext, position)
                if position + length > size:
                    return tuple(frames), _CUT_FRAME
                frames.append(Frame(CRYPTO, start, position + length - start, crypto_offset, plaintext[position : position + length]))
                position += length
                continue
            if kind == PADDING:
                zeros = _ZEROS.match(plaintext, start)
                position = size if zeros is None else zeros.end()
            elif kind == PING:
                position += 1
            elif kind in (ACK, ACK_ECN):
                position = _skip_ack(plaintext, start)
            elif kind == CONNECTION_CLOSE:
                position = _skip_close(plaintext, start)
            else:
                return tuple(frames), _BAD_FRAME
            if position > size:
                return tuple(frames), _CUT_FRAME
            frames.append(Frame(kind, start, position - start))
    except IndexError:
        return tuple(frames), _CUT_FRAME
    return tuple(frames), None


def crypto_bytes(frames: Iterable[Frame]) -> bytes:
    """Put CRYPTO frames of any number of packets in order and return what is contiguous from 0; of bytes sent twice the first count."""
    pieces = sorted((frame.crypto_offset, frame.data) for frame in frames if frame.kind == CRYPTO and frame.data)
    if len(pieces) == 1:
        return pieces[0][1] if pieces[0][0] == 0 else b""
    joined: list[bytes] = []
    have = 0
    for offset, data in pieces:
        if offset > have:
            break
        if offset + len(data) > have:
            joined.append(data[have - offset :])
            have = offset + len(data)
    return b"".join(joined)


class Ciphers(msgspec.Struct, frozen=True):
    """The AES steps of packet protection: `mask(key, sample)`, `open` and `seal` of (key, nonce, data, associated data)."""

    mask: Callable[[bytes, bytes], bytes]
    open: Callable[[bytes, bytes, bytes, bytes], bytes | None]
    seal: Callable[[bytes, bytes, bytes, bytes], bytes]


@functools.cache
def ciphers() -> Ciphers | None:
    """Return the AES steps, importing `cryptography` when first asked; None where it is not installed."""
    try:
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - on first use: it takes long to load and may be absent
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes  # noqa: PLC0415 - the same
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - the same
    except ImportError:
        return None
    block, book = algorithms.AES, modes.ECB()

    def mask(key: bytes, sample: bytes) -> bytes:
        return Cipher(block(key), book).encryptor().update(sample)

    def open_(key: bytes, nonce: bytes, sealed: bytes, associated: bytes) -> bytes | None:
        try:
            return AESGCM(key).decrypt(nonce, sealed, associated)
        except InvalidTag:
            return None

    def seal(key: bytes, nonce: bytes, plaintext: bytes, associated: bytes) -> bytes:
        return AESGCM(key).encrypt(nonce, plaintext, associated)

    return Ciphers(mask, open_, seal)


def _varint(buffer: bytes, position: int) -> tuple[int, int]:
    """Read a variable-length integer (RFC 9000 section 16) and where it ends; raises IndexError past the end of the buffer."""
    first = buffer[position]
    if first < 0x40:
        return first, position + 1
    if first < 0x80:
        return (first & 0x3F) << 8 | buffer[position + 1], position + 2
    end = position + (1 << (first >> 6))
    if end > len(buffer):
        raise IndexError
    return int.from_bytes(buffer[position:end], "big") & (1 << (end - position) * 8 - 2) - 1, end


def _skip_ack(plaintext: bytes, position: int) -> int:
    """Return where an ACK frame ends (RFC 9000 section 19.3)."""
    kind = plaintext[position]
    _, position = _varint(plaintext, position + 1)
    _, position = _varint(plaintext, position)
    ranges, position = _varint(plaintext, position)
    _, position = _varint(plaintext, position)
    for _ in range(2 * ranges + (3 if kind == ACK_ECN else 0)):
        _, position = _varint(plaintext, position)
    return position


def _skip_close(plaintext: bytes, position: int) -> int:
    """Return where a CONNECTION_CLOSE frame ends (RFC 9000 section 19.19)."""
    _, position = _varint(plaintext, position + 1)
    _, position = _varint(plaintext, position)
    length, position = _varint(plaintext, position)
    return position + length
