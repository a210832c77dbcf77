"""Rows of a state model and packets in, what the box then believes of the connection out: each deed, target, cause and limit."""

from pathlib import Path
from typing import Any

import pytest

from crenel.coins import Coins, ScriptedCoins, enumerate_trials
from crenel.flow.key import CLASS_ACK, CLASS_LOAD, CLASS_SECOND
from crenel.instant import Instant
from crenel.wall.effects import Because, Inject, Side
from crenel.wall.match import Entry, NameList
from crenel.wall.run import Run
from crenel.wall.strand import Strand
from crenel.wall.tcb import NONE, OFF, OPEN, OPENING, RESYNC
from crenel.wall.wall import Limits, Wall
from crenel.wire.packet import ACK, FIN, RST, SYN, Packet
from tests.net.made import box, wall_with
from tests.wall.making import (
    COMPLETE,
    FREE,
    ISN,
    LISTED,
    PEER,
    PLAIN,
    READ,
    TRACK,
    at,
    compiled,
    made_box,
    opening,
    show,
    show_each,
    table,
    to_client,
    to_server,
)  # fmt: skip

SYN_ROW: dict[str, Any] = {"in": ["track"], "from": "client", "has": "S", "lacks": "AR"}
RESET_ROW: dict[str, Any] = {"in": ["track"], "from": "client", "has": "R"}
SECOND = to_server(7000, SYN)
RESET = to_server(ISN + 1, RST)
WHOLE = 1 << 32


def start(
    *rows: dict[str, Any], coins: Coins | None = None, stream_bytes: int = 65536, ahead: int = 65535, keeps_newer: float = 0.0, joins: float = 1.0
) -> Run:
    """Return a run of a wall with one box of this model, which walks every packet."""
    # A row on the server's answer, though it does nothing, keeps an opening from being plain: every packet is walked.
    tcb = compiled(*rows, {"in": ["open"], "from": "server", "has": "SA", "do": "ignore"}, ahead=ahead, keeps_newer=keeps_newer)
    limits = Limits(flows=9, residual_entries=9, stream_bytes=stream_bytes)
    wall = Wall("made", "made", [made_box(tcb=tcb, joins=joins)], limits=limits, utc_offset=0, hour=0)
    assert wall.watch(6, 4, 80, inside=True, above=True).plain is None
    return wall.start(coins or ScriptedCoins())


def strand_after(run: Run, *packets: Packet) -> Strand:
    """Return the only view of the only flow after some packets."""
    show(run, packets)
    (record,) = run.flows.live()
    (strand,) = record.wall.strands
    assert isinstance(strand, Strand)
    return strand


def finds(run: Run, *packets: Packet, start: float = 0) -> list[tuple[int, Because]]:
    """Return the number of each packet on which the box acted, with why."""
    each = show_each(run, packets, start=start)
    return [(number, some[0].because) for number, some in enumerate(each) if some and isinstance(some[0], Inject)]


def places(run: Run, *packets: Packet) -> list[tuple[int, int]]:
    """Return the number of each packet on which the box acted, with the place of the value in the stream."""
    return [(number, because.offset) for number, because in finds(run, *packets)]


AT = LISTED.index(b"blocked")
"""Where the value stands in a request."""


# What rows do.


def test_a_box_that_does_not_track_sees_nothing() -> None:
    strand = strand_after(start(COMPLETE, READ), *opening(), to_server(ISN + 1, ACK, LISTED))
    assert strand.state == NONE


def test_tracking_begins_with_whoever_sends() -> None:
    """The sender of a SYN is the client of this view, be it the flow's second end."""
    assert (strand_after(start(*PLAIN), to_server(ISN, SYN)).client, strand_after(start(*PLAIN), to_server(ISN, SYN)).expected) == (0, ISN + 1)
    strand = strand_after(start(*PLAIN), to_server(ISN, ACK), to_client(PEER, SYN))
    assert (strand.state, strand.client, strand.isn, strand.expected) == (OPENING, 1, PEER, PEER + 1)


def test_what_the_second_end_says_is_read_where_it_opened() -> None:
    run = start(*PLAIN)
    packets = [to_server(ISN, ACK), to_client(PEER, SYN), to_client(PEER + 1, ACK, LISTED)]
    assert places(run, *packets) == [(2, AT)]
    assert places(start(*PLAIN), *packets[:2], to_server(ISN, ACK, LISTED)) == []


def test_tracking_wraps_past_the_highest_number() -> None:
    run = start(*PLAIN)
    assert strand_after(run, to_server(WHOLE - 1, SYN)).expected == 0
    assert places(run, to_server(0, ACK, LISTED)) == [(0, AT)]


@pytest.mark.parametrize(("seq", "odd"), [(ISN + 1, False), (ISN + 5, True)])
def test_completing_is_odd_at_an_unexpected_number_and_leaves_the_expected_one(seq: int, odd: bool) -> None:
    strand = strand_after(start(*PLAIN), to_server(ISN, SYN), to_server(seq))
    assert (strand.state, strand.odd, strand.expected) == (OPEN, odd, ISN + 1)


@pytest.mark.parametrize(("go_on", "found"), [(True, [(1, AT)]), (False, [])])
def test_data_that_complete_are_read_where_the_row_goes_on(go_on: bool, found: list[tuple[int, int]]) -> None:
    run = start(TRACK, COMPLETE | {"go-on": go_on}, READ)
    assert places(run, to_server(ISN, SYN), to_server(ISN + 1, ACK, LISTED)) == found


def test_off_gives_up_and_forgets() -> None:
    run = start(*PLAIN, RESET_ROW | {"do": "off"})
    strand = strand_after(run, *opening(), to_server(ISN + 1, ACK, FREE[:20]), to_server(ISN + 21, RST))
    assert (strand.state, strand.live, strand.buffer) == (OFF, 0, b"")
    assert places(run, to_server(ISN + 21, ACK, LISTED)) == []


def test_what_is_off_is_tracked_anew_where_a_row_says_so() -> None:
    packets = [*opening(), RESET, SECOND, to_server(7001, ACK, LISTED)]
    assert places(start(*PLAIN, RESET_ROW | {"do": "off"}), *packets) == [(4, AT)]
    assert places(start(TRACK | {"in": ["none"]}, COMPLETE, READ, RESET_ROW | {"do": "off"}), *packets) == []


def test_ignore_does_nothing_and_hides_the_rows_behind_it() -> None:
    run = start(TRACK, COMPLETE, RESET_ROW | {"do": "ignore"}, RESET_ROW | {"do": "off"}, READ)
    assert places(run, *opening(), RESET, to_server(ISN + 1, ACK, LISTED)) == [(3, AT)]


@pytest.mark.parametrize("payload", [b"", b"\x00" * 7])
def test_skipping_moves_the_expected_number_on_and_reads_nothing(payload: bytes) -> None:
    skip = {"in": ["open"], "from": "client", "has": "F", "do": "skip"}
    run = start(TRACK, COMPLETE, skip, READ)
    strand = strand_after(run, *opening(), to_server(ISN + 1, FIN | ACK, payload))
    assert (strand.expected, strand.begun, strand.base) == (ISN + 1 + len(payload), False, 0)
    assert places(run, to_server(ISN + 1 + len(payload), ACK, LISTED)) == [(0, AT)]


def test_what_waited_behind_a_gap_is_read_when_the_gap_is_skipped() -> None:
    skip = {"in": ["open"], "from": "client", "has": "F", "do": "skip"}
    run = start(TRACK, COMPLETE, skip, READ)
    packets = [*opening(), to_server(ISN + 6, ACK, LISTED[:30]), to_server(ISN + 1, FIN | ACK, b"12345"), to_server(ISN + 36, ACK, LISTED[30:])]
    assert places(run, *packets) == [(4, AT)]


def test_reversing_makes_the_receiver_of_an_answer_the_client() -> None:
    reverse = {"in": ["none"], "from": "client", "has": "SA", "do": "reverse"}
    strand = strand_after(start(reverse, *PLAIN), to_client(PEER, SYN | ACK))
    assert (strand.state, strand.client, strand.isn, strand.expected, strand.server_next, strand.syn_acks) == (OPENING, 0, ISN, ISN + 1, PEER + 1, 1)
    run = start(reverse, *PLAIN)
    assert places(run, to_client(PEER, SYN | ACK), to_server(ISN + 1), to_server(ISN + 1, ACK, LISTED)) == [(2, AT)]


def test_reversing_wraps_below_0() -> None:
    reverse = {"in": ["none"], "from": "client", "has": "SA", "do": "reverse"}
    strand = strand_after(start(reverse, *PLAIN), to_client(WHOLE - 1, SYN | ACK, ack=0))
    assert (strand.isn, strand.expected, strand.server_next) == (WHOLE - 1, 0, 0)


@pytest.mark.parametrize(("to", "expected"), [("seq", 7000), ("ack", PEER + 9), ("isn+1", ISN + 1)])
def test_to_resynchronise_puts_the_expected_number_where_the_row_says(to: str, expected: int) -> None:
    sync = {"in": ["open"], "from": "client", "has": "F", "do": "sync", "to": to}
    strand = strand_after(start(TRACK, COMPLETE, sync, READ), *opening(), to_server(ISN + 1, ACK, b"GET"), to_server(7000, FIN | ACK, ack=PEER + 9))
    assert (strand.state, strand.expected) == (OPEN, expected)


def test_to_resynchronise_forgets_what_was_read_and_held_but_goes_on_counting() -> None:
    sync = {"in": ["open"], "from": "client", "has": "F", "do": "sync", "to": "seq"}
    run = start(TRACK, COMPLETE, sync, READ)
    begun = [*opening(), to_server(ISN + 1, ACK, LISTED[:10]), to_server(ISN + 21, ACK, b"held")]
    strand = strand_after(run, *begun, to_server(7000, FIN | ACK))
    assert (strand.buffer, strand.late, strand.ends, strand.base, strand.begun) == (b"", None, [], 10, False)
    assert places(run, to_server(7000, ACK, LISTED[10:])) == []
    run = start(TRACK, COMPLETE, sync, READ)
    assert places(run, *begun, to_server(7000, FIN | ACK), to_server(7000, ACK, LISTED)) == [(5, 10 + AT)]


def test_a_reader_that_had_given_up_reads_again_after_a_resynchronisation() -> None:
    sync = {"in": ["open"], "from": "client", "has": "F", "do": "sync", "to": "seq"}
    packets = [*opening(), to_server(ISN + 1, ACK, b"\x00junk"), to_server(7000, FIN | ACK), to_server(7000, ACK, LISTED)]
    assert places(start(TRACK, COMPLETE, sync, READ), *packets) == [(4, len(b"\x00junk") + AT)]
    assert places(start(*PLAIN), *opening(), to_server(ISN + 1, ACK, b"\x00junk"), to_server(ISN + 6, ACK, LISTED)) == []


def test_a_reader_that_gave_up_in_the_midst_of_a_stream_does_not_come_back() -> None:
    for first, found in ((b"GIBBERISH", []), (FREE, [(3, len(FREE) + AT)])):
        run = start(*PLAIN)
        assert places(run, *opening(), to_server(ISN + 1, ACK, first), to_server(ISN + 1 + len(first), ACK, LISTED)) == found


def test_roles_are_forgotten_when_a_connection_is_given_up() -> None:
    """The second end opened, and was torn down; then the first end opens."""
    run = start(*PLAIN, RESET_ROW | {"do": "off"})
    packets = [to_server(1, ACK), to_client(PEER, SYN), to_client(PEER + 1), to_client(PEER + 1, RST)]
    assert strand_after(run, *packets).state == OFF
    assert places(run, *opening(), to_server(ISN + 1, ACK, LISTED)) == [(2, AT)]


# Waiting for a target.

TARGETS: dict[str, set[str]] = {
    "client": {"syn", "ack", "data", "bare reset", "unflagged data"}, "client-ack": {"ack", "data"}, "client-data": {"data", "unflagged data"},
    "server-syn-ack": {"server syn-ack"},
}
CANDIDATES = {
    "syn": to_server(7000, SYN), "ack": to_server(7000), "data": to_server(7000, ACK, b"x"), "bare reset": to_server(7000, RST),
    "unflagged data": to_server(7000, 0, b"x"), "server syn-ack": to_client(7000, SYN | ACK), "server ack": to_client(7000),
    "server data": to_client(7000, ACK, b"x"),
}


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("candidate", CANDIDATES)
def test_only_a_target_ends_the_wait(target: str, candidate: str) -> None:
    wait = RESET_ROW | {"do": "resync", "targets": [target]}
    ends = [{"in": ["resync"], "from": end, "when": ["targeted"], "do": "sync", "to": "seq"} for end in ("client", "server")]
    strand = strand_after(start(TRACK, COMPLETE, READ, wait, *ends), *opening(), RESET, CANDIDATES[candidate])
    assert (strand.state == OPEN) is (candidate in TARGETS[target])
    if strand.state == OPEN:
        assert strand.expected == 7000


def test_either_of_two_targets_ends_the_wait() -> None:
    wait = RESET_ROW | {"do": "resync", "targets": ["client-data", "server-syn-ack"]}
    ends = [{"in": ["resync"], "from": end, "when": ["targeted"], "do": "sync", "to": "seq"} for end in ("client", "server")]
    for candidate, state in (("data", OPEN), ("server syn-ack", OPEN), ("ack", RESYNC)):
        assert strand_after(start(*PLAIN, wait, *ends), *opening(), RESET, CANDIDATES[candidate]).state == state


def test_a_target_is_none_outside_the_wait() -> None:
    wait = RESET_ROW | {"do": "resync", "targets": ["client"]}
    back = {"in": ["resync"], "from": "client", "when": ["targeted"], "do": "sync", "to": "seq"}
    never = {"in": ["open"], "from": "client", "has": "F", "when": ["targeted"], "do": "off"}
    assert strand_after(start(*PLAIN, wait, back, never), *opening(), RESET, to_server(ISN + 1), to_server(ISN + 1, FIN)).state == OPEN


@pytest.mark.parametrize(("packet", "cause", "state"), [(RESET, "reset", OPEN), (SECOND, "syn", OFF)])
def test_a_row_may_ask_why_the_box_waits(packet: Packet, cause: str, state: int) -> None:
    rows = [
        RESET_ROW | {"do": "resync", "targets": ["client"], "as": "reset"}, SYN_ROW | {"do": "resync", "targets": ["client"], "as": "syn"},
        {"in": ["resync"], "from": "client", "cause": "reset", "do": "sync", "to": "seq"},
        {"in": ["resync"], "from": "client", "cause": "syn", "do": "off"},
    ]
    run = start(*PLAIN, *rows)
    assert strand_after(run, *opening(), packet).cause == cause
    assert strand_after(run, to_server(7001)).state == state


def test_nothing_is_read_while_the_box_waits() -> None:
    wait = RESET_ROW | {"do": "resync", "targets": ["client-data"]}
    back = {"in": ["resync"], "from": "client", "when": ["targeted"], "do": "sync", "to": "seq", "go-on": True}
    late = {"in": ["resync"], "from": "client", "when": ["targeted"], "do": "sync", "to": "seq"}
    packets = [*opening(), RESET, to_server(9000, ACK, LISTED)]
    assert places(start(*PLAIN, wait, back), *packets) == [(3, AT)]
    assert places(start(*PLAIN, wait, late), *packets) == []


def test_a_wait_keeps_what_was_read_before() -> None:
    """It is only forgotten at the resynchronisation itself."""
    wait = RESET_ROW | {"do": "resync", "targets": ["client"]}
    run = start(*PLAIN, wait)
    assert strand_after(run, *opening(), to_server(ISN + 1, ACK, LISTED[:10]), RESET).buffer == LISTED[:10]


# Going on.


def test_a_table_that_goes_in_a_circle_stops() -> None:
    circle = [
        {"in": ["open"], "from": "client", "has": "F", "do": "resync", "targets": ["client"], "go-on": True},
        {"in": ["resync"], "from": "client", "has": "F", "do": "sync", "to": "seq", "go-on": True},
    ]
    run = start(TRACK, COMPLETE, READ, *circle)
    strand = strand_after(run, *opening(), to_server(7000, FIN))
    assert strand.state == RESYNC  # to and fro four times, and once more without going on


@pytest.mark.parametrize(("steps", "found"), [(4, [(0, AT)]), (5, [])])
def test_a_packet_is_judged_again_four_times_at_most(steps: int, found: list[tuple[int, int]]) -> None:
    """Each step of the chain goes on by one more state and guard; the last one reads."""
    chain: list[dict[str, Any]] = [{"in": ["none"], "from": "client", "has": "A", "do": "track", "go-on": True}]
    chain.append({"in": ["opening"], "from": "client", "has": "A", "do": "complete", "go-on": True})
    wait = {"do": "resync", "targets": ["client"], "go-on": True}
    chain.append({"in": ["open"], "from": "client", "has": "A", "when": ["seq-odd"], "as": "first"} | wait)
    if steps == 5:
        chain.append({"in": ["resync"], "from": "client", "cause": "first", "as": "second"} | wait)
        chain.append({"in": ["resync"], "from": "client", "cause": "second", "do": "sync", "to": "seq", "go-on": True})
    else:
        chain.append({"in": ["resync"], "from": "client", "do": "sync", "to": "seq", "go-on": True})
    chain.append(READ)
    assert places(start(*chain), to_server(ISN, ACK, LISTED)) == found


# Coins.


def tearing(per: str, p: float = 0.5) -> dict[str, Any]:
    return RESET_ROW | {"coin": "tear", "p": p, "per": per, "do": "off"}


@pytest.mark.parametrize(("tear", "found"), [(True, []), (False, [(3, AT)])])
@pytest.mark.parametrize("per", ["event", "flow", "pair"])
def test_a_coin_decides_whether_a_row_is_carried_out(per: str, tear: bool, found: list[tuple[int, int]]) -> None:
    run = start(*PLAIN, tearing(per), coins=ScriptedCoins(otherwise=tear))
    assert places(run, *opening(), RESET, to_server(ISN + 1, ACK, LISTED)) == found
    (record,) = run.flows.live()
    assert record.wall.tossed


@pytest.mark.parametrize(("per", "survives"), [("event", 0.25), ("flow", 0.5), ("pair", 0.5)])
def test_two_resets_toss_once_or_twice(per: str, survives: float) -> None:
    def found(coins: Coins) -> bool:
        return bool(places(start(*PLAIN, tearing(per), coins=coins), *opening(), RESET, RESET, to_server(ISN + 1, ACK, LISTED)))

    assert enumerate_trials(found).chance(bool) == pytest.approx(survives)


@pytest.mark.parametrize(("per", "survive"), [("event", 0.25), ("flow", 0.25), ("pair", 0.5)])
def test_two_flows_of_a_pair_toss_once_or_twice(per: str, survive: float) -> None:
    def found(coins: Coins) -> bool:
        run = start(*PLAIN, tearing(per), coins=coins)
        return all(
            finds(run, *opening(port), to_server(ISN + 1, RST, port=port), to_server(ISN + 1, ACK, LISTED, port=port), start=port)
            for port in (50000, 50001)
        )

    assert enumerate_trials(found).chance(bool) == pytest.approx(survive)


def test_a_row_whose_coin_falls_otherwise_leaves_the_packet_to_the_next() -> None:
    run = start(*PLAIN, tearing("flow"), RESET_ROW | {"do": "resync", "targets": ["client"]}, coins=ScriptedCoins(otherwise=False))
    assert strand_after(run, *opening(), RESET).state == RESYNC


# The server's side.


@pytest.mark.parametrize(("packets", "repeated"), [(1, False), (2, True)])
def test_the_second_answer_of_the_server_is_a_repetition(packets: int, repeated: bool) -> None:
    off = {"in": ["track"], "from": "server", "has": "SA", "when": ["repeated"], "do": "off"}
    strand = strand_after(start(TRACK, off, COMPLETE, READ), to_server(ISN, SYN), *[to_client(PEER, SYN | ACK)] * packets)
    assert (strand.state == OFF) is repeated


@pytest.mark.parametrize(("ack", "odd"), [(ISN + 1, False), (ISN, True), (ISN + 2, True)])
def test_an_answer_is_odd_where_it_acknowledges_another_syn(ack: int, odd: bool) -> None:
    off = {"in": ["opening"], "from": "server", "has": "SA", "when": ["ack-odd"], "do": "off"}
    assert (strand_after(start(*PLAIN, off), to_server(ISN, SYN), to_client(PEER, SYN | ACK, ack=ack)).state == OFF) is odd


@pytest.mark.parametrize(
    ("server", "ack", "odd"),
    [
        ([], 1, False),
        ([to_client(PEER, SYN | ACK)], PEER + 1, False),
        ([to_client(PEER, SYN | ACK)], PEER, True),
        ([to_client(PEER, SYN | ACK)], PEER + 2, True),
        ([to_client(PEER, SYN | ACK), to_client(PEER + 60, SYN | ACK)], PEER + 1, False),
        ([to_client(PEER, SYN | ACK), to_client(PEER + 1, ACK, b"hello")], PEER + 6, False),
        ([to_client(PEER, SYN | ACK), to_client(PEER + 1, ACK, b"hello")], PEER, True),
        ([to_client(PEER, SYN | ACK), to_client(PEER + 9, ACK, b"hello")], PEER + 6, True),
        ([to_client(PEER, SYN | ACK), to_client(PEER + 1, ACK)], PEER + 6, True),
    ],
)
def test_an_acknowledgement_is_odd_by_what_the_server_was_seen_to_send(server: list[Packet], ack: int, odd: bool) -> None:
    off = {"in": ["open"], "from": "client", "has": "A", "load": True, "when": ["ack-odd"], "do": "off"}
    run = start(TRACK, COMPLETE, off, READ)
    packets = [to_server(ISN, SYN), *server, to_server(ISN + 1, ack=PEER + 1), to_server(ISN + 1, ACK, LISTED, ack=ack)]
    assert bool(places(run, *packets)) is not odd


# The stream.


def test_only_the_expected_bytes_are_read_now_and_later_ones_in_their_turn() -> None:
    run = start(*PLAIN)
    assert places(run, *opening(), to_server(ISN + 21, ACK, LISTED[20:]), to_server(ISN + 1, ACK, LISTED[:20])) == [(3, AT)]


def test_what_was_read_is_not_read_again() -> None:
    run = start(*PLAIN)
    packet = to_server(ISN + 1, ACK, LISTED)
    assert places(run, *opening(), packet, packet, to_server(ISN + 1, ACK, FREE)) == [(2, AT)]


@pytest.mark.parametrize(("ahead", "found"), [(20, [(3, AT)]), (19, []), (0, [])])
def test_a_segment_may_begin_so_far_ahead(ahead: int, found: list[tuple[int, int]]) -> None:
    run = start(*PLAIN, ahead=ahead)
    assert places(run, *opening(), to_server(ISN + 21, ACK, LISTED[20:]), to_server(ISN + 1, ACK, LISTED[:20])) == found


OLD, NEW = b"GET / HTTP/1.1\r\n", LISTED[16:]
INNOCENT = b"Host: allowed.example\r\n\r\n"


@pytest.mark.parametrize(("keeps_newer", "toss", "found"), [(0.0, None, []), (1.0, None, [4]), (0.3, True, [4]), (0.3, False, [])])
def test_of_two_segments_out_of_order_one_is_kept(keeps_newer: float, toss: bool | None, found: list[int]) -> None:
    """The older says what is allowed, the newer what is listed."""
    assert len(INNOCENT) == len(NEW)
    run = start(*PLAIN, keeps_newer=keeps_newer, coins=ScriptedCoins(otherwise=bool(toss)))
    packets = [*opening(), to_server(ISN + 17, ACK, INNOCENT), to_server(ISN + 17, ACK, NEW), to_server(ISN + 1, ACK, OLD)]
    assert [number for number, _ in places(run, *packets)] == found
    (record,) = run.flows.live()
    assert record.wall.tossed is (toss is not None)


@pytest.mark.parametrize(("keeps_newer", "chance"), [(0.3, 0.3), (0.75, 0.75)])
def test_the_newer_is_kept_as_often_as_the_model_says(keeps_newer: float, chance: float) -> None:
    def found(coins: Coins) -> bool:
        packets = [*opening(), to_server(ISN + 17, ACK, INNOCENT), to_server(ISN + 17, ACK, NEW), to_server(ISN + 1, ACK, OLD)]
        return bool(places(start(*PLAIN, keeps_newer=keeps_newer, coins=coins), *packets))

    assert enumerate_trials(found).chance(bool) == pytest.approx(chance)


@pytest.mark.parametrize(("limit", "gives_up"), [(59, True), (60, False)])
def test_a_stream_that_nobody_is_done_with_is_given_up_past_its_limit(limit: int, gives_up: bool) -> None:
    """The request is not ended, so its reader holds all of its bytes."""
    head = b"GET / HTTP/1.1\r\nX: " + b"y" * 41
    assert len(head) == 60
    run = start(*PLAIN, stream_bytes=limit)
    strand = strand_after(run, *opening(), to_server(ISN + 1, ACK, head))
    assert (strand.live == 0, strand.buffer == b"", strand.ends == []) == (gives_up,) * 3
    assert places(run, to_server(ISN + 61, ACK, b"\r\n" + NEW)) == ([] if gives_up else [(0, 60 + 2 + 6)])


def test_what_all_readers_are_done_with_is_let_go() -> None:
    run = start(*PLAIN, stream_bytes=100)
    packets = [to_server(ISN + 1 + number * len(FREE), ACK, FREE) for number in range(20)]
    strand = strand_after(run, *opening(), *packets)
    assert strand.live
    assert (len(strand.buffer), strand.base) == (0, 20 * len(FREE))
    assert places(run, to_server(ISN + 1 + 20 * len(FREE), ACK, LISTED)) == [(0, 20 * len(FREE) + AT)]


@pytest.mark.parametrize("join", [True, False])
def test_whether_segments_are_joined_is_tossed_where_it_matters(join: bool) -> None:
    run = start(*PLAIN, joins=0.5, coins=ScriptedCoins({"joins": join}))
    found = places(run, *opening(), to_server(ISN + 1, ACK, LISTED[:20]), to_server(ISN + 21, ACK, LISTED[20:]))
    assert found == ([(3, AT)] if join else [])
    (record,) = run.flows.live()
    assert record.wall.tossed


@pytest.mark.parametrize(("alike", "chance"), [(True, 0.75), (False, 0.0)])
def test_flows_of_a_pair_are_joined_alike(alike: bool, chance: float) -> None:
    def both(coins: Coins) -> bool:
        run = start(*PLAIN, joins=0.75, coins=coins)
        found = [
            bool(finds(run, *opening(port), *[to_server(ISN + 1 + at_, ACK, part, port=port) for at_, part in ((0, LISTED[:20]), (20, LISTED[20:]))]))
            for port in (50000, 50001)
        ]
        return all(found) if alike else found[0] != found[1]

    assert enumerate_trials(both).chance(bool) == pytest.approx(chance)


def test_no_coin_is_needed_where_both_ways_read_the_same() -> None:
    run = start(*PLAIN, joins=0.5, coins=ScriptedCoins(otherwise=False))
    assert places(run, *opening(), to_server(ISN + 1, ACK, LISTED)) == [(2, AT)]
    (record,) = run.flows.live()
    assert not record.wall.tossed


# What boxes see of one another.

SHOUTS = (
    'inject = [{ flags = "R", copies = 1, toward = ["server"], seq = [0], ack = "zero", df = false, ip_id = { fixed = 0 }, ttl = { fixed = 64 }, '
    "window = { fixed = 0 }, delay = { fixed = 1 } }]"
)


@pytest.mark.parametrize(("sees", "forecast", "torn"), [(True, False, True), (False, False, False), (True, True, False)])
def test_what_one_box_injects_another_may_see(tmp_path: Path, sees: bool, forecast: bool, torn: bool) -> None:
    """The first acts on the first name; the second, which knows only the other one, takes the forged reset for the client's."""
    entry = '{ name = "late.example", form = "suffix", source = "made-up" }'
    names = f'[list.late]\ntitle = "Late"\nkind = "names"\nsources = ["made-up"]\nentries = [{entry}]\n'
    second = box("second", chance='p = 1.0, per = "event"', reaction=SHOUTS, tcb="torn").replace('list = "names"', 'list = "late"')
    if not sees:
        second = second.replace('placement = "on-path"', 'placement = "on-path"\nsees_injected = false')
    first = box("first", chance='p = 1.0, per = "event"', reaction=SHOUTS)
    wall = wall_with(tmp_path, names, first, second, table("torn", *PLAIN, RESET_ROW | {"do": "off"}))
    run = wall.start(ScriptedCoins(), mode="forecast" if forecast else "live")
    later = LISTED.replace(b"blocked", b"late")
    effects = show_each(run, [*opening(), to_server(ISN + 1, ACK, LISTED), to_server(ISN + 1 + len(LISTED), ACK, later)])
    assert [effect.because.middlebox for effect in effects[2]] == ["first"]  # type: ignore[union-attr]
    # A forecast reports the second box's ground, too, as one that came too late.
    assert [effect.because.middlebox for effect in effects[3]] == ([] if torn else ["second"])  # type: ignore[union-attr]


def test_boxes_that_went_along_part_where_one_of_them_sees_a_forged_packet() -> None:
    """All but the first wait for another name; of these one is blind for what other boxes inject."""
    tables = [compiled(*PLAIN), *[compiled(*PLAIN, RESET_ROW | {"do": "off"})] * 2]
    names = ("first", "blind", "seeing")
    boxes = [made_box(name, index=number, tcb=tables[number], sees_injected=name != "blind") for number, name in enumerate(names)]
    for box_ in boxes[1:]:
        box_.names = NameList([Entry("late.example", "suffix", "made-up")])
    wall = Wall("made", "made", boxes, limits=Limits(flows=9, residual_entries=9, stream_bytes=999), utc_offset=0, hour=0)
    run = wall.start(ScriptedCoins())
    # What a box did reaches the others before they see the next packet.
    show(run, [*opening(), to_server(ISN + 1, ACK, LISTED), to_server(ISN + 1 + len(LISTED), ACK, b"on")])
    (record,) = run.flows.live()
    states = {lane.box.id: strand.state for strand in record.wall.strands for lane in strand.lanes.lanes}
    assert states == {"first": OFF, "blind": OPEN, "seeing": OFF}


def test_a_box_gives_up_the_flow_on_which_it_acted() -> None:
    """Live it is done with it; what its own injections would do to it does not matter any more."""
    run = start(*PLAIN)
    assert [number for number, _ in finds(run, *opening(), to_server(ISN + 1, ACK, LISTED), to_server(ISN + 1 + len(LISTED), ACK, LISTED))] == [2]
    (record,) = run.flows.live()
    assert [strand.state for strand in record.wall.strands] == [OFF]


# What is of interest to a strand.


def test_interest_follows_the_roles_that_a_view_has() -> None:
    run = start(*PLAIN)
    data = CLASS_ACK | CLASS_LOAD
    show(run, [to_server(ISN, ACK), to_client(PEER, SYN), to_client(PEER + 1)])
    (record,) = run.flows.live()
    assert run.interest(record.key) >> (data | CLASS_SECOND) & 1
    assert not run.interest(record.key) >> data & 1


def test_an_unknown_flow_is_of_interest_whole() -> None:
    assert start(*PLAIN).interest(bytes(12)) == (1 << 64) - 1


def test_no_side_is_needed_to_know_the_ends_of_a_known_flow() -> None:
    """Which end sent a packet is told by its addresses; the side only tells where the opener stands."""
    run = start(*PLAIN)
    packets = [*opening(), to_server(ISN + 1, ACK, LISTED)]
    each = [run.see(Instant(at(number)), Side.INSIDE if number == 0 else Side.OUTSIDE, packet) for number, packet in enumerate(packets)]
    assert [effect.toward for effect in each[-1] if isinstance(effect, Inject)] == [Side.INSIDE, Side.OUTSIDE]
