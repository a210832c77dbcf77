"""Connections whose SYN carries data in, what boxes whose model reads it see out: the first bytes of the stream, at their place."""

from pathlib import Path

import pytest

from crenel.coins import ScriptedCoins
from crenel.instant import Instant
from crenel.wall.effects import Because, Inject, Side
from crenel.wall.wall import Wall
from crenel.wire.packet import ACK, PSH, SYN, Packet, tcp_packet
from tests.net.made import box, wall_with

CLIENT, SERVER = bytes((192, 0, 2, 2)), bytes((198, 51, 100, 2))
LISTED = b"GET / HTTP/1.1\r\nHost: blocked.example\r\n\r\n"
ISN = (1 << 32) - 1
"""So that the number behind the SYN wraps round."""

FAST_OPEN = """
[tcb.fast]
title = "Data with the SYN are read"
sources = ["made-up"]
ahead = 65535
keeps_newer = 0.0
[[tcb.fast.row]]
in = ["none", "off"]
from = "client"
has = "S"
lacks = "AR"
do = "track"
go-on = true
sources = ["made-up"]
[[tcb.fast.row]]
in = ["opening"]
from = "client"
has = "S"
lacks = "AR"
load = true
do = "read"
sources = ["made-up"]
[[tcb.fast.row]]
in = ["opening"]
from = "client"
has = "A"
lacks = "FRS"
do = "complete"
go-on = true
sources = ["made-up"]
[[tcb.fast.row]]
in = ["open"]
from = "client"
has = "A"
lacks = "FRS"
load = true
do = "read"
sources = ["made-up"]
"""


def wall(tmp_path: Path, tcb: str) -> Wall:
    return wall_with(tmp_path, box("a", tcb=tcb, chance='p = 1.0, per = "flow"'), FAST_OPEN)


def grounds(wall: Wall, *packets: Packet) -> list[tuple[int, Because]]:
    """Return the first effect of each packet that has one."""
    run = wall.start(ScriptedCoins(), mode="forecast")
    found = []
    for number, packet in enumerate(packets):
        effects = run.see(Instant(number), Side.INSIDE if packet.src == CLIENT else Side.OUTSIDE, packet)
        found += [(number, effect.because) for effect in effects if isinstance(effect, Inject)][:1]
    return found


def from_client(seq: int, flags: int, payload: bytes = b"") -> Packet:
    return tcp_packet(CLIENT, SERVER, 50000, 80, seq=seq % (1 << 32), ack=5001 if flags & ACK else 0, flags=flags, payload=payload)


def from_server(ack: int) -> Packet:
    return tcp_packet(SERVER, CLIENT, 80, 50000, seq=5000, ack=ack % (1 << 32), flags=SYN | ACK)


@pytest.mark.parametrize(("tcb", "acts"), [("fast", True), ("plain", False)])
def test_data_with_the_syn_are_the_first_of_the_stream_where_the_model_says_so(tmp_path: Path, tcb: str, acts: bool) -> None:
    found = grounds(wall(tmp_path, tcb), from_client(ISN, SYN, LISTED))
    assert [(number, because.offset) for number, because in found] == ([(0, 22)] if acts else [])


@pytest.mark.parametrize("cut", [1, 10, 30, 38])
def test_what_follows_the_syn_goes_on_where_its_data_ended(tmp_path: Path, cut: int) -> None:
    after = ISN + 1 + cut
    rest = (from_server(after), from_client(after, ACK), from_client(after, PSH | ACK, LISTED[cut:]))
    found = grounds(wall(tmp_path, "fast"), from_client(ISN, SYN, LISTED[:cut]), *rest)
    assert [(number, because.offset, because.value) for number, because in found] == [(3, 22, b"blocked.example")]


def test_data_that_the_server_did_not_take_are_sent_again_and_read_once(tmp_path: Path) -> None:
    first = ISN + 1
    rest = (from_client(first, PSH | ACK, LISTED[:30]), from_client(first + 30, PSH | ACK, LISTED[30:]))
    for tcb in ("fast", "plain"):
        found = grounds(wall(tmp_path, tcb), from_client(ISN, SYN, LISTED[:30]), from_server(first), from_client(first, ACK), *rest)
        assert [(number, because.offset) for number, because in found] == [(4, 22)]
