"""Hosts, applications and grounds in, that each of them is what an experiment asks for out."""

from crenel.instant import Instant
from crenel.net.ground import Ground, Host, Rewrite
from crenel.net.sim.trials import Simulated
from crenel.wire.packet import Packet
from tests.net.sim.scripted import Echo, Scripted, ours


def test_what_there_is_fits() -> None:
    grounds: list[Ground] = [Simulated()]
    hosts: list[Host] = [Scripted(), Echo()]
    assert [host.packets() for host in hosts] == [[], []]
    assert grounds[0].trial.__doc__


def test_a_rewrite_is_a_plain_function() -> None:
    def drop(now: Instant, packet: Packet) -> list[Packet]:
        return []

    rewrite: Rewrite = drop
    assert rewrite(Instant(0), ours(0, 1)) == []
