"""The end of connections as ladders: TIME-WAIT, and FIN-WAIT-2 of a socket that nobody reads."""

from tests.net.host.ladder import ladder
from tests.net.host.script import DATA, Send
from tests.net.host.scripts import ORPHAN_1, ORPHAN_2, TIME_WAIT


def test_data_for_a_closed_socket_is_reset() -> None:
    assert ">> PA seq 1 ack 1 0123456789\n<< R seq 1" in ladder([*ORPHAN_1, Send("PA", 1, 1, DATA)])
    assert ">> PA seq 1 ack 2 0123456789\n<< R seq 2" in ladder([*ORPHAN_2, Send("PA", 1, 2, DATA)])


def test_time_wait_acknowledges_the_fin_again() -> None:
    assert ladder([*TIME_WAIT, Send("FA", 1, 2)]).endswith("<< A seq 2 ack 2\n>> FA seq 1 ack 2\n<< A seq 2 ack 2")


def test_a_rst_at_the_next_number_ends_time_wait_and_another_does_not() -> None:
    assert ladder([*TIME_WAIT, Send("R", 2), Send("A", 2, 2)]).endswith("<< R seq 2")
    assert ladder([*TIME_WAIT, Send("R", 50), Send("FA", 1, 2)]).endswith("<< A seq 2 ack 2")


def test_a_later_syn_opens_the_next_connection_out_of_time_wait() -> None:
    assert ladder([*TIME_WAIT, Send("S", 1000)]).endswith(">> S seq 1000\n<< SA seq 0 ack 1001")
    assert ladder([*TIME_WAIT, Send("S", 0)]).endswith(">> S seq 0\n<< A seq 2 ack 2")
