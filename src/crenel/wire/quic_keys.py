"""A QUIC version and a connection ID in, the keys of the client's Initials out; the versions whose Initials can be read."""

import hmac
import struct
from typing import Final

import msgspec


class Parameters(msgspec.Struct, frozen=True, gc=False):
    """What distinguishes the Initials of one version: salt, the labels' prefix, and the type bits of the long header."""

    salt: bytes
    label: bytes
    initial_type: int


class Keys(msgspec.Struct, frozen=True, gc=False):
    """Packet key, nonce base and header protection key of one direction (RFC 9001 section 5.1)."""

    key: bytes
    iv: bytes
    hp: bytes


_V1_SALT: Final = bytes.fromhex("38762cf7f55934b34d179ae6a4c80cadccbb7f0a")
_DRAFT_29_SALT: Final = bytes.fromhex("afbfec289993d24c9e9786f19c6111e04390a899")
_DRAFT_23_SALT: Final = bytes.fromhex("c3eef712c72ebb5a11a7d2432bb46365bef9f502")

VERSION_1: Final = 0x00000001
VERSION_2: Final = 0x6B3343CF

_VERSIONS: Final = {
    VERSION_1: Parameters(_V1_SALT, b"quic", 0),  # RFC 9001 section 5.2
    VERSION_2: Parameters(bytes.fromhex("0dede3def700a6db819381be6e269dcbf9bd2ed9"), b"quicv2", 1),  # RFC 9369 sections 3.2, 3.3
    # draft-ietf-quic-tls-23 to -34, section 5.2 each: the salt changed with drafts 29 and 33.
    **{0xFF000000 | draft: Parameters(_DRAFT_23_SALT, b"quic", 0) for draft in range(23, 29)},
    **{0xFF000000 | draft: Parameters(_DRAFT_29_SALT, b"quic", 0) for draft in range(29, 33)},
    **{0xFF000000 | draft: Parameters(_V1_SALT, b"quic", 0) for draft in (33, 34)},
}


def _expansion(label: bytes, length: int) -> bytes:
    """Return the one HMAC input of HKDF-Expand-Label (RFC 8446 section 7.1) for a result of up to 32 bytes."""
    return struct.pack(">HB", length, len(label) + 6) + b"tls13 " + label + b"\x00\x01"


_CLIENT_IN: Final = _expansion(b"client in", 32)
_EXPANSIONS: Final = {
    label: (_expansion(label + b" key", 16), _expansion(label + b" iv", 12), _expansion(label + b" hp", 16)) for label in (b"quic", b"quicv2")
}


def parameters(version: int) -> Parameters | None:
    """Return what is known of a version's Initials."""
    return _VERSIONS.get(version)


def client_keys(version: int, dcid: bytes) -> Keys | None:
    """Derive the keys that protect a client's Initials (RFC 9001 section 5.2); None for a version without known salt."""
    known = _VERSIONS.get(version)
    if known is None:
        return None
    digest = hmac.digest
    secret = digest(digest(known.salt, dcid, "sha256"), _CLIENT_IN, "sha256")
    key, iv, hp = _EXPANSIONS[known.label]
    return Keys(digest(secret, key, "sha256")[:16], digest(secret, iv, "sha256")[:12], digest(secret, hp, "sha256")[:16])
