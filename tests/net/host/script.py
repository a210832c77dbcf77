"""Packet scripts: what a peer sends and an application does, run against a real kernel or the simulated endpoint, and what both answer."""

from dataclasses import dataclass, field
from typing import Protocol

from crenel.wire.packet import ACK, TCP, Packet

HOST = bytes((10, 99, 0, 1))
PEER = bytes((10, 99, 0, 2))
PEER_ISN = 3_000_000_000
MASK = 0xFFFFFFFF
LETTERS = "FSRPAUEC"
DATA = b"0123456789"


@dataclass(frozen=True)
class Send:
    """One segment of the peer; numbers relative to the two initial sequence numbers, `ts` the value of its timestamp option."""

    flags: str
    seq: int = 1
    ack: int = 1
    payload: bytes = b""
    window: int = 60000
    options: bytes = b""
    ts: int | None = None
    echo: int | None = None
    words: int | None = None
    urgent: int = 0
    wrong: bool = False


@dataclass(frozen=True)
class Do:
    """What the application does: listen, connect, send, shutdown, close, abort."""

    action: str
    data: bytes = b""


@dataclass(frozen=True)
class Wait:
    """Let milliseconds pass."""

    milliseconds: int


Step = Send | Do | Wait


@dataclass
class Seen:
    """What came back: one line per answer of each step, what the application read, and where the connection stood at the end."""

    answers: list[list[str]] = field(default_factory=list)
    read: list[str] = field(default_factory=list)
    stream: str = ""
    urgent: str = ""
    state: str = ""


class Ground(Protocol):
    """One end of a connection, real or simulated."""

    def send(self, packet: Packet) -> None:
        """Give it a packet of the peer."""

    def do(self, step: Do) -> None:
        """Let its application act."""

    def wait(self, milliseconds: int) -> None:
        """Let time pass."""

    def collect(self) -> list[Packet]:
        """Return what it sent since the last call."""

    def read(self) -> list[str]:
        """Return what its application learnt since the last call."""

    def state(self) -> str:
        """Return the state of the connection, or an empty string where there is none to ask."""


def play(steps: list[Step], ground: Ground, host_port: int, peer_port: int) -> Seen:
    """Run a script and return what was seen."""
    seen, isn, echo, asked = Seen(), 0, 0, False
    for step in steps:
        if isinstance(step, Send):
            ground.send(built(step, host_port, peer_port, isn, echo))
        elif isinstance(step, Do):
            ground.do(step)
        else:
            ground.wait(step.milliseconds)
        lines = []
        for packet in ground.collect():
            if packet.flags & 2:
                if packet.flags == 2 and asked:
                    continue  # how soon a SYN is repeated is a matter of timers
                asked = asked or packet.flags == 2
                isn = packet.seq
            if packet.options[:4] == b"\x01\x01\x08\x0a":
                echo = int.from_bytes(packet.options[4:8], "big")
            elif b"\x08\x0a" in packet.options:
                at = packet.options.index(b"\x08\x0a")
                echo = int.from_bytes(packet.options[at + 2 : at + 6], "big")
            lines.append(line_of(packet, isn))
        if isinstance(step, Wait) and seen.answers:
            seen.answers[-1] += lines  # how late an answer comes is a matter of timers
        else:
            seen.answers.append(lines)
        learn(seen, ground.read())
    seen.state = ground.state()
    return seen


def learn(seen: Seen, parts: list[str]) -> None:
    """Keep what the application read: one text however it was cut into reads, urgent bytes apart, nothing behind the end."""
    for part in parts:
        kind, _, text = part.partition(" ")
        if kind == "data" and "end" not in seen.read:
            seen.stream += text
        elif kind == "urgent":
            seen.urgent += text
        elif "end" not in seen.read:
            seen.read.append(part)


def built(step: Send, host_port: int, peer_port: int, isn: int, echo: int) -> Packet:
    """Return the packet of a step."""
    flags = sum(1 << LETTERS.index(letter) for letter in step.flags)
    options = step.options
    if step.ts is not None:
        stamp = echo if step.echo is None else step.echo
        options += b"\x01\x01\x08\x0a" + step.ts.to_bytes(4, "big") + stamp.to_bytes(4, "big")
    ack = isn + step.ack & MASK if flags & ACK else 0
    packet = Packet(
        4, PEER, HOST, TCP, peer_port, host_port, PEER_ISN + step.seq & MASK, ack, flags, step.window, step.payload, options=options,
        urgent=step.urgent, data_offset=step.words,
    )  # fmt: skip
    if step.wrong:
        return Packet(
            4, PEER, HOST, TCP, peer_port, host_port, packet.seq, ack, flags, step.window, step.payload, options=options, urgent=step.urgent,
            data_offset=step.words, checksum=0xBEEF,
        )  # fmt: skip
    return packet


def line_of(packet: Packet, isn: int) -> str:
    """Return a segment as one line; numbers that belong to neither side stay as they are."""
    flags = "".join(letter for bit, letter in enumerate(LETTERS) if packet.flags >> bit & 1)
    ack = f" ack {relative(packet.ack, PEER_ISN)}" if packet.flags & ACK else ""
    return f"{flags} seq {relative(packet.seq, isn)}{ack} {packet.payload.decode('latin-1')}".rstrip()


def relative(number: int, base: int) -> int:
    """Return a number relative to its base where it is near it; a RST without ACK begins at zero."""
    difference = (number - base + 0x80000000 & MASK) - 0x80000000
    return difference if number else 0
