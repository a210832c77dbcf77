"""Bytes out of one draw."""

from crenel.coins import KeyedCoins
from crenel.evade.apply import prepare
from crenel.evade.draws import draw_bytes
from crenel.evade.language import Strategy


def test_bytes_follow_from_the_coins_and_differ_each_time() -> None:
    first, second = (prepare(Strategy()).start(KeyedCoins(4)) for _ in range(2))
    found = [draw_bytes(first, "x", 20) for _ in range(3)]
    assert found == [draw_bytes(second, "x", 20) for _ in range(3)]
    assert len(set(found)) == 3
    assert {len(one) for one in found} == {20}
    assert draw_bytes(first, "x", 0) == b""
