"""A DNS query in, the lab's answer out: every name has addresses, takes mail itself and has nothing else."""

import ipaddress
import struct

from crenel.net.lab.internet.naming import Names
from crenel.wire.dns import AA, AAAA, IN, QR, RA, RD, TC, A, Message, Question, read_message
from crenel.wire.dns_build import encode_name

TTL = 300
"""Seconds for which an answer may be kept (bench)."""

_SOA, _MX, _OPT, _ANY = 6, 15, 41, 255
_FORMAT_ERROR, _NO_SUCH_NAME, _NOT_IMPLEMENTED, _REFUSED = 1, 3, 4, 5
_POINTER = b"\xc0\x0c"
"""The name of the question, which stands right behind the header."""
_PLAIN_SIZE = 512
"""Bytes of a datagram for a client that names no size (RFC 1035 section 4.2.1)."""
_OUR_SIZE = 1232
_AUTHORITY = b"\x02ns\x03lab\x07example\x00"


def answer(query: bytes, names: Names, *, limited: bool) -> bytes | None:
    """Return the answer to a query; None to what is none, which a server does not answer.

    Args:
        query: the message.
        names: who has which address.
        limited: a datagram carries the answer, so it is cut to the size that the client takes.
    """
    read = read_message(query)
    if not isinstance(read, Message) or read.is_response:
        return None
    options = next((record for record in read.additionals if record.kind == _OPT), None)
    tail = b"" if options is None else struct.pack(">BHHIH", 0, _OPT, _OUR_SIZE, 0, 0)
    if read.opcode:
        return _message(read, b"", _NOT_IMPLEMENTED, (), (), tail)
    if read.broken is not None or len(read.questions) != 1:
        return _message(read, b"", _FORMAT_ERROR, (), (), tail)
    question = read.questions[0]
    copied = query[12 : 12 + question.name.length + 4]
    code, answers = _answers(question, names)
    authorities = () if answers or code == _REFUSED else (_authority(),)
    whole = _message(read, copied, code, answers, authorities, tail)
    size = max(_PLAIN_SIZE, options.klass) if options is not None else _PLAIN_SIZE
    if limited and len(whole) > size:
        return _message(read, copied, code, (), (), tail, TC)
    return whole


def _answers(question: Question, names: Names) -> tuple[int, tuple[bytes, ...]]:
    """Return the response code and the records."""
    if question.klass not in {IN, _ANY}:
        return _REFUSED, ()
    addresses = [ipaddress.ip_address(address).packed for address in names.look_up(question.name.value.decode("latin-1"))]
    if not addresses:
        return _NO_SUCH_NAME, ()
    if question.kind == _MX:
        name = encode_name(question.name.value)
        return 0, (_record(_MX, b"\x00\x0a" + name),)
    kinds = {A: 4, AAAA: 16}
    sizes = kinds.values() if question.kind == _ANY else (kinds.get(question.kind),)
    return 0, tuple(_record(A if len(address) == 4 else AAAA, address) for address in addresses if len(address) in sizes)


def _record(kind: int, data: bytes) -> bytes:
    return _POINTER + struct.pack(">HHIH", kind, IN, TTL, len(data)) + data


def _authority() -> bytes:
    """Return the record that tells for how long a client may remember that there is nothing (RFC 2308 section 3)."""
    data = _AUTHORITY + b"\x0ahostmaster" + _AUTHORITY[3:] + struct.pack(">5I", 1, TTL, TTL, TTL, TTL)
    return b"\x00" + struct.pack(">HHIH", _SOA, IN, TTL, len(data)) + data


def _message(
    query: Message, question: bytes, code: int, answers: tuple[bytes, ...], authorities: tuple[bytes, ...], tail: bytes, more: int = 0
) -> bytes:
    flags = QR | RA | (0 if code else AA) | query.flags & RD | query.opcode << 11 | code | more
    head = struct.pack(">6H", query.ident, flags, 1 if question else 0, len(answers), len(authorities), 1 if tail else 0)
    return b"".join((head, question, *answers, *authorities, tail))
