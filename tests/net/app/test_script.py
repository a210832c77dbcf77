"""Messages in, what a server of anything answers and what its client makes of it out."""

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.instant import seconds
from crenel.net.app.script import Script
from crenel.net.app.speaker import PATIENCE, Heard
from tests.net.app.pairing import changed, converse, finding, found_intact, said

APP = Script(messages=(b"these bytes", b"then those", b"\x00\xff"))


@pytest.mark.parametrize("transport", ["tcp", "udp"])
@given(messages=st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=5), sizes=st.lists(st.integers(1, 20), max_size=30))
def test_each_message_is_answered(transport: Literal["tcp", "udp"], messages: list[bytes], sizes: list[int]) -> None:
    app = Script(messages=tuple(messages), transport=transport)
    assert finding(converse(app, sizes)) == Heard(f"each of {max(2, len(messages))} messages was answered", True)


def test_who_has_one_message_adds_a_word_so_that_silence_is_noticed() -> None:
    assert Script(messages=(b"x",)).all_messages() == (b"x", b"more\n")
    assert APP.all_messages() == APP.messages


def test_it_sends_the_next_once_it_is_answered() -> None:
    client = APP.client()
    reply = said(APP)[0]
    ladder: list[tuple[tuple[bytes, ...], str]] = [(tuple(client.begin()), client.awaits)]
    ladder += [(tuple(client.take(piece)), client.awaits) for piece in (reply[:3], reply[3:], reply)]
    assert ladder == [
        ((b"these bytes",), "the answer to message 1 of 3"),
        ((), "the answer to message 1 of 3"),
        ((b"then those",), "the answer to message 2 of 3"),
        ((b"\x00\xff",), "the answer to message 3 of 3"),
    ]
    client.take(reply)
    assert finding(client).intact
    assert client.take(b"more") == ()


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_a_server_that_heard_something_else_says_so(transport: Literal["tcp", "udp"]) -> None:
    app = Script(messages=(b"these", b"those"), transport=transport)
    server = app.server()
    assert server.begin() == ()
    assert list(server.take(b"thise")) != list(app.server().take(b"these"))
    assert list(server.take(b"those")) == list(app.server().take(b"these"))


def test_a_stream_is_answered_by_length() -> None:
    server = APP.server()
    assert [len(server.take(piece)) for piece in (b"these byte", b"s", b"then those\x00", b"\xff", b"anything")] == [0, 1, 1, 1, 0]


def test_how_long_it_waits() -> None:
    assert APP.patience == PATIENCE
    assert Script(messages=(b"x",), transport="udp").patience == (seconds(5),)


def test_one_changed_byte_of_any_answer_is_noticed() -> None:
    replies = said(APP)
    for at in range(len(b"".join(replies))):
        for by in (1, 0x20, 0x80, 0xFF):
            assert not found_intact(APP, changed(replies, at, by)), at


def test_another_answer_is_another_answer() -> None:
    client = APP.client()
    client.begin()
    client.take(said(APP)[0])
    client.take(b"HTTP/1.1 403 Forbidden\r\n\r\n")
    assert (client.heard, client.done) == ([Heard("another answer to message 2: 26 bytes", False)], True)
