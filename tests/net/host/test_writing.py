"""What is sent into windows of all sizes, as ladders, and when it is sent again."""

from crenel.instant import seconds
from crenel.net.host import HostOptions, State
from crenel.wire.packet import ACK, FIN, PSH
from tests.net.host.ladder import ladder, rungs
from tests.net.host.script import DATA, Do, Send, Wait
from tests.net.host.scripts import MSS, OPEN, REQUEST, SCALE, SENT
from tests.net.host.wire import Wire


def test_a_window_of_ten_takes_ten_bytes_and_the_next_ack_opens_it() -> None:
    steps = [*SENT, Send("SA", 0, 1, options=MSS + SCALE, window=10), Do("send", b"G" * 20), Wait(300), Send("A", 1, 11, window=509)]
    assert ladder(steps) == rungs("""
        << S seq 0
        >> SA seq 0 ack 1
        << A seq 1 ack 1
        << PA seq 1 ack 1 GGGGGGGGGG
        >> A seq 1 ack 11
        << PA seq 11 ack 1 GGGGGGGGGG
        ESTABLISHED""")


def test_the_scale_of_the_syn_ack_counts_for_every_later_window() -> None:
    opened = [*SENT, Send("SA", 0, 1, options=MSS + SCALE, window=60000), Send("A", 2, 1, window=1)]
    assert "<< PA seq 1 ack 1 " + "x" * 101 + "\n" in ladder([*opened, Do("send", b"x" * 101)])
    assert "<< PA" not in ladder([*opened, Do("send", b"x" * 129)])


def test_a_shut_window_is_probed_with_an_old_number() -> None:
    text = ladder([*OPEN, Send("A", 1, 1, window=0), Do("send", DATA), Wait(210), Send("A", 1, 1, window=500)])
    assert text.endswith("<< A seq 0 ack 1\n>> A seq 1 ack 1\n<< PA seq 1 ack 1 0123456789\nESTABLISHED")


def test_a_probe_waits_twice_as_long_each_time() -> None:
    steps = [*REQUEST, Send("A", window=0), Do("send", DATA), Wait(190), Send("A", 1, 1, window=0)]
    assert "<< A seq 0" not in ladder(steps)
    assert ladder([*steps, Wait(1500)]).count("<< A seq 0 ack 1") == 3


def test_unacknowledged_data_is_sent_again_after_twice_the_time() -> None:
    assert ladder([*OPEN, Do("send", DATA), Wait(195)]).count("<< PA seq 1") == 1
    assert ladder([*OPEN, Do("send", DATA), Wait(215)]).count("<< PA seq 1") == 2
    assert ladder([*OPEN, Do("send", DATA), Wait(590)]).count("<< PA seq 1") == 2
    assert ladder([*OPEN, Do("send", DATA), Wait(640)]).count("<< PA seq 1") == 3


def test_segments_are_as_long_as_the_peers_mss() -> None:
    steps = [*SENT, Send("SA", 0, 1, options=b"\x02\x04\x00\x64"), Do("send", b"x" * 250)]
    assert [line.count("x") for line in ladder(steps).splitlines() if "x" in line] == [100, 100, 50]


def test_a_fin_that_the_peer_holds_is_not_sent_with_what_it_lacks() -> None:
    """Together both would be another kind of packet to whoever looks at flags."""
    for sack, again in ((True, PSH | ACK), (False, FIN | PSH | ACK)):
        wire = Wire(options=HostOptions(sack=sack))
        wire.connect()
        wire.carry(seconds(0.1))
        now = wire.now
        wire.server.send(now, DATA)
        wire.server.close(now)
        data, fin = wire.server.packets()
        assert (data.flags, fin.flags) == (PSH | ACK, FIN | ACK)
        wire.client.receive(now, fin)
        (held,) = wire.client.packets()
        wire.server.receive(now, held)
        due = wire.server.next_timer()
        assert due is not None
        wire.server.fire(due)
        (repeated,) = wire.server.packets()
        assert (repeated.flags, repeated.seq, repeated.payload) == (again, data.seq, DATA)
        wire.client.receive(due, repeated)
        for packet in wire.client.packets():
            wire.server.receive(due, packet)
        assert wire.server.state is State.FIN_WAIT_2
