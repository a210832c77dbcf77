"""Exchanges between two real stacks: the same as simulated ones, quickly, one after the other without traces, and nothing left behind."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from crenel.coins import KeyedCoins, ScriptedCoins
from crenel.errors import LabError
from crenel.instant import Instant, seconds
from crenel.net.app.dns import Dns
from crenel.net.app.http import Http
from crenel.net.app.script import Script
from crenel.net.app.speaker import App
from crenel.net.app.tls import Tls
from crenel.net.exchange import Exchange
from crenel.net.ground import Tactic
from crenel.net.lab import kernel as module
from crenel.net.lab.doctor import Finding, Health
from crenel.net.lab.kernel import Kernel
from crenel.net.path.route import Link, Route
from crenel.net.sim.trials import Between, Simulated
from crenel.wall.wall import Wall
from crenel.wire.packet import ACK, PSH, RST, SYN, TCP, Packet
from tests.net.lab.machine import NEEDS_LAB, OPEN, descendants, network, wait_until_gone
from tests.net.made import box, wall_with
from tests.net.rewriting import Rewriting
from tests.net.telling import check_accounts

ROUTE = Route((Link(5, seconds(0.01)), Link(7, seconds(0.04))), (OPEN,))
COINS = KeyedCoins(1)
LISTED = "blocked.example"


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    with Kernel() as made:
        yield made


def route_by(wall: Wall) -> Route:
    return msgspec.structs.replace(ROUTE, walls=(wall,))


def grounds(kernel: Kernel) -> tuple[Simulated, Kernel]:
    return Simulated(), kernel


def told(exchange: Exchange) -> list[tuple[object, ...]]:
    """Return what happened to every packet, timestamps, windows and IP identifications aside."""
    return [
        (event.time, event.sender, event.toward, event.what, event.where, event.injected_by, packet.sport, packet.dport, packet.flags, packet.seq,
         packet.ack, packet.payload, packet.ttl, packet.checksum)
        for event in exchange.trace
        for packet in (event.packet,)
    ]  # fmt: skip


@NEEDS_LAB
@pytest.mark.parametrize(
    "app",
    [
        Http(host="allowed.example"),
        Tls(host="allowed.example"),
        Dns(name="allowed.example"),
        Script(messages=(b"first", b"second"), transport="udp"),
    ],
)
def test_a_plain_exchange_is_packet_by_packet_that_of_simulated_hosts(kernel: Kernel, app: App) -> None:
    made, real = (ground.trial(app, OPEN, ROUTE, None, None, COINS) for ground in grounds(kernel))
    assert real.experience.ending == "answered"
    assert real.experience == made.experience
    assert told(real) == told(made)
    check_accounts(real.trace, finished=False)


@NEEDS_LAB
def test_a_kernel_acknowledges_the_clients_farewell_with_its_own(kernel: Kernel) -> None:
    """Both say the same, but a simulated host acknowledges at once (see the limits of the endpoint)."""
    app = Script(messages=(b"first", b"second"))
    made, real = (ground.trial(app, OPEN, ROUTE, None, None, COINS) for ground in grounds(kernel))
    assert real.experience == made.experience
    extra = [told for told in told_at_ends(made) if told not in told_at_ends(real)]
    assert {(sender, flags) for sender, flags, *_ in extra} == {("server", ACK)}


def descriptors() -> set[str]:
    """Return what this process holds open."""
    return {place.name for place in Path("/proc/self/fd").iterdir()}


def told_at_ends(exchange: Exchange) -> list[tuple[object, ...]]:
    return [(event.sender, event.packet.flags, event.packet.seq, event.packet.ack) for event in exchange.trace if event.what == "sent"]


@NEEDS_LAB
def test_it_works_over_ipv6_and_between_whom_one_says() -> None:
    between = Between(bytes.fromhex("20010db8000c00000000000000000007"), bytes.fromhex("20010db8005e00000000000000000008"), 41_234)
    app = Http(host="allowed.example")
    with Kernel(Instant(seconds(5)), between=between) as kernel:
        real = kernel.trial(app, OPEN, ROUTE, None, None, COINS)
    made = Simulated(Instant(seconds(5)), between=between).trial(app, OPEN, ROUTE, None, None, COINS)
    assert told(real) == told(made)
    assert (real.trace[0].packet.src, real.trace[0].packet.sport) == (between.client, 41_234)


@NEEDS_LAB
def test_a_wall_that_resets_keeps_a_kernel_from_its_answer(kernel: Kernel, tmp_path_factory: pytest.TempPathFactory) -> None:
    wall = wall_with(tmp_path_factory.mktemp("wall"), box("a", chance='p = 0.5, per = "flow"'))
    for acts in (True, False):
        coins = ScriptedCoins({"a/act": acts})
        exchange = kernel.trial(Http(host=LISTED), wall, route_by(wall), None, None, coins)
        assert (exchange.outcome, exchange.experience.ending) == (("blocked", "reset") if acts else ("passed", "answered"))
        assert (exchange.chance, exchange.middlebox) == (0.5, "a" if acts else None)


@NEEDS_LAB
def test_what_the_kernel_ignores_does_no_harm_and_what_it_heeds_does(kernel: Kernel) -> None:
    """A reset with a wrong checksum, and one with a right one, before the request."""

    def tactic(checksum: int | None) -> Tactic:
        def insert(packet: Packet) -> list[tuple[int, Packet]]:
            if packet.flags != PSH | ACK:
                return [(0, packet)]
            return [(0, msgspec.structs.replace(packet, flags=RST, payload=b"", checksum=checksum)), (0, packet)]

        return Rewriting(insert)

    endings = [kernel.trial(Http(host="allowed.example"), OPEN, ROUTE, tactic(checksum), None, COINS).experience.ending for checksum in (0xBAD, None)]
    assert endings == ["answered", "reset"]


@NEEDS_LAB
def test_what_is_lost_is_sent_again(kernel: Kernel) -> None:
    """Of each kind of packet the first one; the kernel's timers are its own, and the clock is the path's."""
    for flags, least in ((SYN, 1.0), (SYN | ACK, 1.0), (PSH | ACK, 0.2)):

        def tactic(flags: int = flags) -> Tactic:
            left = [1]

            def lose(packet: Packet) -> list[tuple[int, Packet]]:
                if packet.flags == flags and left:
                    left.pop()
                    return []
                return [(0, packet)]

            return Rewriting(lose)

        began = time.monotonic()
        exchange = kernel.trial(Http(host="allowed.example"), OPEN, ROUTE, tactic(), tactic(), COINS)
        assert exchange.experience.ending == "answered"
        assert exchange.experience.time > seconds(least)
        assert time.monotonic() - began < 10, "nobody waits for a timer of seconds"


@NEEDS_LAB
def test_silence_is_waited_for_on_the_paths_clock(kernel: Kernel) -> None:
    began = time.monotonic()
    deaf: Tactic = Rewriting(lambda packet: [])
    for app in (Http(host="allowed.example"), Dns(name="allowed.example")):
        exchange = kernel.trial(app, OPEN, ROUTE, None, deaf, COINS)
        assert exchange.experience.ending == "timed out"
        assert exchange.experience.time >= sum(app.patience[:1])
    assert time.monotonic() - began < 20, "less than the patience that was spent"


@NEEDS_LAB
def test_an_earlier_trial_leaves_nothing_to_a_later_one(kernel: Kernel) -> None:
    """Half-open, half-closed and reset connections, and a port range that begins anew in between."""
    drop = {
        "SYN/ACK lost": Rewriting(lambda packet: [] if packet.flags & SYN else [(0, packet)]),
        "answer lost": Rewriting(lambda packet: [] if packet.payload else [(0, packet)]),
        "nothing lost": None,
    }
    app = Http(host="allowed.example")
    wanted = told(kernel.trial(app, OPEN, ROUTE, None, None, COINS))
    for tactic in drop.values():
        kernel.trial(app, OPEN, ROUTE, None, tactic, COINS)
        kernel._port = 10_000  # the next trial gets the ports that this one may still be known by
        for _ in range(3):
            assert told(kernel.trial(app, OPEN, ROUTE, None, None, COINS)) == wanted
    names = [(packet.sport, packet.proto) for packet in (event.packet for event in kernel.trial(app, OPEN, ROUTE, None, None, COINS).trace)]
    assert {proto for _, proto in names} == {TCP}


@NEEDS_LAB
def test_trials_keep_no_descriptor(kernel: Kernel) -> None:
    app = Http(host="allowed.example")
    for _ in range(64):  # the stores of sockets are full to some extent
        kernel.trial(app, OPEN, ROUTE, None, None, COINS)
    before = len(descriptors())
    for number in range(320):
        assert kernel.trial(app, OPEN, ROUTE, None, None, KeyedCoins(0, number)).experience.ending == "answered"
    assert len(descriptors()) == before


@NEEDS_LAB
def test_afterwards_nothing_is_left() -> None:
    before, outside, others = descriptors(), network(), descendants(os.getpid())
    with Kernel() as made:
        made.trial(Http(host="allowed.example"), OPEN, ROUTE, None, None, COINS)
        processes = {number: began for number, began in descendants(os.getpid()).items() if number not in others}
        assert processes
        assert network() == outside
    assert not wait_until_gone(processes)
    assert descriptors() == before


def test_outside_of_its_block_there_is_no_trial() -> None:
    with pytest.raises(LabError, match="while its `with` block runs"):
        Kernel().trial(Http(host="allowed.example"), OPEN, ROUTE, None, None, COINS)


def test_a_machine_without_the_rights_is_told_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(plan: object) -> None:
        raise LabError("no lab")

    lacking = Health((Finding("tun", False, "/dev/net/tun cannot be opened: Permission denied", "run as root"), Finding("lab", False, "no lab", "")))
    monkeypatch.setattr(module, "Namespaces", refuse)
    monkeypatch.setattr(module, "examine", lambda: lacking)
    with pytest.raises(LabError) as raised:
        Kernel().__enter__()
    assert str(raised.value) == "trials on the kernel need a lab, and /dev/net/tun cannot be opened: Permission denied (run as root)"
