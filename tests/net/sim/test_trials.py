"""An application between a wall's two sides in, the exchange that an experiment gets out."""

import msgspec
import pytest

from crenel.atlas.compile import load_wall
from crenel.atlas.load import load_vantage
from crenel.coins import Coins, KeyedCoins, ScriptedCoins
from crenel.instant import Instant, seconds
from crenel.net.ground import Host, Rewrite
from crenel.net.path.route import Route, route_of
from crenel.net.sim.trials import Simulated
from crenel.net.trace import Exchange
from crenel.wall.wall import Wall
from crenel.wire.packet import ACK, PSH, RST, Packet
from tests.net.sim.scripted import START, Scripted, bare, conversation
from tests.net.telling import check_accounts

WALL = load_wall("gfw", as_of="2020-01-15")
ROUTE = bare(route_of(load_vantage("four-cities-2020"), WALL))


class Talk(msgspec.Struct, frozen=True):
    """An application that says the same whatever happens."""

    name: bytes

    def hosts(self, now: Instant, coins: Coins) -> tuple[Host, Host]:
        client, server = conversation(b"GET / HTTP/1.1\r\nHost: %b\r\n\r\n" % self.name, b"HTTP/1.1 200 OK\r\n\r\n")
        return Scripted(client), Scripted(server)


def carried(name: bytes, coins: Coins, client: Rewrite | None = None, wall: Wall = WALL, route: Route = ROUTE) -> Exchange:
    exchange = Simulated(START).trial(Talk(name), wall, route, client, None, coins)
    check_accounts(exchange.trace)
    return exchange


def test_what_the_wall_resets_is_blocked_and_explained() -> None:
    exchange = carried(b"blocked.example", ScriptedCoins())
    assert (exchange.blocked, exchange.at_risk, exchange.action) == (True, True, "reset")
    (evidence,) = exchange.evidence
    assert (evidence.value, evidence.middlebox) == ("blocked.example", exchange.middlebox)
    seen = exchange.trace[evidence.packet - 1]
    assert (seen.where, seen.what, seen.packet.flags) == (WALL.name, "passed", PSH | ACK)
    assert {event.injected_by for event in exchange.trace if event.packet.flags & RST} == {exchange.middlebox}
    (trigger,) = exchange.triggers
    assert (trigger.acted, trigger.chance) == (True, exchange.chance)


def test_what_the_coins_let_by_is_at_risk() -> None:
    exchange = carried(b"blocked.example", ScriptedCoins(otherwise=False))
    assert (exchange.blocked, exchange.at_risk, exchange.middlebox, exchange.action) == (False, True, None, None)
    assert 0.0 < exchange.chance < 1.0
    assert [trigger.acted for trigger in exchange.triggers] == [False]


def test_what_is_on_no_list_passes() -> None:
    exchange = carried(b"allowed.example", KeyedCoins(0))
    assert (exchange.blocked, exchange.at_risk, exchange.chance, exchange.evidence, exchange.triggers) == (False, False, 0.0, (), ())


def test_a_rewritten_request_is_what_the_wall_sees() -> None:
    def hide(now: Instant, packet: Packet) -> list[Packet]:
        return [msgspec.structs.replace(packet, payload=packet.payload.replace(b"blocked", b"allowed"))]

    assert not carried(b"blocked.example", ScriptedCoins(), hide).at_risk


def test_a_trial_is_broken_off_at_its_limit() -> None:
    exchange = Simulated(START, longest=seconds(0.1)).trial(Talk(b"blocked.example"), WALL, ROUTE, None, None, KeyedCoins(0))
    assert {event.packet.flags & ~ACK for event in exchange.trace} == {2}
    assert all(event.time <= seconds(0.1) for event in exchange.trace)


@pytest.mark.parametrize("seed", range(3))
def test_the_same_coins_give_the_same_exchange(seed: int) -> None:
    assert carried(b"blocked.example", KeyedCoins(seed)) == carried(b"blocked.example", KeyedCoins(seed))
