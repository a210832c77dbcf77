"""What invented packets carry."""

import pytest

from crenel.coins import KeyedCoins
from crenel.evade.apply import prepare
from crenel.evade.language import Strategy
from crenel.evade.payload import PAYLOADS
from crenel.wire.dns import Query, read_query
from crenel.wire.http import read_host
from crenel.wire.packet import Packet
from crenel.wire.result import Field
from crenel.wire.tls import read_server_name
from tests.evade.acting import DATA_SEGMENT, QUERY, REQUEST


def made(word: str, value: str | None = None, packet: Packet = DATA_SEGMENT) -> bytes:
    return PAYLOADS[word].make(value, packet, prepare(Strategy()).start(KeyedCoins(2)))


@pytest.mark.parametrize(("value", "name"), [(None, b"allowed.example"), ("a.example", b"a.example")])
def test_requests_name_an_innocent_host_or_the_given_one(value: str | None, name: bytes) -> None:
    http, tls = read_host(made("http", value)), read_server_name(made("tls", value))
    assert isinstance(http, Field)
    assert isinstance(tls, Field)
    assert http.value == tls.value == name
    query = read_query(made("dns", value, QUERY))
    assert isinstance(query, Query)
    assert query.name.value == name
    framed = made("dns", value)
    assert int.from_bytes(framed[:2], "big") == len(framed) - 2


def test_patterns_are_as_long_as_the_payload_or_as_asked() -> None:
    assert made("zeros") == bytes(len(REQUEST))
    assert made("zeros", "3") == bytes(3)
    assert len(made("random")) == len(REQUEST)
    assert made("random", "8") != bytes(8)
    assert made("text", "a%20%00b") == b"a \0b"


@pytest.mark.parametrize(
    ("word", "value", "taken"),
    [("zeros", None, True), ("zeros", "1400", True), ("zeros", "1401", False), ("zeros", "-1", False), ("random", "", False), ("http", "", False),
     ("http", "x" * 64, False), ("tls", "a.example", True), ("text", None, False), ("text", "", False), ("text", "x", True)],
)  # fmt: skip
def test_only_what_can_be_made_is_taken(word: str, value: str | None, taken: bool) -> None:
    assert bool(PAYLOADS[word].accepts(value)) is taken
