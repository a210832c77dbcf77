"""The packets of one flow in, the client's bytes as the boxes were given them out, and what each box's reader makes of them."""

from collections.abc import Iterable, Iterator, Sequence

from crenel.flow.overlap import Overlap
from crenel.flow.reassembly import Stream, StreamLimits
from crenel.net.replay.watch import Watched
from crenel.net.trace import Evidence
from crenel.report.text import listed, safe
from crenel.report.words import SEEN
from crenel.wall.box import Box
from crenel.wall.match import NameList
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
        return (_decrypted(payload), "the datagram, here decrypted") if evidence.read.startswith("quic") else (payload, "the datagram")


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


def _decrypted(datagram: bytes) -> bytes:
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


def readings(boxes: Sequence[Box], watched: Watched) -> Iterator[tuple[Box, str]]:
    """Yield for each box without ground what its reader sees in the flow, in words."""
    bytes_read = BytesRead(watched)
    packets = [packet for _, _, second, packet in watched.packets if not second and packet.payload]
    for box in boxes:
        noun = SEEN.get(_tag(box.reader), _tag(box.reader))
        if hasattr(box.reader, "read_header"):
            yield box, f"saw no {noun} that its rule is about"
            continue
        values = list(dict.fromkeys(_values(box, bytes_read, packets)))
        if not values:
            yield box, _saw_nothing(box, noun)
            continue
        shown = listed([safe(value) for value in values[:_SHOWN_NAMES]])
        covered = isinstance(box.names, NameList) and any(box.names.find(value.encode()) is not None for value in values)
        yield box, f"saw the {noun} {shown}" + (", and did not act on it in this state" if covered else f", which is not on {box.facts.list_name}")


def _tag(reader: object) -> str:
    config = getattr(reader, "__struct_config__", None)
    return str(getattr(config, "tag", ""))


def _saw_nothing(box: Box, noun: str) -> str:
    return f"saw no {noun}" if box.names is not None else f"saw nothing of what its rule asks for in the {noun}"


def _values(box: Box, bytes_read: BytesRead, packets: Iterable[Packet]) -> Iterator[str]:
    """Yield what a box's reader finds in the client's stream or datagrams, bytes that nobody can know left out."""
    read = getattr(box.reader, "read", None)
    if read is None:
        return
    if box.scope.transport == "tcp":
        answers = [read(bytes_read.stream, bytes_read.ends, False)] if bytes_read.stream else [read(packet.payload, (len(packet.payload),), False) for packet in packets]
    else:
        whole = getattr(box.reader, "read_packet", None)
        first = box.first_only.datagrams if box.first_only is not None else None
        answers = [whole(packet) if whole is not None else read(packet.payload) for packet in list(packets)[:first]]
    for answer in answers:
        for found in answer.found:
            yield found.value.removesuffix(UNKNOWN).decode("utf-8", "backslashreplace")
