"""An application between a wall's two sides in, the exchange that an experiment gets out."""

import msgspec
import pytest

from crenel.atlas.compile import load_wall
from crenel.atlas.load import load_vantage
from crenel.coins import Coins, KeyedCoins, ScriptedCoins
from crenel.instant import seconds
from crenel.net.app.http import Http
from crenel.net.exchange import Exchange
from crenel.net.ground import Tactic
from crenel.net.host.options import HostOptions
from crenel.net.path.path import Path
from crenel.net.path.route import Route, route_of
from crenel.net.sim.trials import Simulated, options_of
from crenel.wall.effects import Side
from crenel.wall.wall import Wall
from crenel.wire.packet import ACK, PSH, RST, Packet
from tests.net.rewriting import Rewriting
from tests.net.sim.scripted import START, bare
from tests.net.telling import check_accounts

WALL = load_wall("gfw", as_of="2020-01-15")
ROUTE = bare(route_of(load_vantage("four-cities-2020"), WALL))


def carried(name: bytes, coins: Coins, client: Tactic | None = None, wall: Wall = WALL, route: Route = ROUTE) -> Exchange:
    exchange = Simulated(START).trial(Http(host=name.decode()), wall, route, client, None, coins)
    check_accounts(exchange.trace, finished=False)
    return exchange


def test_what_the_wall_resets_is_blocked_and_explained() -> None:
    exchange = carried(b"blocked.example", ScriptedCoins())
    assert (exchange.blocked, exchange.at_risk, exchange.action) == (True, True, "reset")
    (evidence,) = exchange.evidence
    assert (evidence.value, evidence.middlebox) == ("blocked.example", exchange.middlebox)
    assert (exchange.outcome, exchange.experience.ending) == ("blocked", "reset")
    seen = exchange.trace[evidence.packet - 1]
    assert (seen.where, seen.what, seen.packet.flags) == (WALL.name, "passed", PSH | ACK)
    forged = [event for event in exchange.trace if event.what == "injected"]
    assert {(event.injected_by, bool(event.packet.flags & RST)) for event in forged} == {(exchange.middlebox, True)}
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
    def hide(packet: Packet) -> list[tuple[int, Packet]]:
        return [(0, msgspec.structs.replace(packet, payload=packet.payload.replace(b"blocked", b"allowed")))]

    assert not carried(b"blocked.example", ScriptedCoins(), Rewriting(hide)).at_risk


def test_a_trial_is_broken_off_at_its_limit() -> None:
    far = route_of(load_vantage("four-cities-2020"), WALL)
    exchange = Simulated(START, longest=seconds(0.1)).trial(Http(host="blocked.example"), WALL, far, None, None, KeyedCoins(0))
    assert {event.packet.flags & ~ACK for event in exchange.trace} == {2}
    assert (exchange.outcome, exchange.experience.ending, exchange.experience.time) == ("failed", "timed out", seconds(0.1))
    assert all(event.time <= seconds(0.1) for event in exchange.trace)


@pytest.mark.parametrize("seed", range(3))
def test_the_same_coins_give_the_same_exchange(seed: int) -> None:
    one, other = (carried(b"blocked.example", KeyedCoins(seed)) for _ in range(2))
    assert (one.experience, one.trace, one.events, one.evidence) == (other.experience, other.trace, other.events, other.evidence)


def test_without_an_afterglow_it_ends_with_the_experience_of_the_client() -> None:
    grounds = Simulated(START, afterglow=seconds(1)), Simulated(START, afterglow=0)
    whole, brief = (ground.trial(Http(host="allowed.example"), WALL, ROUTE, None, None, KeyedCoins(0)) for ground in grounds)
    assert brief.experience == whole.experience
    assert max(event.time for event in brief.trace) == brief.experience.time < max(event.time for event in whole.trace)


def test_the_chance_is_that_from_empty_memory_even_where_the_wall_remembers() -> None:
    coins = ScriptedCoins()
    runs = (WALL.start(coins),)
    sim = Simulated(START)
    first = sim.carry(Http(host="blocked.example"), WALL, Path(ROUTE, coins, START, runs), coins)
    second = sim.carry(Http(host="allowed.example"), WALL, Path(ROUTE, coins, START, runs), coins)
    assert (first.outcome, first.chance > 0, first.residual) == ("blocked", True, False)
    assert (second.outcome, second.chance, second.residual, second.at_risk) == ("blocked", 0.0, True, False)
    assert [(trigger.chance, trigger.acted) for trigger in second.triggers] == [(0.0, True)]
    assert second.evidence[0].residual is not None


def test_the_calm_exchange_is_what_the_wall_sees_when_no_box_acts() -> None:
    app = Http(host="blocked.example")
    calm = Simulated(START).calm(app, WALL, ROUTE, KeyedCoins(0))
    missed = Simulated(START).trial(app, WALL, ROUTE, None, None, ScriptedCoins(otherwise=False))
    seen = [event for event in missed.trace if event.where == WALL.name]
    assert [(packet.flags, packet.payload) for _, _, packet in calm if not isinstance(packet, int)] == [
        (event.packet.flags, event.packet.payload) for event in seen
    ]
    assert {side for _, side, _ in calm} == {Side.INSIDE, Side.OUTSIDE}
    assert calm[0][1] == ROUTE.client_side


@pytest.mark.parametrize("timestamps", [True, False])
def test_the_hosts_are_those_of_the_vantage(timestamps: bool) -> None:
    route = msgspec.structs.replace(ROUTE, timestamps=timestamps, checks_options=False)
    exchange = Simulated(START).trial(Http(host="allowed.example"), WALL, route, None, None, KeyedCoins(0))
    data = [event.packet for event in exchange.trace if event.what == "sent" and event.packet.payload]
    assert {bool(packet.options) for packet in data} == {timestamps}
    assert not options_of(route).checks_options
    assert options_of(ROUTE) == HostOptions(timestamps=ROUTE.timestamps, checks_options=ROUTE.checks_options)
