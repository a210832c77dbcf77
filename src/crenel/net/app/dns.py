"""A name in, a DNS client that asks for its address and a server that answers out, over UDP or TCP (RFC 1035, RFC 7766).

Every name has one address, derived from it by hash, which both ends compute: in 203.0.113.0/24 (RFC 5737) or 2001:db8:113::/48 (RFC 3849).
"""

import functools
import hashlib
import ipaddress
import struct
from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from crenel.errors import UsageError
from crenel.instant import seconds
from crenel.net.app.speaker import PATIENCE, Heard
from crenel.wire.dns import AAAA, CNAME, IN, QR, RA, RD, TC, A, Message, Query, read_message, read_query
from crenel.wire.dns_build import build_query, build_response, encode_name, frame_tcp

_STUB_PATIENCE = (seconds(5), seconds(5))
"""resolv.conf(5): RES_TIMEOUT is 5 seconds, RES_DFLRETRY 2 attempts."""
_SIZES: Final = {A: 4, AAAA: 16}
_LABELS: Final = {A: "A", 2: "NS", 5: "CNAME", 6: "SOA", 12: "PTR", 15: "MX", 16: "TXT", AAAA: "AAAA", 33: "SRV", 65: "HTTPS", 255: "ANY"}
_RCODES: Final = {0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED"}
_FORMERR, _NOTIMP, _REFUSED = 1, 4, 5
_OPCODE: Final = 0x7800


class Dns(msgspec.Struct, frozen=True, kw_only=True):
    """One question and its answers; raises UsageError for a name or a type that no query can hold."""

    name: str
    kind: int = A
    """The query type; to types other than A and AAAA the server has no records, and says so with an empty answer."""
    transport: Literal["udp", "tcp"] = "udp"
    port: int = 53
    tries: int = 1

    def __post_init__(self) -> None:
        if len(encode_name(self._name())) > 255:
            raise UsageError(f"the name {self.name!r} is longer than the 255 bytes that DNS allows (RFC 1035 section 2.3.4)")
        if not 0 <= self.kind <= 0xFFFF:
            raise UsageError(f"{self.kind} is no query type; types are 0 to 65535")

    def _name(self) -> bytes:
        return self.name.encode("utf-8", "surrogateescape")

    @property
    def patience(self) -> tuple[int, ...]:
        """Nanoseconds that a client waits: as the stub resolver of libc over UDP."""
        return _STUB_PATIENCE if self.transport == "udp" else PATIENCE

    def query(self) -> bytes:
        """Return the query, without the length that precedes it over TCP; its identifier is derived from name and type."""
        question = encode_name(self._name()) + struct.pack(">H", self.kind)
        return build_query(self._name(), ident=int.from_bytes(hashlib.sha256(question).digest()[:2], "big"), kind=self.kind)

    def client(self) -> "_DnsClient":
        """Return a client that has said nothing yet."""
        return _DnsClient(_asked(self), stream=self.transport == "tcp")

    def server(self) -> "_DnsServer":
        """Return a server that has heard nothing yet."""
        return _DnsServer(stream=self.transport == "tcp")


def true_addresses(name: bytes, kind: int) -> tuple[bytes, ...]:
    """Return the addresses of a dotted name, of 4 or 16 bytes, in any case and with or without its final dot; none for another type."""
    digest = hashlib.sha256(name.lower().removesuffix(b".")).digest()
    if kind == A:
        return (bytes((203, 0, 113, 1 + digest[0] % 254)),)
    return (bytes.fromhex("20010db80113") + digest[:10],) if kind == AAAA else ()


class _Asked(msgspec.Struct, frozen=True, gc=False):
    """A query and what its answer must match."""

    query: bytes
    ident: int
    name: bytes
    kind: int
    addresses: tuple[bytes, ...]

    def matches(self, message: Message) -> bool:
        """Say whether a resolver takes a message for the answer: identifier and question are the same, names in any case."""
        if message.ident != self.ident or not message.is_response or len(message.questions) != 1:
            return False
        question = message.questions[0]
        return question.kind == self.kind and question.klass == IN and question.name.value.lower() == self.name


@functools.lru_cache(maxsize=256)
def _asked(app: Dns) -> _Asked:
    query = app.query()
    read = read_query(query)
    name = read.name.value.lower() if isinstance(read, Query) else b""
    return _Asked(query, int.from_bytes(query[:2], "big"), name, app.kind, true_addresses(name, app.kind))


def _found(asked: _Asked, message: Message) -> Heard:
    """Return what a resolver makes of an answer to its question."""
    if message.broken is not None:
        return Heard(f"an answer that cannot be read: {message.broken.because}", False)
    if message.flags & TC:
        return Heard("a truncated answer", False)
    if message.rcode:
        return Heard(_RCODES.get(message.rcode, f"RCODE {message.rcode}"), False)
    owners, addresses = {asked.name}, []
    label, size = _LABELS.get(asked.kind, f"TYPE{asked.kind}"), _SIZES.get(asked.kind, 0)
    for record in message.answers:
        if record.klass != IN or record.name.lower() not in owners:
            continue
        if record.kind == asked.kind:
            addresses.append(record.data.value)
        elif record.kind == CNAME:
            owners.update(each.name.lower() for each in message.answers)  # any chain: whoever sent it, it is not the one true answer
    says = ", ".join(str(ipaddress.ip_address(each)) if len(each) == size else each.hex() for each in addresses)
    intact = tuple(addresses) == asked.addresses and len(message.answers) == len(addresses)
    return Heard(f"{label} {says}" if says else f"NOERROR, no {label} record", intact)


class _DnsClient:
    __slots__ = ("_asked", "_buffer", "_stream", "awaits", "done", "heard")

    def __init__(self, asked: _Asked, *, stream: bool) -> None:
        self._asked = asked
        self._buffer = b""
        self._stream = stream
        self.done = False
        self.heard: list[Heard] = []
        self.awaits = "the answer to its query"

    def begin(self) -> Sequence[bytes]:
        return (frame_tcp(self._asked.query) if self._stream else self._asked.query,)

    def take(self, data: bytes) -> Sequence[bytes]:
        # It listens on after the first answer: that several come is what tells of a forger.
        datagrams: Sequence[bytes] = (data,)
        if self._stream:
            datagrams, self._buffer = _unframe(self._buffer + data)
        for datagram in datagrams:
            message = read_message(datagram)
            if isinstance(message, Message) and self._asked.matches(message):
                self.heard.append(_found(self._asked, message))
                self.done = True
        return ()


class _DnsServer:
    __slots__ = ("_buffer", "_stream", "done")

    def __init__(self, *, stream: bool) -> None:
        self._buffer = b""
        self._stream = stream
        self.done = False

    def begin(self) -> Sequence[bytes]:
        return ()

    def take(self, data: bytes) -> Sequence[bytes]:
        if not self._stream:
            answer = _answer(data)
            return () if answer is None else (answer,)
        messages, self._buffer = _unframe(self._buffer + data)
        return [frame_tcp(answer) for answer in map(_answer, messages) if answer is not None]


def _unframe(stream: bytes) -> tuple[Sequence[bytes], bytes]:
    """Split a TCP stream into the messages that are all there (RFC 1035 section 4.2.2) and what is left."""
    messages: list[bytes] = []
    start, size = 0, len(stream)
    while start + 2 <= size and (end := start + 2 + (stream[start] << 8 | stream[start + 1])) <= size:
        messages.append(stream[start + 2 : end])
        start = end
    return messages, stream[start:]


@functools.lru_cache(maxsize=256)
def _answer(query: bytes) -> bytes | None:
    """Return what a server says to a message; nothing to a response or to what is shorter than a header."""
    if len(query) < 12 or query[2] & 0x80:
        return None
    flags = int.from_bytes(query[2:4], "big")
    asked = read_query(query)
    kept = flags & (_OPCODE | RD)
    if kept & _OPCODE:
        return query[:2] + struct.pack(">5H", QR | kept | _NOTIMP, 0, 0, 0, 0)
    if not isinstance(asked, Query) or asked.questions != 1:  # more than one question is a format error (RFC 9619)
        return query[:2] + struct.pack(">5H", QR | kept | _FORMERR, 0, 0, 0, 0)
    if asked.klass != IN:
        return build_response(query, (), flags=QR | kept | _REFUSED)
    return build_response(query, true_addresses(asked.name.value, asked.kind), flags=QR | RA | kept)
