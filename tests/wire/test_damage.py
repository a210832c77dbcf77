"""The account of damage: one entry for each kind, in the order of their discovery, however many places there are."""

from crenel.wire.damage import Account, Damage


def test_one_entry_for_each_kind() -> None:
    account = Account()
    account.lose(10, "a bad block of 7 bytes", "block")
    account.note(20, "an odd version")
    account.lose(30, "a bad block of 9 bytes", "block")
    assert account.damage == [Damage(10, "a bad block of 7 bytes", loses=True, times=2), Damage(20, "an odd version", loses=False)]


def test_the_same_place_counts_once() -> None:
    account = Account()
    for _ in range(2):
        account.note(4, "an odd version")
    assert account.damage[0].times == 1


def test_the_clause_names_the_place_and_how_often() -> None:
    assert str(Damage(10, "a bad block", loses=True)) == "at byte 10: a bad block"
    assert str(Damage(10, "a bad block", loses=True, times=3)) == "at byte 10: a bad block (and 2 more such places)"
