"""What the parser takes, what it refuses and at which column, and that what it prints reads as the same strategy."""

import json

import pytest
from hypothesis import given

from crenel.errors import StrategyError
from crenel.evade.language import Drop, Duplicate, Fragment, Strategy, Tamper, Tree, Trigger
from crenel.evade.parse import DnaError, parse
from tests.evade.acting import facts_path
from tests.evade.growing import strategies

SPLIT_TREE = "[TCP:flags:PA]-split{sni:-1}(,fake{zeros:ttl=8},)-|"

ACCEPTED_OTHERWISE = {
    "[TCP:load:GET*]-drop-|": "Geneva's print loses the star, and with it what the trigger means",
    "[TCP:sport:8*]-drop-|": "the same",
}
REFUSED = {
    "[TCP:flags:PA]-dup-|": "half a name",
    "[TCP:flags:PA]-Action-|": "part of the name of a class",
    "[TCP:flags:PA]-tamper{TCP:flags:replace}-|": "a random value",
    "[TCP:flags:PA]-tamper{}-|": "a random tamper",
    "[TCP:flags:PA]-tamper-|": "a random tamper",
    "[TCP:flags:PA]-fragment-|": "a random order",
    "[TCP:flags:PA]-tamper{TCP:flags:frob:R}-|": "an unknown way to tamper, taken for replace",
    "[TCP:flags:PA]-tamper{TCP:nope:replace:R}-|": "an unknown field, which stops Geneva's queue",
    "[TCP:flags:PA]-tamper{NOPE:flags:replace:R}-|": "an unknown protocol, which never does anything",
}
"""What Geneva accepts, and why it is refused here."""


def vectors() -> list[tuple[str, list[str]]]:
    return [(vector["dna"], vector["outcomes"]) for vector in json.loads(facts_path("geneva-parser-vectors.json").read_text("utf-8"))["vectors"]]


def outcome(dna: str, *, strict: bool) -> str:
    try:
        return f"OK {parse(dna, strict=strict)}"
    except DnaError as error:
        return f"column {error.column}"


@pytest.mark.parametrize("strict", [False, True])
def test_every_probe_string_comes_out_as_in_geneva_or_is_listed(strict: bool) -> None:
    differing = {}
    for dna, outcomes in vectors():
        ours = outcome(dna, strict=strict)
        accepted = any(one.startswith("OK ") for one in outcomes)
        if accepted != ours.startswith("OK ") or (accepted and ours not in outcomes):
            differing[dna] = ours
    assert {dna for dna, ours in differing.items() if ours.startswith("OK ")} == set(ACCEPTED_OTHERWISE)
    assert {dna for dna, ours in differing.items() if not ours.startswith("OK ")} == set(REFUSED)


def test_every_published_string_parses_and_prints_as_geneva_prints_it() -> None:
    records = json.loads(facts_path("geneva-strategies.json").read_text("utf-8"))["strategies"]
    assert len(records) > 80
    for record in records:
        strategy = parse(record["dna"], strict=True)
        assert str(strategy) == record["geneva_canonical"], record["id"]
        assert parse(str(strategy)) == strategy


def test_a_strategy_becomes_the_values_that_it_spells() -> None:
    strategy = parse(r"[TCP:flags:PA:2]-duplicate(tamper{TCP:dataofs:replace:10},fragment{tcp:8:False:4})-| \/ [UDP:sport:53]-drop-|")
    assert strategy == Strategy(
        (
            Tree(
                Trigger("TCP", "flags", "PA", gas=2),
                Duplicate((Tamper("TCP", "dataofs", "replace", "10"), Fragment("tcp", 8, in_order=False, overlap=4))),
            ),
        ),
        (Tree(Trigger("UDP", "sport", "53"), Drop()),),
    )


@given(strategies())
def test_print_and_parse_are_inverse(strategy: Strategy) -> None:
    assert parse(str(strategy)) == strategy
    assert str(parse(str(strategy))) == str(strategy)


@pytest.mark.parametrize(
    ("dna", "column", "expected"),
    [
        ("garbage", 1, "begins with ["),
        ("[TCP:flags:S]", 14, "]-"),
        ("[TCP:flags]-drop-|", 11, "PROTOCOL:field:value"),
        ("[TCP:flags:S:1:2]-drop-|", 15, "] after the gas"),
        ("[TCP:flags:S:x]-drop-|", 14, "gas"),
        ("[ICMP:type:8]-drop-|", 2, "protocol (IP, TCP"),
        ("[TCP:nope:S]-drop-|", 6, "field of TCP"),
        ("[TCP:flags:XY]-drop-|", 12, "FSRPAUECN"),
        ("[TCP:flags:S]-drop-| \\/ [TCP:nope:S]-drop-|", 30, "field of TCP"),
        ("\\/ [TCP:flags:SA]-duplicate-|", 19, "drop or tamper"),
        ("[TCP:flags:S]- drop-|", 15, "no blank"),
        ("[TCP:flags:S]-send-|", 15, "absent child sends"),
        ("[TCP:flags:S]-duplicate(drop)-|", 29, "2 children"),
        ("[TCP:flags:S]-duplicate(drop,drop,drop)-|", 34, "2 children"),
        ("[TCP:flags:S]-drop(drop,)-|", 19, "no children"),
        ("[TCP:flags:S]-tamper{TCP:flags:replace:R}(,drop)-|", 44, "left child only"),
        ("[TCP:flags:S]-tamper{TCP:flags:replace:X}-|", 40, "FSRPAUECN"),
        ("[TCP:flags:S]-tamper{TCP:nope:replace:R}-|", 26, "field of TCP"),
        ("[TCP:flags:S]-tamper{TCP:seq:add:x}-|", 34, "whole number"),
        ("[TCP:flags:S]-tamper{TCP:options-md5header:replace:xyz}-|", 52, "hex"),
        ("[TCP:flags:S]-duplicate(tamper{TCP:load:replace:a,b},)-|", 50, "%2C"),
        ("[TCP:flags:S]-tamper{TCP:load:replace:a(b}-|", 40, "%28"),
        ("[TCP:flags:S]-fragment{tcp:x:True}-|", 28, "whole number"),
        ("[TCP:flags:S]-duplicate(drop,drop))-|", 35, "-|"),
        ("[TCP:flags:S]-duplicate(drop;drop)-|", 25, "action"),
        ("[TCP:flags:S]-split{snx}-|", 21, "position"),
        ("[TCP:flags:S]-split{sni:+}-|", 25, "position"),
        ("[TCP:flags:S]-split-|", 20, "position"),
        ("[TCP:flags:S]-split{1}(,,)-|", 25, "2 children"),
        ("[TCP:flags:S]-split{1:2}(,)-|", 27, "3 children"),
        ("[TCP:flags:S]-fake{quark}-|", 20, "payload"),
        ("[TCP:flags:S]-fake{http:ttl}-|", 25, "ttl=N"),
        ("[TCP:flags:S]-fake{http:md5+md6}-|", 29, "md5"),
        ("[TCP:flags:S]-fake{http:none:after}-|", 30, "before or both"),
        ("[TCP:flags:S]-oob{1:ab}-|", 21, "one byte"),
        ("[TCP:flags:S]-delay{-1}-|", 21, "milliseconds"),
        ("[TCP:flags:S]-repeat{0}-|", 22, "at least 1"),
        ("[TCP:flags:S]-repeat{100}(repeat{100},)-|", 27, "1000 times"),
        ("[TCP:flags:S]-precede{zeros=99999}-|", 23, "payload"),
        ("[TCP:flags:S]-sleep{inf}-|", 21, "seconds"),
        ("[TCP:flags:S]-tamper{TCP:flags:replace:R-|", 41, "}"),
    ],
)
def test_an_error_names_the_column_and_what_was_expected(dna: str, column: int, expected: str) -> None:
    with pytest.raises(StrategyError) as caught:
        parse(dna)
    assert isinstance(caught.value, DnaError)
    assert (caught.value.column, caught.value.text) == (column, dna), str(caught.value)
    assert str(caught.value).startswith(f"column {column} of the strategy: expected ")
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "action", ["split{1}", "disorder{1}", "record{1}", "fake{http}", "oob{1}", "overlap{http}", "delay{1}", "repeat{2}", "precede{http}"]
)
def test_strict_refuses_what_geneva_has_no_word_for(action: str) -> None:
    assert action[:4] in str(parse(f"[TCP:flags:PA]-duplicate(,{action})-|"))
    with pytest.raises(DnaError, match="that Geneva has") as caught:
        parse(f"[TCP:flags:PA]-duplicate(,{action})-|", strict=True)
    assert caught.value.column == 27


def test_blanks_and_quotes_round_a_strategy_do_not_move_columns() -> None:
    with pytest.raises(DnaError) as caught:
        parse('"  [TCP:flags:S]-nope-|"')
    assert caught.value.column == 18


def test_nesting_has_an_end() -> None:
    deep = "duplicate(" * 5000 + "drop" + ",)" * 5000
    with pytest.raises(DnaError, match="inside one another"):
        parse(f"[TCP:flags:S]-{deep}-|")


def test_children_of_many_places_are_kept() -> None:
    assert str(parse(SPLIT_TREE)) == SPLIT_TREE + " \\/ "
