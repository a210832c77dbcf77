"""Handshakes as ladders: what opens a connection, what is answered, what is ignored."""

from tests.net.host.ladder import ladder, rungs
from tests.net.host.script import DATA, Send
from tests.net.host.scripts import ALIVE, CROSSED, FAR, LISTENING, MSS, REQUEST, SENT


def test_a_syn_ack_with_a_wrong_ack_is_reset_at_that_number_and_the_right_one_still_opens() -> None:
    assert ladder([*SENT, Send("SA", 0, 99), Send("SA", 0)]) == rungs("""
        << S seq 0
        >> SA seq 0 ack 99
        << R seq 99
        >> SA seq 0 ack 1
        << A seq 1 ack 1
        ESTABLISHED""")


def test_a_rst_without_ack_does_not_end_an_attempt_to_connect() -> None:
    assert "ESTABLISHED" in ladder([*SENT, Send("R", 0), Send("SA", 0)])


def test_crossed_syns_answer_with_the_same_sequence_number() -> None:
    assert ladder([*CROSSED, Send("A", 1, 1)]) == rungs("""
        << S seq 0
        >> S seq 0
        << SA seq 0 ack 1
        >> A seq 1 ack 1
        ESTABLISHED""")


def test_payload_on_a_syn_ack_is_not_read() -> None:
    assert ladder([*SENT, Send("SA", 0, 1, b"junk"), *ALIVE]) == rungs("""
        << S seq 0
        >> SA seq 0 ack 1 junk
        << A seq 1 ack 1
        >> PA seq 1 ack 1 0123456789
        << A seq 1 ack 11
        read 0123456789
        ESTABLISHED""")


def test_a_request_answers_the_clients_syn_ack_with_an_ack() -> None:
    assert ladder([*REQUEST, Send("SA", 0, 1)]) == rungs("""
        >> S seq 0
        << SA seq 0 ack 1
        >> SA seq 0 ack 1
        << A seq 1 ack 1""")


def test_a_request_resets_a_wrong_ack_and_lives_on() -> None:
    assert ladder([*REQUEST, Send("A", 1, 99), Send("RA", 1, 99), Send("PA", 1, 1, DATA)]) == rungs("""
        >> S seq 0
        << SA seq 0 ack 1
        >> A seq 1 ack 99
        << R seq 99
        >> RA seq 1 ack 99
        >> PA seq 1 ack 1 0123456789
        << A seq 1 ack 11
        read 0123456789
        ESTABLISHED""")


def test_a_request_ignores_a_rst_out_of_window_and_dies_of_one_at_the_next_number() -> None:
    assert ladder([*REQUEST, Send("R", FAR), Send("R", 1), Send("A")]) == rungs("""
        >> S seq 0
        << SA seq 0 ack 1
        >> R seq 50000001
        >> R seq 1
        >> A seq 1 ack 1
        << R seq 1""").replace("50000001", str(FAR))


def test_a_listener_takes_no_payload_from_a_syn() -> None:
    assert ladder([*LISTENING, Send("S", 0, payload=DATA, options=MSS)]) == rungs("""
        >> S seq 0  0123456789
        << SA seq 0 ack 1""").replace("  ", " ")
