"""Hosts, applications and grounds in, that each of them is what an experiment asks for out."""

from crenel.coins import KeyedCoins
from crenel.net.ground import Ground, Host, Rewriter, Tactic
from crenel.net.sim.trials import Simulated
from crenel.wire.packet import Packet
from tests.net.rewriting import Rewriting
from tests.net.sim.scripted import Echo, Scripted, ours


def test_what_there_is_fits() -> None:
    grounds: list[Ground] = [Simulated()]
    hosts: list[Host] = [Scripted(), Echo()]
    assert [host.packets() for host in hosts] == [[], []]
    assert grounds[0].trial.__doc__


def test_a_rewriter_stands_for_its_tactic() -> None:
    def drop(packet: Packet) -> list[tuple[int, Packet]]:
        return []

    rewriter: Rewriter = Rewriting(drop)
    tactic: Tactic = Rewriting(drop)
    assert rewriter.outbound(ours(0, 1)) == tactic(KeyedCoins(0)).outbound(ours(0, 1)) == []
    assert rewriter.inbound(ours(0, 1)) == [(0, ours(0, 1))]
