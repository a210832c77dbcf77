"""Acknowledgement numbers as ladders: what is too new, too old, and what they free."""

from crenel.instant import Instant
from crenel.net.host import HostOptions
from crenel.net.host.acking import measure_round_trip
from crenel.net.host.tcb import Tcb
from tests.net.host.ladder import ladder
from tests.net.host.script import DATA, Do, Send
from tests.net.host.scripts import ALIVE, CLIENT, OPEN

MILLISECOND = 1_000_000


def test_what_acknowledges_unsent_data_is_dropped_with_a_challenge() -> None:
    text = ladder([*OPEN, Send("PA", 1, 2, b"junk"), *ALIVE])
    assert ">> PA seq 1 ack 2 junk\n<< A seq 1 ack 1\n" in text
    assert text.endswith("read 0123456789\nESTABLISHED")


def test_an_old_ack_is_read_as_far_back_as_was_acknowledged() -> None:
    sent = [*CLIENT, Do("send", DATA), Send("A", 1, 11)]
    assert "read data" in ladder([*sent, Send("PA", 1, 0, b"data")])
    assert "read" not in ladder([*sent, Send("PA", 1, -1, b"data")])


def test_the_time_out_follows_rfc_6298() -> None:
    tcb = Tcb(bytes(4), 1, isn=0, options=HostOptions(), listening=False)
    measure_round_trip(tcb, 100 * MILLISECOND)
    assert (tcb.srtt, tcb.rttvar, tcb.rto) == (100 * MILLISECOND, 50 * MILLISECOND, 300 * MILLISECOND)
    measure_round_trip(tcb, 100 * MILLISECOND)
    assert tcb.rttvar == 37_500_000
    for _ in range(50):
        measure_round_trip(tcb, 100 * MILLISECOND)
    assert 300 * MILLISECOND <= tcb.rto < 301 * MILLISECOND, "the least time-out stands over the round trip, as in Linux"
    assert tcb.clock(Instant(0)) == 1000
