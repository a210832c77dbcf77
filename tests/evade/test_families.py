"""Strategies in, the family that follows from what the boxes did with them out; and coins that fall once more as they fell."""

import msgspec
import pytest

from crenel.atlas.compile import load_wall
from crenel.coins import Fall, Uniform, enumerate_trials
from crenel.evade.families import FallenCoins, Said, ended, family_of, retold, row_text, said_in, telling_rows
from crenel.evade.rate import ready, trials_of
from crenel.evade.trial import Side, Trials
from crenel.wire.packet import ACK, tcp_packet
from tests.evade.seeking import DAY

BEHIND = "[TCP:flags:A]-duplicate(,tamper{TCP:flags:replace:R}(tamper{TCP:chksum:corrupt},))-|"


def trials(dna: str, side: Side = "client") -> Trials:
    """Return trials of a strategy."""
    plain = trials_of("", load_wall("gfw", DAY), "http", side).narrowed()
    return msgspec.structs.replace(plain, prepared=ready(dna))


def families(dna: str, side: Side = "client") -> dict[str, float]:
    """Return how probable each family is as the way in which a strategy succeeds."""
    tried = trials(dna, side)
    said = said_in(trials("").run(FallenCoins(())).exchange)
    found: dict[str, float] = {}
    for leaf in enumerate_trials(tried.run).leaves:
        if leaf.result.success:
            family = family_of(leaf.result.exchange, retold(leaf.result.exchange, tried.route, FallenCoins(leaf.path)), said)
            found[family] = found.get(family, 0.0) + leaf.probability
    return found


@pytest.mark.parametrize(
    ("dna", "family"),
    [
        (BEHIND, "tear-down"),
        ("[TCP:flags:PA]-duplicate(tamper{TCP:flags:replace:RA}(tamper{IP:ttl:replace:10},),)-|", "tear-down"),
        ("[TCP:flags:PA]-duplicate(tamper{TCP:dataofs:replace:10}(tamper{TCP:chksum:corrupt},),)-|", "desynchronisation"),
        ("[TCP:flags:PA]-duplicate(tamper{TCP:load:corrupt}(tamper{IP:ttl:replace:8},),)-|", "desynchronisation"),
        ("[TCP:flags:PA]-duplicate(tamper{TCP:flags:replace:F}(tamper{IP:len:replace:78},),)-|", "desynchronisation"),
        ("[TCP:flags:PA]-fragment{tcp:8:True}(,fragment{tcp:4:True})-|", "segmentation"),
        ("[TCP:flags:PA]-fragment{tcp:8:False}-| [TCP:flags:A]-tamper{TCP:seq:corrupt}-|", "segmentation"),
        (r"\/ [TCP:flags:RA]-drop-|", "withstood"),
    ],
)  # fmt: skip
def test_families_follow_from_what_the_boxes_did(dna: str, family: str) -> None:
    found = families(dna)
    assert found[family] > 0.4
    assert set(found) <= {family, "luck"}


def test_without_a_strategy_success_is_luck() -> None:
    assert families("") == {"luck": pytest.approx(0.03)}


def test_strategies_of_servers_are_told_from_the_same_rules() -> None:
    found = families("[TCP:flags:SA]-duplicate(tamper{TCP:flags:replace:R},tamper{TCP:flags:replace:S})-|", "server")
    assert found["desynchronisation"] > 0.4


def test_rules_beside_the_ordinary_ones_are_told_in_words() -> None:
    tried = trials(BEHIND)
    leaf = enumerate_trials(tried.run).leaves[0]
    told = retold(leaf.result.exchange, tried.route, FallenCoins(leaf.path))
    assert [one.row.do for one in told] == ["track", "complete", "off"]
    assert telling_rows(told, Said(b"", 0)) == ("open: client R (seq-expected) -> off",)
    assert row_text(told[1].row).endswith("-> complete")
    assert ended(leaf.result) == "answered"


def test_what_a_client_means_stands_at_its_place() -> None:
    said = said_in(trials("").run(FallenCoins(())).exchange)
    assert said.stream.startswith(b"GET /")

    def carries(at: int, payload: bytes) -> bool:
        seq = (said.base + 50_000 + 1 + at) % (1 << 32)
        return said.meant(tcp_packet(bytes(4), bytes(4), 50_000, 80, seq=seq, flags=ACK, payload=payload))

    assert carries(0, b"GET ")
    assert carries(4, said.stream[4:9])
    assert not carries(1, b"GET ")
    assert not carries(len(said.stream) - 1, said.stream[-1:] + b"more")


def test_coins_fall_as_they_fell() -> None:
    coins = FallenCoins([Fall("box", b"", "act", False), Fall("box", b"", "which", 3)])
    assert not coins.toss("box", b"", "act", 0.9)
    assert coins.toss("box", b"other", "act", 0.9)
    assert coins.toss("box", b"", "act", 1.0)
    assert not coins.toss("box", b"", "act", 0.0)
    assert coins.pick("box", b"", "which", 5) == 3
    assert coins.pick("box", b"other", "which", 5) == 0
    assert coins.draw("box", b"", "n", Uniform(0, 9)) == Uniform(0, 9).at(0.5)
