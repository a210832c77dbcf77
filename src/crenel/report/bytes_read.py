"""The packets of one flow in, the client's bytes as the boxes were given them out, and what each box's reader makes of them."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from crenel.flow.overlap import Overlap
from crenel.flow.reassembly import Stream, StreamLimits
from crenel.net.replay.watch import Watched
from crenel.net.trace import Evidence, FlowReport
from crenel.report.exemptions import exemptions
from crenel.report.text import listed, safe
from crenel.report.ways import past_reader
from crenel.report.words import SEEN
from crenel.wall.box import Box
from crenel.wall.match import NameList
from crenel.wall.readers.encrypted import RandomLooking
from crenel.wall.readers.reading import UNKNOWN
from crenel.wire.packet import SYN, TCP, Packet
from crenel.wire.quic import Initial, open_initial

_LIMITS = StreamLimits()
_SHOWN_NAMES = 4


class BytesRead:
    """What the client of one flow sent, by the offsets that evidence counts in."""

    def __init__(self, watched: Watched) -> None:
        self._watched = watched
        record = watched.record
        self._tcp = record is None or record.transport == TCP
        self._complete = record is not None and record.complete
        self.stream, self.ends = _stream(watched) if self._tcp and self._complete else (b"", ())

    def of(self, evidence: Evidence) -> tuple[bytes, str]:
        """Return the bytes that a box read, and what to call them; without the packet, none."""
        if self._tcp and self._complete:
            return self.stream, "the client's stream"
        packet = next((packet for number, _, _, packet in self._watched.packets if number == evidence.packet), None)
        payload = b"" if packet is None else bytes(packet.payload)
        if self._tcp:
            return payload, "the segment"
        return (clear_initials(payload), "the datagram, here decrypted") if evidence.read.startswith("quic") else (payload, "the datagram")


def _stream(watched: Watched) -> tuple[bytes, tuple[int, ...]]:
    """Return the client's bytes in order, and where its segments end in them."""
    record = watched.record
    stream = Stream(((record.isn if record is not None else 0) + 1) & 0xFFFFFFFF, _LIMITS, Overlap.FIRST)
    data = b""
    ends = []
    for _, _, second, packet in watched.packets:
        if not second and packet.payload and not packet.flags & SYN:
            new = stream.add(packet.seq, bytes(packet.payload))
            if new:
                data += new
                ends.append(len(data))
    return data, tuple(ends)


def clear_initials(datagram: bytes) -> bytes:
    """Return a datagram with the payload of its Initials in the clear, each byte in its place."""
    clear = bytearray(datagram)
    offset = 0
    while offset < len(datagram):
        initial = open_initial(datagram, offset)
        if not isinstance(initial, Initial):
            break
        clear[initial.payload_at : initial.payload_at + len(initial.plaintext)] = initial.plaintext
        offset = initial.end
    return bytes(clear)


class Looked(msgspec.Struct, frozen=True):
    """What a box without ground made of a flow."""

    box: Box
    says: str
    """In words; empty where there was nothing in the flow that its reader is about."""


def look(boxes: Sequence[Box], watched: Watched, flow: FlowReport) -> Iterator[Looked]:
    """Yield for each box without ground what its reader saw in the flow, or what it does not follow."""
    bytes_read = BytesRead(watched)
    packets = [packet for _, _, second, packet in watched.packets if not second and packet.payload]
    for box in boxes:
        tag = reads_of(box)
        noun = SEEN.get(tag, tag)
        values = list(dict.fromkeys(_values(box, bytes_read, packets)))
        if isinstance(box.reader, RandomLooking):
            yield Looked(box, _not_random(box.reader, packets))
        elif values:
            shown = listed([safe(value) for value in values[:_SHOWN_NAMES]])
            yield Looked(box, f"saw the {noun} {shown}{_not_acted(box, values)}")
        elif tag.partition(".")[0] == flow.protocol and box.names is not None and flow.names:
            yield Looked(box, f"saw no {noun}; its reader does not follow {'; '.join(past_reader(box, flow))}")
        else:
            yield Looked(box, "")


def _not_acted(box: Box, values: Sequence[str]) -> str:
    if isinstance(box.names, NameList) and any(box.names.find(value.encode()) is not None for value in values):
        return ", and does not act on it in this state of the connection"
    return f", which is not on {box.facts.list_name}" if box.facts.list_name is not None else ""


def _not_random(rule: RandomLooking, packets: Sequence[Packet]) -> str:
    held = exemptions(rule, bytes(packets[0].payload)) if packets else []
    return f"leaves the first payload alone: {'; '.join(held)}" if held else ""


def reads_of(box: Box) -> str:
    """Return the protocol field that a box reads, as the profile calls it."""
    config = getattr(box.reader, "__struct_config__", None)
    return str(getattr(config, "tag", ""))


def _values(box: Box, bytes_read: BytesRead, packets: Iterable[Packet]) -> Iterator[str]:
    """Yield what a box's reader finds in the client's stream or datagrams, bytes that nobody can know left out."""
    read = getattr(box.reader, "read", None)
    if read is None or hasattr(box.reader, "read_header"):
        return
    if box.scope.transport == "tcp":
        pieces = [(bytes_read.stream, bytes_read.ends)] if bytes_read.stream else [(packet.payload, (len(packet.payload),)) for packet in packets]
        answers = [read(piece, ends, False) for piece, ends in pieces]
    else:
        whole = getattr(box.reader, "read_packet", None)
        first = box.first_only.datagrams if box.first_only is not None else None
        answers = [whole(packet) if whole is not None else read(packet.payload) for packet in list(packets)[:first]]
    for answer in answers:
        for found in answer.found:
            yield found.value.removesuffix(UNKNOWN).decode("utf-8", "backslashreplace")
