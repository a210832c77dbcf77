"""Packets that give boxes more than one ground in, how often each box acts on them out."""

from pathlib import Path

import pytest

from crenel.coins import Coins, KeyedCoins, ScriptedCoins, enumerate_trials
from crenel.instant import Instant
from crenel.wall.effects import Effect, Inject, Missed, Side
from crenel.wall.run import Run
from crenel.wire.packet import ACK, PSH, SYN, tcp_packet
from tests.net.made import REQUEST, WALK, box, wall_with

CLIENT, SERVER = bytes((192, 0, 2, 2)), bytes((198, 51, 100, 2))
LISTED = b"GET / HTTP/1.1\r\nHost: blocked.example\r\n\r\n"
OTHER = b"GET / HTTP/1.1\r\nHost: other.example\r\n\r\n"
BARE = b"GET / HTTP/1.1\r\nX: y\nHost: blocked.example\r\n\r\n"
"""Its Host stands behind a bare line feed, where a parser that wants CR LF does not see it."""
TWO_PARSERS = REQUEST.format(walks=f"{WALK.format(title='lf', ends='lf', share=0.2)}, {WALK.format(title='crlf', ends='crlf', share=0.5)}")


def send(run: Run, *payloads: bytes) -> list[Effect]:
    """Open a connection and send each payload in a segment; return all effects."""
    at = 1001
    packets = [tcp_packet(CLIENT, SERVER, 50000, 80, seq=1000, flags=SYN), tcp_packet(CLIENT, SERVER, 50000, 80, seq=at, ack=2001)]
    for payload in payloads:
        packets.append(tcp_packet(CLIENT, SERVER, 50000, 80, seq=at, ack=2001, flags=PSH | ACK, payload=payload))
        at += len(payload)
    return [effect for number, packet in enumerate(packets) for effect in run.see(Instant(number), Side.INSIDE, packet)]


@pytest.mark.parametrize("mode", ["live", "forecast"])
@pytest.mark.parametrize("per", ["flow", "pair", "event"])
def test_a_box_acts_once_on_a_packet_with_two_grounds(tmp_path: Path, mode: str, per: str) -> None:
    wall = wall_with(tmp_path, box("a", chance=f'p = 1.0, per = "{per}"'))
    effects = send(wall.start(ScriptedCoins(), mode="live" if mode == "live" else "forecast"), LISTED + OTHER)
    assert [effect.because.value for effect in effects if isinstance(effect, Inject)] == [b"blocked.example"] * 2  # one for each end


def test_a_box_whose_coin_fell_otherwise_stays_silent_for_the_flow(tmp_path: Path) -> None:
    wall = wall_with(tmp_path, box("a"))
    effects = send(wall.start(ScriptedCoins(otherwise=False)), LISTED, LISTED, OTHER)
    assert [type(effect) for effect in effects] == [Missed]


def test_a_value_that_more_parsers_see_is_a_new_chance_for_the_rest(tmp_path: Path) -> None:
    wall = wall_with(tmp_path, box("a", trigger=TWO_PARSERS, chance='p = 1.0, per = "flow"'))
    effects = send(wall.start(ScriptedCoins(otherwise=False)), BARE, LISTED, BARE)
    assert [effect.because.chance for effect in effects if isinstance(effect, Missed)] == [0.2, 0.6]

    def acts(coins: Coins) -> bool:
        return any(isinstance(effect, Inject) for effect in send(wall.start(coins), BARE, LISTED))

    assert enumerate_trials(acts).chance(bool) == pytest.approx(0.6)
    assert sum(acts(KeyedCoins(seed)) for seed in range(400)) == pytest.approx(240, abs=40)
