"""A host name in, a TLS 1.3 client that asks for a page and a server that answers out: a real ClientHello, then records that stand for the rest.

Nothing is encrypted. What would be ciphertext is derived from the whole ClientHello by hash, in records as long as real ones: a
client whose hello arrived otherwise than it said it notices, as it would by the transcript (RFC 8446 section 4.4.1).
"""

import functools
import hashlib
import ipaddress
import struct
from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from crenel.errors import UsageError
from crenel.net.app.follower import Follower, Role, Turn
from crenel.net.app.speaker import PATIENCE
from crenel.wire.result import Incomplete, Unparseable
from crenel.wire.tls import KEY_SHARE, ClientHello, parse_client_hello
from crenel.wire.tls_build import HelloShape, build_client_hello
from crenel.wire.tls_record import ALERT, APPLICATION_DATA, CHANGE_CIPHER_SPEC, HANDSHAKE, Message, Record, gather_hello, read_record, walk_records

_SUITE: Final = 0x1301
_X25519MLKEM768: Final = 0x11EC
_SHARES: Final = {_X25519MLKEM768: 1088 + 32, 0x001D: 32}
"""Bytes of the server's key share by group, best first."""
_SERVER_HANDSHAKE: Final = (32, 3008, 281, 53)
"""Bytes of the encrypted records that follow a ServerHello: EncryptedExtensions, Certificate (two of them, about 3 kB),
CertificateVerify (RSA, 2,048 bits) and Finished, each with content type and tag."""
_CLIENT_FINISHED: Final = 53
_REQUEST: Final = 480
"""A GET with what a browser says of itself."""
_PAGE_HEAD: Final = 240
_MAX_PLAINTEXT: Final = 1 << 14
_EXTRA_AT_MOST: Final = 12_000
"""Bytes of what a user adds to a hello, so that one record holds it all."""
_SEALED: Final = 17
"""Content type and tag, which encryption adds to a record (RFC 8446 section 5.2)."""

_UNEXPECTED_MESSAGE, _BAD_RECORD_MAC, _HANDSHAKE_FAILURE, _DECODE_ERROR, _PROTOCOL_VERSION = 10, 20, 40, 50, 70
_ALERTS = {
    0: "close notify", 10: "unexpected message", 20: "bad record MAC", 22: "record overflow", 40: "handshake failure", 42: "bad certificate",
    43: "unsupported certificate", 44: "certificate revoked", 45: "certificate expired", 46: "certificate unknown", 47: "illegal parameter",
    48: "unknown CA", 49: "access denied", 50: "decode error", 51: "decrypt error", 70: "protocol version", 71: "insufficient security",
    80: "internal error", 86: "inappropriate fallback", 109: "missing extension", 110: "unsupported extension", 112: "unrecognized name",
    116: "certificate required", 120: "no application protocol",
}  # fmt: skip
"""RFC 8446 section 6."""


class Tls(msgspec.Struct, frozen=True, kw_only=True):
    """A handshake, a request and its answer; raises UsageError for a name over 255 bytes, or for extensions that do not fit."""

    host: str | None
    """Whom the client asks for. An address is not named in the hello (RFC 6066 section 3), and None is nobody."""
    port: int = 443
    shape: HelloShape = HelloShape.BROWSER
    tries: int = 1
    alpn: tuple[bytes, ...] = (b"h2", b"http/1.1")
    extra: tuple[tuple[int, bytes], ...] = ()
    """Further extensions of the hello, type and data."""
    record_sizes: tuple[int, ...] = ()
    """Cut the hello into records of these sizes, and one more for the rest."""
    body_size: int = 1024
    """Bytes of the page."""

    def __post_init__(self) -> None:
        server_name(self.host)
        size = sum(map(len, self.alpn)) + sum(len(data) + 4 for _, data in self.extra)
        if size > _EXTRA_AT_MOST or any(len(name) > 255 for name in self.alpn) or any(not 0 <= kind <= 0xFFFF for kind, _ in self.extra):
            raise UsageError(f"the further extensions and ALPN names, {size} bytes, do not fit a ClientHello, or one has no type of two bytes")

    @property
    def transport(self) -> Literal["tcp"]:
        """What carries it."""
        return "tcp"

    @property
    def patience(self) -> tuple[int, ...]:
        """Nanoseconds that a client waits."""
        return PATIENCE

    def hello(self) -> bytes:
        """Return the ClientHello in its records, the same each time."""
        said = (self.host, self.shape.value, self.alpn, self.extra)
        return build_client_hello(
            server_name(self.host), random=hashlib.sha256(repr(said).encode("utf-8", "backslashreplace")).digest(), shape=self.shape,
            alpn=self.alpn, extra=self.extra, record_sizes=self.record_sizes,
        )  # fmt: skip

    def client(self) -> Follower:
        """Return a client that has said nothing yet."""
        return Follower(_role(self), _explain)

    def server(self) -> "_TlsServer":
        """Return a server that has heard nothing yet."""
        return _TlsServer(self.body_size)


def server_name(host: str | None) -> bytes | None:
    """Return what a hello names for a host: neither an address nor a final dot (RFC 6066 section 3); raises UsageError for one over 255 bytes."""
    if host and len(host.encode("utf-8", "surrogateescape")) > 255:
        raise UsageError(f"the host name {host[:32]!r}... is longer than 255 bytes, which no name in DNS is (RFC 1035 section 2.3.4)")
    if not host:
        return None
    try:
        ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return host.removesuffix(".").encode("utf-8", "surrogateescape") or None
    return None


def derived(hello: bytes, label: str, size: int) -> bytes:
    """Return the bytes of a stand-in for ciphertext, which both ends know from the hello."""
    return hashlib.shake_256(label.encode() + b"\x00" + hello).digest(size)


@functools.lru_cache(maxsize=32)
def server_hello(message: bytes) -> bytes | int:
    """Return the ServerHello (RFC 8446 section 4.1.3) that answers a whole ClientHello message, or the alert that does."""
    hello = parse_client_hello(message)
    if not isinstance(hello, ClientHello):
        return _DECODE_ERROR
    if 0x0304 not in hello.supported_versions:
        return _PROTOCOL_VERSION
    offered = _groups(message, hello)
    group = next((group for group in _SHARES if group in offered), None)
    if group is None or _SUITE not in hello.cipher_suites:
        return _HANDSHAKE_FAILURE
    share = struct.pack(">HH", group, _SHARES[group]) + derived(message, "share", _SHARES[group])
    extensions = b"\x00\x2b\x00\x02\x03\x04" + struct.pack(">HH", KEY_SHARE, len(share)) + share
    body = b"".join((
        b"\x03\x03", derived(message, "random", 32), bytes((len(hello.session_id),)), hello.session_id,
        struct.pack(">HBH", _SUITE, 0, len(extensions)), extensions,
    ))
    return b"\x02" + len(body).to_bytes(3, "big") + body


def _groups(message: bytes, hello: ClientHello) -> set[int]:
    """Return the groups of the key shares in a hello (RFC 8446 section 4.2.8), as far as they hold together."""
    groups: set[int] = set()
    for each in hello.extensions:
        if each.kind == KEY_SHARE:
            at, end = each.offset + 6, each.offset + 4 + each.length
            while at + 4 <= end:
                groups.add(message[at] << 8 | message[at + 1])
                at += 4 + (message[at + 2] << 8 | message[at + 3])
    return groups


class _Rest(msgspec.Struct, frozen=True, gc=False):
    """What follows one ClientHello: the server's flight, what the client then says, the page."""

    flight: bytes
    finish: tuple[bytes, bytes]
    page: bytes


@functools.lru_cache(maxsize=32)
def _rest(message: bytes, body_size: int) -> _Rest | int:
    """Return what follows a ClientHello message, or the alert with which the server ends it."""
    answer = server_hello(message)
    if isinstance(answer, int):
        return answer
    change = _record(CHANGE_CIPHER_SPEC, b"\x01")
    flight = [_record(HANDSHAKE, answer), change]
    flight += [_sealed(message, f"handshake {number}", size) for number, size in enumerate(_SERVER_HANDSHAKE)]
    finish = change + _sealed(message, "client finished", _CLIENT_FINISHED), _sealed(message, "request", _REQUEST)
    whole, last = divmod(_PAGE_HEAD + body_size, _MAX_PLAINTEXT)
    sizes = [_MAX_PLAINTEXT] * whole + [last] * (last > 0)
    return _Rest(b"".join(flight), finish, b"".join(_sealed(message, f"page {number}", size + _SEALED) for number, size in enumerate(sizes)))


@functools.lru_cache(maxsize=32)
def _role(app: Tls) -> Role:
    stream = app.hello()
    gathered = gather_hello(stream)
    message = gathered.buffer[gathered.begin : gathered.end] if isinstance(gathered, Message) else b""
    rest = _rest(message, app.body_size)
    finding = f"TLS 1.3, a page of {app.body_size} bytes"
    awaited = "the answer to its ClientHello"
    if isinstance(rest, int):  # the app offers nothing that its server takes, so that an alert is all that it can hear
        return Role((stream,), awaited, _alert(rest), (), f"TLS alert: {_ALERTS[rest]}")
    turns = (Turn(1, (), f"the rest of {awaited}"), Turn(len(rest.flight), rest.finish, "the page"))
    return Role((stream,), awaited, rest.flight + rest.page, (*turns, Turn(len(rest.flight) + 1, (), "the rest of the page")), finding)


def _explain(heard: bytes, told: bytes) -> str | None:
    """Name the first record that is not the one expected, once it is all there: a client cannot tell before."""
    start = 0
    while True:
        record = read_record(heard, start)
        if isinstance(record, Unparseable):
            return f"no TLS: {record.because}"
        if isinstance(record, Incomplete) or record.end > len(heard):
            return None
        if heard[start : record.end] != told[start : record.end]:
            return _named(heard, record)
        start = record.end


def _named(heard: bytes, record: Record) -> str:
    if record.kind == ALERT and record.end - record.body == 2:
        number = heard[record.body + 1]
        return f"TLS alert: {_ALERTS.get(number, number)}"
    what = {HANDSHAKE: "another handshake record", APPLICATION_DATA: "a record that does not decrypt"}.get(record.kind, "an unexpected record")
    return f"TLS, but {what} of {record.end - record.body} bytes"


def _record(kind: int, fragment: bytes) -> bytes:
    return struct.pack(">BHH", kind, 0x303, len(fragment)) + fragment


def _sealed(message: bytes, label: str, size: int) -> bytes:
    return _record(APPLICATION_DATA, derived(message, label, size))


def _alert(number: int) -> bytes:
    return _record(ALERT, bytes((2, number)))


class _TlsServer:
    __slots__ = ("_body_size", "_buffer", "_rest", "done")

    def __init__(self, body_size: int) -> None:
        self._body_size = body_size
        self._buffer = b""
        self._rest: _Rest | None = None
        self.done = False

    def begin(self) -> Sequence[bytes]:
        return ()

    def take(self, data: bytes) -> Sequence[bytes]:
        if self.done:
            return ()
        self._buffer += data
        if self._rest is not None:
            return self._serve(self._rest)
        gathered = gather_hello(self._buffer)
        if isinstance(gathered, Unparseable):
            return self._refuse(_DECODE_ERROR if self._buffer.startswith(b"\x16\x03") else _UNEXPECTED_MESSAGE)
        if isinstance(gathered, Incomplete) or gathered.end > len(gathered.buffer):
            return ()
        last = gathered.place(gathered.end - 1)
        end = next(record.end for record in walk_records(self._buffer) if record.end > last)
        if end > len(self._buffer):
            return ()  # the hello is all there, but not the record around it
        rest = _rest(gathered.buffer[gathered.begin : gathered.end], self._body_size) if end == last + 1 else _UNEXPECTED_MESSAGE
        if isinstance(rest, int):
            return self._refuse(rest)
        self._rest = rest
        self._buffer = self._buffer[end:]
        return (rest.flight, *self._serve(rest))

    def _serve(self, rest: _Rest) -> Sequence[bytes]:
        due = b"".join(rest.finish)
        if due.startswith(self._buffer) and self._buffer != due:
            return ()
        if not self._buffer.startswith(due):
            return self._refuse(_BAD_RECORD_MAC)
        self.done = True
        return (rest.page,)

    def _refuse(self, alert: int) -> Sequence[bytes]:
        self.done = True
        return (_alert(alert),)
