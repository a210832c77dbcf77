"""Is Veil recognised? Each test names the wall and the day; on failure pytest shows what the wall did."""

import sys
from pathlib import Path

import pytest
import veil

import crenel

VEIL = Path(veil.__file__)
HOST, PORT = "203.0.113.10", 8388  # any address of the lab's far side will do

pytestmark = pytest.mark.wall("gfw", as_of="2022-06-01")


def ask(lab, *shape: str):
    """Send a message through the lab: the real program at both ends, in real network stacks."""
    lab.serve(sys.executable, VEIL, "serve", PORT, port=PORT)
    return lab.run(sys.executable, VEIL, "ask", HOST, PORT, "is anybody there?", *shape)


def test_a_message_comes_through_and_is_not_recognised(lab):
    outcome = ask(lab)
    assert outcome.text == "is anybody there?\n"
    assert outcome.passed


def test_a_client_that_is_all_noise_would_be_recognised(lab):
    """The shape that Veil had before: on this wall one connection in four was cut, so a test must not rely on one try."""
    outcome = ask(lab, "bare")
    assert not outcome.passed
    assert outcome.flows[0].exchange.chance > 0.2


@pytest.mark.wall("gfw", as_of="2024-06-01")
def test_two_years_later_nobody_looks_for_noise(lab):
    assert ask(lab, "bare").passed


# The same without a lab, which needs no privilege and no Linux: the first packet alone, a hundred times.


def test_the_first_packet_is_never_recognised(wall):
    packets = [veil.first_packet(b"hello", "greeting") for _ in range(100)]
    assert max(crenel.chance(packet, wall, port=PORT) for packet in packets) == 0


def test_a_simulated_exchange_gets_its_answer(wall):
    exchange = crenel.try_payload(veil.first_packet(b"hello", "greeting"), wall, port=PORT)
    assert not exchange.at_risk
