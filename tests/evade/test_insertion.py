"""What an end sends instead of a packet in; what is left of it on a path that carries nothing for the wall alone out."""

from collections.abc import Sequence

import msgspec
import pytest

from crenel.coins import EnumeratingCoins, KeyedCoins, ScriptedCoins
from crenel.evade.insertion import Inserting, serves
from crenel.wire.packet import ACK, FIN, PSH, RST, SYN, Packet, tcp_packet, udp_packet

CLIENT, SERVER = bytes((192, 0, 2, 2)), bytes((198, 51, 100, 2))
DATA = tcp_packet(CLIENT, SERVER, 50_000, 80, seq=100, ack=7, flags=PSH | ACK, payload=b"GET / HTTP/1.1")
OPENING = tcp_packet(CLIENT, SERVER, 50_000, 80, seq=99, flags=SYN)
change = msgspec.structs.replace


class Sending:
    """Sends the same whatever the stack sends."""

    def __init__(self, *packets: Packet) -> None:
        self._packets = packets

    def outbound(self, packet: Packet) -> Sequence[tuple[int, Packet]]:
        return [(number, one) for number, one in enumerate(self._packets)]

    def inbound(self, packet: Packet) -> Sequence[tuple[int, Packet]]:
        return [(0, packet)]


@pytest.mark.parametrize(
    ("sent", "meant", "serving"),
    [
        (DATA, DATA, True),
        (change(DATA, payload=b"GET /"), DATA, True),
        (change(DATA, seq=104, payload=b"/ HTTP/1.1", flags=ACK), DATA, True),
        (change(DATA, seq=104, payload=b"/ HTTP/1.1", flags=ACK | FIN), DATA, True),
        (change(DATA, seq=104), DATA, False),
        (change(DATA, payload=b"junk / HTTP/1.1"), DATA, False),
        (change(DATA, payload=b""), DATA, False),
        (change(DATA, ttl=8), DATA, False),
        (change(DATA, checksum=0xBAD), DATA, False),
        (change(DATA, ack=8), DATA, False),
        (change(DATA, flags=RST, payload=b""), DATA, False),
        (change(DATA, frag_offset=8), DATA, True),
        (OPENING, change(OPENING), True),
        (change(OPENING, seq=98), OPENING, False),
        (change(OPENING, options=b"\x01" * 4), OPENING, False),
        (udp_packet(CLIENT, SERVER, 1, 53, b"x"), udp_packet(CLIENT, SERVER, 1, 53, b"y"), True),
    ],
)
def test_what_serves_the_receiver_is_told_from_what_does_not(sent: Packet, meant: Packet, serving: bool) -> None:
    assert serves(sent, meant) is serving


JUNK = change(DATA, payload=b"junk", ttl=8)


@pytest.mark.parametrize(("lost", "left"), [(True, [DATA]), (False, [JUNK, DATA])])
def test_the_coin_of_the_trial_decides_for_all_of_it(lost: bool, left: list[Packet]) -> None:
    sending = Inserting(Sending(JUNK, DATA), ScriptedCoins({"insertion-loss": lost}), 0.5)
    for _ in range(2):
        assert [packet for _, packet in sending.outbound(DATA)] == left


def test_a_loss_that_never_happens_asks_for_nothing() -> None:
    coins = EnumeratingCoins()
    assert len(Inserting(Sending(JUNK, DATA), coins, 0.0).outbound(DATA)) == 2
    assert not coins.falls


@pytest.mark.parametrize("packets", [(DATA,), (DATA, DATA), (JUNK,), (JUNK, JUNK)])
def test_nothing_is_tossed_where_there_is_nothing_to_lose_or_nothing_would_be_left(packets: tuple[Packet, ...]) -> None:
    coins = EnumeratingCoins()
    assert [packet for _, packet in Inserting(Sending(*packets), coins, 0.5).outbound(DATA)] == list(packets)
    assert not coins.falls


def test_delays_and_what_arrives_stay_as_they_are() -> None:
    sending = Inserting(Sending(JUNK, DATA), KeyedCoins(0), 1.0)
    assert sending.outbound(DATA) == [(1, DATA)]
    assert sending.inbound(JUNK) == [(0, JUNK)]
