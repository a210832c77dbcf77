"""Conversations as packets, and how each ended for its client: what counts is what its kernel took and what never came."""

import pytest

from crenel.net.lab.endings import answers_of, experience_of
from crenel.wire.dns_build import build_query, build_response
from tests.net.lab.talk import Talk

HELLO = b"h" * 100
PAGE = b"p" * 50


def greeted() -> Talk:
    return Talk().opening().client("A", 1, HELLO, 1)


def closed(talk: Talk) -> Talk:
    return talk.client("FA", 101, ack=51).server("FA", 51, ack=102).client("A", 102, ack=52)


@pytest.mark.parametrize(
    ("talk", "ending", "says"),
    [
        (closed(greeted().server("A", 1, PAGE, 101)), "answered", "50 bytes came from the server"),
        (greeted().server("RA", 1, ack=101, forged="box"), "reset", "its connection was reset"),
        (greeted().server("A", 1, PAGE, 101).server("RA", 51, ack=101, forged="box"), "reset", "its connection was reset"),
        # Numbers that are not the next ones: no kernel takes such a reset.
        (closed(greeted().server("RA", 40, ack=101, forged="box").server("A", 1, PAGE, 101)), "answered", "50 bytes came from the server"),
        # The client had what it wanted and was about to close.
        (greeted().server("A", 1, PAGE, 101).client("FA", 101, ack=51).server("RA", 51, ack=101), "answered", "50 bytes came from the server"),
        # It closes its half at once, as `printf ... | nc` does, and is cut off all the same.
        (greeted().client("FA", 101, ack=1).server("RA", 1, ack=101, forged="box"), "reset", "its connection was reset"),
        (Talk().client("S").server("RA", 0, ack=1), "refused", "its connection was refused"),
        (Talk().client("S").server("RA", 0, ack=7), "timed out", "nobody answered its SYN"),
        (Talk().client("S").client("S"), "timed out", "nobody answered its SYN"),
        (Talk().client("S", stopped="box").client("S", stopped="box"), "timed out", "nobody answered its SYN"),
        (Talk().opening().client("A", 1, HELLO, 1, stopped="box").client("FA", 101, ack=1, stopped="box"), "timed out", "withheld to the end"),
        (greeted().server("A", 1, PAGE, 101).client("A", 101, HELLO, 51, stopped="box"), "timed out", "after 50 bytes from the server"),
        # What was withheld comes in another piece.
        (
            Talk().opening().client("A", 1, HELLO, 1, stopped="box").client("A", 1, HELLO + HELLO, 1).server("A", 1, PAGE, 201),
            "answered", "50 bytes came from the server",
        ),
        (greeted().server("A", 1, b"forged", 101, forged="box").server("A", 1, PAGE, 101), "misled", "what came first was forged: 6 bytes"),
        (greeted().server("A", 1, ack=101), "answered", "the server took what it sent, and said nothing"),
        (Talk().opening().client("FA", 1, ack=1).server("FA", 1, ack=2), "answered", "a connection was opened, and nobody said anything"),
        (Talk().opening().client("A", 1, HELLO, 1, lost=True), "timed out", "the server did not acknowledge what it sent"),
    ],
)  # fmt: skip
def test_a_connection(talk: Talk, ending: str, says: str) -> None:
    told = experience_of(talk.events)
    assert (told.ending, says in told.says) == (ending, True), told


QUERY = build_query(b"www.example.org", ident=7)
TRUE, FALSE = build_response(QUERY, [bytes((203, 0, 113, 9))]), build_response(QUERY, [bytes((198, 18, 0, 1))])


@pytest.mark.parametrize(
    ("talk", "ending", "says"),
    [
        (Talk(53).ask(QUERY).tell(TRUE), "answered", "A 203.0.113.9"),
        (Talk(53).ask(QUERY).tell(FALSE, forged="box").tell(TRUE), "misled", "A 198.18.0.1"),
        (Talk(53).ask(QUERY).tell(TRUE).tell(FALSE, forged="box"), "answered", "A 203.0.113.9"),
        (Talk(53).ask(QUERY), "timed out", "nothing came back"),
        (Talk().ask(HELLO).tell(PAGE).ask(HELLO, stopped="box"), "timed out", "withheld"),
        (Talk().ask(HELLO, stopped="box").ask(HELLO).tell(PAGE), "answered", "50 bytes came from the server"),
    ],
)
def test_datagrams(talk: Talk, ending: str, says: str) -> None:
    told = experience_of(talk.events)
    assert (told.ending, says in told.says) == (ending, True), told


def test_each_answer_says_whether_it_is_the_servers_own() -> None:
    answers = answers_of(Talk(53).ask(QUERY).tell(FALSE, forged="box").tell(TRUE).events)
    assert [(answer.says, answer.intact) for answer in answers] == [("A 198.18.0.1", False), ("A 203.0.113.9", True)]


def test_an_end_is_just_after_what_brought_it_about() -> None:
    talk = greeted().server("RA", 1, ack=101, forged="box")
    assert experience_of(talk.events).time == talk.events[-1].time + 1
