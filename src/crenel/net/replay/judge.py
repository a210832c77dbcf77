"""One capture through one wall: its bytes in, a report for every flow out, in capture time.

The loop over packets is written for speed: most packets of a capture matter to nobody any more, and are only counted.
"""

import mmap
import struct
from collections.abc import Callable, Sequence

from crenel.coins import Coins
from crenel.flow.fragments import Defragmenter, FragmentLimits, read_whole
from crenel.flow.key import CLASS_FIN, CLASS_LOAD, CLASS_RST, CLASS_SECOND, CLASS_SYN, CLASSES, FLAG_CLASS, flow_key, reverse_key
from crenel.flow.overlap import Overlap
from crenel.flow.table import FlowRecord, FlowTable
from crenel.instant import Instant
from crenel.net.replay.notes import FlowNotes
from crenel.net.replay.source import Source, let_go
from crenel.wall.effects import Drop, Effect, Inject, Missed, Side, Throttle
from crenel.wall.run import Run
from crenel.wall.wall import Wall
from crenel.wire.buffer import Buffer
from crenel.wire.ip import parse_packet, serialise
from crenel.wire.link import ETHERNET, innermost, ip_offset
from crenel.wire.packet import ACK, FIN, IP_MF, RST, SYN, TCP, UDP, Packet, tcp_packet
from crenel.wire.pcap import PcapReader
from crenel.wire.pcapng import PcapngReader
from crenel.wire.result import Unparseable
from crenel.wire.udp import delivered

_FAST = struct.Struct("!12xHBxHxxHxBxx12s").unpack_from
_TCP_FIELDS = struct.Struct("!4xHHB3x8xHHIIBBH").unpack_from
_ETHERTYPE_IPV4 = 0x0800
_PLAIN_HEADER = 0x45  # IPv4, five words (RFC 791 section 3.1)
_FRAGMENTED = 0x3FFF
_IDLE = 60 * 1_000_000_000
"""After so long a silence a SYN with another sequence number opens a new flow on the same ports (bench)."""

_STRIDE = 1 << 21
"""Bytes of a capture between two reports of progress."""
_TICK = 8191
"""Records between two reports of progress, where the records are of many kinds."""

_ENDS = sum(1 << packet_class for packet_class in range(CLASSES) if packet_class & (CLASS_FIN | CLASS_RST))
_OPENS = sum(1 << packet_class for packet_class in range(CLASSES) if packet_class & CLASS_SYN)
_FIRST_LOADS = sum(1 << packet_class for packet_class in range(CLASSES) if packet_class & CLASS_LOAD and not packet_class & CLASS_SECOND)
_LOADS = sum(1 << packet_class for packet_class in range(CLASSES) if packet_class & CLASS_LOAD)

_OPENS_AND_ENDS = _OPENS | _ENDS
_FRESH = _OPENS_AND_ENDS | _FIRST_LOADS
"""What a replay looks for in a flow of which only the opening SYN was seen."""
_DECIDE = SYN | ACK | FIN | RST


class Judge:
    """Judges the flows of one capture.

    Args:
        wall: the wall.
        coins: decide what this forecast draws.
        inside: tells from the opener's address whether it stands behind the wall; None: every opener does.
        done: takes flows that are finished, in the order of their numbers within each call.
    """

    def __init__(
        self, wall: Wall, coins: Coins, inside: Callable[[bytes], bool] | None, done: Callable[[Sequence[FlowRecord]], None]
    ) -> None:
        self._wall = wall
        self._run: Run = wall.start(coins, mode="forecast")
        self._inside = inside
        self._done = done
        self._flows = FlowTable(wall.limits.flows, done)
        self._run.flows = self._flows
        self._fragments = Defragmenter(FragmentLimits(), Overlap.FIRST, parse=_read_innermost)
        self._finished = False
        self._buffer: Source = b""
        self.packets = 0
        self.undecoded = 0

    @property
    def flows(self) -> int:
        """Flows seen so far."""
        return self._flows.count

    @property
    def evictions(self) -> int:
        """Flows and residual entries let go early."""
        return self._flows.evictions + self._run.memory.evictions

    def read(self, reader: PcapReader | PcapngReader, tick: Callable[[int], None] | None = None) -> None:
        """Judge every packet of a capture, then hand out the flows that are still open; `tick` is told now and then at which byte."""
        if isinstance(reader, PcapReader) and reader.plain and reader.link_type == ETHERNET:
            records = reader.records(*self._read_strides(reader, tick))
        else:
            records = reader.records()
        buffer, passed = reader.buffer, 0
        for number, now, link_type, offset, captured, _ in records:
            self.packets = number
            self._frame(buffer, link_type, offset, captured, Instant(now), number)
            if not number & _TICK:
                let_go(buffer, passed, offset)
                passed = offset
                if tick is not None:
                    tick(offset)
        self.finish()

    def finish(self) -> None:
        """Hand out the flows that are still open; a second call does nothing."""
        if not self._finished:
            self._finished = True
            self._done(self._flows.live())

    def _read_strides(self, reader: PcapReader, tick: Callable[[int], None] | None) -> tuple[int, int]:
        """Walk a pcap of Ethernet frames in long strides; return where the walk ended and how many records it passed."""
        position, number = reader.first_record, 0
        self._buffer = reader.buffer if isinstance(reader.buffer, bytes | mmap.mmap) else bytes(reader.buffer)
        while True:
            stop = position + _STRIDE
            position, number = self._read_plain(reader, position, number, stop)
            if position < stop:
                return position, number
            let_go(reader.buffer, position - _STRIDE, position)
            if tick is not None:
                tick(position)

    def _read_plain(self, reader: PcapReader, position: int, number: int, stop: int) -> tuple[int, int]:
        """Walk the frames from byte `position` on, of which `number` came before, to the first that begins at `stop` or later."""
        buffer, unpack, unit, limit = self._buffer, reader.record_header.unpack_from, reader.unit, reader.record_limit
        size = len(buffer)
        last = min(size - 16, stop - 1)
        tcp, udp, run, armed = self._flows.tcp, self._flows.udp, self._run, self._run.armed
        while position <= last:
            seconds, fraction, captured, _ = unpack(buffer, position)
            body = position + 16
            following = body + captured
            if following > size or captured > limit:
                break
            number += 1
            position = following
            if captured >= 54:  # Ethernet, IPv4 and TCP without options; shorter frames take the long way
                ether, start, total, fragment, proto, key = _FAST(buffer, body)
                if ether == _ETHERTYPE_IPV4 and start == _PLAIN_HEADER and not fragment & _FRAGMENTED and body + 14 + total <= following:
                    if proto == TCP:
                        record = tcp.get(key)
                        load = total - 20 - (buffer[body + 46] >> 4) * 4
                        if record is not None and load >= 0:
                            packet_class = FLAG_CLASS[buffer[body + 47]]
                            if load:
                                packet_class |= CLASS_LOAD
                            if record.key != key:
                                packet_class |= CLASS_SECOND
                            if not record.interest >> packet_class & 1 and not (armed and run.touched(record)):
                                record.packets += 1
                                record.size += total
                                record.last = Instant(seconds * 1_000_000_000 + fraction * unit)
                                continue
                        if load >= 0 and buffer[body + 46] >= 0x50:
                            now = Instant(seconds * 1_000_000_000 + fraction * unit)
                            self._tcp(record, key, _tcp_at(buffer, body, total), now, number, total)
                            continue
                    elif proto == UDP and total >= 28:
                        now = Instant(seconds * 1_000_000_000 + fraction * unit)
                        self._udp(udp.get(key), key, _udp_at(buffer, body, total), now, number, total)
                        continue
            self._frame(buffer, ETHERNET, body, captured, Instant(seconds * 1_000_000_000 + fraction * unit), number)
        self.packets = number
        return position, number

    def _frame(self, buffer: Buffer, link_type: int, offset: int, captured: int, now: Instant, number: int) -> None:
        """Take a frame of any link type."""
        span = ip_offset(link_type, buffer, offset, captured)
        packet = span if isinstance(span, Unparseable) else parse_packet(buffer, *span)
        if isinstance(packet, Unparseable):
            self.undecoded += 1
            return
        size = span[1] - span[0] if not isinstance(span, Unparseable) else 0
        if packet.frag_offset or packet.ip_flags & IP_MF:
            whole = self._fragments.add(now, packet)
            if whole is None:
                return
            packet = whole
        if packet.frag_offset or packet.proto not in (TCP, UDP):
            return
        key = flow_key(packet.src, packet.dst, packet.sport, packet.dport)
        if packet.proto == TCP:
            self._tcp(self._flows.tcp.get(key), key, packet, now, number, size)
        else:
            self._udp(self._flows.udp.get(key), key, packet, now, number, size)

    def _tcp(self, record: FlowRecord | None, key: bytes, packet: Packet, now: Instant, number: int, size: int) -> None:
        flags = packet.flags
        if flags & SYN and record is not None and self._reopens(record, packet, now):
            self._done((record,))
            record = None
        if record is None:
            record = self._open_tcp(key, packet, now, number)
            if flags & _DECIDE == SYN and not packet.payload and self._run.opens_plainly(record, now, packet):
                record.packets = 1
                record.size = size
                record.interest |= _FRESH
                return
        second = record.key != key
        record.packets += 1
        record.size += size
        if flags & (FIN | RST):
            record.end_seen = True
        notes: FlowNotes = record.notes
        if packet.payload and not flags & SYN:
            if second and record.complete:
                if len(notes.server_bytes) < 256:  # enough to tell a greeting
                    notes.server_bytes += packet.payload[:256]
            elif notes.unread:
                notes.hear(packet)
        effects = self._run.see_flow(record, now, packet, second=second)
        if record.wall is not None:
            notes.number(len(record.kept), number)
        if effects:
            self._note(notes, effects, number)
        record.last = now
        interest = record.interest | (_OPENS if record.end_seen else _OPENS_AND_ENDS)
        if notes.unread:
            interest |= _FIRST_LOADS if record.complete else _LOADS
        record.interest = interest

    def _udp(self, record: FlowRecord | None, key: bytes, packet: Packet, now: Instant, number: int, size: int) -> None:
        if record is None:
            record = self._flows.open(key, UDP, packet.version, now, self._flows.udp)
            record.complete = True
            record.client_inside = self._inside is None or self._inside(packet.src)
            record.notes = FlowNotes()
        notes: FlowNotes = record.notes
        record.packets += 1
        record.size += size
        if packet.payload:
            notes.hear_datagram(delivered(packet))
        self._show(record, notes, now, packet, number, second=record.key != key)
        record.last = now

    def _reopens(self, record: FlowRecord, packet: Packet, now: Instant) -> bool:
        """Say whether a SYN starts a new connection on the ports of an old one."""
        if packet.flags & ACK:
            return False
        if record.complete and packet.seq == record.isn:
            return False
        # A SYN of the end that was called opens the same connection from both sides (RFC 9293 section 3.5), whatever it reset before.
        ended = record.end_seen and packet.src == record.first and packet.sport == record.sport
        return ended or not record.complete or now - record.last > _IDLE

    def _open_tcp(self, key: bytes, packet: Packet, now: Instant, number: int) -> FlowRecord:
        answers = packet.flags & (SYN | ACK) == SYN | ACK
        record = self._flows.open(reverse_key(key) if answers else key, TCP, packet.version, now, self._flows.tcp)
        record.complete = bool(packet.flags & SYN)
        opener = packet.dst if answers else packet.src
        record.client_inside = self._inside is None or self._inside(opener)
        notes = record.notes = FlowNotes()
        if answers:
            # The boxes are given the SYN that this answers.
            record.isn = (packet.ack - 1) & 0xFFFFFFFF
            asked = tcp_packet(packet.dst, packet.src, packet.dport, packet.sport, seq=record.isn, flags=SYN, ttl=packet.ttl)
            self._show(record, notes, now, asked, number, second=False)
        else:
            record.isn = packet.seq
        if record.complete:
            notes.next_seq = (record.isn + 1) & 0xFFFFFFFF
        return record

    def _show(self, record: FlowRecord, notes: FlowNotes, now: Instant, packet: Packet, number: int, *, second: bool) -> None:
        """Let the wall see a packet, and note what it found."""
        effects = self._run.see_flow(record, now, packet, second=second)
        if record.wall is not None and record.kept:
            notes.number(len(record.kept), number)
        if effects:
            self._note(notes, effects, number)

    def _note(self, notes: FlowNotes, effects: list[Effect], number: int) -> None:
        for effect in effects:
            if not isinstance(effect, Inject | Drop | Throttle | Missed):
                if hasattr(effect, "because"):
                    self._note_act(notes, effect.because, number)
                continue
            if isinstance(effect, Missed):
                notes.findings.append((effect.because, False, number))
            else:
                self._note_act(notes, effect.because, number)

    def _note_act(self, notes: FlowNotes, because: object, number: int) -> None:
        if notes.findings and notes.findings[-1][0] is because:
            return
        if any(known is because for known, _, _ in notes.findings):
            return
        notes.findings.append((because, True, number))  # type: ignore[arg-type]
        if notes.acted_box is None:
            notes.acted_box = because.middlebox  # type: ignore[attr-defined]
            notes.acted_packet = number
            notes.acted_residual = because.residual is not None  # type: ignore[attr-defined]


def side_of(record: FlowRecord, *, second: bool) -> Side:
    """Return the side of the wall from which one end of a flow sends."""
    return Side.INSIDE if record.client_inside != second else Side.OUTSIDE


def _read_innermost(header: Packet, body: bytes) -> Packet:
    """Read a reassembled datagram, looking inside it where it is a tunnel."""
    packet = read_whole(header, body)
    if packet.proto in (TCP, UDP):
        return packet
    raw = serialise(packet)
    span = innermost(raw, 0, len(raw))
    inner = span if isinstance(span, Unparseable) else parse_packet(raw, *span)
    return packet if isinstance(inner, Unparseable) else inner


def _tcp_at(buffer: Source, body: int, total: int) -> Packet:
    """Return the TCP packet of an Ethernet frame whose IPv4 header has five words."""
    ip = body + 14
    ident, fragment, ttl, sport, dport, seq, ack, offset, flags, window = _TCP_FIELDS(buffer, ip)
    start = ip + 20 + (offset >> 4) * 4
    return Packet(
        4, buffer[ip + 12 : ip + 16], buffer[ip + 16 : ip + 20], TCP, sport, dport, seq, ack, flags, window, buffer[start : ip + total], ttl, ident,
        fragment >> 13, options=buffer[ip + 40 : start],
    )


def _udp_at(buffer: Source, body: int, total: int) -> Packet:
    """Return the UDP packet of an Ethernet frame whose IPv4 header has five words."""
    ip = body + 14
    sport = buffer[ip + 20] << 8 | buffer[ip + 21]
    dport = buffer[ip + 22] << 8 | buffer[ip + 23]
    claimed = buffer[ip + 24] << 8 | buffer[ip + 25]
    return Packet(
        4, buffer[ip + 12 : ip + 16], buffer[ip + 16 : ip + 20], UDP, sport, dport, payload=buffer[ip + 28 : ip + total], ttl=buffer[ip + 8],
        ident=buffer[ip + 4] << 8 | buffer[ip + 5], ip_flags=buffer[ip + 6] >> 5, udp_length=None if claimed == total - 20 else claimed,
    )
