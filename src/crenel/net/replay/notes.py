"""What a replay notes of one flow: its client's bytes in, protocol and names out, beside what the wall's boxes found."""

import re
from collections.abc import Sequence

from crenel.flow.reassembly import Overlap, Stream, StreamLimits
from crenel.wall.effects import Because, Effect, Expired, Missed, Pass
from crenel.wire.sniff import Reading, read_datagram, read_stream

_READ_AT_MOST = 1 << 16
_RESERVED = re.compile(r"(?:.*\.)?(?:example|test|invalid|localhost|local)\.?|(?:.*\.)?example\.(?:com|net|org)\.?")
_ENDS = ("example", "test", "invalid", "localhost", "local", "example.com", "example.net", "example.org")
"""What most names do not end in: one look instead of a search of them."""
_LIMITS = StreamLimits()


class FlowNotes:
    """Reading and findings of one flow."""

    __slots__ = (
        "acted_box",
        "acted_packet",
        "acted_residual",
        "buffer",
        "findings",
        "first_payload",
        "names",
        "next_seq",
        "numbers",
        "protocol",
        "reading",
        "server_bytes",
        "stream",
        "unnumbered",
        "unread",
    )

    def __init__(self) -> None:
        self.protocol = "unknown"
        self.names: tuple[bytes, ...] = ()
        self.unread = True
        """Do further bytes of the client matter for the protocol or its names?"""
        self.reading: Reading | None = None
        self.next_seq = -1
        """Next sequence number of the client, where its start was captured and nothing has come out of order."""
        self.stream: Stream | None = None
        self.buffer = b""
        self.server_bytes = b""
        self.first_payload = b""
        self.findings: list[tuple[Because, bool, int]] = []
        """Each ground of a box, whether it acted, and on which packet of the capture."""
        self.acted_box: str | None = None
        self.acted_packet = 0
        self.acted_residual = False
        self.numbers: list[int] = []
        """Places in the capture of the packets that the run keeps, from the first that was more than a plain opening."""
        self.unnumbered = 0
        """How many it kept before; none of them gives ground, whatever any coin says."""

    def number(self, kept: int, number: int) -> None:
        """Note the place of the newest of so many kept packets, if it was kept."""
        if not self.numbers:
            self.unnumbered = kept - 1
        if self.unnumbered + len(self.numbers) < kept:
            self.numbers.append(number)

    def number_of(self, kept: int) -> int:
        """Return the place in the capture of a kept packet, counted from 0."""
        return self.numbers[kept - self.unnumbered]

    def go_on(self, reading: Reading, payload: bytes, *, tcp: bool) -> None:
        """Take over what was read, and needs no more bytes, of the first payload of a flow."""
        self.first_payload = payload
        self.protocol = reading.protocol
        self.names = reading.names
        if tcp:
            self.unread = reading.protocol == "http"
        else:
            self.reading = reading

    def hear(self, seq: int, new: bytes) -> None:
        """Read a TCP segment of the client."""
        if self.stream is not None:
            new = self.stream.add(seq, new)
        elif self.next_seq >= 0:
            if seq == self.next_seq:
                self.next_seq = (seq + len(new)) & 0xFFFFFFFF
            else:
                self.stream = Stream(self.next_seq, _LIMITS, Overlap.FIRST)
                new = self.stream.add(seq, new)
        if not new:
            return
        if not self.first_payload:
            self.first_payload = new
        if self.buffer:
            new = self.buffer + new
        elif self.protocol == "http" and not self._begins_request(new):
            return
        reading = read_stream(new, self.server_bytes)
        self._take(reading)
        if reading.more and len(new) < _READ_AT_MOST:
            self.buffer = new
            return
        self.buffer = b""
        # A keep-alive connection may carry requests for other hosts; everything else names its host once.
        self.unread = self.protocol == "http"

    def hear_datagram(self, payload: bytes) -> None:
        """Read a datagram, from either end."""
        if not self.first_payload:
            self.first_payload = payload
        self.reading = read_datagram(payload, self.reading)
        self._take(self.reading)

    def note(self, effects: Sequence[Effect], number: int) -> None:
        """Note what the boxes did or could have done on a packet."""
        for effect in effects:
            if isinstance(effect, Missed):
                self.findings.append((effect.because, False, number))
            elif not isinstance(effect, Pass | Expired):
                self._note_act(effect.because, number)

    def _note_act(self, because: Because, number: int) -> None:
        if any(known is because for known, _, _ in self.findings):
            return
        self.findings.append((because, True, number))
        if self.acted_box is None:
            self.acted_box = because.middlebox
            self.acted_packet = number
            self.acted_residual = because.residual is not None

    def _begins_request(self, data: bytes) -> bool:
        return data[:1].isupper() and b" " in data[:16]

    def _take(self, reading: Reading) -> None:
        if reading.protocol != "unknown" and self.protocol == "unknown":
            self.protocol = reading.protocol
        if reading.names and not self.names:
            self.names = reading.names
            return
        for name in reading.names:
            if name not in self.names:
                self.names += (name,)


def shown_name(name: bytes) -> str:
    """Return a name as text, in lower case; what is no text is escaped."""
    return name.decode("utf-8", "backslashreplace").lower().rstrip(".")


def is_reserved(name: str) -> bool:
    """Say whether a name is set aside for documentation and tests (RFC 6761, RFC 2606), so no list could really hold it."""
    return name.rstrip(".").endswith(_ENDS) and _RESERVED.fullmatch(name) is not None
