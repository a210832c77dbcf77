"""Which random values a field gets, and which of them are picked so that they can be enumerated."""

from typing import Any

import pytest

from crenel.coins import Coins, KeyedCoins, enumerate_trials
from crenel.evade.apply import prepare
from crenel.evade.corrupt import COMMON_FLAGS, Loads, draw_load, draw_value
from crenel.evade.draws import Draws
from crenel.evade.fields import FLAG_LETTERS
from crenel.evade.language import Strategy
from crenel.evade.parse import parse


def draws(coins: Coins) -> Draws:
    return prepare(Strategy()).start(coins)


def values(proto: str, field: str, number: int = 400) -> set[Any]:
    asked = draws(KeyedCoins(5))
    return {draw_value(proto, field, asked, Loads.RELEASED) for _ in range(number)}


@pytest.mark.parametrize(
    ("proto", "field", "low", "high"),
    [
        ("TCP", "window", 10, 190), ("TCP", "chksum", 1, 65535), ("TCP", "dataofs", 1, 15), ("IP", "len", 1, 500), ("IP", "ttl", 0, 255),
        ("TCP", "seq", 0, (1 << 32) - 1), ("TCP", "options-wscale", 0, 255), ("TCP", "options-uto", 0, 255), ("TCP", "options-mss", 0, 65535),
        ("DNS", "qr", 0, 1), ("DNS", "opcode", 0, 15), ("DNS", "id", 0, 65535), ("TCP", "reserved", 0, 7), ("IP", "frag", 0, 8191),
    ],
)  # fmt: skip
def test_numbers_lie_in_their_range_and_reach_its_ends(proto: str, field: str, low: int, high: int) -> None:
    found = values(proto, field, 2000)
    assert low <= min(found) <= low + (high - low) // 50
    assert high - (high - low) // 50 <= max(found) <= high


def test_windows_are_multiples_of_ten() -> None:
    assert values("TCP", "window") == set(range(10, 200, 10))


@pytest.mark.parametrize(("proto", "field"), [("IP", "ihl"), ("UDP", "len"), ("UDP", "chksum")])
def test_fields_that_are_computed_become_zero(proto: str, field: str) -> None:
    assert values(proto, field, 9) == {0}


def test_half_of_all_flags_are_common_ones() -> None:
    asked = draws(KeyedCoins(5))
    found = [draw_value("TCP", "flags", asked, Loads.RELEASED) for _ in range(1000)]
    common = [one for one in found if isinstance(one, str)]
    assert set(common) == set(COMMON_FLAGS)
    assert 430 < len(common) < 570
    assert all(0 <= one < 1 << len(FLAG_LETTERS) for one in found if isinstance(one, int))


def test_a_load_is_one_of_four() -> None:
    found = values("TCP", "load")
    assert {"", "__DNS_REQUEST__", "__HTTP_REQUEST__"} <= found
    others = found - {"", "__DNS_REQUEST__", "__HTTP_REQUEST__"}
    assert 60 < len(others) < 140
    assert all(len(one) == 10 and one.isalnum() and one == one.lower() for one in others)
    asked = draws(KeyedCoins(5))
    assert all(len(draw_load("x", asked, Loads.LETTERS)) == 10 for _ in range(50))


def test_texts_are_such_as_the_field_takes() -> None:
    assert all(len(bytes.fromhex(one)) == 16 for one in values("TCP", "options-md5header", 5))
    assert values("TCP", "options-sackok", 5) == {""}
    assert values("DNSQR", "qname", 5) == {"example.com."}
    assert values("IP", "flags") == {"", "MF", "DF", "MF+DF", "evil", "MF+evil", "DF+evil", "MF+DF+evil"}
    assert all(one.count(".") == 3 for one in values("IP", "src", 5))


@pytest.mark.parametrize(
    ("field", "leaves"), [("TCP:dataofs", 15), ("TCP:flags", 11), ("TCP:load", 4), ("TCP:chksum", 1), ("IP:ttl", 1), ("IP:flags", 8)]
)
def test_few_values_are_enumerated_and_many_are_held_at_their_median(field: str, leaves: int) -> None:
    proto, name = field.split(":")
    found = enumerate_trials(lambda coins: draw_value(proto, name, draws(coins), Loads.RELEASED))
    assert len(found.leaves) == leaves
    assert found.complete
    assert len(parse(f"[TCP:flags:S]-tamper{{{field}:corrupt}}-|").outbound) == 1
