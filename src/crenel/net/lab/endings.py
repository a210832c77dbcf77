"""The events of one flow between real programs in, how it ended for the client out, as far as packets show it."""

from collections.abc import Iterable, Sequence

import msgspec

from crenel.net.app.speaker import Answer, Ending, Experience
from crenel.net.trace import Event
from crenel.wire.dns import AAAA, A, Message, read_message, read_tcp_messages
from crenel.wire.packet import ACK, FIN, ICMP, ICMPV6, RST, SYN, TCP, Packet

_MOD = 1 << 32
_HALF = 1 << 31
_DNS = 53


class _Line(msgspec.Struct):
    """One direction of a TCP connection, as it arrives: how far its bytes are there without a gap."""

    next: int = -1
    """The sequence number that is expected; -1 before the connection is open."""
    later: list[tuple[int, int]] = []

    def take(self, packet: Packet) -> None:
        """Count what arrives."""
        begin = packet.seq
        if packet.flags & SYN and self.next < 0:
            self.next = begin
        if self.next < 0:
            return
        size = len(packet.payload) + bool(packet.flags & SYN) + bool(packet.flags & FIN)
        if size:
            self.later.append((begin, size))
        progress = True
        while progress:
            progress = False
            for begin, size in self.later:
                if (self.next - begin) % _MOD < _HALF and 0 < (begin + size - self.next) % _MOD < _HALF:
                    self.next = (begin + size) % _MOD
                    progress = True


def experience_of(events: Sequence[Event]) -> Experience:
    """Return what the client of a flow went through.

    A connection went well where it was opened, was not cut off before both sides were done or the client was content, and nothing that was
    withheld was still missing at the end. Of datagrams the first answer decides.

    Args:
        events: those of the flow, by time, which count from its first one.
    """
    told = _stream(events) if events[0].packet.proto == TCP else _datagrams(events)
    return msgspec.structs.replace(told, time=told.time + 1)  # what ended it came first, though on a path without delay at the same moment


def _stream(events: Sequence[Event]) -> Experience:
    answers = answers_of(events)
    received = [answer for answer in answers if answer.intact]
    cut = _cut(events)
    if cut is not None:
        opened = any(event.packet.flags & SYN for event in _at(events, "client") if event.time <= cut.time and event.sender == "server")
        ending: Ending = "reset" if opened or cut.sender != "server" else "refused"
        return Experience(ending, cut.time, "its connection was reset" if ending == "reset" else "its connection was refused", answers)
    if answers and not answers[0].intact:
        return Experience("misled", answers[0].time, f"what came first was forged: {answers[0].says}", answers)
    last = events[-1].time
    arrived = _at(events, "client")
    if not any(event.packet.proto == TCP and event.packet.flags & SYN for event in arrived):
        if any(event.packet.proto in {ICMP, ICMPV6} for event in arrived):
            return Experience("unreachable", arrived[-1].time, "it was told that the server is out of reach", answers)
        return Experience("timed out", last, "nobody answered its SYN", answers)
    missing = _withheld(events)
    if missing is not None:
        after = f"after {_bytes(events):,} bytes from the server" if received else "and nothing came from the server"
        return Experience("timed out", last, f"what the {missing.sender} sent was withheld to the end, {after}", answers)
    if received:
        return Experience("answered", received[-1].time, f"{_bytes(events):,} bytes came from the server", answers)
    said = [event for event in events if event.what == "sent" and event.sender == "client" and event.packet.payload]
    if not said:
        return Experience("answered", last, "a connection was opened, and nobody said anything")
    taken = any((event.packet.ack - said[0].packet.seq) % _MOD in range(1, _HALF) for event in arrived if event.packet.flags & ACK)
    if taken:
        return Experience("answered", last, "the server took what it sent, and said nothing")
    return Experience("timed out", last, "the server did not acknowledge what it sent")


def _datagrams(events: Sequence[Event]) -> Experience:
    answers = answers_of(events)
    last = events[-1].time
    arrived = _at(events, "client")
    stopped = next((event.time for event in events if event.dropped_by is not None), None)
    if answers and not answers[0].intact:
        return Experience("misled", answers[0].time, answers[0].says, answers)
    if stopped is not None and not any(answer.time > stopped for answer in answers):
        return Experience("timed out", last, "nothing came any more once its datagrams were withheld", answers)
    if answers:
        first = events[0].packet
        words = answers[0].says if _DNS in {first.sport, first.dport} else f"{_bytes(events):,} bytes came from the server"
        return Experience("answered", answers[-1].time, words, answers)
    if any(event.packet.proto in {ICMP, ICMPV6} for event in arrived):
        return Experience("unreachable", arrived[-1].time, "it was told that the server is out of reach")
    return Experience("timed out", last, "nothing came back")


def answers_of(events: Iterable[Event]) -> tuple[Answer, ...]:
    """Return what the client was given that has content, by time: each datagram, and of a stream the first of the server and all that is forged."""
    found: list[Answer] = []
    for event in _at(events, "client"):
        packet = event.packet
        if event.sender == "path" or not packet.payload:
            continue
        if packet.proto == TCP and event.injected_by is None and any(answer.intact for answer in found):
            found = [msgspec.structs.replace(answer, time=event.time) if answer.intact else answer for answer in found]
            continue
        found.append(Answer(event.time, _says(packet), event.injected_by is None))
    return tuple(found)


def _at(events: Iterable[Event], end: str) -> list[Event]:
    return [event for event in events if event.what == "arrived" and event.where == end]


def _bytes(events: Iterable[Event]) -> int:
    places = {(event.packet.seq, len(event.packet.payload)): len(event.packet.payload) for event in _at(events, "client") if event.sender == "server"}
    if any(event.packet.proto != TCP for event in events):
        return sum(len(event.packet.payload) for event in _at(events, "client") if event.sender == "server")
    return sum(places.values())


def _says(packet: Packet) -> str:
    payload = bytes(packet.payload)
    if packet.proto == TCP and _DNS in {packet.sport, packet.dport}:
        message: object = next((one.message for one in read_tcp_messages(payload).messages), None)
    else:
        message = read_message(payload) if _DNS in {packet.sport, packet.dport} else None
    if not isinstance(message, Message):
        return f"{len(payload):,} bytes"
    shown = [_address(record.data.value) for record in message.answers if record.kind in {A, AAAA}]
    return ", ".join(f"{'AAAA' if ':' in address else 'A'} {address}" for address in shown) or f"no address (code {message.rcode})"


def _address(data: bytes) -> str:
    import ipaddress  # noqa: PLC0415  only answers of name servers need it

    return str(ipaddress.ip_address(data)) if len(data) in {4, 16} else data.hex()


def _cut(events: Sequence[Event]) -> Event | None:
    """Return the reset by which the client's kernel gave the connection up, if there was one before the connection was over."""
    line, asked, done, heard = _Line(), -1, False, False
    for event in events:
        packet = event.packet
        if event.sender == "client" and event.what == "sent" and packet.proto == TCP:
            asked = packet.seq if packet.flags & SYN and asked < 0 else asked
            done = done or bool(packet.flags & FIN)
        if event.what != "arrived" or event.where != "client" or packet.proto != TCP:
            continue
        if not packet.flags & RST:
            line.take(packet)
            heard = heard or (event.injected_by is None and bool(packet.payload))
            if done and packet.flags & FIN:
                return None  # both sides have said all
        elif _accepted(packet, line.next, asked) and not (done and heard):
            return event
    return None


def _accepted(packet: Packet, following: int, asked: int) -> bool:
    """Say whether a kernel takes a reset: RFC 9293 section 3.5.2 before the connection is open, RFC 5961 section 3.2 afterwards."""
    if following < 0:
        return bool(packet.flags & ACK) and packet.ack == (asked + 1) % _MOD
    return packet.seq == following


def _withheld(events: Sequence[Event]) -> Event | None:
    """Return a packet of either end that took a place in its stream, was withheld by a wall, and never came in another one."""
    came = [(event.sender, event.packet.seq, len(event.packet.payload), event.packet.flags & SYN) for event in events if event.what == "arrived"]
    for event in events:
        packet, sender = event.packet, event.sender
        size, opens = len(packet.payload), packet.flags & SYN
        if event.dropped_by is None or not (size or opens) or sender not in {"client", "server"}:
            continue
        if not any(
            other == sender and (syn or not opens) and (packet.seq - seq) % _MOD < _HALF and (seq + length - packet.seq - size) % _MOD < _HALF
            for other, seq, length, syn in came
        ):
            return event
    return None
