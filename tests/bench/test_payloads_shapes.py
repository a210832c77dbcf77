"""Chance and a name in, first payloads of the bench out: each is what it claims to be, of the size that it claims, and names its host."""

import random
from collections.abc import Callable

import pytest

from crenel.atlas.compile import load_wall
from crenel.bench.payloads import LISTED, dns_query, http_request, lean_request, long_hello, random_name, short_hello
from crenel.wall.match import NameList
from crenel.wire.dns import read_message
from crenel.wire.dns_build import build_query
from crenel.wire.result import Unparseable
from crenel.wire.sniff import read_datagram, read_stream

Make = Callable[[random.Random, str], bytes]
SIZES: list[tuple[Make, str, int, int]] = [
    (short_hello, "tls", 200, 350), (long_hello, "tls", 1600, 1900), (http_request, "http", 200, 650), (lean_request, "http", 80, 140),
]  # fmt: skip


@pytest.mark.parametrize(("make", "protocol", "least", "most"), SIZES, ids=lambda value: getattr(value, "__name__", None))
def test_streams_are_what_they_claim(make: Make, protocol: str, least: int, most: int) -> None:
    chance = random.Random(1)
    for _ in range(100):
        name = random_name(chance)
        payload = make(chance, name)
        reading = read_stream(payload)
        assert (reading.protocol, reading.names, reading.more) == (protocol, (name.encode(),), False)
        assert least <= len(payload) <= most


@pytest.mark.parametrize(("make", "protocol", "least", "most"), SIZES, ids=lambda value: getattr(value, "__name__", None))
def test_the_same_chance_gives_the_same_bytes(make: Make, protocol: str, least: int, most: int) -> None:
    assert make(random.Random(2), LISTED) == make(random.Random(2), LISTED)
    assert make(random.Random(2), LISTED) != make(random.Random(3), LISTED)


def test_the_name_of_a_hello_stands_in_many_places() -> None:
    chance = random.Random(1)
    assert len({long_hello(chance, LISTED).index(LISTED.encode()) for _ in range(200)}) > 8


@pytest.mark.parametrize("kind", [1, 28, 65])
def test_queries_ask_for_what_was_wanted(kind: int) -> None:
    payload = dns_query(random.Random(1), LISTED, kind)
    assert read_datagram(payload).names == (LISTED.encode(),)
    message = read_message(payload)
    assert not isinstance(message, Unparseable)
    (question,) = message.questions
    assert (question.kind, question.klass) == (kind, 1)
    assert payload[2:] == build_query(LISTED.encode(), kind=kind)[2:]


@pytest.mark.parametrize("day", ["2017-05-01", "2020-08-15", "2022-06-01", "2025-01-15", "2025-03-28"])
def test_random_names_stand_on_no_list_and_the_listed_one_on_all(day: str) -> None:
    chance = random.Random(5)
    names = [random_name(chance).encode() for _ in range(2000)]
    assert len(set(names)) == len(names)
    lists = [box.names for box in load_wall(as_of=day).boxes if isinstance(box.names, NameList)]
    assert lists
    assert [name for listed in lists for name in names if listed.find(name) is not None] == []
    assert all(listed.find(b"x@" + LISTED.encode()) is not None or listed.find(LISTED.encode()) is not None for listed in lists)
