"""An alphabet in, strategies drawn from all of it and changed in every way out: each of them one that the parser gives back."""

from collections import Counter

import pytest

from crenel.evade.genome import LONGEST, Alphabet, Breeder, Dice, depth_of, places_in, simpler, size_of, with_action
from crenel.evade.language import Drop, Duplicate, Fragment, Strategy, Tamper, show
from crenel.evade.parse import parse
from crenel.evade.trial import Side
from tests.evade.seeking import judge


def alphabet(side: Side = "client", protocol: str = "http", *, extended: bool = False) -> Alphabet:
    """Return what strategies for one side of a conversation can be made of."""
    return judge("gfw", side, protocol, "2021-06-01").alphabet(extended=extended)


def drawn(given: Alphabet, seed: int = 0, count: int = 300) -> list[Strategy]:
    """Draw strategies, and change each of them."""
    breeder = Breeder(Dice(seed), given)
    strategies = [breeder.strategy() for _ in range(count)]
    return strategies + [breeder.varied(one, other) for one, other in zip(strategies, reversed(strategies), strict=True)]


@pytest.mark.parametrize("extended", [False, True])
@pytest.mark.parametrize(("side", "protocol"), [("client", "http"), ("server", "http"), ("client", "dns")])
def test_whatever_is_drawn_reads_as_it_is_printed(side: Side, protocol: str, extended: bool) -> None:
    for strategy in drawn(alphabet(side, protocol, extended=extended)):
        assert parse(str(strategy), strict=not extended) == strategy


def test_every_action_field_and_trigger_of_the_alphabet_is_drawn() -> None:
    given = alphabet()
    strategies = drawn(given, count=1500)
    actions = [action for one in strategies for tree in (*one.outbound, *one.inbound) for _, action in places_in(tree.action) if action is not None]
    assert {type(action) for action in actions} == {Drop, Duplicate, Fragment, Tamper}
    assert {(action.proto, action.field) for action in actions if isinstance(action, Tamper)} == set(given.fields)
    assert {tree.trigger.value for one in strategies for tree in one.outbound} == {trigger.value for trigger in given.triggers} == {"S", "A", "PA"}


def test_no_field_is_drawn_more_often_than_others() -> None:
    given = alphabet()
    breeder = Breeder(Dice(5), given)
    counts = Counter((action.proto, action.field) for action in (breeder.tamper() for _ in range(200 * len(given.fields))))
    assert max(counts.values()) < 300
    assert min(counts.values()) > 110


def test_extended_draws_what_geneva_lacks() -> None:
    strategies = drawn(alphabet(extended=True), count=600)
    actions = {type(action).__name__ for one in strategies for tree in one.outbound for _, action in places_in(tree.action)}
    assert {"Split", "Disorder", "Record", "Fake", "Oob", "Delay", "Repeat", "Precede"} <= actions


def test_values_of_the_conversation_are_small_and_the_same_in_every_run() -> None:
    values = alphabet().values
    assert {0, 80, 64} <= set(values)
    assert max(values) < 1 << 16


def test_dice_go_on_where_they_were_put_away() -> None:
    dice = Dice(7)
    before = [dice.below(1000) for _ in range(5)]
    after = [dice.below(1000) for _ in range(5)]
    again = Dice(7, rolled=5)
    assert [again.below(1000) for _ in range(5)] == after != before
    assert {Dice(seed).one("ab") for seed in range(20)} == {"a", "b"}


def test_changes_stay_within_bounds() -> None:
    strategies = drawn(alphabet(), seed=3)
    breeder = Breeder(Dice(4), alphabet())
    for one, other in zip(strategies, reversed(strategies), strict=True):
        assert size_of(breeder.varied(one, other)) <= max(LONGEST, size_of(one))


def test_simpler_strategies_lack_one_thing() -> None:
    whole = parse("[TCP:flags:A:1]-duplicate(,tamper{TCP:flags:replace:R}(fragment{tcp:1:True:4},))-| [TCP:flags:S]-drop-|")
    assert size_of(whole) == 7
    found = {str(one).strip() for one in simpler(whole)}
    assert r"[TCP:flags:A:1]-duplicate(,tamper{TCP:flags:replace:R}(fragment{tcp:1:True:4},))-| \/" in found
    assert r"[TCP:flags:A]-duplicate(,tamper{TCP:flags:replace:R}(fragment{tcp:1:True:4},))-| [TCP:flags:S]-drop-| \/" in found
    assert r"[TCP:flags:A:1]-duplicate(,fragment{tcp:1:True:4})-| [TCP:flags:S]-drop-| \/" in found
    assert r"[TCP:flags:A:1]-duplicate(,tamper{TCP:flags:replace:R}(fragment{tcp:1:True},))-| [TCP:flags:S]-drop-| \/" in found
    assert all(size_of(one) <= 7 and one != whole for one in simpler(whole))


def test_an_action_is_put_at_its_place() -> None:
    root = parse("[TCP:flags:A]-duplicate(,duplicate(drop,))-|").outbound[0].action
    assert root is not None
    changed = with_action(root, (1, 1), Fragment("tcp", 1, in_order=True))
    assert changed is not None
    assert show(changed) == "duplicate(,duplicate(drop,fragment{tcp:1:True}))"
    assert with_action(root, (), None) is None
    assert depth_of(changed) == 3
