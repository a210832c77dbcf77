"""Boxes with known probabilities and flows that give them grounds in; the exact odds of each and of all out, whatever a seed drew."""

from pathlib import Path

import pytest

from crenel.coins import KeyedCoins
from crenel.instant import Instant
from crenel.net.odds import MOST_OUTCOMES, Shown, any_of, exact_odds, interval_of, odds_of
from crenel.wall.effects import Because, Missed, Side
from crenel.wire.packet import ACK, FIN, PSH, RST, SYN, Packet, tcp_packet
from tests.net.made import REQUEST, WALK, box, wall_with

CLIENT, SERVER = bytes((192, 0, 2, 2)), bytes((198, 51, 100, 2))
LISTED = b"GET / HTTP/1.1\r\nHost: blocked.example\r\n\r\n"
UNLISTED = b"GET / HTTP/1.1\r\nHost: allowed.example\r\n\r\n"

COIN = """
[[tcb.tossing.row]]
in = ["none", "off"]
from = "client"
has = "S"
lacks = "AR"
do = "track"
sources = ["made-up"]
[[tcb.tossing.row]]
in = ["opening", "open"]
from = "client"
has = "R"
coin = "tear-down"
p = 0.25
do = "off"
sources = ["made-up"]
[[tcb.tossing.row]]
in = ["opening"]
from = "client"
has = "A"
lacks = "FRS"
do = "complete"
go-on = true
sources = ["made-up"]
[[tcb.tossing.row]]
in = ["open"]
from = "client"
has = "A"
lacks = "FRS"
load = true
do = "read"
sources = ["made-up"]
"""
TOSSING = '[tcb.tossing]\ntitle = "A RST ends it, one time in four"\nsources = ["made-up"]\nahead = 65535\nkeeps_newer = 0.0\n' + COIN


def shown(*steps: bytes | int) -> list[Shown]:
    """Return a connection: bytes are payloads of the client, numbers are flags of packets without any."""
    packets: list[tuple[Side, Packet]] = [
        (Side.INSIDE, tcp_packet(CLIENT, SERVER, 50000, 80, seq=1000, flags=SYN)),
        (Side.OUTSIDE, tcp_packet(SERVER, CLIENT, 80, 50000, seq=2000, ack=1001, flags=SYN | ACK)),
        (Side.INSIDE, tcp_packet(CLIENT, SERVER, 50000, 80, seq=1001, ack=2001)),
    ]
    at = 1001
    for step in steps:
        flags, payload = (PSH | ACK, step) if isinstance(step, bytes) else (step, b"")
        packets.append((Side.INSIDE, tcp_packet(CLIENT, SERVER, 50000, 80, seq=at, ack=2001, flags=flags, payload=payload)))
        at += len(payload)
    return [(Instant(number), side, packet) for number, (side, packet) in enumerate(packets)]


def test_independent_things_are_multiplied_and_one_thing_stays_as_it_is() -> None:
    assert any_of([]) == 0
    assert any_of([0.1]) == 0.1
    assert any_of([0.5, 0.5, 0.2]) == 0.8
    assert any_of([1e-20, 1e-20]) == 0 or any_of([1e-20, 1e-20]) > 0


def test_boxes_multiply(tmp_path: Path) -> None:
    wall = wall_with(tmp_path, box("a"), box("b", chance='p = 0.2, per = "pair"'), box("c", chance='p = 1.0, per = "event"'))
    odds = exact_odds(wall, shown(LISTED))
    assert odds.boxes == {"a": 0.5, "b": 0.2, "c": 1.0}
    assert odds.chance == 1.0
    assert [(number, because.value) for number, because in odds.grounds] == [(3, b"blocked.example")] * 3
    assert exact_odds(wall, shown(UNLISTED)) == exact_odds(wall, shown())
    assert not exact_odds(wall, shown()).boxes


@pytest.mark.parametrize(("per", "chance"), [("flow", 0.5), ("pair", 0.5), ("event", 0.75)])
def test_two_grounds_of_one_flow_share_a_toss_unless_each_event_has_its_own(tmp_path: Path, per: str, chance: float) -> None:
    wall = wall_with(tmp_path, box("a", chance=f'p = 0.5, per = "{per}"'))
    assert exact_odds(wall, shown(LISTED, LISTED)).chance == chance


@pytest.mark.parametrize("per", ["flow", "pair", "event"])
def test_the_grounds_of_any_seeded_run_give_the_same_odds(tmp_path: Path, per: str) -> None:
    wall = wall_with(tmp_path, box("a", chance=f'p = 0.5, per = "{per}"'), box("b", chance='p = 0.2, per = "flow"'))
    packets = shown(LISTED, UNLISTED, LISTED)
    exact = exact_odds(wall, packets)
    for seed in range(20):
        run = wall.start(KeyedCoins(seed), mode="forecast")
        grounds: list[Because] = []
        for now, side, packet in packets:
            assert isinstance(packet, Packet)
            for effect in run.see(now, side, packet):
                because = getattr(effect, "because", None)
                if because is not None and because not in grounds[-1:]:
                    grounds.append(because)
        if per != "event":
            assert odds_of(wall.boxes, grounds).boxes == exact.boxes


def test_residual_grounds_lie_outside_the_flow(tmp_path: Path) -> None:
    wall = wall_with(tmp_path, box("a"))
    because = Because("a", "", "", 0, 0, b"", "", 0.5, (), (), residual="before")
    assert odds_of(wall.boxes, [because]).chance == 0


def test_a_model_that_tosses_is_gone_through_in_all_its_outcomes(tmp_path: Path) -> None:
    wall = wall_with(tmp_path, box("a", tcb="tossing", chance='p = 1.0, per = "flow"'), box("b", tcb="tossing"), TOSSING)
    odds = exact_odds(wall, shown(RST, LISTED))
    assert odds.boxes == {"a": 0.75, "b": 0.375}
    assert odds.chance == 1 - 0.25 * 0.625
    assert {because.middlebox: number for number, because in odds.grounds} == {"a": 4, "b": 4}
    assert exact_odds(wall, shown(RST, RST, LISTED)).boxes == {"a": 0.5625, "b": 0.28125}


def test_what_is_tossed_after_the_last_payload_changes_nothing(tmp_path: Path) -> None:
    wall = wall_with(tmp_path, box("a", tcb="tossing"), TOSSING)
    assert exact_odds(wall, shown(LISTED, RST, RST, FIN | ACK)).chance == 0.5


def test_past_too_many_outcomes_trials_are_sampled(tmp_path: Path) -> None:
    """Twenty tosses have a million outcomes; what is left is then near the true value, and the same every time."""
    wall = wall_with(tmp_path, box("a", tcb="tossing", chance='p = 1.0, per = "flow"'), TOSSING.replace("p = 0.25", "p = 0.05"))
    packets = shown(*[RST] * 20, LISTED)
    chance = exact_odds(wall, packets).chance
    assert chance == pytest.approx(0.95**20, abs=4 * (0.25 / MOST_OUTCOMES) ** 0.5)
    assert chance == exact_odds(wall, packets).chance


def test_a_server_that_was_heard_counts_even_where_its_packets_were_not_kept(tmp_path: Path) -> None:
    """A carrier that did not keep the packets of an uneventful exchange says what they came to."""
    odd = '[[tcb.wary.row]]\nin = ["open"]\nfrom = "client"\nhas = "A"\nload = true\nwhen = ["ack-odd"]\ndo = "ignore"\nsources = ["made-up"]\n'
    table = TOSSING.replace("tossing", "wary")
    wary = table.replace('[[tcb.wary.row]]\nin = ["open"]', odd + '[[tcb.wary.row]]\nin = ["open"]')
    wall = wall_with(tmp_path, box("a", tcb="wary"), wary)
    reply = tcp_packet(SERVER, CLIENT, 80, 50000, seq=2001, ack=1001 + len(UNLISTED), flags=PSH | ACK, payload=b"x" * 99)
    begin = shown(UNLISTED)
    first = 1001 + len(UNLISTED)
    again = tcp_packet(CLIENT, SERVER, 50000, 80, seq=first, ack=2100, flags=PSH | ACK, payload=LISTED)
    whole = [*begin, (Instant(8), Side.OUTSIDE, reply), (Instant(9), Side.INSIDE, again)]
    assert exact_odds(wall, whole).chance == 0.5
    assert exact_odds(wall, [*begin, (Instant(9), Side.INSIDE, again)], served=True).chance == 0.5
    assert exact_odds(wall, [*begin, (Instant(9), Side.INSIDE, again)]).chance == 0


def test_data_that_was_passed_over_still_counts_towards_what_is_expected_next(tmp_path: Path) -> None:
    """Here a RST makes the box read anew, if it stands at the expected number; that number lies behind data which nobody kept."""
    anew = '[[tcb.anew.row]]\nin = ["open"]\nfrom = "client"\nhas = "R"\nwhen = ["seq-expected"]\ndo = "sync"\nto = "seq"\nsources = ["made-up"]\n'
    table = TOSSING.replace("tossing", "anew")
    table = table.replace('[[tcb.anew.row]]\nin = ["opening", "open"]', anew + '[[tcb.anew.row]]\nin = ["opening"]')
    wall = wall_with(tmp_path, box("a", tcb="anew"), table)
    begin, at = shown(b"no request"), 1001 + 10 + 5000
    rest: list[Shown] = [
        (Instant(8), Side.INSIDE, tcp_packet(CLIENT, SERVER, 50000, 80, seq=at, flags=RST)),
        (Instant(9), Side.INSIDE, tcp_packet(CLIENT, SERVER, 50000, 80, seq=at, ack=2001, flags=PSH | ACK, payload=LISTED)),
    ]
    assert exact_odds(wall, [*begin, (Instant(7), Side.INSIDE, at), *rest]).chance == 0.5
    assert exact_odds(wall, [*begin, *rest]).chance == 0


def test_a_value_that_more_parsers_see_counts_with_what_more_of_them_give(tmp_path: Path) -> None:
    """The first host is seen by one parser, the second by both: missing the one must not end the other, nor be tossed for twice."""
    walks = f"{WALK.format(title='lf', ends='lf', share=0.2)}, {WALK.format(title='crlf', ends='crlf', share=0.5)}"
    wall = wall_with(tmp_path, box("a", trigger=REQUEST.format(walks=walks), chance='p = 1.0, per = "flow"'))
    bare = b"GET / HTTP/1.1\r\nX: y\nHost: blocked.example\r\n\r\n"
    assert exact_odds(wall, shown(bare)).chance == 0.2
    assert exact_odds(wall, shown(LISTED)).chance == 0.6
    assert exact_odds(wall, shown(bare + LISTED)).chance == 0.6
    acted = 0
    for seed in range(400):
        run = wall.start(KeyedCoins(seed), mode="forecast")
        effects = [effect for now, side, packet in shown(bare + LISTED) for effect in run.see(now, side, packet)]  # type: ignore[arg-type]
        acted += any(not isinstance(effect, Missed) for effect in effects)
    assert acted == pytest.approx(240, abs=40)


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"), [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (5, 10, 0.2366, 0.7634), (500, 1000, 0.4691, 0.5309)]
)
def test_the_interval_is_that_of_wilson(successes: int, trials: int, low: float, high: float) -> None:
    assert interval_of(successes, trials) == pytest.approx((low, high), abs=0.0001)
