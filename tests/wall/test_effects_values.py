"""What a wall does, as values: frozen, equal where they say the same, each with its because."""

import typing

import msgspec
import pytest

from crenel.instant import Instant
from crenel.wall import effects
from crenel.wall.effects import Armed, Because, Drop, Effect, Expired, Inject, Missed, Pass, Side, Throttle
from tests.wall.making import to_client

WHY = Because("box", "2000-01-01", "tls.sni", 5, 15, b"blocked.example", "on a list", 0.75, ("a",), ())
ALL: dict[type, Effect] = {
    Pass: Pass(), Drop: Drop(WHY), Inject: Inject(to_client(1), Side.INSIDE, 1000, WHY), Throttle: Throttle(1000, 300, None, WHY), Missed: Missed(WHY),
    Armed: Armed(Instant(5), WHY), Expired: Expired("box", Instant(5)),
}


def test_there_are_no_other_effects() -> None:
    values = {value for value in vars(effects).values() if isinstance(value, type) and issubclass(value, msgspec.Struct) and value.__module__ == effects.__name__}
    assert set(typing.get_args(Effect)) == set(ALL) == values - {Because}


@pytest.mark.parametrize("kind", set(ALL) - {Pass, Expired})
def test_what_a_box_does_says_why(kind: type) -> None:
    assert getattr(ALL[kind], "because") is WHY  # noqa: B009  not all effects have one


@pytest.mark.parametrize("kind", [*ALL, Because])
def test_an_effect_cannot_be_changed_and_is_what_it_says(kind: type) -> None:
    one = ALL.get(kind, WHY)
    assert isinstance(one, msgspec.Struct)
    assert one == msgspec.structs.replace(one)
    assert hash(one) == hash(msgspec.structs.replace(one))
    for name in one.__struct_fields__:
        with pytest.raises(AttributeError):
            setattr(one, name, None)
        assert one != msgspec.structs.replace(one, **{name: "other"})


def test_effects_of_two_kinds_are_never_equal() -> None:
    assert Drop(WHY) != Missed(WHY)


def test_the_two_sides_are_each_other_s_opposite() -> None:
    assert [Side(1 - side) for side in Side] == [Side.OUTSIDE, Side.INSIDE]


def test_a_because_of_a_packet_speaks_of_no_memory() -> None:
    assert (WHY.residual, WHY.last_seen, WHY.armed_by) == (None, None, None)
