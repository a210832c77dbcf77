"""A payload and positions in it in, the offsets that they come to out; a mark that is not there has none.

A mark is looked for in the payload of one packet only: in a TLS ClientHello, over records but not over segments, in an HTTP request,
or in the bare hello that a QUIC Initial carries.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

import msgspec

from crenel.evade.language import Position
from crenel.wire.http import looks_like_request, read_host
from crenel.wire.result import Field
from crenel.wire.tls import find_server_name
from crenel.wire.tls_record import Message, Record, gather_hello, read_record


class Name(msgspec.Struct, frozen=True):
    """A host name, and where each of its bytes stands in the payload: `place(0)` the first."""

    value: bytes
    place: Callable[[int], int]


class Text(msgspec.Struct):
    """A payload in which marks are looked for; `bare` where it is a hello without records."""

    payload: bytes
    bare: bool = False

    def sni(self) -> Name | None:
        """Return the server name of a ClientHello."""
        if self.bare:
            found = find_server_name(self.payload, 0, 4 + int.from_bytes(self.payload[1:4], "big"))
            return Name(found.value, found.offset.__add__) if isinstance(found, Field) else None
        gathered = gather_hello(self.payload)
        if not isinstance(gathered, Message):
            return None
        found = find_server_name(gathered.buffer, gathered.begin, gathered.end)
        if not isinstance(found, Field):
            return None
        at = found.offset
        return Name(found.value, lambda offset: gathered.place(at + offset))

    def host(self) -> Name | None:
        """Return the host of an HTTP request without its port, or the server name."""
        field = read_host(self.payload) if looks_like_request(self.payload) else None
        if not isinstance(field, Field):
            return self.sni()
        value = field.value if field.value.startswith(b"[") else field.value.partition(b":")[0]
        return Name(value.rstrip(), field.offset.__add__)


def _start_of(name: Name | None) -> int | None:
    return None if name is None else name.place(0)


def _end_of(name: Name | None) -> int | None:
    return None if name is None or not name.value else name.place(len(name.value) - 1) + 1


def _domain(name: Name) -> tuple[int, int]:
    """Return where within a name its second-level domain begins and ends: the label before the last, or the only one."""
    labels = name.value.rstrip(b".").split(b".")
    after = len(labels[-1]) + 1 if len(labels) > 1 else 0
    end = len(name.value.rstrip(b".")) - after
    return end - len(labels[-2] if len(labels) > 1 else labels[-1]), end


def _sld(text: Text) -> int | None:
    name = text.host()
    return None if name is None else name.place(_domain(name)[0])


def _midsld(text: Text) -> int | None:
    name = text.host()
    return None if name is None else name.place(sum(_domain(name)) // 2)


def _endsld(text: Text) -> int | None:
    name = text.host()
    if name is None or not name.value:
        return None
    return name.place(max(_domain(name)[1] - 1, 0)) + 1


def _sniext(text: Text) -> int | None:
    # Before the name: the length of the list, its type, and its own length (RFC 6066 section 3).
    name = text.sni()
    return None if name is None else name.place(-5)


def _method(text: Text) -> int | None:
    payload = text.payload
    return len(payload) - len(payload.lstrip(b"\r\n")) if not text.bare and looks_like_request(payload) else None


def _record(text: Text) -> int | None:
    first = None if text.bare else read_record(text.payload)
    return first.end if isinstance(first, Record) else None


MARKS: Final[Mapping[str, Callable[[Text], int | None]]] = {
    "sni": lambda text: _start_of(text.sni()),
    "endsni": lambda text: _end_of(text.sni()),
    "sniext": _sniext,
    "host": lambda text: _start_of(text.host()),
    "endhost": lambda text: _end_of(text.host()),
    "sld": _sld,
    "midsld": _midsld,
    "endsld": _endsld,
    "method": _method,
    "record": _record,
    "half": lambda text: len(text.payload) // 2,
}
"""The marks: begin and end of the server name of a ClientHello, and the data of its extension; begin and end of the host name (an
HTTP request's Host, else the server name), begin, middle and end of its second-level domain (the label before the last); the method
of an HTTP request; the second TLS record; the middle of the payload."""


def place_of(position: Position, text: Text) -> int | None:
    """Return the offset in the payload of a position, perhaps outside; None where its mark is not there."""
    if position.name:
        mark = MARKS[position.name](text)
        return None if mark is None else mark + position.offset
    return position.offset if position.offset >= 0 else len(text.payload) + position.offset


def cuts_at(positions: Iterable[Position], text: Text) -> list[int]:
    """Return the offsets strictly inside the payload to which positions come, in order, each once."""
    found = {place_of(position, text) for position in positions}
    size = len(text.payload)
    return sorted(place for place in found if place is not None and 0 < place < size)
