"""What a server says in pieces in, what a client that knows every byte says at each turn out."""

import pytest

from crenel.net.app.follower import Follower, Role, Turn
from crenel.net.app.speaker import Heard

ROLE = Role((b"hello",), "a word", b"one two three", (Turn(3, (b"1", b"!"), "two"), Turn(7, (), "three")), "counted")


def explain(heard: bytes, told: bytes) -> str | None:
    return heard.decode() if heard.endswith(b".") else None


def follower() -> Follower:
    client = Follower(ROLE, explain)
    assert client.begin() == (b"hello",)
    return client


def test_it_speaks_at_each_turn_and_finds_the_end() -> None:
    client = follower()
    steps = [(client.awaits, client.take(piece), client.awaits) for piece in (b"on", b"e t", b"wo", b" thre", b"e")]
    assert steps == [
        ("a word", (), "a word"),
        ("a word", (b"1", b"!"), "two"),
        ("two", (), "three"),
        ("three", (), "three"),
        ("three", (), "three"),
    ]
    assert (client.heard, client.done) == ([Heard("counted", True)], True)


def test_turns_that_come_at_once_are_all_taken() -> None:
    client = follower()
    assert client.take(b"one two three") == (b"1", b"!")
    assert client.heard == [Heard("counted", True)]


@pytest.mark.parametrize("rest", [b"", b" four"])
def test_what_comes_after_the_end_is_not_looked_at(rest: bytes) -> None:
    client = follower()
    client.take(b"one two thre")
    client.take(b"e" + rest)
    assert client.take(b"strange.") == ()
    assert client.heard == [Heard("counted", True)]


@pytest.mark.parametrize("cut", range(1, 9))
def test_what_is_strange_is_explained_from_the_beginning_once_it_can_be(cut: int) -> None:
    client = follower()
    stream = b"one but three"
    client.take(stream[:cut])
    client.take(stream[cut:])
    assert (client.heard, client.done) == ([], False)
    assert client.take(b".") == ()
    assert (client.heard, client.done) == ([Heard("one but three.", False)], True)


def test_one_role_serves_any_number_of_clients() -> None:
    first, second = follower(), follower()
    first.take(b"one tw")
    assert second.take(b"o") == ()
    assert (first.take(b"o three"), second.take(b"ne")) == ((), (b"1", b"!"))
    assert (first.done, second.done) == (True, False)
