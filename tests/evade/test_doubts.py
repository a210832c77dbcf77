"""What is said of strategies that can have no effect, and that nothing is said of published ones."""

import json

import pytest

from crenel.evade.doubts import doubts_about
from crenel.evade.parse import parse
from tests.evade.acting import facts_path


@pytest.mark.parametrize(
    ("dna", "words"),
    [
        ("", "empty"),
        ("[tcp:flags:S]-drop-|", "capitals"),
        ("[TCP:flags:S:0]-drop-|", "gas is 0"),
        ("[TCP:flags:S]-tamper{TCP:window:replace:70000}-|", "no packet can be built"),
        ("[TCP:flags:S]-duplicate(,tamper{TCP:seq:replace:x})-|", "tamper{TCP:seq:replace:x} sends nothing"),
        ("[DNS:qr:0]-tamper{DNS:qd:corrupt}-|", "DNSQR:qname"),
        ("[TCP:flags:S]-sleep{-1}-|", "negative"),
        ("[TCP:flags:S]-trace{5:5}-|", "ends before"),
        (r"\/ [TCP:window:0x10]-drop-|", "decimal"),
    ],
)
def test_a_doubt_is_one_sentence(dna: str, words: str) -> None:
    (doubt,) = doubts_about(parse(dna))
    assert words in doubt
    assert "\n" not in doubt


@pytest.mark.parametrize(
    "dna",
    [
        "[TCP:flags:S:1]-drop-|", "[TCP:options-mss:]-drop-|", "[TCP:load:GET*]-drop-|", "[IP:flags:DF]-drop-|",
        "[DNS:qr:0]-tamper{DNS:qd:compress}-|",
    ],
)
def test_of_what_can_happen_nothing_is_said(dna: str) -> None:
    assert doubts_about(parse(dna)) == []


def test_nothing_is_said_of_a_published_strategy_but_of_the_empty_one() -> None:
    records = json.loads(facts_path("geneva-strategies.json").read_text("utf-8"))["strategies"]
    assert {record["id"] for record in records if doubts_about(parse(record["dna"]))} == {"lib-01"}
