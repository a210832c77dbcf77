"""Packets of real stacks in, the same with the sequence numbers and ports that a trial gives its hosts out, and back again.

A kernel draws its initial sequence numbers itself, its clock does not know of the virtual time of a path, and a trial needs ports that no
earlier one has used. All three are changed where packets leave and enter a stack, so that strategies, path and walls see what they would
see of simulated hosts. A checksum is carried on (RFC 1624): one that is right stays right, and one that is wrong stays wrong.
"""

import struct

from crenel.net.path.path import End
from crenel.wire.packet import ACK, FIN, ICMP, ICMPV6, RST, SYN, TCP, UDP

_PORTS = struct.Struct("!HH")
_HEAD = struct.Struct("!HHIIBB")
_SACK, _TIMESTAMP = 5, 8
_WORD = struct.Struct("!I")
_PLAIN = struct.Struct("!HHIIBBHHHIII")
"""A TCP header with a timestamp and two NOPs before it, as nearly every segment has it (RFC 7323 appendix A)."""
_PLAIN_OFFSET, _PLAIN_OPTION = 0x80, b"\x01\x01\x08\x0a"
_FRAGMENT_6 = 44
_ICMP_ERRORS = {ICMP: frozenset({3, 4, 11, 12}), ICMPV6: frozenset({1, 2, 3, 4})}
_MOST = 0xFFFFFFFF
_UNIT = 0xFFFF


class Flow:
    """What is known of one connection: by how much each end's numbers are raised, and, in the stacks' own numbers, what is on its way."""

    __slots__ = ("acked", "broken", "clocks", "first", "heard", "opened", "opening", "raised", "sent")

    def __init__(self) -> None:
        self.raised = [0, 0]
        self.sent: list[int | None] = [None, None]
        """The number behind all that each end has sent."""
        self.acked: list[int | None] = [None, None]
        """The last acknowledgement that each end was given."""
        self.heard: list[int | None] = [None, None]
        """The last acknowledgement that each end has sent."""
        self.opening: list[bytes | None] = [None, None]
        """The SYN with which a connection began, as the stack of each end knows it."""
        self.first: list[int | None] = [None, None]
        """The number of the first byte of each end's stream."""
        self.clocks: list[list[tuple[int, int]]] = [[], []]
        """For each packet with SYN that an end sent, its timestamp as the stack and as the network knows it."""
        self.opened = [0, 0]
        """When each end sent a SYN last, in milliseconds since the trial began."""
        self.broken = [False, False]
        """Was an end given a reset that bears the number it waits for?"""

    def unheard(self, end: End, written: int = 0) -> bool:
        """Has this end sent, or been given so many bytes to send, what was not acknowledged?"""
        sent, acked = self.sent[end], self.acked[end]
        return sent is not None and (acked is None or 0 < (self._over(end, sent, written) - acked) & _MOST < 1 << 31)

    def is_shut(self, end: End, written: int) -> bool:
        """Is all acknowledged that this end has sent, and yet not all sent that it was given? Then the window has no room."""
        sent, acked = self.sent[end], self.acked[end]
        return sent is not None and sent == acked != self._over(end, sent, written)

    def _over(self, end: End, sent: int, written: int) -> int:
        first = self.first[end]
        if first is None:
            return sent
        over = (first + written) & _MOST
        return over if 0 < (over - sent) & _MOST < 1 << 31 else sent


class Numbers:
    """The numbers of one trial.

    Args:
        shift: by how much the client's ports are raised towards the stacks.
        initial: for each end, the initial sequence number less the client's port, as the trial wants them.
    """

    __slots__ = ("_initial", "_known", "_shift", "flows")

    def __init__(self, shift: int, initial: tuple[int, int]) -> None:
        self._shift = shift
        self._initial = initial
        self._known: tuple[set[int], set[int]] = (set(), set())
        """The client's ports, as a stack knows them, that each end has to do with."""
        self.flows: dict[int, Flow] = {}
        """By the client's port, as the network sees it."""

    def use(self, port: int) -> int:
        """Return the port that the client's stack is to use for one of the trial's."""
        real = (port + self._shift) & _UNIT
        self._known[End.CLIENT].add(real)
        return real

    def port_of(self, real: int) -> int:
        """Return a client's port as the network sees it, for the one that a stack knows."""
        return (real - self._shift) & _UNIT

    def from_stack(self, end: End, data: bytes, clock: int) -> bytes | None:
        """Return a packet of a stack as the network sees it, so many milliseconds after the trial began; None for one of an earlier trial."""
        start, proto = _transport(data, 0)
        if proto == TCP and len(data) >= start + 20:
            return self._tcp_out(end, data, start, clock)
        if proto == UDP and len(data) >= start + 8:
            ports = _PORTS.unpack_from(data, start)
            if ports[end] not in self._known[end]:
                return None
            return self._udp(end, data, start, -self._shift)
        if proto in _ICMP_ERRORS and data[start] in _ICMP_ERRORS[proto]:
            return self._icmp(end, data, start, -1)
        return data

    def to_stack(self, end: End, data: bytes) -> bytes:
        """Return a packet of the network as a stack is to get it; what cannot be read is left as it is."""
        start, proto = _transport(data, 0)
        if proto == TCP and len(data) >= start + 18:
            return self._tcp_in(end, data, start)
        if proto == UDP and len(data) >= start + 8:
            ports = _PORTS.unpack_from(data, start)
            self._known[end].add((ports[end.other] + self._shift) & _UNIT)
            return self._udp(end.other, data, start, self._shift)
        if proto in _ICMP_ERRORS and len(data) > start and data[start] in _ICMP_ERRORS[proto]:
            return self._icmp(end, data, start, 1)
        return data

    def _tcp_out(self, end: End, data: bytes, start: int, clock: int) -> bytes | None:
        sport, dport, seq, ack, offset, flags = _HEAD.unpack_from(data, start)
        real = dport if end else sport
        if real not in self._known[end]:
            return None
        port = (real - self._shift) & _UNIT
        flow = self.flows.get(port)
        if flow is None:
            flow = self.flows[port] = Flow()
        if flags & SYN:
            flow.raised[end] = (self._initial[end] + port - seq) & _MOST
            flow.first[end] = (seq + 1) & _MOST
            flow.opened[end] = clock
            if not flags & ACK:
                flow.opening[end] = data
        end_of = (seq + len(data) - start - (offset >> 4) * 4 + (flags & FIN) + (flags >> 1 & 1)) & _MOST
        sent = flow.sent[end]
        if not flags & RST and (sent is None or flags & SYN or 0 < (end_of - sent) & _MOST < 1 << 31):
            flow.sent[end] = end_of
        if flags & ACK:
            flow.heard[end] = ack
        new_seq = (seq + flow.raised[end]) & _MOST
        if flags & (RST | ACK) == RST | ACK and not seq:
            new_seq = 0  # an answer to what belongs nowhere (RFC 9293 section 3.10.7.1)
        new_ack = (ack + flow.raised[end.other]) & _MOST if flags & ACK else ack
        if offset == _PLAIN_OFFSET and not flags & SYN and data[start + 20 : start + 24] == _PLAIN_OPTION:
            return _put_plain(data, start, (sport, port) if end else (port, dport), new_seq, new_ack, clock, None)
        out = _put_tcp(data, start, (sport, port) if end else (port, dport), new_seq, new_ack)
        _change_options(out, start, (offset >> 4) * 4, flow.raised[end.other], _Sender(flow, end, clock, opens=bool(flags & SYN)))
        return bytes(out)

    def _tcp_in(self, end: End, data: bytes, start: int) -> bytes:
        sport, dport, seq, ack, offset, flags = _HEAD.unpack_from(data, start)
        port = sport if end else dport
        real = (port + self._shift) & _UNIT
        self._known[end].add(real)
        flow = self.flows.get(port)
        if flow is None:
            flow = self.flows[port] = Flow()
        new_seq = (seq - flow.raised[end.other]) & _MOST
        if flags & (RST | ACK) == RST | ACK and not seq:
            new_seq = 0
        new_ack = (ack - flow.raised[end]) & _MOST
        sent, acked = flow.sent[end], flow.acked[end]
        if flags & ACK and sent is not None and (sent - new_ack) & _MOST < 1 << 31 and (acked is None or (new_ack - acked) & _MOST < 1 << 31):
            flow.acked[end] = new_ack
        if offset == _PLAIN_OFFSET and not flags & (SYN | RST) and data[start + 20 : start + 24] == _PLAIN_OPTION and len(data) >= start + 32:
            return _put_plain(data, start, (real, dport) if end else (sport, real), new_seq, new_ack, 0, flow.clocks[end])
        out = _put_tcp(data, start, (real, dport) if end else (sport, real), new_seq, new_ack)
        if flags & RST and new_seq == flow.heard[end]:
            flow.broken[end] = True
        if flags & (SYN | ACK) == SYN and flow.opening[end] is None:
            flow.opening[end] = bytes(out)
        _change_options(out, start, (offset >> 4) * 4, -flow.raised[end], _Receiver(flow, end))
        return bytes(out)

    def _udp(self, end: End, data: bytes, start: int, shift: int) -> bytes:
        """Change the client's port in a datagram whose sender is `end`."""
        out = bytearray(data)
        at = start + 2 if end else start
        old = data[at] << 8 | data[at + 1]
        new = (old + shift) & _UNIT
        out[at : at + 2] = new.to_bytes(2, "big")
        checksum = data[start + 6] << 8 | data[start + 7]
        if checksum:
            out[start + 6 : start + 8] = (_carried(checksum, new - old) or _UNIT).to_bytes(2, "big")  # 0 would say that there is none
        return bytes(out)

    def _icmp(self, end: End, data: bytes, start: int, way: int) -> bytes:
        """Change ports and number of the packet that an error quotes; it was sent by the end that gets the error, or to the one that sends it."""
        inner, proto = _transport(data, start + 8)
        if proto not in {TCP, UDP} or len(data) < inner + 8:
            return data
        quoted = end if way > 0 else end.other
        out = bytearray(data)
        at = inner + 2 if quoted else inner
        old = data[at] << 8 | data[at + 1]
        new = (old + way * self._shift) & _UNIT
        out[at : at + 2] = new.to_bytes(2, "big")
        change = new - old
        if proto == TCP:
            flow = self.flows.get(old if way > 0 else new)
            seq = int.from_bytes(data[inner + 4 : inner + 8], "big")
            raised = (seq - way * (flow.raised[quoted] if flow is not None else 0)) & _MOST
            out[inner + 4 : inner + 8] = raised.to_bytes(4, "big")
            change += raised - seq
        checksum = _carried(data[start + 2] << 8 | data[start + 3], change)
        out[start + 2 : start + 4] = checksum.to_bytes(2, "big")
        return bytes(out)


def _transport(data: bytes, at: int) -> tuple[int, int]:
    """Return where the transport header begins and of which protocol it is; -1 where there is none that can be told."""
    if len(data) < at + 20:
        return 0, -1
    if data[at] >> 4 == 4:
        if (data[at + 6] & 0x1F) | data[at + 7]:
            return 0, -1  # no first fragment
        return at + (data[at] & 15) * 4, data[at + 9]
    if len(data) < at + 48:
        return 0, -1
    if data[at + 6] == _FRAGMENT_6:
        return (at + 48, data[at + 40]) if not data[at + 42] and not data[at + 43] & 0xF8 else (0, -1)
    return at + 40, data[at + 6]


def _put_tcp(data: bytes, start: int, ports: tuple[int, int], seq: int, ack: int) -> bytearray:
    """Return a packet with other ports and numbers in its TCP header."""
    out = bytearray(data)
    old = _HEAD.unpack_from(data, start)
    _HEAD.pack_into(out, start, *ports, seq, ack, old[4], old[5])
    change = ports[0] - old[0] + ports[1] - old[1] + seq - old[2] + ack - old[3]
    out[start + 16 : start + 18] = _carried(data[start + 16] << 8 | data[start + 17], change).to_bytes(2, "big")
    return out


def _put_plain(data: bytes, start: int, ports: tuple[int, int], seq: int, ack: int, clock: int, clocks: list[tuple[int, int]] | None) -> bytes:
    """Do with a plain segment what `_put_tcp` and `_change_options` do: the clock is set on, or an echo is read by the clocks it is one of."""
    sport, dport, old_seq, old_ack, offset, flags, window, checksum, urgent, option, value, old_echo = _PLAIN.unpack_from(data, start)
    told = (value + clock) & _MOST
    echo = old_echo if clocks is None else _echo(clocks, old_echo)
    change = ports[0] - sport + ports[1] - dport + seq - old_seq + ack - old_ack + told - value + echo - old_echo
    header = _PLAIN.pack(*ports, seq, ack, offset, flags, window, (checksum - change) % _UNIT, urgent, option, told, echo)
    return b"".join((data[:start], header, data[start + 32 :]))


def _echo(clocks: list[tuple[int, int]], echo: int) -> int:
    """Return the echo of a stack's clock that it is to get: exactly that of its SYN, or one as much too late as the path has taken."""
    if not clocks or not echo:
        return echo
    for value, told in clocks:
        if echo == told:
            return value
    # What lies between two of them is in order for a stack that sent both.
    (value, told), (last, last_told) = clocks[0], clocks[-1]
    if (echo - told) & _MOST < (last_told - told) & _MOST:
        return last
    return (echo - told + value) & _MOST


def _carried(checksum: int, change: int) -> int:
    """Return a checksum after the sum of the words beneath it has changed by so much (RFC 1624; 65536 is 1 in that arithmetic)."""
    return (checksum - change) % _UNIT


def _change_options(out: bytearray, start: int, size: int, raised: int, clock: "_Sender | _Receiver") -> None:
    """Raise the edges of the blocks in a SACK option (RFC 2018 section 3), and change the timestamps (RFC 7323 section 3)."""
    at, end = start + 20, min(start + size, len(out))
    change = 0
    while at + 1 < end and out[at]:
        if out[at] == 1:
            at += 1
            continue
        length = out[at + 1]
        if length < 2 or at + length > end:
            break
        done = 0
        if out[at] == _SACK:
            done = sum(_put(out, edge, (_WORD.unpack_from(out, edge)[0] + raised) & _MOST) for edge in range(at + 2, at + length - 3, 4))
        elif out[at] == _TIMESTAMP and length == 10:
            done = clock.change(out, at + 2)
        # At an odd place, both bytes of each word are exchanged.
        change += done * (256 if (at - start) & 1 else 1)
        at += length
    if change:
        out[start + 16 : start + 18] = _carried(out[start + 16] << 8 | out[start + 17], change).to_bytes(2, "big")


def _put(out: bytearray, at: int, value: int) -> int:
    """Write a number of 32 bits; return by how much it is more than the one that stood there."""
    (old,) = _WORD.unpack_from(out, at)
    _WORD.pack_into(out, at, value)
    return int(value - old)


class _Sender:
    """Lets the timestamps of a stack go on with the clock of the path."""

    __slots__ = ("_clock", "_end", "_flow", "_opens")

    def __init__(self, flow: Flow, end: End, clock: int, *, opens: bool) -> None:
        self._flow = flow
        self._end = end
        self._clock = clock
        self._opens = opens

    def change(self, out: bytearray, at: int) -> int:
        """Change a timestamp and return by how much."""
        (value,) = _WORD.unpack_from(out, at)
        told = (value + self._clock) & _MOST
        if self._opens:
            self._flow.clocks[self._end].append((value, told))
        return _put(out, at, told)


class _Receiver:
    """Gives a stack the echo of its own clock."""

    __slots__ = ("_clocks",)

    def __init__(self, flow: Flow, end: End) -> None:
        self._clocks = flow.clocks[end]

    def change(self, out: bytearray, at: int) -> int:
        """Change the echo behind a timestamp and return by how much."""
        return _put(out, at + 4, _echo(self._clocks, _WORD.unpack_from(out, at + 4)[0]))
