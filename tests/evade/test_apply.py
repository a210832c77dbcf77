"""When trees fire, in which order what they send comes, and that no packet and no strategy ends in an exception."""

import timeit
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.coins import Coins, KeyedCoins, ScriptedCoins, enumerate_trials
from crenel.evade.apply import prepare
from crenel.evade.corrupt import Loads
from crenel.evade.language import Strategy
from crenel.evade.parse import parse
from crenel.net.ground import Rewriter, Tactic
from crenel.wire.ip import parse_packet, serialise
from crenel.wire.packet import ACK, PSH, Packet
from tests.evade.acting import ANSWER, ANSWERED, BARE, CONVERSATION, DATA_SEGMENT, HELLO_SEGMENT, OPENING, QUERY, act, sent, started
from tests.evade.growing import strategies
from tests.wire.packets import packets

PA = "[TCP:flags:PA]-"


def test_without_a_match_the_packet_passes_unchanged() -> None:
    for packet in CONVERSATION:
        assert started("[TCP:flags:R]-drop-|").outbound(packet) == [(0, packet)]


def test_each_tree_that_matches_works_on_the_packet_as_it_was() -> None:
    dna = PA + r"tamper{IP:ttl:replace:1}-| [TCP:dport:80]-tamper{TCP:window:replace:5}-| [IP:ttl:1]-drop-|"
    assert [(one.ttl, one.window) for one in act(dna, DATA_SEGMENT)] == [(1, 64240), (64, 5)]


def test_the_flags_of_a_trigger_are_exact() -> None:
    for flags in ("A", "P", "PAU", "SA"):
        assert act(f"[TCP:flags:{flags}]-drop-|", DATA_SEGMENT) == [DATA_SEGMENT]
    for flags in ("PA", "AP", "24"):
        assert act(f"[TCP:flags:{flags}]-drop-|", DATA_SEGMENT) == []


@pytest.mark.parametrize(
    ("gas", "fires"), [("", [1, 1, 1, 1]), (":0", [0, 0, 0, 0]), (":2", [1, 1, 0, 0]), (":-1", [0, 1, 1, 1]), (":-3", [0, 0, 0, 1])]
)
def test_gas_counts_the_packets_that_fit(gas: str, fires: list[int]) -> None:
    applied = started(f"[TCP:flags:PA{gas}]-drop-|")
    found = []
    for _ in range(4):
        applied.outbound(BARE)
        found.append(int(not applied.outbound(DATA_SEGMENT)))
    assert found == fires
    assert applied.fired == [sum(fires)]


def test_trials_share_nothing() -> None:
    prepared = prepare(parse("[TCP:flags:PA:1]-drop-|"))
    first, second = prepared.start(KeyedCoins(0)), prepared.start(KeyedCoins(0))
    assert first.outbound(DATA_SEGMENT) == second.outbound(DATA_SEGMENT) == []


def test_arriving_packets_are_dropped_or_changed_and_at_most_one_is_delivered() -> None:
    applied = started(r"[TCP:flags:SA]-drop-| \/ [TCP:flags:SA]-tamper{TCP:window:replace:98}-| [TCP:sport:80]-tamper{IP:ttl:replace:1}-|")
    ((after, packet),) = applied.inbound(ANSWERED)
    assert (after, packet.window, packet.ttl) == (0, 98, 64)
    assert applied.inbound(ANSWER) == [(0, ANSWER)]
    assert applied.outbound(ANSWER) == [(0, ANSWER)]


def test_the_second_answer_to_a_query_is_waited_for() -> None:
    applied = started(r"\/ [UDP:sport:53:1]-drop-|")
    assert applied.outbound(QUERY) == [(0, QUERY)]
    assert [applied.inbound(ANSWER) for _ in range(3)] == [[], [(0, ANSWER)], [(0, ANSWER)]]


def test_a_dropped_packet_of_two_trees_is_still_delivered_by_the_other() -> None:
    ((_, packet),) = started(r"\/ [TCP:flags:SA]-drop-| [TCP:flags:SA]-tamper{IP:ttl:replace:3}-|").inbound(ANSWERED)
    assert packet.ttl == 3


def test_the_same_coins_give_the_same_packets() -> None:
    dna = PA + "duplicate(tamper{TCP:load:corrupt}(tamper{TCP:chksum:corrupt},),tamper{TCP:seq:corrupt})-|"
    runs = [[started(dna, KeyedCoins(seed)).outbound(DATA_SEGMENT) for _ in range(2)] for seed in range(3)]
    assert all(first == second for first, second in runs)
    assert runs[0] != runs[1]


def test_each_packet_is_a_new_event() -> None:
    applied = started(PA + "tamper{TCP:seq:corrupt}-|")
    assert len({applied.outbound(DATA_SEGMENT)[0][1].seq for _ in range(20)}) == 20


def test_what_few_values_decide_can_be_enumerated() -> None:
    prepared = prepare(parse(PA + "tamper{TCP:load:corrupt}-|"))

    def run(coins: Coins) -> int:
        return len(prepared.start(coins, "client").outbound(DATA_SEGMENT)[0][1].payload)

    found = enumerate_trials(run)
    assert found.complete
    assert found.coins == (("client/TCP:load kind", 0.25),)
    assert found.chance(lambda size: size == 0) == 0.25


def test_a_corrupted_load_can_be_letters_only() -> None:
    applied = prepare(parse(PA + "tamper{TCP:load:corrupt}-|"), Loads.LETTERS).start(ScriptedCoins())
    payload = applied.outbound(DATA_SEGMENT)[0][1].payload
    assert len(payload) == 10
    assert payload.isalnum()


def test_it_fits_where_a_rewriter_is_wanted() -> None:
    prepared = prepare(parse(PA + "delay{2}(duplicate,)-|"))
    tactic: Tactic = prepared.start
    rewriter: Rewriter = tactic(KeyedCoins(0))
    assert rewriter.outbound(DATA_SEGMENT) == [(2_000_000, DATA_SEGMENT)] * 2


@given(strategies(), packets(), st.integers(0, 3))
def test_no_packet_and_no_strategy_raise(strategy: Strategy, packet: Packet, seed: int) -> None:
    applied = prepare(strategy).start(KeyedCoins(seed))
    for one in (packet, DATA_SEGMENT, HELLO_SEGMENT, OPENING, QUERY, packet):
        for forest in (applied.outbound, applied.inbound):
            for after, made in forest(one):
                assert after >= 0
                serialise(made)


@given(strategies(), st.binary(max_size=90), st.integers(0, 89), st.integers(0, 255))
def test_nor_does_a_packet_that_is_damaged(strategy: Strategy, tail: bytes, at: int, value: int) -> None:
    for whole in (HELLO_SEGMENT, QUERY, sent(PSH | ACK, tail)):
        raw = bytearray(serialise(whole))
        raw[at % len(raw)] = value
        for damaged in (bytes(raw), bytes(raw[: max(20, len(raw) - at)])):
            packet = parse_packet(damaged, keep_raw=True)
            if isinstance(packet, Packet):
                for _, made in prepare(strategy).start(KeyedCoins(1)).outbound(packet):
                    serialise(made)


def test_a_packet_that_is_left_alone_keeps_its_bytes() -> None:
    packet = parse_packet(serialise(DATA_SEGMENT), keep_raw=True)
    assert isinstance(packet, Packet)
    left, right = act(PA + "duplicate(tamper{IP:ttl:replace:3},)-|", packet)
    assert right is packet
    assert left.raw is None


def microseconds(call: Callable[[], object], number: int = 20_000) -> float:
    return min(timeit.repeat(call, number=number, repeat=5)) / number * 1e6


@pytest.mark.long
def test_it_is_quick() -> None:
    idle = started("[TCP:flags:S]-drop-| [TCP:flags:R]-drop-|")
    busy = started(PA + "duplicate(tamper{TCP:dataofs:replace:10}(tamper{TCP:chksum:corrupt},),)-|")
    spent = microseconds(lambda: idle.outbound(DATA_SEGMENT)), microseconds(lambda: busy.outbound(DATA_SEGMENT))
    print(f"no match {spent[0]:.2f} us, duplicate and two tampers {spent[1]:.2f} us")
    assert spent[0] < 1
    assert spent[1] < 10
