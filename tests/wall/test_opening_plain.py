"""Flows that open as the textbook says, and flows that nearly do, in; the same effects out whether their openings cost little or all is walked."""

import itertools
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.atlas.compile import load_wall
from crenel.coins import KeyedCoins, ScriptedCoins
from crenel.flow.key import CLASS_ACK, CLASS_LOAD, CLASS_RST, CLASS_SECOND, CLASS_SYN
from crenel.flow.table import FlowRecord
from crenel.instant import Instant
from crenel.wall import wall as wall_module
from crenel.wall.effects import Effect, Side
from crenel.wall.opening import ASKED, HEARD, NEW, Plain, plain_opening
from crenel.wall.run import Run
from crenel.wall.wall import Limits, Wall, Watch
from crenel.wire.packet import ACK, FIN, PSH, RST, SYN, TCP, UDP, Packet, tcp_packet, udp_packet
from tests.conversation import MAKERS
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
    flow,
    made_box,
    residual,
    show_each,
    to_client,
    to_server,
    words,
)  # fmt: skip
from tests.wall.test_run_interest import see_all, see_of_interest

DATES = ("2020-01-15", "2022-06-01", "2025-01-15")
"""Days on which openings are plain; before them a coin of each pair decides which model a box has."""
CLIENT, SERVER = bytes((192, 0, 2, 1)), bytes((198, 51, 100, 2))
FIRSTS = (
    MAKERS["request"]("blocked.example"), MAKERS["request"]("allowed.example"), MAKERS["request"](path="/?q=ultrasurf"),
    MAKERS["hello"]("blocked.example"), MAKERS["hello"]("allowed.example"),
    MAKERS["framed"]("blocked.example"), MAKERS["framed"]("allowed.example"), MAKERS["noise"]("120"),
    b"\x14\x03\x03\x00\x01\x01", b"x" * 30, b"GET", b"\x16",
)
DATAGRAMS = (
    MAKERS["query"]("blocked.example"), MAKERS["query"]("allowed.example"), MAKERS["initial"]("blocked.example"),
    MAKERS["initial"]("allowed.example"), b"", b"x",
)
Shown = tuple[int, bool, Packet]
"""Milliseconds, whether the client sent it, and the packet."""


def opened(port: int, dport: int, first: bytes, cuts: Sequence[int], isn: int = ISN) -> list[Shown]:
    """Return a connection by the book: opening, the first words in as many segments as there are cuts, an answer, and the end."""
    client, server = (CLIENT, SERVER, port, dport), (SERVER, CLIENT, dport, port)
    edges = [0, *sorted({cut % len(first) for cut in cuts} - {0}), len(first)]
    said = [
        tcp_packet(*client, seq=(isn + 1 + start) % (1 << 32), ack=PEER + 1, flags=PSH | ACK, payload=first[start:end])
        for start, end in itertools.pairwise(edges)
    ]
    after, second = (isn + 1 + len(first)) % (1 << 32), (isn + 1) % (1 << 32)
    packets = [
        tcp_packet(*client, seq=isn, flags=SYN), tcp_packet(*server, seq=PEER, ack=second, flags=SYN | ACK),
        tcp_packet(*client, seq=second, ack=PEER + 1), *said, tcp_packet(*server, seq=PEER + 1, ack=after, flags=PSH | ACK, payload=b"answer"),
        tcp_packet(*client, seq=after, ack=PEER + 7), tcp_packet(*client, seq=after, ack=PEER + 7, flags=PSH | ACK, payload=FIRSTS[0]),
        tcp_packet(*server, seq=PEER + 7, ack=after, flags=FIN | ACK),
    ]
    return [(10, packet.src == CLIENT, packet) for packet in packets]


CHANGES = st.one_of(
    st.tuples(st.just("repeat"), st.integers(0, 9), st.integers(0, 9)),
    st.tuples(st.just("swap"), st.integers(0, 9), st.integers(0, 9)),
    st.tuples(st.just("lose"), st.integers(0, 9), st.just(0)),
    st.tuples(st.just("ack"), st.integers(0, 9), st.sampled_from((-1, 1, 6, 777, 1 << 31))),
    st.tuples(st.just("seq"), st.integers(0, 9), st.sampled_from((-1, 1, 5, 777, 70000, 1 << 31))),
    st.tuples(
        st.just("flags"), st.integers(0, 9), st.sampled_from((0, SYN, SYN | ACK, RST, RST | ACK, FIN, FIN | ACK, PSH, ACK, SYN | FIN, SYN | RST))
    ),
    st.tuples(st.just("insert"), st.integers(0, 9), st.sampled_from((0, SYN, SYN | ACK, RST, RST | ACK, FIN, FIN | ACK, ACK))),
    st.tuples(st.just("insert-server"), st.integers(0, 9), st.sampled_from((0, SYN, SYN | ACK, RST, RST | ACK, FIN | ACK, ACK))),
    st.tuples(st.just("empty"), st.integers(0, 9), st.just(0)),
    st.tuples(st.just("load"), st.integers(0, 9), st.integers(0, len(FIRSTS) - 1)),
    st.tuples(st.just("late"), st.integers(0, 9), st.sampled_from((1000, 61_000, 200_000))),
)


def changed(shown: list[Shown], changes: Sequence[tuple[str, int, int]]) -> list[Shown]:
    """Return a conversation in which something is not by the book."""
    out = list(shown)
    for what, place, value in changes:
        here = place % len(out)
        gap, client, packet = out[here]
        if what == "repeat":
            out.insert(value % (len(out) + 1), out[here])
        elif what == "swap":
            other = value % len(out)
            out[here], out[other] = out[other], out[here]
        elif what == "lose" and len(out) > 1:
            del out[here]
        elif what in {"ack", "seq"}:
            out[here] = (gap, client, msgspec.structs.replace(packet, **{what: (getattr(packet, what) + value) % (1 << 32)}))
        elif what == "flags":
            out[here] = (gap, client, msgspec.structs.replace(packet, flags=value))
        elif what.startswith("insert"):
            server = what == "insert-server"
            ends = (packet.dst, packet.src, packet.dport, packet.sport) if server == client else (packet.src, packet.dst, packet.sport, packet.dport)
            seq, ack = (packet.ack, packet.seq) if server == client else (packet.seq, packet.ack)
            out.insert(here, (gap, not server, tcp_packet(*ends, seq=seq, ack=ack, flags=value)))
        elif what == "empty":
            out[here] = (gap, client, msgspec.structs.replace(packet, payload=b""))
        elif what == "load":
            out[here] = (gap, client, msgspec.structs.replace(packet, payload=FIRSTS[value]))
        elif what == "late":
            out[here] = (value, client, packet)
    return out


FLOW = st.builds(
    lambda port, dport, first, cuts, changes, isn: changed(opened(port, dport, FIRSTS[first], cuts, isn), changes),
    st.sampled_from((40000, 40001)), st.sampled_from((80, 443, 443, 25)), st.integers(0, len(FIRSTS) - 1), st.lists(st.integers(1, 400), max_size=3),
    st.lists(CHANGES, max_size=4), st.sampled_from((ISN, 70, (1 << 32) - 20)),
)
DATAGRAM = st.builds(
    lambda port, dport, data, client, gap: (
        gap, client, udp_packet(*((CLIENT, SERVER, port, dport) if client else (SERVER, CLIENT, dport, port)), DATAGRAMS[data])
    ),
    st.sampled_from((40000, 40001, 50)), st.sampled_from((53, 443, 80)), st.integers(0, len(DATAGRAMS) - 1), st.booleans(),
    st.sampled_from((1, 1000, 61_000, 200_000)),
)


class FullRun(Run):
    """A run in which every datagram is shown to the boxes whose flow it is."""

    def _datagram_passes(self, record: FlowRecord, watch: Watch, now: Instant, packet: Packet, *, second: bool) -> bool:
        return False


RICH: tuple[dict[str, Any], ...] = (
    TRACK,
    {"in": ["track"], "from": "client", "has": "S", "lacks": "A", "do": "resync", "targets": ["client-data", "server-syn-ack"], "as": "syn"},
    {"in": ["open"], "from": "client", "has": "R", "when": ["seq-expected"], "coin": "tear", "p": 0.4, "do": "off"},
    {"in": ["track"], "from": "client", "has": "R", "do": "resync", "targets": ["client"], "as": "reset"},
    {"in": ["opening"], "from": "server", "has": "SA", "when": ["ack-odd"], "do": "off"},
    {"in": ["open"], "from": "server", "has": "SA", "when": ["repeated", "seq-odd", "ack-odd"], "do": "resync", "targets": ["client-ack"]},
    {"in": ["resync"], "from": "server", "has": "SA", "when": ["targeted"], "do": "sync", "to": "ack"},
    {"in": ["resync"], "from": "client", "cause": "reset", "when": ["targeted"], "do": "sync", "to": "isn+1"}
    | {"coin": "sync", "p": 0.7, "per": "pair"},
    {"in": ["resync"], "from": "client", "when": ["targeted"], "do": "sync", "to": "seq", "go-on": True},
    COMPLETE,
    {"in": ["open"], "from": "client", "has": "A", "lacks": "FRS", "load": True, "when": ["ack-odd"], "do": "skip"},
    {"in": ["open"], "from": "client", "has": "F", "do": "off"},
    READ,
)
"""Rows for whatever is not by the book, and the plain ones."""


def rich_wall() -> Wall:
    """Return a wall of boxes which open alike and differ in what else they do: models, coins, how they join segments, memory."""
    # Boxes that hold segments otherwise would part at the first one that is read, and then no opening is plain.
    tables = [compiled(*model, ahead=100, keeps_newer=1.0) for model in (PLAIN, RICH, RICH, RICH)]
    remembers = residual(seconds=30, on="payload", does="reset", refresh=True, chances=[0.3, 0.9], onset={"fixed": 15})
    boxes = [
        made_box(f"b{number}", index=number, tcb=tables[number], joins=joins, remembers=remembers if number == 3 else None)
        for number, joins in enumerate((1.0, 0.5, 0.5, 0.0))
    ]
    return Wall("made", "made", boxes, limits=Limits(flows=9, residual_entries=9, stream_bytes=150), utc_offset=0, hour=None)


def mixed(talks: Sequence[Sequence[Shown]], order: int) -> list[Shown]:
    """Return several conversations as one, each in its order."""
    left = [list(talk) for talk in talks]
    out: list[Shown] = []
    while any(left):
        waiting = [talk for talk in left if talk]
        order, which = divmod(order, len(waiting))
        out.append(waiting[which].pop(0))
    return out


def see(run: Run, shown: Sequence[Shown], *, inside: bool) -> list[list[Effect]]:
    now = at(0)
    effects = []
    for gap, client, packet in shown:
        now = Instant(now + gap * 1_000_000)
        effects.append(list(run.see(now, Side.INSIDE if client == inside else Side.OUTSIDE, packet)))
    return effects


@pytest.fixture(scope="module")
def walls() -> dict[str, tuple[Wall, Wall]]:
    """Return for each date the wall as it is, and one for which no opening is plain."""
    made = {as_of: (load_wall(as_of=as_of), load_wall(as_of=as_of)) for as_of in DATES} | {"made": (rich_wall(), rich_wall())}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wall_module, "plain_opening", lambda lanes: None)
        for _, full in made.values():
            for transport, version, port, inside, above in itertools.product((TCP, UDP), (4, 6), (25, 50, 53, 80, 443, 40000, 40001), (0, 1), (0, 1)):
                watch = full.watch(transport, version, port, inside=bool(inside), above=bool(above))
                assert watch.plain is None
    return made


@pytest.mark.parametrize("mode", ["live", "forecast"])
@pytest.mark.parametrize("as_of", [*DATES, "made"])
@given(talks=st.lists(FLOW, min_size=1, max_size=3), order=st.integers(0, 1 << 40), seed=st.integers(0, 1 << 20), inside=st.booleans())
def test_what_is_followed_at_little_cost_is_what_is_walked(
    walls: dict[str, tuple[Wall, Wall]], as_of: str, mode: str, talks: list[list[Shown]], order: int, seed: int, inside: bool
) -> None:
    shown = mixed(talks, order)
    plain, full = (see(Run(wall, KeyedCoins(seed), forecast=mode == "forecast"), shown, inside=inside) for wall in walls[as_of])
    assert plain == full


@pytest.mark.parametrize("mode", ["live", "forecast"])
@given(talks=st.lists(FLOW, min_size=1, max_size=3), order=st.integers(0, 1 << 40), seed=st.integers(0, 1 << 20), inside=st.booleans())
def test_what_is_of_no_interest_changes_nothing(mode: str, talks: list[list[Shown]], order: int, seed: int, inside: bool) -> None:
    """Of boxes whose models use whatever a model may use."""
    wall, now, shown = rich_wall(), at(0), []
    for gap, client, packet in mixed(talks, order):
        now = Instant(now + gap * 1_000_000)
        shown.append((now, Side.INSIDE if client == inside else Side.OUTSIDE, packet))
    every, some = (Run(wall, KeyedCoins(seed), forecast=mode == "forecast") for _ in range(2))
    assert see_of_interest(some, shown)[0] == see_all(every, shown)


@pytest.mark.parametrize("as_of", ["2019-06-01", *DATES])
@given(datagrams=st.lists(DATAGRAM, max_size=20), seed=st.integers(0, 1 << 20), inside=st.booleans())
def test_datagrams_that_pass_are_datagrams_on_which_nobody_acts(as_of: str, datagrams: list[Shown], seed: int, inside: bool) -> None:
    wall = load_wall(as_of=as_of)
    for forecast in (False, True):
        runs = (Run(wall, KeyedCoins(seed), forecast=forecast), FullRun(wall, KeyedCoins(seed), forecast=forecast))
        plain, full = (see(run, datagrams, inside=inside) for run in runs)
        assert plain == full


def test_the_conversations_are_worth_it(walls: dict[str, tuple[Wall, Wall]]) -> None:
    """By the book most of them are followed at little cost, and some draw effects; else the properties above would hold of nothing."""
    for plain, full in walls.values():
        assert plain.watch(TCP, 4, 80, inside=True, above=True).plain is not None
        acted = cheap = 0
        for first, cut in itertools.product(FIRSTS, (0, 1, 7)):
            # Without the second request, on which boxes act whatever came first.
            shown = [one for one in opened(40000, 443 if first[0] == 0x16 else 80, first, [cut]) if one[2].payload != FIRSTS[0] or first == FIRSTS[0]]
            runs = [Run(wall, ScriptedCoins(), forecast=False) for wall in (plain, full)]
            acted += any(see(runs[0], shown, inside=True))
            see(runs[1], shown, inside=True)
            cheap += all(record.wall is None for record in runs[0].flows.live())
            assert all(record.wall is not None for record in runs[1].flows.live())
        assert acted > 2
        assert cheap > 8
    query = [(1, True, udp_packet(CLIENT, SERVER, 40000, 53, DATAGRAMS[0]))]
    assert see(load_wall(as_of=DATES[0]).start(ScriptedCoins()), query, inside=True) != [[]]


# The common beginning, step by step, for boxes with the plainest model.


def wall(*boxes_of: dict[str, Any]) -> Wall:
    limits = Limits(flows=9, residual_entries=9, stream_bytes=999)
    return Wall("made", "made", [made_box(tcb=compiled(*(boxes_of or PLAIN)))], limits=limits, utc_offset=0, hour=0)


def seen(*packets: Packet, of: Wall | None = None) -> tuple[FlowRecord, list[list[str]]]:
    run = (of or wall()).start(ScriptedCoins())
    effects = [words(some) for some in show_each(run, packets)]
    (record,) = run.flows.live()
    return record, effects


BOOK = [to_server(ISN, SYN), to_client(PEER, SYN | ACK), to_server(ISN + 1)]


@pytest.mark.parametrize(("packets", "phase"), [(1, ASKED), (2, ASKED), (3, ASKED), (4, HEARD)])
def test_an_opening_by_the_book_has_phases_and_costs_no_state(packets: int, phase: int) -> None:
    record, effects = seen(*[*BOOK, to_server(ISN + 1, ACK, FREE)][:packets])
    assert (record.phase, record.wall, effects) == (phase, None, [[]] * packets)
    assert [kept[2].flags for kept in record.kept] == [SYN, SYN | ACK, ACK, PSH | ACK][:packets]


def test_a_record_begins_in_the_first_phase() -> None:
    assert FlowRecord(bytes(12), TCP, 4, 1, Instant(0), 0, 0).phase == NEW


def test_a_second_answer_of_the_server_is_not_by_the_book() -> None:
    """The client may acknowledge the first only, so what it says to the second is passed over, and what comes next is the first that is read."""
    skips = {"in": ["open"], "from": "client", "has": "A", "load": True, "when": ["ack-odd"], "do": "skip"}
    data = (to_server(ISN + 1, ACK, b"\x00" * 10, ack=PEER + 51), to_server(ISN + 11, ACK, LISTED))
    for second, acts in ((to_client(PEER + 50, SYN | ACK), True), (to_client(PEER, SYN | ACK), True)):
        _, effects = seen(BOOK[0], BOOK[1], second, BOOK[2], *data, of=wall(TRACK, COMPLETE, skips, READ))
        assert bool(effects[-1]) is acts
    assert seen(*BOOK, to_server(ISN + 1, ACK, b"\x00" * 10), data[1], of=wall(TRACK, COMPLETE, skips, READ))[1][-1] == []


def test_data_of_the_server_past_a_gap_do_not_say_what_the_client_may_acknowledge() -> None:
    skips = {"in": ["open"], "from": "client", "has": "A", "load": True, "when": ["ack-odd"], "do": "skip"}
    said = len(FREE)
    for seq, acts in ((PEER + 1, True), (PEER + 500, False)):
        packets = [*BOOK, to_server(ISN + 1, ACK, FREE), to_client(seq, ACK, b"answer", ack=ISN + 1 + said)]
        _, effects = seen(*packets, to_server(ISN + 1 + said, ACK, LISTED, ack=PEER + 7), of=wall(TRACK, COMPLETE, skips, READ))
        assert bool(effects[-1]) is acts


@pytest.mark.parametrize("flags", [RST, RST | ACK, FIN | ACK])
def test_flags_of_the_server_count_with_data_too(flags: int) -> None:
    off = {"in": ["track"], "from": "server", "has": "R" if flags & RST else "F", "do": "off"}
    said = len(FREE)
    for payload in (b"", b"why"):
        packets = [*BOOK, to_server(ISN + 1, ACK, FREE), to_client(PEER + 1, flags, payload, ack=ISN + 1 + said)]
        assert seen(*packets, to_server(ISN + 1 + said, ACK, LISTED), of=wall(*PLAIN, off))[1][-1] == []


def test_an_answer_to_another_syn_is_not_by_the_book() -> None:
    """A model may give the connection up for it, and then track the next SYN."""
    off = {"in": ["opening"], "from": "server", "has": "SA", "when": ["ack-odd"], "do": "off"}
    for ack, acts in ((ISN + 1, False), (ISN + 2, True)):
        packets = [to_server(ISN, SYN), to_client(PEER, SYN | ACK, ack=ack), to_server(70, SYN), to_server(71, ACK, LISTED)]
        assert bool(seen(*packets, of=wall(*PLAIN, off))[1][-1]) is acts


@pytest.mark.parametrize(("first", "waits"), [(FREE[:10], True), (FREE, True), (b"\x00" * 10, False), (b"GET\x00", False)])
def test_client_data_are_of_interest_while_a_reader_waits(first: bytes, waits: bool) -> None:
    run = wall().start(ScriptedCoins())
    show_each(run, [*BOOK, to_server(ISN + 1, ACK, first)])
    (record,) = run.flows.live()
    assert record.wall is None
    assert bool(run.interest(record.key) >> (CLASS_ACK | CLASS_LOAD) & 1) is waits


def test_a_listed_name_ends_what_is_cheap_and_draws_its_effects() -> None:
    record, effects = seen(*BOOK, to_server(ISN + 1, ACK, LISTED))
    assert effects == [[], [], [], ["Inject", "Inject"]]
    assert record.wall is not None


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param([to_server(ISN, SYN), to_server(ISN + 2, ACK, FREE)], id="data past a gap"),
        pytest.param([to_server(ISN + 1, ACK, FREE)], id="data without an opening"),
        pytest.param([to_server(ISN, SYN | PSH, b"x")], id="data with the SYN"),
        pytest.param([*BOOK[:2], to_server(ISN + 1, ACK, FREE, ack=PEER)], id="an acknowledgement of nothing"),
        pytest.param([*BOOK[:2], to_server(ISN + 1, ACK, FREE, ack=PEER + 2)], id="an acknowledgement of too much"),
        pytest.param([*BOOK, to_server(ISN, SYN)], id="a second SYN"),
    ],
)
def test_what_is_not_by_the_book_is_walked(odd: list[Packet]) -> None:
    record, effects = seen(*odd, of=wall(TRACK, COMPLETE, READ, {"in": ["track"], "from": "client", "has": "S", "lacks": "A", "do": "off"}))
    assert record.wall is not None
    assert not any(effects)


def test_a_split_name_is_found_when_its_rest_comes() -> None:
    """The value is read as soon as the line feed of its line has come, be it with the first segment or with the second."""
    line_ends = LISTED.index(b"blocked.example") + len(b"blocked.example") + 2
    for cut in range(1, len(LISTED)):
        record, effects = seen(*BOOK, to_server(ISN + 1, ACK, LISTED[:cut]), to_server(ISN + 1 + cut, ACK, LISTED[cut:]))
        assert effects == [[], [], [], *([[], ["Inject"] * 2] if cut < line_ends else [["Inject"] * 2, []])]
        assert record.wall is not None


def test_what_no_reader_waits_for_passes_however_much_it_is() -> None:
    packets = [*BOOK, to_server(ISN + 1, ACK, b"\x00" * 10), *[to_server(ISN + 11 + 5 * number, ACK, b"GET /") for number in range(9)]]
    record, effects = seen(*packets)
    assert (record.wall, record.phase) == (None, HEARD)
    assert not any(effects)
    assert [type(kept[2]) for kept in record.kept] == [Packet] * 4 + [int]
    assert record.client_next == record.kept[-1][2] == ISN + 11 + 45


def test_state_worked_out_late_is_what_it_would_have_been() -> None:
    """After 9 segments that nobody read, an opening from the other port begins anew, and a new SYN on this one too."""
    tables = (TRACK | {"in": ["none", "off", "track"]}, COMPLETE, READ)
    packets = [*BOOK, to_server(ISN + 1, ACK, b"\x00" * 10), to_server(ISN + 11, ACK, b"more"), *flow(LISTED, isn=77)]
    assert seen(*packets, of=wall(*tables))[1][-1] == ["Inject", "Inject"]


# Which models are plain.


def plain_of(*tables: Sequence[dict[str, Any]]) -> Plain | None:
    boxes = [made_box(f"b{number}", index=number, tcb=compiled(*table)) for number, table in enumerate(tables)]
    made = Wall("made", "made", boxes, limits=Limits(flows=9, residual_entries=9, stream_bytes=99), utc_offset=0, hour=None)
    return made.watch(TCP, 4, 80, inside=True, above=True).plain


def test_nobody_who_watches_makes_any_opening_plain() -> None:
    plain = plain_opening(None)
    assert plain is not None
    assert (plain.asked, plain.heard_live, plain.heard_done) == (0, 0, 0)


def test_models_that_follow_the_book_are_plain() -> None:
    plain = plain_of(PLAIN, PLAIN)
    assert plain is not None
    data, reset = 1 << (CLASS_ACK | CLASS_LOAD), 1 << CLASS_RST
    answer = 1 << (CLASS_SECOND | CLASS_SYN | CLASS_ACK)
    assert [bool(plain.asked & bit) for bit in (data, answer, reset)] == [True, True, False]
    assert [bool(plain.heard_live & bit) for bit in (data, answer, reset)] == [True, True, False]
    assert [bool(plain.heard_done & bit) for bit in (data, answer, reset)] == [False, True, False]


OTHERWISE: dict[str, tuple[dict[str, Any], ...]] = {
    "does not track": (COMPLETE, READ),
    "does not go on": (TRACK, COMPLETE | {"go-on": False}, READ),
    "does not read": (TRACK, COMPLETE),
    "does not complete": (TRACK, READ),
    "tosses to track": (TRACK | {"p": 0.5, "coin": "c"}, COMPLETE, READ),
    "tosses to read": (TRACK, COMPLETE, READ | {"p": 0.5, "coin": "c"}),
    "asks about the answer": (*PLAIN, {"in": ["opening"], "from": "server", "has": "SA", "do": "complete"}),
    "is torn down by the answer": (*PLAIN, {"in": ["open"], "from": "server", "has": "SA", "do": "off"}),
    "does something on a bare acknowledgement": (*PLAIN, {"in": ["open"], "from": "client", "has": "A", "load": False, "do": "off"}),
    "tracks by the answer": ({"in": ["none"], "from": "client", "has": "SA", "do": "reverse"}, COMPLETE, READ),
}


@pytest.mark.parametrize("model", OTHERWISE)
def test_models_that_do_not_are_walked_and_so_are_all_boxes_beside_them(model: str) -> None:
    assert plain_of(OTHERWISE[model]) is None
    assert plain_of(PLAIN, OTHERWISE[model]) is None


def test_what_a_model_does_off_the_book_leaves_it_plain() -> None:
    tear = {"in": ["track"], "from": "client", "has": "R", "do": "off"}
    plain = plain_of((*PLAIN, tear, {"in": ["opening"], "from": "client", "has": "A", "when": ["seq-odd"], "do": "off"}))
    assert plain is not None
    assert plain.heard_done >> CLASS_RST & 1
