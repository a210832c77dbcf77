"""Strategies as values: how they print, what they hold."""

import pytest

from crenel.evade.language import Disorder, Drop, Duplicate, Position, Split, Strategy, Tamper, Tree, Trigger, number_text, show
from crenel.evade.parse import parse

EVERYTHING = [
    "drop", "duplicate", "duplicate(drop,)", "duplicate(,drop)", "tamper{TCP:flags:replace:R}(drop,)", "tamper{TCP:seq:corrupt}",
    "tamper{DNS:qd:compress}", "tamper{TCP:seq:add:-1}", "fragment{tcp:8:True}", "fragment{ip:-1:False:4}(,drop)", "sleep{0.5}", "trace{2:10}",
    "split{sni}", "split{1:sni+1:-3}(,,drop,)", "disorder{midsld-2}(drop,)", "record{host}(split{record},)", "fake{http}",
    "fake{tls=a.example:ttl=8+md5}(drop,)",
    "fake{zeros=16:none:both}", "fake{text=a%00:badseq=-5+badsum:both}(,drop)", "oob{sni}", "oob{-1:%00}(drop,)",
    "overlap{zeros=1}", "overlap{tls=a.example}(drop,)", "delay{10}", "delay{0.25}(drop,)",
    "repeat{3:0}", "repeat{3:20}(drop,)", "precede{random=64}(,drop)",
]  # fmt: skip


@pytest.mark.parametrize("action", EVERYTHING)
def test_an_action_prints_as_it_is_written(action: str) -> None:
    assert str(parse(f"[TCP:flags:PA]-{action}-|")) == f"[TCP:flags:PA]-{action}-| \\/ "


@pytest.mark.parametrize(
    ("written", "printed"),
    [("repeat{3}", "repeat{3:0}"), ("fake{http:none}", "fake{http}"), ("fake{http:md5:before}", "fake{http:md5}"),
     ("split{007}", "split{7}"), ("split{sni+0}", "split{sni}"), ("oob{1:a}", "oob{1}"), ("delay{10.50}", "delay{10.5}"), ("DROP", "drop")],
)  # fmt: skip
def test_other_ways_to_write_it_print_as_the_first(written: str, printed: str) -> None:
    assert str(parse(f"[TCP:flags:PA]-{written}-|")) == f"[TCP:flags:PA]-{printed}-| \\/ "


def test_an_empty_forest_leaves_a_blank() -> None:
    assert str(Strategy()) == " \\/ "
    assert str(Strategy((), (Tree(Trigger("TCP", "flags", "R"), None),))) == " \\/ [TCP:flags:R]-|"


def test_values_can_be_told_apart_and_used_as_keys() -> None:
    tampers = {Tamper("TCP", "seq", "corrupt"), Tamper("TCP", "seq", "corrupt"), Tamper("TCP", "ack", "corrupt")}
    assert len(tampers) == 2
    assert len({Drop(), Duplicate(), Split((Position("sni"),)), Disorder((Position("sni"),))}) == 4


def test_a_split_has_a_place_for_each_piece() -> None:
    assert Split((Position("sni"), Position("", 3))).places == 3
    assert show(Split((Position("sni", -1),), (None, Drop()))) == "split{sni-1}(,drop)"


@pytest.mark.parametrize(
    ("number", "text"), [(1.0, "1"), (-1.0, "-1"), (0.5, "0.5"), (0.1234567, "0.1234567"), (1e9, "1e+09"), (123456789.0, "123456789.0")]
)
def test_numbers_print_short_and_exactly(number: float, text: str) -> None:
    assert number_text(number) == text
    assert float(text) == number
