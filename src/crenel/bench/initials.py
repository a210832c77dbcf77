"""Host names in, real QUIC v1 client Initials out, each with a ClientHello in one CRYPTO frame and padded to 1,200 bytes (RFC 9001)."""

import hmac
import random
import struct

from crenel.wire.tls_build import build_hello_message

_SIZE = 1200
_SALT = bytes.fromhex("38762cf7f55934b34d179ae6a4c80cadccbb7f0a")  # RFC 9001 section 5.2
_TAG = 16
_PARAMETERS = bytes.fromhex("010480007530040480100000050480040000080240640f00")  # idle time-out, limits, source connection ID (empty)


def quic_initials(chance: random.Random, names: list[str]) -> list[bytes]:
    """Return one datagram for each name, every one with its own connection ID and keys. Needs `cryptography`."""
    return [_initial(chance.randbytes(8), _hello(chance, name)) for name in names]


def _hello(chance: random.Random, name: str) -> bytes:
    return build_hello_message(name.encode(), random=chance.randbytes(32), extra=((0x39, _PARAMETERS),))


def _initial(destination: bytes, hello: bytes) -> bytes:
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    secret = _expand(hmac.digest(_SALT, destination, "sha256"), b"client in", 32)
    key, nonce, mask_key = _expand(secret, b"quic key", 16), _expand(secret, b"quic iv", 12), _expand(secret, b"quic hp", 16)
    # Long header of an Initial with a packet number of one byte, 0; no source connection ID, no token; then the length of the rest.
    start = b"\xc0\x00\x00\x00\x01" + bytes((len(destination),)) + destination + b"\x00\x00"
    frames = b"\x06\x00" + struct.pack(">H", 0x4000 | len(hello)) + hello
    frames += bytes(_SIZE - len(start) - 3 - _TAG - len(frames))
    header = start + struct.pack(">H", 0x4000 | 1 + len(frames) + _TAG) + b"\x00"
    sealed = AESGCM(key).encrypt(nonce, frames, header)  # the nonce is the IV itself: packet number 0
    encryptor = Cipher(algorithms.AES(mask_key), modes.ECB()).encryptor()  # noqa: S305 - header protection, RFC 9001 section 5.4.3
    mask = encryptor.update(sealed[3:19])  # the sample begins four bytes after the start of the packet number
    return bytes((header[0] ^ mask[0] & 0x0F,)) + header[1:-1] + bytes((header[-1] ^ mask[1],)) + sealed


def _expand(secret: bytes, label: bytes, length: int) -> bytes:
    """HKDF-Expand-Label of TLS 1.3 (RFC 8446 section 7.1) for at most one block of SHA-256."""
    info = struct.pack(">HB", length, 6 + len(label)) + b"tls13 " + label + b"\x00\x01"
    return hmac.digest(secret, info, "sha256")[:length]
