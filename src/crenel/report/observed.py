"""An exchange in, what its client saw out, as far as a measuring probe tells of it: answers to look-ups, connections, pages."""

import re
from collections.abc import Iterable, Iterator

import msgspec

from crenel.flow.overlap import Overlap
from crenel.flow.reassembly import Stream, StreamLimits
from crenel.net.app.http import Http
from crenel.net.app.speaker import Ending
from crenel.net.app.tls import Tls
from crenel.net.exchange import Exchange
from crenel.net.replay.report import show_address
from crenel.net.trace import Event
from crenel.report.exchange import client_packets
from crenel.wire.dns import AAAA, A, Message, read_message, read_tcp_messages
from crenel.wire.packet import ACK, RST, SYN, TCP, Packet

FAILURES: dict[Ending, str | None] = {
    "answered": None, "misled": None, "reset": "connection_reset", "refused": "connection_refused", "closed": "eof_error",
    "unreachable": "host_unreachable", "timed out": "generic_timeout_error",
}  # fmt: skip
"""How OONI calls what a client goes through (df-007)."""
_TITLE = re.compile(rb"<title>([^<]*)</title>", re.IGNORECASE)
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})[ \r\n]")
_LIMITS = StreamLimits()


class Connection(msgspec.Struct, frozen=True):
    """A connection that a client tried to open."""

    done: bool
    time: int
    """Nanoseconds since the exchange began at which that was known."""
    failure: str | None
    syn: Packet


class Page(msgspec.Struct, frozen=True):
    """An HTTP answer."""

    code: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


def messages(exchange: Exchange) -> list[tuple[int, Message]]:
    """Return the DNS answers that came to the client, by time."""
    found = []
    for event in arrivals(exchange):
        if event.packet.proto != TCP:
            message = read_message(bytes(event.packet.payload))
            if isinstance(message, Message) and message.is_response:
                found.append((event.time, message))
    read = (one.message for one in read_tcp_messages(heard(exchange)).messages)
    return [*found, *((exchange.experience.time, message) for message in read if isinstance(message, Message))]


def asked(exchange: Exchange) -> tuple[str, str]:
    """Return which name was looked up, and for what."""
    for packet in client_packets(exchange.trace):
        payload = bytes(packet.payload)
        message = read_message(payload[2:] if packet.proto == TCP else payload) if payload else None
        if isinstance(message, Message) and message.questions:
            question = message.questions[0]
            return question.name.value.decode("utf-8", "backslashreplace").rstrip("."), {A: "A", AAAA: "AAAA"}.get(question.kind, str(question.kind))
    return "", "A"


def addresses(message: Message) -> list[str]:
    """Return the addresses in an answer, as text."""
    return [show_address(record.data.value) for record in message.answers if (record.kind, len(record.data.value)) in {(A, 4), (AAAA, 16)}]


def arrivals(exchange: Exchange) -> Iterator[Event]:
    """Yield what came to the client before it was done, whoever sent it."""
    return (event for event in exchange.trace if event.what == "arrived" and event.where == "client")


def connections(exchange: Exchange) -> list[Connection]:
    """Return the connections that the client tried to open."""
    opened: dict[int, tuple[int, Packet]] = {}
    for event in exchange.trace:
        packet = event.packet
        if event.sender == "client" and event.what == "sent" and packet.proto == TCP and packet.flags & (SYN | ACK) == SYN:
            opened.setdefault(packet.sport, (event.time, packet))
    return [_connection(exchange, port, packet) for port, (_, packet) in opened.items()]


def _connection(exchange: Exchange, port: int, packet: Packet) -> Connection:
    for event in arrivals(exchange):
        answer = event.packet
        if answer.proto != TCP or answer.dport != port:
            continue
        if answer.flags & RST:
            return Connection(done=False, time=event.time, failure="connection_refused", syn=packet)
        if answer.flags & (SYN | ACK) == SYN | ACK:
            return Connection(done=True, time=event.time, failure=None, syn=packet)
    failure = FAILURES[exchange.experience.ending] or "generic_timeout_error"
    return Connection(done=False, time=exchange.experience.time, failure=failure, syn=packet)


def heard(exchange: Exchange) -> bytes:
    """Return the bytes that came to the client over its last connection, in order."""
    return joined(event.packet for event in arrivals(exchange) if event.time <= exchange.experience.time)


def served(exchange: Exchange) -> bytes:
    """Return the bytes that the server sent over its last connection, whatever came of them."""
    return joined(event.packet for event in exchange.trace if event.sender == "server" and event.what == "sent")


def joined(packets: Iterable[Packet]) -> bytes:
    """Return the stream of the last connection that packets of one end open, in order."""
    stream, data, port = None, b"", 0
    for packet in packets:
        if packet.proto != TCP:
            continue
        if packet.flags & SYN and packet.dport != port:
            stream, data, port = Stream((packet.seq + 1) & 0xFFFFFFFF, _LIMITS, Overlap.FIRST), b"", packet.dport
        elif stream is not None and packet.payload and packet.dport == port:
            data += stream.add(packet.seq, bytes(packet.payload)) or b""
    return data


def response(exchange: Exchange, app: Http | Tls) -> Page | None:
    """Return the page that the client got, if it got one."""
    if isinstance(app, Tls):
        return page_of(app) if exchange.experience.ending == "answered" else None
    return read_page(heard(exchange)) if exchange.experience.ending in {"answered", "misled"} else None


def page_of(app: Http | Tls) -> Page:
    """Return what the server says if nobody interferes; over TLS, what stands for it: nothing is encrypted in a simulation."""
    if isinstance(app, Tls):
        app = Http(host=app.host or "", body_size=app.body_size)
    server = app.server()
    said = b"".join([*server.begin(), *server.take(app.request())])
    return read_page(said) or Page(0, (), b"")


def read_page(data: bytes) -> Page | None:
    """Return the page that bytes of HTTP/1 hold, None where they are none."""
    status = _STATUS.match(data)
    if status is None:
        return None
    head, _, body = data.partition(b"\r\n\r\n")
    lines = [line.partition(b":") for line in head.split(b"\r\n")[1:]]
    headers = tuple((name.strip().decode("latin-1"), value.strip().decode("latin-1")) for name, found, value in lines if found)
    return Page(int(status[1]), headers, body)


def title(page: Page) -> str:
    """Return the title of a page."""
    found = _TITLE.search(page.body)
    return found[1].decode("utf-8", "backslashreplace") if found is not None else ""
