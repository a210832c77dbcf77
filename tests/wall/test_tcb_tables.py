"""Rows of a state model in, for each state and packet class the rows that could apply out; rows that say what cannot be are refused."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.flow.key import CLASS_ACK, CLASS_FIN, CLASS_LOAD, CLASS_RST, CLASS_SECOND, CLASS_SYN, CLASSES
from crenel.wall.tcb import NONE, OFF, OPEN, OPENING, RESYNC, STATES, Row, TcbTable
from tests.wall.making import COMPLETE, PLAIN, READ, TRACK, compiled, rows

LETTERS = {"F": CLASS_FIN, "S": CLASS_SYN, "R": CLASS_RST, "A": CLASS_ACK}
ALL_STATES = {"none": {NONE}, "track": {OPENING, OPEN}, "opening": {OPENING}, "open": {OPEN}, "resync": {RESYNC}, "off": {OFF}}
ANY: dict[str, Any] = {"in": ["open"], "from": "client", "do": "ignore"}


def row(**changes: object) -> Row:
    (made,) = rows(ANY | {key.rstrip("_"): value for key, value in changes.items()})
    return made


def speaks(packet_class: int, one: dict[str, Any]) -> bool:
    """Say whether a row speaks of a packet class, as its documentation has it."""
    load = one.get("load")
    return (
        bool(packet_class & CLASS_SECOND) == (one["from"] == "server")
        and all(packet_class & LETTERS[letter] for letter in one.get("has", ""))
        and not any(packet_class & LETTERS[letter] for letter in one.get("lacks", ""))
        and (load is None or bool(packet_class & CLASS_LOAD) == load)
    )


FLAGS = st.lists(st.sampled_from("FSRA"), unique=True).map("".join)
ROWS = st.builds(
    lambda has, lacks, **rest: ANY | rest | {"has": has, "lacks": "".join(letter for letter in lacks if letter not in has)},
    has=FLAGS, lacks=FLAGS, load=st.sampled_from((None, True, False)),
    **{"from": st.sampled_from(("client", "server")), "in": st.lists(st.sampled_from(sorted(ALL_STATES)), min_size=1, max_size=3, unique=True)},  # type: ignore[arg-type]
)


@given(one=ROWS)
def test_a_row_speaks_of_the_classes_that_its_words_mean(one: dict[str, Any]) -> None:
    (made,) = rows(one)
    classes = made.classes()
    assert len(classes) == len(set(classes))
    assert set(classes) == {packet_class for packet_class in range(CLASSES) if speaks(packet_class, one)}


@given(given=st.lists(ROWS, max_size=6))
def test_a_cell_holds_its_rows_in_the_order_of_the_table(given: list[dict[str, Any]]) -> None:
    table = compiled(*given)
    assert len(table.rows) == STATES * CLASSES
    for state in range(STATES):
        for packet_class in range(CLASSES):
            expected = [
                made for one, made in zip(given, table.table.row, strict=True) if speaks(packet_class, one)
                for word in one["in"] if state in ALL_STATES[word]
            ]
            cell = table.rows[state * CLASSES + packet_class]
            assert len(cell) == len(expected)
            assert all(mine is theirs for mine, theirs in zip(cell, expected, strict=True))


@pytest.mark.parametrize(
    ("has", "lacks", "load", "flags"),
    [
        ("S", "AR", None, {CLASS_SYN, CLASS_SYN | CLASS_FIN, CLASS_SYN | CLASS_LOAD, CLASS_SYN | CLASS_FIN | CLASS_LOAD}),
        ("FSRA", "", False, {15}),
        ("", "FSRA", True, {CLASS_LOAD}),
        ("A", "FSR", None, {CLASS_ACK, CLASS_ACK | CLASS_LOAD}),
        ("A", "FSR", True, {CLASS_ACK | CLASS_LOAD}),
    ],
)
def test_flags_that_must_be_set_and_clear(has: str, lacks: str, load: bool | None, flags: set[int]) -> None:
    assert set(row(has=has, lacks=lacks, load=load).classes()) == flags
    assert set(row(has=has, lacks=lacks, load=load, from_="server").classes()) == {bits | CLASS_SECOND for bits in flags}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"has": "P"}, "there is no flag 'P'"),
        ({"lacks": "UX"}, "there is no flag 'UX'"),
        ({"has": "SA", "lacks": "FA"}, "A cannot be both set and clear"),
        ({"p": 1.5, "coin": "c"}, "p = 1.5 is not a probability"),
        ({"p": -0.1, "coin": "c"}, "p = -0.1 is not a probability"),
        ({"p": 0.5}, "a coin goes with a p below 1"),
        ({"coin": "c"}, "a coin goes with a p below 1"),
        ({"do": "resync"}, "targets go with do = 'resync'"),
        ({"targets": ["client"]}, "targets go with do = 'resync'"),
        ({"as": "cause"}, "a cause is given, as, with do = 'resync' only"),
        ({"do": "sync"}, "to goes with do = 'sync'"),
        ({"to": "seq"}, "to goes with do = 'sync'"),
    ],
)
def test_a_row_that_says_what_cannot_be_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=says.replace("(", "\\(")):
        msgspec.convert(ANY | changes, Row)


@pytest.mark.parametrize(
    "changes",
    [
        {"has": "FSRA"}, {"p": 0.0, "coin": "c"}, {"p": 0.999, "coin": "c", "per": "pair"}, {"do": "resync", "targets": ["client"]},
        {"do": "resync", "targets": ["client-ack", "server-syn-ack"], "as": "cause"}, {"do": "sync", "to": "isn+1"}, {"cause": "cause"},
    ],
)
def test_the_nearest_row_that_makes_sense_is_taken(changes: dict[str, Any]) -> None:
    assert msgspec.convert(ANY | changes, Row)


@pytest.mark.parametrize(
    "changes",
    [
        {"in": ["closed"]}, {"from": "both"}, {"do": "explode"}, {"when": ["seq-right"]}, {"per": "day"}, {"to": "isn", "do": "sync"}, {"flags": "S"},
        {"do": "resync", "targets": ["server"]},
    ],
)
def test_a_word_that_no_model_has_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(ANY | changes, Row)


def test_behaviour_leaves_out_the_prose_and_the_place() -> None:
    plain = row(do="sync", to="seq").behaviour()
    assert row(do="sync", to="seq", sources=["a"], assumed="b", in_=["resync"], from_="server", has="S", lacks="A", load=True).behaviour() == plain
    for changes in ({"to": "ack"}, {"when": ["seq-odd"]}, {"cause": "c"}, {"p": 0.5, "coin": "c"}, {"go-on": True}, {"per": "flow"}):
        assert row(**({"do": "sync", "to": "seq"} | changes)).behaviour() != plain


@pytest.mark.parametrize(("guards", "asks"), [([], False), (["ack-odd"], False), (["repeated"], False), (["seq-odd"], True), (["ack-odd", "seq-expected"], True)])
def test_a_table_says_whether_it_needs_sequence_numbers(guards: list[str], asks: bool) -> None:
    assert compiled(TRACK, READ | {"when": guards}).asks_expected is asks


def test_a_table_says_whether_it_tosses() -> None:
    assert not compiled(*PLAIN).has_coins
    assert compiled(TRACK, READ | {"p": 0.5, "coin": "c"}).has_coins
    assert compiled(*PLAIN, keeps_newer=0.1).has_coins


def test_tables_of_other_limits_are_not_walked_as_one() -> None:
    first = compiled(*PLAIN, ahead=100, keeps_newer=0.5)
    assert first.same_limits() == compiled(TRACK, ahead=100, keeps_newer=0.5).same_limits()
    assert first.same_limits() != compiled(*PLAIN, ahead=101, keeps_newer=0.5).same_limits()
    assert first.same_limits() != compiled(*PLAIN, ahead=100, keeps_newer=0.4).same_limits()


def test_a_row_of_two_states_stands_in_both_and_in_no_other() -> None:
    table = compiled({"in": ["track", "off"], "from": "client", "has": "R", "lacks": "FSA", "load": False, "do": "off"}, COMPLETE)
    holding = [state for state in range(STATES) if table.rows[state * CLASSES + CLASS_RST]]
    assert holding == [OPENING, OPEN, OFF]
    assert sum(map(len, table.rows)) == 3 + 2


def test_an_unknown_key_of_a_table_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="behind"):
        msgspec.convert({"title": "t", "row": [], "behind": 1}, TcbTable)
