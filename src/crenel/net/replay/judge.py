"""One capture through one wall: its bytes in, a report for every flow out, in capture time.

The loop over packets is written for speed: most packets of a capture matter to nobody any more, and are only counted.
"""

import mmap
import struct
from collections.abc import Callable, Sequence

from crenel.atlas.describe import encrypted_rule
from crenel.coins import Coins
from crenel.flow.fragments import Defragmenter, FragmentLimits
from crenel.flow.key import CLASS_ACK, CLASS_FIN, CLASS_LOAD, CLASS_RST, CLASS_SECOND, CLASS_SYN, CLASSES, FLAG_CLASS, flow_key, reverse_key
from crenel.flow.overlap import Overlap
from crenel.flow.table import FlowRecord, FlowTable
from crenel.instant import Instant
from crenel.net.replay.frame import read_innermost, tcp_at, udp_at
from crenel.net.replay.notes import FlowNotes
from crenel.net.replay.source import Source, let_go
from crenel.wall.run import Run
from crenel.wall.wall import Wall
from crenel.wire.buffer import Buffer
from crenel.wire.ip import parse_packet
from crenel.wire.link import ETHERNET, ip_offset
from crenel.wire.packet import ACK, FIN, IP_MF, RST, SYN, TCP, UDP, Packet, tcp_packet
from crenel.wire.pcap import PcapReader
from crenel.wire.pcapng import PcapngReader
from crenel.wire.result import Unparseable
from crenel.wire.sniff import Reading, read_datagram, read_stream
from crenel.wire.udp import delivered

_FAST = struct.Struct("!12xHBxHxxHxBxx12s8xBB").unpack_from
_NUMBERS = struct.Struct("!IIB").unpack_from
_SEQ = struct.Struct("!I").unpack_from
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

    _plainly = True
    """Whether flows that go the plain way are followed without making packets (measured: a quarter of the time of a capture of openings)."""

    def __init__(
        self, wall: Wall, coins: Coins, inside: Callable[[bytes], bool] | None, done: Callable[[Sequence[FlowRecord]], None]
    ) -> None:
        self._wall = wall
        self._run: Run = wall.start(coins, mode="forecast")
        self._inside = inside
        self._done = done
        self._flows = FlowTable(wall.limits.flows, done)
        self._run.flows = self._flows
        self._fragments = Defragmenter(FragmentLimits(), Overlap.FIRST, parse=read_innermost)
        self._encrypted = encrypted_rule()
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
            # Nothing may hold them when the caller collects garbage again: going through a full table once costs a tenth of all the work.
            self._done(self._flows.drain())

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
                ether, start, total, fragment, proto, key, offset, flags = _FAST(buffer, body)
                if ether == _ETHERTYPE_IPV4 and start == _PLAIN_HEADER and not fragment & _FRAGMENTED and body + 14 + total <= following:
                    if proto == TCP:
                        record = tcp.get(key)
                        load = total - 20 - (offset >> 4) * 4
                        if record is not None and load >= 0:
                            packet_class = FLAG_CLASS[flags]
                            if load:
                                packet_class |= CLASS_LOAD
                            if record.key != key:
                                packet_class |= CLASS_SECOND
                            if not record.interest >> packet_class & 1 and not (armed and run.touched(record)):
                                record.packets += 1
                                record.size += total
                                record.last = Instant(seconds * 1_000_000_000 + fraction * unit)
                                continue
                        if load >= 0 and offset >= 0x50:
                            now = Instant(seconds * 1_000_000_000 + fraction * unit)
                            self._segment(record, key, body, now, number, total, load)
                            continue
                    elif proto == UDP and total >= 28:
                        now = Instant(seconds * 1_000_000_000 + fraction * unit)
                        self._datagram(udp.get(key), key, body, now, number, total)
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
            if flags & _DECIDE == SYN and not packet.payload and self._run.opens_plainly(record, packet.seq):
                record.kept.append((now, False, packet))
                record.packets = 1
                record.size = size
                record.interest |= _FRESH
                return
        elif record.told_at >= 0:
            self._unfold(record)
        self._take(record, packet, now, number, size, second=record.key != key)

    def _take(
        self, record: FlowRecord, packet: Packet, now: Instant, number: int, size: int, reading: Reading | None = None, *, second: bool
    ) -> None:
        """Take a TCP packet of a flow whose packets are kept; `reading` is what its payload reads as, where that is known."""
        flags = packet.flags
        record.packets += 1
        record.size += size
        if flags & (FIN | RST):
            record.end_seen = True
        notes: FlowNotes = record.notes
        if packet.payload and not flags & SYN:
            if second and record.complete:
                if len(notes.server_bytes) < 256:  # enough to tell a greeting
                    notes.server_bytes += packet.payload[:256]
            elif reading is not None:
                notes.go_on(reading, packet.payload, tcp=True)
                notes.next_seq = (packet.seq + len(packet.payload)) & 0xFFFFFFFF
            elif notes.unread:
                notes.hear(packet.seq, packet.payload)
        effects = self._run.see_flow(record, now, packet, second=second)
        if record.wall is not None:
            notes.number(len(record.kept), number)
        if effects:
            notes.note(effects, number)
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
        elif record.told_at >= 0 or record.notes is None:
            self._unfold(record)
        notes: FlowNotes = record.notes
        record.packets += 1
        record.size += size
        if packet.payload:
            notes.hear_datagram(delivered(packet))
        self._show(record, notes, now, packet, number, second=record.key != key)
        record.last = now

    def _segment(self, record: FlowRecord | None, key: bytes, body: int, now: Instant, number: int, size: int, load: int) -> None:
        """Take a TCP packet of a plain frame, the shortest way that it may go."""
        flags = self._buffer[body + 47]
        if record is None:
            if not load and flags & _DECIDE == SYN and self._plainly:
                self._ask(key, body, now, number, size)
                return
        elif not record.told_at and load and FLAG_CLASS[flags] == CLASS_ACK and record.key == key:
            self._speak(record, body, now, number, size)
            return
        self._tcp(record, key, tcp_at(self._buffer, body), now, number, size)

    def _datagram(self, record: FlowRecord | None, key: bytes, body: int, now: Instant, number: int, size: int) -> None:
        """Take a UDP packet of a plain frame, the shortest way that it may go."""
        if not self._plainly or not self._say(record, key, body, now, size):
            self._udp(self._flows.udp.get(key), key, udp_at(self._buffer, body), now, number, size)

    def _ask(self, key: bytes, body: int, now: Instant, number: int, size: int) -> None:
        """Take the SYN that opens a flow, without making a packet of it where the flow is plain so far."""
        flows = self._flows
        record = flows.open(key, TCP, 4, now, flows.tcp)
        record.complete = True
        record.client_inside = self._inside is None or self._inside(key[:4])
        (seq,) = _SEQ(self._buffer, body + 38)
        record.isn = seq
        record.asked_at = body
        if self._run.opens_plainly(record, seq):
            record.told_at = 0
            record.packets = 1
            record.size = size
            record.interest |= _FRESH
        else:
            record.notes = FlowNotes()
            record.notes.next_seq = (seq + 1) & 0xFFFFFFFF
            self._take(record, tcp_at(self._buffer, body), now, number, size, second=False)

    def _speak(self, record: FlowRecord, body: int, now: Instant, number: int, size: int) -> None:
        """Take data of the client in a flow of which only the SYN was seen, without making packets where the flow stays plain."""
        buffer = self._buffer
        seq, ack, words = _NUMBERS(buffer, body + 38)
        # The readers remember the payload by identity, so the long way is given the same.
        payload = buffer[body + 34 + (words >> 4) * 4 : body + 14 + size]
        reading: Reading | None = read_stream(payload) if seq == record.client_next else None
        reading = None if reading is None or reading.more else reading
        if reading is not None:
            if self._run.hears_plainly(record, ack, payload):
                if reading.protocol == "unknown":
                    record.encrypted = bool(self._encrypted.read(payload, (len(payload),), False).found)
                record.notes = reading
                record.told_at = body
                record.told = record.last = now
                record.packets += 1
                record.size += size
                record.interest |= _OPENS_AND_ENDS | _FIRST_LOADS if reading.protocol == "http" else _OPENS_AND_ENDS
                return
            record.phase = -1  # asked already
        self._unfold(record)
        self._take(record, tcp_at(buffer, body, payload), now, number, size, reading, second=False)

    def _say(self, record: FlowRecord | None, key: bytes, body: int, now: Instant, size: int) -> bool:
        """Take a datagram without making a packet of it; False: it has to go the long way."""
        buffer = self._buffer
        if size < 29 or buffer[body + 38] << 8 | buffer[body + 39] != size - 20:
            return False
        if record is None:
            record = self._flows.open(key, UDP, 4, now, self._flows.udp)
            record.complete = True
            record.client_inside = self._inside is None or self._inside(key[:4])
        elif record.told_at <= 0:
            return False
        payload = buffer[body + 42 : body + 14 + size]
        before: Reading | None = record.notes
        reading = read_datagram(payload, before)
        if before is not None and (reading.names != before.names or reading.protocol != before.protocol):
            return False
        if not self._run.passes_plainly(record, now, payload, second=record.key != key):
            return False
        if before is None:
            record.told_at = body
            if reading.protocol == "unknown":
                record.encrypted = bool(self._encrypted.read(payload, (len(payload),), False).found)
        record.notes = reading
        record.packets += 1
        record.size += size
        record.last = now
        return True

    def _unfold(self, record: FlowRecord) -> None:
        """Make of a flow that was plain so far one whose packets and notes are kept."""
        buffer, told_at = self._buffer, record.told_at
        record.told_at = -1
        reading: Reading | None = record.notes
        notes = record.notes = FlowNotes()
        kept = record.kept
        tcp = record.transport == TCP
        if tcp:
            kept.append((record.start, False, tcp_at(buffer, record.asked_at)))
            notes.next_seq = record.client_next
        if reading is not None:
            packet = tcp_at(buffer, told_at) if tcp else udp_at(buffer, told_at)
            if tcp:
                kept.append((Instant(record.told), False, packet))
            notes.go_on(reading, packet.payload, tcp=tcp)

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
            notes.note(effects, number)
