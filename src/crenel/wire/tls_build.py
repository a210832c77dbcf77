"""A server name and a few choices in, the bytes of a ClientHello out: the same bytes for the same 32-byte random, on any machine.

Two shapes: what clients sent for a decade, a few hundred bytes, and what browsers send since they offer a post-quantum key share,
about 1.7 kB. Nothing is checked, so that a hello can also be built wrong.
"""

import enum
import hashlib
import struct
from collections.abc import Sequence

from crenel.wire.tls_record import CLIENT_HELLO, HANDSHAKE


class HelloShape(enum.Enum):
    """Which clients a built hello resembles."""

    CLASSIC = "classic"
    """TLS 1.2 and 1.3 with one elliptic-curve share: about 250 bytes with a short name."""
    BROWSER = "browser"
    """With GREASE (RFC 8701), an X25519MLKEM768 share of 1,216 bytes and an ECH placeholder: about 1.7 kB."""


def build_client_hello(
    server_name: bytes | None,
    *,
    random: bytes,
    shape: HelloShape = HelloShape.CLASSIC,
    alpn: Sequence[bytes] = (b"h2", b"http/1.1"),
    extra: Sequence[tuple[int, bytes]] = (),
    name_at: int = 0,
    record_sizes: Sequence[int] = (),
) -> bytes:
    """Return a ClientHello in TLS records.

    Args:
        server_name: the SNI; None leaves the extension out.
        random: 32 bytes, from which session id, key shares and everything else that looks random are derived.
        shape: what the hello resembles.
        alpn: protocol names; none leaves the extension out.
        extra: further extensions, type and data, at the end: ESNI, ECH, padding ...
        name_at: before which of the other extensions server_name stands; past the last means at the end.
        record_sizes: cut the message into records of these sizes, and one more for the rest.
    """
    message = build_hello_message(server_name, random=random, shape=shape, alpn=alpn, extra=extra, name_at=name_at)
    records = []
    for size in record_sizes:
        records.append(message[:size])
        message = message[size:]
    records.append(message)
    return b"".join(_record(0x301, piece) for piece in records if piece)


def build_hello_message(
    server_name: bytes | None,
    *,
    random: bytes,
    shape: HelloShape = HelloShape.CLASSIC,
    alpn: Sequence[bytes] = (b"h3",),
    extra: Sequence[tuple[int, bytes]] = (),
    name_at: int = 0,
) -> bytes:
    """Return the bare handshake message, as it stands in QUIC CRYPTO frames; the arguments are those of `build_client_hello`."""
    suites, extensions = _SHAPES[shape](random)
    if alpn:
        extensions.insert(len(extensions) // 2, (16, _long(b"".join(_short(name) for name in alpn))))
    if server_name is not None:
        extensions.insert(name_at, (0, _long(b"\x00" + _long(server_name))))
    extensions.extend(extra)
    body = b"".join((
        b"\x03\x03", random, _short(_derive(random, "session", 32)), _long(suites), b"\x01\x00",
        _long(b"".join(struct.pack(">H", kind) + _long(data) for kind, data in extensions)),
    ))
    return bytes((CLIENT_HELLO,)) + len(body).to_bytes(3, "big") + body


def _classic(random: bytes) -> tuple[bytes, list[tuple[int, bytes]]]:
    suites = bytes.fromhex(
        "130213031301c02cc030009fcca9cca8ccaac02bc02f009ec024c028006bc023c0270067c00ac0140039c009c0130033009d009c003d003c0035002f00ff"
    )
    return suites, [
        (11, _short(b"\x00\x01\x02")),
        (10, _long(bytes.fromhex("001d0017001e00190018"))),
        (35, b""),
        (22, b""),
        (23, b""),
        (13, _long(bytes.fromhex("040305030603080708080809080a080b080408050806040105010601"))),
        (43, _short(b"\x03\x04\x03\x03")),
        (45, _short(b"\x01")),
        (51, _long(b"\x00\x1d" + _long(_derive(random, "x25519", 32)))),
    ]


def _browser(random: bytes) -> tuple[bytes, list[tuple[int, bytes]]]:
    # The values that GREASE reserves are 0x0a0a, 0x1a1a ... 0xfafa (RFC 8701 section 2).
    suite, group, version, first, last = (bytes((nibble << 4 | 10,)) * 2 for nibble in (each & 15 for each in _derive(random, "grease", 5)))
    if last == first:
        last = bytes((last[0] ^ 0x10,)) * 2
    suites = suite + bytes.fromhex("130113021303c02bc02fc02cc030cca9cca8c013c014009c009d002f0035")
    share = b"".join((
        group + _long(b"\x00"),
        b"\x11\xec" + _long(_derive(random, "mlkem768", 1184) + _derive(random, "x25519", 32)),
        b"\x00\x1d" + _long(_derive(random, "x25519", 32)),
    ))
    placeholder = b"".join((
        b"\x00\x00\x01\x00\x01", _derive(random, "config", 1), _long(_derive(random, "enc", 32)), _long(_derive(random, "ech", 144)),
    ))
    return suites, [
        (int.from_bytes(first, "big"), b""),
        (51, _long(share)),
        (5, b"\x01\x00\x00\x00\x00"),
        (11, _short(b"\x00")),
        (0xFE0D, placeholder),
        (43, _short(version + b"\x03\x04\x03\x03")),
        (10, _long(group + bytes.fromhex("11ec001d00170018"))),
        (13, _long(bytes.fromhex("04030804040105030805050108060601"))),
        (27, _short(b"\x00\x02")),
        (18, b""),
        (45, _short(b"\x01")),
        (23, b""),
        (0xFF01, b"\x00"),
        (35, b""),
        (0x44CD, _long(_short(b"h2"))),
        (int.from_bytes(last, "big"), b"\x00"),
    ]


_SHAPES = {HelloShape.CLASSIC: _classic, HelloShape.BROWSER: _browser}


def _record(version: int, fragment: bytes) -> bytes:
    return struct.pack(">BHH", HANDSHAKE, version, len(fragment)) + fragment


def _short(data: bytes) -> bytes:
    return bytes((len(data),)) + data


def _long(data: bytes) -> bytes:
    return struct.pack(">H", len(data)) + data


def _derive(random: bytes, label: str, size: int) -> bytes:
    return hashlib.shake_256(random + label.encode()).digest(size)
