"""Datagrams that were sent through the wall in, whether the model would act on each out; and on which side of the port rule a row lies."""

import csv

import pytest

from crenel.coins import ScriptedCoins
from crenel.instant import Instant
from crenel.net.sim.tries import chance
from crenel.wall.effects import Armed, Side
from crenel.wire.packet import udp_packet
from tests.conformance.judging import wall_of
from tests.data import data_path

AS_OF = "2025-01-15"
BOX = "quic-sni"
TRIGGERING = {1, 2, 8, 10, 15}


@pytest.mark.parametrize("number", range(1, 17))
def test_the_published_payloads(number: int) -> None:
    payload = data_path(f"verdicts/quic25/payloads/exp{number}.bin").read_bytes()
    assert (chance(payload, wall_of(AS_OF), transport="udp", port=443) > 0) == (number in TRIGGERING)


def acts_from(sport: int, dport: int, payload: bytes) -> bool:
    """Say whether the box acts on a payload between these ports where its coin falls for acting."""
    run = wall_of(AS_OF).start(ScriptedCoins())
    packet = udp_packet(bytes((192, 0, 2, 2)), bytes((198, 51, 100, 2)), sport, dport, payload)
    effects = run.see(Instant(0), Side.INSIDE, packet)
    return any(isinstance(effect, Armed) and effect.because.middlebox == BOX for effect in effects)


def test_no_blocked_row_lies_on_the_wrong_side_of_the_port_rule() -> None:
    payload = data_path("verdicts/quic25/payloads/exp1.bin").read_bytes()
    with data_path("verdicts/quic25/srcport_dstport_401-450_2024-10-17.csv").open(newline="", encoding="utf-8") as table:
        rows = [(int(row[3]), int(row[4]), row[6] == "true") for row in csv.reader(table)]
    verdicts = {ports: acts_from(*ports, payload) for ports in {(sport, dport) for sport, dport, _ in rows}}
    blocked = [(sport, dport) for sport, dport, seen in rows if seen]
    print(f"{len(blocked)} of {len(rows)} rows blocked, each with the source port above; {sum(verdicts.values())} pairs of ports at risk")
    assert (len(rows), len(blocked)) == (24914, 10799)
    assert not [ports for ports in blocked if not verdicts[ports]]
    # Where nothing was ever blocked, the model does not act either, equal ports included.
    assert not [ports for ports, acts in verdicts.items() if acts and ports[0] <= ports[1]]
    assert any(sport == dport for sport, dport in verdicts)
