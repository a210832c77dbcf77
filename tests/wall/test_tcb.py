"""Rows of a profile in, the rows that could apply in each state to each class of packet out; a row that says nothing sensible is refused."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.flow.key import CLASS_ACK, CLASS_FIN, CLASS_LOAD, CLASS_RST, CLASS_SECOND, CLASS_SYN, CLASSES
from crenel.wall.tcb import NONE, OFF, OPEN, OPENING, RESYNC, STATES, CompiledTcb, Row, TcbTable

FLAGS = {"F": CLASS_FIN, "S": CLASS_SYN, "R": CLASS_RST, "A": CLASS_ACK}
WORDS = {"none": {NONE}, "track": {OPENING, OPEN}, "opening": {OPENING}, "open": {OPEN}, "resync": {RESYNC}, "off": {OFF}}


def row(**words: Any) -> Row:
    return msgspec.convert({"in": ["open"], "from": "client", "do": "ignore"} | words, Row)


@given(data=st.data())
def test_a_row_speaks_of_the_packets_that_it_describes(data: st.DataObject) -> None:
    has = data.draw(st.sets(st.sampled_from("FSRA")))
    lacks = data.draw(st.sets(st.sampled_from("FSRA"))) - has
    load = data.draw(st.sampled_from((None, True, False)))
    sender = data.draw(st.sampled_from(("client", "server")))
    made = row(has="".join(has), lacks="".join(lacks), load=load, **{"from": sender})
    for packet_class in range(CLASSES):
        meant = (
            all(packet_class & FLAGS[letter] for letter in has)
            and not any(packet_class & FLAGS[letter] for letter in lacks)
            and (load is None or bool(packet_class & CLASS_LOAD) == load)
            and bool(packet_class & CLASS_SECOND) == (sender == "server")
        )
        assert (packet_class in made.classes()) == meant


@given(words=st.sets(st.sampled_from(sorted(WORDS)), min_size=1))
def test_a_row_stands_in_the_states_that_it_names(words: set[str]) -> None:
    compiled = CompiledTcb("x", TcbTable(title="x", row=(row(**{"in": sorted(words), "has": "S", "lacks": "FRA", "load": False}),)))
    states = set().union(*(WORDS[word] for word in words))
    assert {state for state in range(STATES) if compiled.rows[state * CLASSES + CLASS_SYN]} == states
    assert not any(cell for index, cell in enumerate(compiled.rows) if index % CLASSES != CLASS_SYN)


def test_rows_keep_their_order() -> None:
    rows = tuple(row(do=do) for do in ("ignore", "read", "off"))
    assert CompiledTcb("x", TcbTable(title="x", row=rows)).rows[OPEN * CLASSES] == rows


def test_a_table_knows_whether_it_tosses_coins_and_counts_bytes() -> None:
    def table(*rows: Row, newer: float = 0.0) -> CompiledTcb:
        return CompiledTcb("x", TcbTable(title="x", keeps_newer=newer, row=rows))

    assert not table(row()).has_coins
    assert table(row(), newer=0.1).has_coins
    assert table(row(coin="c", p=0.5)).has_coins
    assert not table(row()).asks_expected
    assert table(row(when=["seq-odd"])).asks_expected


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ({"has": "SX"}, "no flag 'X'"),
        ({"lacks": "u"}, "no flag 'u'"),
        ({"has": "SA", "lacks": "AR"}, "A cannot be both"),
        ({"coin": "c", "p": 1.5}, "p = 1.5"),
        ({"p": 0.5}, "a coin goes with"),
        ({"coin": "c"}, "a coin goes with"),
        ({"do": "resync"}, "targets go with"),
        ({"targets": ["client"]}, "targets go with"),
        ({"as": "odd"}, "do = 'resync' only"),
        ({"to": "seq"}, "to goes with"),
        ({"do": "sync"}, "to goes with"),
        ({"in": ["asleep"]}, "Invalid enum value 'asleep'"),
        ({"wen": ["repeated"]}, "unknown field `wen`"),
    ],
)
def test_a_row_that_makes_no_sense_is_refused(words: dict[str, Any], complaint: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=complaint):
        row(**words)


def test_the_behaviour_of_a_row_leaves_out_where_it_stands_and_who_says_so() -> None:
    assert row(sources=["a"]).behaviour() == row(assumed="b", has="S", **{"in": ["none"]}).behaviour()
    assert row(do="read").behaviour() != row(do="off").behaviour()
