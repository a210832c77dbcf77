"""Answers: the same as those of `crenel try` and `crenel check`, with their course; whatever is wrong is a sentence."""

import io
from itertools import pairwise

import pytest

import crenel
from crenel.errors import CrenelError
from crenel.net.replay.check import check_capture
from crenel.web.answer import LARGEST_PAYLOAD, Answer, answer_to
from crenel.web.asked import Asked
from tests.web.made import FIRST_LOOK, GALLERY, page

NAME = GALLERY.names[0]
DAY = "2025-01-15"
REQUEST = b"GET / HTTP/1.1\r\nHost: blocked.example\r\n\r\n"


def ask(asked: Asked, date: str = DAY) -> Answer:
    with page() as (_, shelf):
        return answer_to(asked, NAME, date, GALLERY, shelf)


@pytest.mark.parametrize("target", ["https://blocked.example/", "blocked.example", "quic://blocked.example/", "http://allowed.example/"])
def test_a_target_is_answered_as_try_answers_it(target: str) -> None:
    answer = ask(Asked(target=target))
    exchange = crenel.try_url(target, crenel.load_wall(NAME, as_of=DAY))
    assert answer.flow is not None
    assert (answer.flow.chance, answer.flow.middlebox) == (exchange.chance, exchange.middlebox)
    assert answer.course is not None
    today = next(one for one in answer.course if one.first <= answer.day <= one.last)
    assert (today.chance, set(today.boxes)) == (exchange.chance, {one.middlebox for one in exchange.triggers})
    assert all(one.last < other.first for one, other in pairwise(answer.course))


def test_bytes_are_answered_as_payloads_are() -> None:
    answer = ask(Asked(kind="hex", hex=REQUEST.hex(" "), port="80"))
    assert answer.flow is not None
    assert answer.flow.chance == crenel.chance(REQUEST, crenel.load_wall(NAME, as_of=DAY), port=80)
    assert answer.tried is not None
    assert answer.tried.target.shown == f"{len(REQUEST)} bytes over tcp to port 80"


def test_another_draw_may_end_otherwise_but_the_chance_stays() -> None:
    answers = [ask(Asked(target="quic://blocked.example/", seed=str(seed))) for seed in range(12)]
    assert len({answer.tried.exchange.outcome for answer in answers if answer.tried}) == 2
    assert len({answer.flow.chance for answer in answers if answer.flow}) == 1


def test_names_can_be_taken_as_listed() -> None:
    plain, listed = ask(Asked(target="https://unheard-of.example/")), ask(Asked(target="https://unheard-of.example/", listed="yes"))
    assert plain.flow is not None
    assert listed.flow is not None
    assert plain.flow.chance == 0 < listed.flow.chance


def test_a_capture_is_answered_as_check_answers_it() -> None:
    with page() as (_, shelf):
        held = shelf.hold("mine.pcapng", io.BytesIO(FIRST_LOOK.read_bytes()))
        answer = answer_to(Asked(kind="capture", held=held.token), NAME, DAY, GALLERY, shelf)
        third = answer_to(Asked(kind="capture", held=held.token, flow="3"), NAME, DAY, GALLERY, shelf)
        with pytest.raises(CrenelError, match=r"mine\.pcapng: there is no flow 4000 among"):
            answer_to(Asked(kind="capture", held=held.token, flow="4000"), NAME, DAY, GALLERY, shelf)
    checked = check_capture(str(FIRST_LOOK), crenel.load_wall(NAME, as_of=DAY))
    assert answer.capture is not None
    assert [(flow.flow, flow.chance, flow.middlebox) for flow in answer.capture.flows] == [(one.flow, one.chance, one.middlebox) for one in checked]
    assert {flow.capture for flow in answer.capture.flows} == {"mine.pcapng"}
    assert answer.flow is not None
    assert answer.flow.chance > 0
    assert answer.course
    assert third.flow is not None
    assert third.flow.flow == 3


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (Asked(target="gopher://x/"), "the scheme 'gopher' is not known"),
        (Asked(target="x" * 65_000), "is not a host name"),
        (Asked(kind="hex", hex="0"), "write pairs of hexadecimal digits"),
        (Asked(kind="hex", hex="zz"), "write pairs of hexadecimal digits"),
        (Asked(kind="hex", hex=""), "the payload is empty"),
        (Asked(kind="hex", hex="00" * (LARGEST_PAYLOAD + 1)), "are more than the 65,536 that this page takes"),
        (Asked(kind="hex", hex="00", port="0"), "port 0"),
        (Asked(kind="hex", hex="00", port="eighty"), "a destination port is a number"),
        (Asked(kind="hex", hex="00", transport="sctp"), "a payload goes over tcp or udp"),
        (Asked(kind="capture", held="x"), "no longer held here"),
        (Asked(target="x", seed="-1"), "write a number from 0 on"),
        (Asked(target="x", seed="many"), "write a number from 0 on"),
    ],
)
def test_what_is_wrong_is_a_sentence(asked: Asked, sentence: str) -> None:
    with pytest.raises(CrenelError, match=sentence) as caught:
        ask(asked)
    assert len(str(caught.value)) < 400
    assert "\n" not in str(caught.value)


def test_a_day_before_the_wall_is_a_sentence() -> None:
    with pytest.raises(CrenelError, match="nothing is known of this wall before"):
        ask(Asked(target="x"), "2003-01-01")
