"""Every application in, what holds for the speakers of all of them out; and what a client says of the way it ended."""

from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crenel.instant import Instant, seconds
from crenel.net.app.dns import Dns
from crenel.net.app.ftp import Ftp
from crenel.net.app.http import Http
from crenel.net.app.quic import Quic
from crenel.net.app.script import Script
from crenel.net.app.smtp import Smtp
from crenel.net.app.speaker import Answer, App, Ending, experienced
from crenel.net.app.tls import Tls
from crenel.wire.dns import AAAA
from crenel.wire.tls_build import HelloShape
from tests.net.app.pairing import changed, converse, finding, found_intact, hear_all, said

APPS: dict[str, App] = {
    "http": Http(host="www.example.org"),
    "script": Script(messages=(b"these", b"those")),
    "datagrams": Script(messages=(b"these", b"those"), transport="udp"),
    "tls": Tls(host="www.example.org"),
    "tls-cut": Tls(host="www.example.org", shape=HelloShape.CLASSIC, record_sizes=(1, 60)),
    "dns": Dns(name="www.example.org"),
    "dns-stream": Dns(name="www.example.org", kind=AAAA, transport="tcp"),
    "quic": Quic(host="www.example.org"),
    "ftp": Ftp(path="/a"),
    "smtp": Smtp(sender="a@here.example", recipient="b@there.example"),
    "smtp-client-first": Smtp(sender="a@here.example", recipient="b@there.example", client_first=True),
}
every_app = pytest.mark.parametrize("app", APPS.values(), ids=APPS)
EXACT = ["script", "datagrams", "tls", "tls-cut", "quic", "ftp", "smtp", "smtp-client-first"]
"""Whose clients look at every byte. What those of HTTP and DNS pass over stands in their own tests."""


@every_app
def test_a_client_waits_and_a_server_listens(app: App) -> None:
    assert app.patience
    assert all(wait > 0 for wait in app.patience)
    assert 0 < app.port < 1 << 16
    assert app.tries == 1
    client = app.client()
    assert (client.done, client.heard, app.server().done) == (False, [], False)
    client.begin()
    assert client.awaits.startswith("the ")


@every_app
def test_whoever_begins_says_something(app: App) -> None:
    assert [*app.client().begin(), *app.server().begin()]


@every_app
def test_the_same_app_says_the_same_each_time(app: App) -> None:
    assert list(app.client().begin()) == list(app.client().begin())
    assert said(app) == said(app)


@every_app
@given(sizes=st.lists(st.integers(1, 2000), max_size=40))
def test_through_any_segmentation_the_answer_is_intact(app: App, sizes: list[int]) -> None:
    assert finding(converse(app, sizes)).intact


@every_app
def test_byte_by_byte_the_answer_is_intact(app: App) -> None:
    assert finding(converse(app, [1] * 10_000)) == finding(converse(app))


@every_app
@settings(deadline=None)
@given(data=st.data())
def test_nothing_raises_whatever_is_heard(app: App, data: st.DataObject) -> None:
    """Garbage, and pieces of what both sides truly say, changed and in any order."""
    true = [*app.client().begin(), *said(app)]
    pieces = st.one_of(
        st.binary(max_size=60),
        st.sampled_from(true),
        st.builds(lambda part, at: part[: at % (len(part) + 1)], st.sampled_from(true), st.integers(0, 4000)),
        st.builds(lambda part, at, by: changed([part], at % len(part), by)[0], st.sampled_from(true), st.integers(0, 4000), st.integers(1, 255)),
    )
    heard = data.draw(st.lists(pieces, max_size=8))
    hear_all(app.client(), heard)
    hear_all(app.server(), heard)


@pytest.mark.parametrize("name", EXACT)
def test_one_changed_byte_makes_no_answer_intact(name: str) -> None:
    app, parts = APPS[name], said(APPS[name])
    for at in range(sum(map(len, parts))):
        assert not found_intact(app, changed(parts, at, 1 << at % 8)), at


@every_app
def test_an_answer_that_stops_short_is_not_intact(app: App) -> None:
    parts = said(app)
    assert found_intact(app, parts)
    assert not found_intact(app, [*parts[:-1], parts[-1][:-1]])


# How a conversation ended.


@pytest.mark.parametrize("ending", get_args(Ending))
def test_every_ending_has_words(ending: Ending) -> None:
    client = APPS["tls"].client()
    experience = experienced(ending, Instant(seconds(5)), Instant(seconds(2)), client)
    assert (experience.ending, experience.time, experience.answers) == (ending, seconds(3), ())
    assert experience.says.endswith("while it waited for the answer to its ClientHello")


def test_without_a_connection_that_is_what_it_waited_for() -> None:
    assert experienced("refused", Instant(1), Instant(0), None).says == "its connection was refused while it waited for a connection"


def test_the_first_answer_is_what_counts() -> None:
    answers = [Answer(1, "A 198.51.100.7", False, "a forger"), Answer(2, "A 203.0.113.7", True)]
    experience = experienced("misled", Instant(2), Instant(0), None, answers)
    assert (experience.says, experience.answers) == ("A 198.51.100.7", tuple(answers))
