"""Frames and a few choices in, the bytes of a client Initial out; nothing is checked, so that a wrong one can be built too."""

import struct
from collections.abc import Sequence

from crenel.errors import MissingExtraError, UsageError
from crenel.wire.quic import CRYPTO, ciphers
from crenel.wire.quic_keys import VERSION_1, Keys, client_keys, parameters


def build_varint(value: int) -> bytes:
    """Return the shortest variable-length integer (RFC 9000 section 16)."""
    for size, bits in ((1, 6), (2, 14), (4, 30), (8, 62)):
        if value < 1 << bits:
            return (value | size.bit_length() - 1 << size * 8 - 2).to_bytes(size, "big")
    raise UsageError(f"{value} does not fit a QUIC variable-length integer")


def build_crypto_frame(offset: int, data: bytes) -> bytes:
    """Return a CRYPTO frame (RFC 9000 section 19.6)."""
    return bytes((CRYPTO,)) + build_varint(offset) + build_varint(len(data)) + data


def build_initial(
    frames: Sequence[bytes],
    *,
    dcid: bytes,
    scid: bytes = b"",
    version: int = VERSION_1,
    token: bytes = b"",
    packet_number: int = 0,
    number_size: int = 1,
    pad_to: int = 0,
    keys: Keys | None = None,
) -> bytes:
    """Return one protected client Initial.

    Args:
        frames: the encoded frames, in order.
        dcid: the destination connection ID, which decides the keys.
        number_size: 1 to 4 bytes for the packet number.
        pad_to: add PADDING frames until the packet has this length.
        keys: other keys than the version's, as for a packet that must not decrypt.

    Raises UsageError for a version without known keys and MissingExtraError where `cryptography` is not installed.
    """
    known = parameters(version)
    keys = keys or client_keys(version, dcid)
    aes = ciphers()
    if keys is None:
        raise UsageError(f"no key derivation is known for QUIC version {version:#010x}")
    if aes is None:
        raise MissingExtraError("cryptography is not installed, so QUIC Initials cannot be built; the extra crenel[quic] brings it")
    first = 0xC0 | (0 if known is None else known.initial_type) << 4 | number_size - 1
    head = b"".join((struct.pack(">BIB", first, version, len(dcid)), dcid, bytes((len(scid),)), scid, build_varint(len(token)), token))
    plaintext = b"".join(frames)
    # The length field is written in two bytes, as clients do, so that padding does not change its size; the tag takes 16 bytes.
    plaintext = plaintext.ljust(max(pad_to - len(head) - 2 - number_size - 16, 4 - number_size), b"\x00")
    length = number_size + len(plaintext) + 16
    head += struct.pack(">H", 0x4000 | length) if length < 0x4000 else build_varint(length)
    number = (packet_number & (1 << 8 * number_size) - 1).to_bytes(number_size, "big")
    nonce = (int.from_bytes(keys.iv, "big") ^ packet_number).to_bytes(12, "big")
    sealed = aes.seal(keys.key, nonce, plaintext, head + number)
    mask = aes.mask(keys.hp, sealed[4 - number_size : 20 - number_size])
    hidden = bytes(a ^ b for a, b in zip(number, mask[1:], strict=False))
    return bytes((first ^ mask[0] & 0x0F,)) + head[1:] + hidden + sealed
