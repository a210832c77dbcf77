"""Rates in, what decides them in words out."""

import pytest

from crenel.atlas.compile import load_wall
from crenel.evade.rate import Coin, Rate, rate
from crenel.report.coins import coin_words, decided, missing, rate_words, row_of

WALL = load_wall("gfw", as_of="2020-01-15")
OPEN = "server-open-rst"


def words(text: str) -> str:
    return text.replace("\u00a0", " ")


def test_the_deciding_coin_and_what_misses_are_told() -> None:
    found = rate(OPEN, WALL, side="server")
    assert words(decided(found, WALL)) == "52 % = the resynchronisation coin of http-keyword (server-reset, 50 %), unless http-keyword misses (3 %)"
    assert words(rate_words(found)) == "52 %, exactly, over 3 ways in which the coins can fall"
    assert words(decided(rate("", WALL), WALL)) == "3 % = what is missed: http-keyword misses (3 %)"
    assert decided(rate("server-badack-load", WALL, "ftp", "server"), WALL) == "no coin decides it"


def test_of_many_coins_the_most_telling_are_told_and_the_others_counted() -> None:
    wall = load_wall("gfw", as_of="2017-05-01")
    text = words(decided(rate("prefill-noflag", wall), wall))
    assert "the reading coin of http-keyword (no-flag, 56 %)" in text
    assert "2 coins more, unless http-keyword misses (3 %)" in text


def test_a_sample_has_its_interval_and_no_coins() -> None:
    sampled = Rate(0.5, False, (0.4, 0.6), (), (), 100, 1.0, {"answered": 0.5, "reset": 0.5})
    assert words(rate_words(sampled)) == "50 % of 100 trials (95 % interval 40 % to 60 %)"
    assert decided(sampled, WALL) == ""


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("path/strict-server", "the server's strict filter (50 %)"),
        ("path/insertion-loss", "the loss of what is inserted (50 %)"),
        ("path/client-middlebox-aliyun", "the middlebox near the client: aliyun (50 %)"),
        ("path/odd-thing", "odd thing (50 %)"),
        ("a/joins", "whether it joins segments, a (joins, 50 %)"),
        ("a/device-0", "which of two devices it is, a (device-0, 50 %)"),
        ("http-keyword/fin-load-3", "the skipping coin of http-keyword (fin-load, 50 %)"),
        ("strategy/thing-1", "a coin of strategy (thing, 50 %)"),
    ],
)
def test_each_kind_of_coin_has_words(name: str, expected: str) -> None:
    assert words(coin_words(Coin(name, 0.5, 1.0, 0.0), WALL)) == expected


def test_coins_that_miss_and_rows_of_coins() -> None:
    assert [missing(Coin(name, 0.5, 1.0, 0.0)) for name in ("a/act", "a/act-2", "a/active")] == [True, True, False]
    row = row_of(WALL, "http-keyword", "tear-down")
    assert row is not None
    assert (row.do, row.p) == ("off", 0.5)
    assert row_of(WALL, "http-keyword", "nothing") is None
