"""Coins by turn: what flows are called decides nothing, the order in which they come does."""

from crenel.coins import Coins, KeyedCoins, Uniform
from crenel.net.lab.turns import Turns


def ask(coins: Coins, scopes: list[bytes]) -> list[object]:
    late = Uniform(0, 1000)
    return [(coins.toss("b", scope, "act", 0.5), coins.pick("b", scope, "which", 100), coins.draw("b", scope, "late", late)) for scope in scopes]


def test_names_of_flows_decide_nothing() -> None:
    names = [b"flow %d" % number for number in range(50)]
    others = [b"other %d" % number for number in range(50)]
    assert ask(Turns(KeyedCoins(1)), names) == ask(Turns(KeyedCoins(1)), others)
    assert ask(Turns(KeyedCoins(1)), names) != ask(Turns(KeyedCoins(2)), names)
    assert len(set(ask(Turns(KeyedCoins(1)), names))) > 40


def test_a_flow_that_comes_again_is_the_same() -> None:
    turns = Turns(KeyedCoins(1))
    first = ask(turns, [b"a", b"b"])
    assert ask(turns, [b"b", b"a"]) == first[::-1]


def test_what_has_no_scope_falls_as_it_would_without_turns() -> None:
    turns = Turns(KeyedCoins(3))
    ask(turns, [b"a"])
    assert ask(turns, [b""]) == ask(KeyedCoins(3), [b""])
