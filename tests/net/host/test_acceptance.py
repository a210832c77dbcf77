"""Segments of an open connection as ladders: which are admitted, which answered with a challenge, which end it."""

import pytest

from crenel.net.host import HostOptions
from tests.net.host.ladder import ladder, rungs
from tests.net.host.model import ModelGround
from tests.net.host.script import DATA, Send, Wait
from tests.net.host.scripts import ALIVE, FAR, OPEN, SACKED, STAMPED

ALIVE_AFTER = "read 0123456789\nESTABLISHED"


@pytest.mark.parametrize("ack", [1, 99999, 4_000_000_000])
def test_a_rst_at_the_next_number_ends_the_connection_whatever_its_ack(ack: int) -> None:
    assert ladder([*OPEN, Send("RA", 1, ack)]).endswith("ECONNRESET\nCLOSED")


@pytest.mark.parametrize("seq", [0, FAR, -FAR])
def test_a_rst_outside_the_window_is_dropped_in_silence(seq: int) -> None:
    text = ladder([*OPEN, Send("R", seq), *ALIVE])
    assert text.endswith(ALIVE_AFTER)
    assert f">> R seq {seq}\n>>" in text


@pytest.mark.parametrize("seq", [2, 1000, 64000])
def test_a_rst_inside_the_window_is_challenged(seq: int) -> None:
    assert f">> R seq {seq}\n<< A seq 1 ack 1\n" in ladder([*OPEN, Send("R", seq), *ALIVE])


@pytest.mark.parametrize("seq", [0, 1, FAR])
def test_a_syn_is_challenged_wherever_it_stands(seq: int) -> None:
    assert f">> S seq {seq}\n<< A seq 1 ack 1\n" in ladder([*OPEN, Send("S", seq), *ALIVE])


def test_challenges_are_rate_limited() -> None:
    steps = [*OPEN, Send("S", 1), Send("S", 1), Wait(500), Send("S", 1)]
    text = ladder(steps, ModelGround(80, 40000, HostOptions()))
    assert text.count("<< A seq 1 ack 1") == 2


def test_a_rst_right_behind_what_is_held_counts_with_sack_only() -> None:
    held = Send("PA", 11, 1, DATA)
    assert "ECONNRESET" in ladder([*SACKED, held, Send("R", 21)])
    assert "ECONNRESET" not in ladder([*OPEN, held, Send("R", 21)])


def test_paws_refuses_the_second_tick_behind_but_not_the_first() -> None:
    assert "read" in ladder([*STAMPED, Send("PA", 1, 1, DATA, ts=5000)])
    assert ladder([*STAMPED, Send("PA", 1, 1, DATA, ts=4999)]) == rungs("""
        >> S seq 0
        << SA seq 0 ack 1
        >> A seq 1 ack 1
        >> PA seq 1 ack 1 0123456789
        << A seq 1 ack 1
        ESTABLISHED""")
