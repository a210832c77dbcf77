"""A host name in, a QUIC client that asks for a page and a server that answers out: real client Initials, then datagrams that stand for the rest.

What the server says is no QUIC that decrypts: datagrams with the headers and sizes of real ones, whose protected part is derived
from the ClientHello by hash, so that both ends know it. Neither acknowledgements nor a Retry are modelled.
"""

import functools
import hashlib
import struct
from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from crenel.instant import seconds
from crenel.net.app.speaker import Heard
from crenel.net.app.tls import derived, server_hello, server_name
from crenel.wire.quic import MAX_CONNECTION_ID, Frame, Initial, LongHeader, crypto_bytes, open_initial, read_long_header
from crenel.wire.quic_build import build_crypto_frame, build_initial, build_varint
from crenel.wire.quic_keys import VERSION_1
from crenel.wire.tls import QUIC_TRANSPORT_PARAMETERS
from crenel.wire.tls_build import HelloShape, build_hello_message

_PATIENCE = (seconds(1), seconds(2), seconds(4), seconds(3))
"""A probe timeout of three times the initial RTT of 333 ms, doubled each time (RFC 9002 section 6.2); after 10 s browsers give up."""
_DATAGRAM: Final = 1200
"""What every datagram with an Initial is padded to (RFC 9000 section 14.1)."""
_CRYPTO: Final = 1150
"""Bytes of the ClientHello that fit into one with its headers and tag."""
_PACKETS_AT_MOST: Final = 64
"""Of one client, before its server knows the whole hello: a hello takes two or three."""
_SERVER_HANDSHAKE: Final = (1200, 1200, 1068)
"""After the ServerHello: what a TLS server says there, certificates of about 3 kB, in three datagrams."""
_CLIENT_FINISHED: Final = 102
_REQUEST: Final = 330
_PAGE: Final = 900
_INITIAL, _HANDSHAKE = 0, 2
"""Types of long headers (RFC 9000 section 17.2)."""


class Quic(msgspec.Struct, frozen=True, kw_only=True):
    """A handshake, a request and its answer over QUIC version 1; raises UsageError for a host name of over 255 bytes."""

    host: str | None
    """Whom the client asks for; an address is not named in the hello."""
    shape: HelloShape = HelloShape.CLASSIC
    """A hello of the older shape fits into one datagram; one as browsers send it takes two."""
    port: int = 443
    tries: int = 1

    def __post_init__(self) -> None:
        server_name(self.host)

    @property
    def transport(self) -> Literal["udp"]:
        """What carries it."""
        return "udp"

    @property
    def patience(self) -> tuple[int, ...]:
        """Nanoseconds that a client waits."""
        return _PATIENCE

    def client(self) -> "_QuicClient":
        """Return a client that has said nothing yet; raises MissingExtraError where `cryptography` is not installed."""
        return _QuicClient(*_said(self))

    def server(self) -> "_QuicServer":
        """Return a server that has heard nothing yet; raises MissingExtraError where `cryptography` is not installed."""
        _said(self)  # without `cryptography` it would hear nothing, and nobody would know why
        return _QuicServer()

    def initials(self) -> tuple[bytes, ...]:
        """Return the datagrams with the ClientHello, the same each time; raises MissingExtraError where `cryptography` is not installed."""
        return _said(self)[0]


class _Rest(msgspec.Struct, frozen=True, gc=False):
    """What follows one ClientHello: the server's flight, what the client then says, the page; a datagram each."""

    flight: tuple[bytes, ...]
    finish: tuple[bytes, ...]
    page: bytes


@functools.lru_cache(maxsize=32)
def _said(app: Quic) -> tuple[tuple[bytes, ...], _Rest]:
    random = hashlib.sha256(f"quic {app.host}".encode("utf-8", "surrogateescape")).digest()
    dcid, scid = random[:8], random[8:11]
    extra = ((QUIC_TRANSPORT_PARAMETERS, _transport_parameters(scid)),)
    message = _without_session(build_hello_message(server_name(app.host), random=random, shape=app.shape, extra=extra))
    initials = tuple(
        build_initial((build_crypto_frame(at, message[at : at + _CRYPTO]),), dcid=dcid, scid=scid, packet_number=number, pad_to=_DATAGRAM)
        for number, at in enumerate(range(0, len(message), _CRYPTO))
    )
    answer = server_hello(message)
    return initials, _rest(message, answer if isinstance(answer, bytes) else b"", dcid, scid)


def _transport_parameters(scid: bytes) -> bytes:
    """Return what a browser announces (RFC 9000 section 18.2): time-out, sizes, streams, its connection ID."""
    numbers = {0x01: 30_000, 0x03: 1472, 0x04: 15 << 20, 0x05: 6 << 20, 0x06: 6 << 20, 0x07: 6 << 20, 0x08: 100, 0x09: 103}
    parameters = [(name, build_varint(value)) for name, value in numbers.items()] + [(0x0F, scid)]
    return b"".join(build_varint(name) + build_varint(len(value)) + value for name, value in parameters)


def _without_session(message: bytes) -> bytes:
    """Return the hello with an empty session id, as QUIC wants it (RFC 9001 section 8.4)."""
    body = message[4:38] + b"\x00" + message[39 + message[38] :]
    return message[:1] + len(body).to_bytes(3, "big") + body


@functools.lru_cache(maxsize=32)
def _rest(message: bytes, answer: bytes, dcid: bytes, scid: bytes) -> _Rest:
    """Return what follows a ClientHello and the ServerHello that answers it, between these connection IDs."""
    mine = derived(message + dcid, "server cid", 8)
    opaque = functools.partial(derived, message + dcid + scid)
    initials = -(-len(answer) // _CRYPTO)
    flight = [_long(_INITIAL, scid, mine, opaque(f"initial {number}", _DATAGRAM), _DATAGRAM) for number in range(initials)]
    flight += [_long(_HANDSHAKE, scid, mine, opaque(f"handshake {number}", size), size) for number, size in enumerate(_SERVER_HANDSHAKE)]
    finished = _long(_HANDSHAKE, mine, scid, opaque("client finished", _CLIENT_FINISHED), _CLIENT_FINISHED)
    return _Rest(tuple(flight), (finished, _short(mine, opaque("request", _REQUEST))), _short(scid, opaque("page", _PAGE)))


def _long(kind: int, dcid: bytes, scid: bytes, opaque: bytes, size: int) -> bytes:
    """Return a datagram of one packet with a long header (RFC 9000 section 17.2), with as much of the opaque bytes as make up its size."""
    head = struct.pack(">BIB", 0xC0 | kind << 4 | opaque[-1] & 15, VERSION_1, len(dcid)) + dcid + bytes((len(scid),)) + scid
    head += b"\x00" if kind == _INITIAL else b""
    length = size - len(head) - 2
    return head + struct.pack(">H", 0x4000 | length) + opaque[:length]


def _short(dcid: bytes, opaque: bytes) -> bytes:
    """Return a datagram of one packet with a short header (RFC 9000 section 17.3)."""
    return bytes((0x40 | opaque[-1] & 0x3F,)) + dcid + opaque


class _QuicClient:
    """Waits for all of the server's datagrams, in any order; what is none of them it discards, as what does not decrypt (RFC 9000 section 5.2)."""

    __slots__ = ("_initials", "_missing", "_rest", "awaits", "done", "heard")

    def __init__(self, initials: tuple[bytes, ...], rest: _Rest) -> None:
        self._initials = initials
        self._rest = rest
        self._missing = list(rest.flight)
        self.done = False
        self.heard: list[Heard] = []
        self.awaits = "the answer to its Initial"

    def begin(self) -> Sequence[bytes]:
        return self._initials

    def take(self, data: bytes) -> Sequence[bytes]:
        if self.done:
            return ()
        if not self._missing:
            return self._conclude(f"QUIC, a page in a datagram of {len(data)} bytes", intact=True) if data == self._rest.page else ()
        if data not in self._missing:
            return self._negotiate(data) if len(self._missing) == len(self._rest.flight) else ()
        self._missing.remove(data)
        self.awaits = "the rest of the answer to its Initial" if self._missing else "the page"
        return () if self._missing else self._rest.finish

    def _negotiate(self, data: bytes) -> Sequence[bytes]:
        """Give up where version 1 is not offered, if nothing else came before (RFC 9000 section 6.2): to say so takes no key."""
        header, sent = read_long_header(data), read_long_header(self._initials[0])
        if not isinstance(header, LongHeader) or not isinstance(sent, LongHeader) or header.version:
            return ()
        versions = {data[at : at + 4] for at in range(header.body, len(data) - 3, 4)}
        if (header.dcid, header.scid) != (sent.scid, sent.dcid) or not versions or struct.pack(">I", VERSION_1) in versions:
            return ()
        return self._conclude("QUIC: version 1 is not offered", intact=False)

    def _conclude(self, says: str, *, intact: bool) -> Sequence[bytes]:
        self.heard.append(Heard(says, intact))
        self.done = True
        return ()


class _Connection:
    """What a server knows of the client that chose one connection ID."""

    __slots__ = ("completed_by", "finished_by", "frames", "packets", "rest")

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self.packets: set[bytes] = set()
        self.rest: _Rest | None = None
        self.completed_by = b""
        """The datagram with which the hello was whole; when it comes again, so does the answer."""
        self.finished_by = b""


class _QuicServer:
    __slots__ = ("_connections", "done")

    def __init__(self) -> None:
        self._connections: dict[bytes, _Connection] = {}
        self.done = False

    def begin(self) -> Sequence[bytes]:
        return ()

    def take(self, data: bytes) -> Sequence[bytes]:
        for connection in self._connections.values():
            if connection.rest is not None and data in connection.rest.finish:
                return self._serve(connection, connection.rest, data)
        if len(data) < _DATAGRAM or not data[0] & 0x80:  # a server discards an Initial in a smaller datagram (RFC 9000 section 14.1)
            return ()
        initial = _open(data)
        if initial is None or not 8 <= len(initial.dcid) <= MAX_CONNECTION_ID:  # RFC 9000 section 7.2
            return ()
        connection = self._connections.setdefault(initial.dcid, _Connection())
        return self._shake_hands(connection, initial, data)

    def _shake_hands(self, connection: _Connection, initial: Initial, data: bytes) -> Sequence[bytes]:
        if connection.rest is not None:
            return connection.rest.flight if data == connection.completed_by else ()
        if data in connection.packets or len(connection.packets) >= _PACKETS_AT_MOST:
            return ()
        connection.packets.add(data)
        connection.frames += initial.frames
        message = crypto_bytes(connection.frames)
        if len(message) < 4 or len(message) < 4 + int.from_bytes(message[1:4], "big"):
            return ()
        answer = server_hello(message)
        if isinstance(answer, int):
            return ()  # its alert would stand in a CONNECTION_CLOSE, which no client here reads
        connection.rest = _rest(message, answer, initial.dcid, initial.scid)
        connection.completed_by = data
        return connection.rest.flight

    def _serve(self, connection: _Connection, rest: _Rest, data: bytes) -> Sequence[bytes]:
        if not connection.finished_by:
            connection.packets.add(data)
            if not connection.packets.issuperset(rest.finish):
                return ()
            connection.finished_by = data
        return (rest.page,) if data == connection.finished_by else ()


@functools.lru_cache(maxsize=32)
def _open(datagram: bytes) -> Initial | None:
    initial = open_initial(datagram)
    return initial if isinstance(initial, Initial) and initial.broken is None and initial.version == VERSION_1 else None
