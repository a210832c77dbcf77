"""What each action does to a packet, and that two real stacks still understand one another where it should not disturb them."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.coins import ScriptedCoins
from crenel.wire.http import read_host
from crenel.wire.packet import ACK, FIN, PSH, SYN, URG, Packet
from crenel.wire.quic import Initial, crypto_bytes, open_initial
from crenel.wire.quic_build import build_crypto_frame, build_initial
from crenel.wire.result import Field
from crenel.wire.tls import ClientHello, read_client_hello
from crenel.wire.tls_build import build_hello_message
from crenel.wire.verify import ChecksumState, checksum_state
from tests.evade.acting import ANSWER, BARE, DATA_SEGMENT, HELLO, HELLO_SEGMENT, OPENING, QUERY, REQUEST, act, late, on_wire, sent, started
from tests.evade.ends import Ends

PA = "[TCP:flags:PA]-"


def seen(dna: str, packet: Packet = DATA_SEGMENT) -> list[tuple[int, bytes]]:
    """Return where the payload of each packet stands in the stream, and the payload."""
    return [(one.seq - packet.seq, one.payload) for one in act(dna, packet)]


def stream(pieces: list[tuple[int, bytes]]) -> bytes:
    """Put pieces in order; each byte has to be there once."""
    joined = b""
    for at, piece in sorted(pieces):
        assert at == len(joined)
        joined += piece
    return joined


# Geneva's.


def test_a_tree_without_action_drops_and_an_absent_child_sends() -> None:
    assert act("[TCP:flags:PA]-|", DATA_SEGMENT) == []
    assert act(PA + "drop-|", DATA_SEGMENT) == []
    assert act(PA + "duplicate(,drop)-|", DATA_SEGMENT) == [DATA_SEGMENT]
    assert act(PA + "duplicate-|", DATA_SEGMENT) == [DATA_SEGMENT, DATA_SEGMENT]


def test_leaves_are_sent_from_left_to_right_and_inner_nodes_are_not() -> None:
    dna = PA + "duplicate(duplicate(tamper{IP:ttl:replace:1},tamper{IP:ttl:replace:2}),tamper{IP:ttl:replace:3})-|"
    assert [one.ttl for one in act(dna, DATA_SEGMENT)] == [1, 2, 3]


def test_fragments_out_of_order_go_to_the_children_as_they_are_sent() -> None:
    dna = PA + "fragment{tcp:8:False}(tamper{IP:ttl:replace:9},)-|"
    late_piece, early = act(dna, DATA_SEGMENT)
    assert (late_piece.ttl, early.ttl) == (9, 64)
    assert seen(dna) == [(8, REQUEST[8:]), (0, REQUEST[:8])]


@given(st.binary(min_size=1, max_size=60), st.integers(-1, 70), st.integers(0, 5))
def test_a_fragment_loses_no_byte(payload: bytes, at: int, overlap: int) -> None:
    (first_at, first), (second_at, second) = seen(f"{PA}fragment{{tcp:{at}:True:{overlap}}}-|", sent(PSH | ACK, payload))
    assert first_at == 0
    assert first[:second_at] + second == payload
    assert first[second_at:] == second[: len(first) - second_at]


def test_sleep_is_forgotten_by_copies_and_replaced_by_the_next() -> None:
    assert late(PA + "sleep{2}(duplicate,)-|", DATA_SEGMENT) == [2000, 0]
    assert late(PA + "sleep{2}(sleep{0.5},)-|", DATA_SEGMENT) == [500]
    assert late(PA + "sleep{2}(fragment{tcp:8:True}(,sleep{1}),)-|", DATA_SEGMENT) == [0, 1000]
    assert late(PA + "sleep{-1}-|", DATA_SEGMENT) == [0]


def test_a_trace_probes_once_and_then_drops() -> None:
    applied = started(PA + "trace{2:5}-|")
    assert [(after // 10**9, one.ttl) for after, one in applied.outbound(DATA_SEGMENT)] == [(0, 2), (1, 3), (2, 4)]
    assert applied.outbound(DATA_SEGMENT) == []


# Ours.


def test_split_cuts_at_marks_and_numbers_and_each_child_gets_its_piece() -> None:
    host = REQUEST.index(b"www.")
    dna = PA + "split{-2:host:host+4}(,tamper{IP:ttl:replace:1},,tamper{IP:ttl:replace:4})-|"
    assert seen(dna) == [(0, REQUEST[:host]), (host, b"www."), (host + 4, REQUEST[host + 4 : -2]), (len(REQUEST) - 2, REQUEST[-2:])]
    assert [one.ttl for one in act(dna, DATA_SEGMENT)] == [64, 1, 64, 4]


@pytest.mark.parametrize("action", ["split{sni}", "disorder{sni}", "split{999}", "record{5}", "fake{zeros}(drop,)", "oob{9999}", "oob{sni}"])
def test_a_packet_without_the_position_is_sent_as_it_is(action: str) -> None:
    assert act(f"{PA}{action}-|", sent(PSH | ACK, b"no name")) == [sent(PSH | ACK, b"no name")] or action.startswith("fake")
    assert act(f"[TCP:flags:A]-{action}-|", BARE) == [BARE]


def test_with_fewer_pieces_the_last_children_get_none() -> None:
    dna = PA + "split{1:sni}(tamper{IP:ttl:replace:1},tamper{IP:ttl:replace:2},tamper{IP:ttl:replace:3})-|"
    assert [one.ttl for one in act(dna, DATA_SEGMENT)] == [1, 2]


@given(st.binary(max_size=40), st.lists(st.integers(-50, 50), min_size=1, max_size=4), st.sampled_from(["split", "disorder"]))
def test_splitting_preserves_the_stream(payload: bytes, at: list[int], action: str) -> None:
    dna = f"{PA}{action}{{{':'.join(map(str, at))}}}-|"
    pieces = seen(dna, sent(PSH | ACK, payload))
    assert stream(pieces) == payload
    assert pieces == sorted(pieces, reverse=action == "disorder")


def test_fin_stays_with_the_last_piece_and_syn_with_the_first() -> None:
    pieces = act("[TCP:dport:80]-split{3:5}-|", sent(SYN | FIN | PSH | ACK, b"abcdefg", seq=100))
    assert [one.flags & (SYN | FIN) for one in pieces] == [SYN, 0, FIN]
    assert [one.seq for one in pieces] == [100, 104, 106]


def test_a_quic_initial_is_split_into_datagrams_that_hold_the_hello_together() -> None:
    hello = build_hello_message(b"www.blocked.example", random=bytes(32))
    initial = build_initial([build_crypto_frame(0, hello)], dcid=bytes(8), packet_number=5, number_size=2, pad_to=1200)
    packet = msgspec.structs.replace(QUERY, dport=443, payload=initial)
    pieces = [open_initial(one.payload) for one in act("[UDP:dport:443]-split{sni+4}-|", packet)]
    assert [len(one.payload) for one in act("[UDP:dport:443]-split{sni+4}-|", packet)] == [1200, 1200]
    assert all(isinstance(one, Initial) for one in pieces)
    opened = [one for one in pieces if isinstance(one, Initial)]
    assert [one.packet_number for one in opened] == [5, 6]
    assert crypto_bytes(frame for one in opened for frame in one.frames) == hello
    assert not any(b"www.blocked" in frame.data for one in opened for frame in one.frames)
    assert act("[UDP:dport:443]-split{host}-|", msgspec.structs.replace(packet, payload=b"\xc0" + bytes(30))) == [
        msgspec.structs.replace(packet, payload=b"\xc0" + bytes(30))
    ]


def test_a_record_split_leaves_the_same_hello_in_more_records() -> None:
    (packet,) = act(PA + "record{sni+3:-1}-|", HELLO_SEGMENT)
    assert len(packet.payload) == len(HELLO) + 10
    hello = read_client_hello(packet.payload)
    assert isinstance(hello, ClientHello)
    assert hello.sni is not None
    assert (hello.records, hello.sni.value) == (3, b"www.blocked.example")


def test_a_second_record_can_be_sent_in_a_segment_of_its_own() -> None:
    name = HELLO.index(b"www.blocked")
    first, second = act(PA + "record{sni}(split{record},)-|", HELLO_SEGMENT)
    assert len(first.payload) == name
    assert (second.seq - first.seq, second.payload[:5]) == (name, b"\x16\x03\x01" + (len(HELLO) - name).to_bytes(2, "big"))


def test_the_urgent_byte_ends_the_first_segment() -> None:
    first, second = act(PA + "oob{3:!}-|", DATA_SEGMENT)
    assert (first.payload, first.flags, first.urgent) == (REQUEST[:3] + b"!", PSH | ACK | URG, 4)
    assert (second.payload, second.flags, second.seq - first.seq) == (REQUEST[3:], PSH | ACK, 4)


def test_delays_add_up_and_reach_everything_below() -> None:
    assert late(PA + "delay{10}(split{1:2}(,delay{5},),)-|", DATA_SEGMENT) == [10, 15, 10]
    assert late(PA + "repeat{3:20}-|", DATA_SEGMENT) == [0, 20, 40]
    assert late(PA + "delay{1}(repeat{2:20}(sleep{1},),)-|", DATA_SEGMENT) == [1001, 1021]


@pytest.mark.parametrize(
    ("payload", "carried"), [("zeros", bytes(len(REQUEST))), ("zeros=3", bytes(3)), ("text=a%00b", b"a\x00b")]
)
def test_a_fake_goes_first_and_the_packet_follows_unchanged(payload: str, carried: bytes) -> None:
    fake, real = act(f"{PA}fake{{{payload}:ttl=4+md5+badsum}}-|", DATA_SEGMENT)
    assert real == DATA_SEGMENT
    assert (fake.payload, fake.ttl, fake.seq, fake.flags) == (carried, 4, real.seq, real.flags)
    assert fake.options.startswith(real.options)
    assert checksum_state(on_wire(fake)) is ChecksumState.WRONG


def test_fakes_may_go_round_the_packet_and_name_another_host() -> None:
    before, real, after = act(PA + "fake{http=a.example:badseq=-7+noack+badack:both}-|", DATA_SEGMENT)
    assert before == after
    host = read_host(before.payload)
    assert isinstance(host, Field)
    assert host.value == b"a.example"
    assert (before.seq, before.ack, before.flags) == (real.seq - 7, real.ack - 66000 & 0xFFFFFFFF, PSH)
    assert checksum_state(on_wire(before)) is ChecksumState.VALID


def test_faked_split_as_in_zapret_is_a_split_with_fakes_below() -> None:
    dna = PA + "split{midsld}(fake{zeros:ttl=8:both},fake{zeros:ttl=8:both})-|"
    middle = REQUEST.index(b"blocked") + 3
    assert [(one.ttl, len(one.payload), one.seq - 1001) for one in act(dna, DATA_SEGMENT)] == [
        (8, middle, 0), (64, middle, 0), (8, middle, 0),
        (8, len(REQUEST) - middle, middle), (64, len(REQUEST) - middle, middle), (8, len(REQUEST) - middle, middle),
    ]  # fmt: skip


def test_an_overlap_begins_before_the_piece() -> None:
    first, second = act(PA + "split{2}(overlap{text=xyz},)-|", DATA_SEGMENT)
    assert (first.seq, first.payload) == (1001 - 3, b"xyz" + REQUEST[:2])
    assert (second.seq, second.payload) == (1003, REQUEST[2:])
    assert checksum_state(on_wire(first)) is ChecksumState.VALID


def test_a_datagram_is_preceded_by_another() -> None:
    first, second = act("[UDP:dport:53]-precede{random=20}-|", QUERY)
    assert second == QUERY
    assert len(first.payload) == 20
    assert (first.sport, first.dport) == (QUERY.sport, QUERY.dport)
    assert checksum_state(on_wire(first)) is ChecksumState.VALID
    assert act("[UDP:sport:53]-precede{text=x}(drop,)-|", ANSWER) == [ANSWER]
    assert act("[TCP:flags:S]-precede{text=x}-|", OPENING) == [OPENING]


# Between two stacks.

LINES = [HELLO, b"second" * 20, b"third"]


@pytest.mark.parametrize(
    "action",
    [
        "split{1:sni:midsld}", "disorder{1:sni:midsld}", "fragment{tcp:8:False}", "record{sni+1}", "record{sni}(split{record:-1},)", "oob{sni+2}",
        "oob{1}(delay{5},)", "record{10:20:30}(disorder{sni},)", "fake{tls:md5:both}", "fake{zeros:badsum}(,split{sni})", "repeat{3:1}",
        "split{sni}(fake{random:md5:both},fake{random:badseq=-99999})", "split{9}(overlap{tls},)",
        "split{9}(,overlap{random=5})", "oob{0}", "oob{-1}", "record{sni}(oob{sni},)",
        "split{sni}(record{10},oob{2})", "disorder{sni}(oob{1},record{10})", "fragment{tcp:99:False}(oob{1},record{10})",
        "duplicate(record{sni},record{sni}(tamper{TCP:chksum:corrupt},))",
    ],
)  # fmt: skip
@pytest.mark.parametrize("gas", ["", ":1"])
@pytest.mark.parametrize("lost", [0, 3, 4, 5, 6])
def test_the_server_reads_what_the_client_said(action: str, gas: str, lost: int) -> None:
    ends = Ends(f"[TCP:flags:PA{gas}]-{action}-|", LINES, lambda number, packet: number == lost).run()
    assert plain(ends.heard) == b"".join(LINES)
    assert any(ends.applied.fired)


@pytest.mark.parametrize("action", ["split{sni}(oob{1},oob{2})", "oob{2}(,oob{3})", "fragment{tcp:9:True}(oob{2},oob{3})"])
def test_two_urgent_bytes_are_both_taken_out_where_they_arrive_in_order(action: str) -> None:
    assert Ends(f"[TCP:flags:PA]-{action}-|", LINES).run().heard == b"".join(LINES)


def plain(heard: bytes) -> bytes:
    """Return what was heard, the hello at its start in one record again."""
    assert len(heard) >= len(HELLO)
    body = b""
    while heard[:2] == b"\x16\x03":
        size = int.from_bytes(heard[3:5], "big")
        body, heard = body + heard[5 : 5 + size], heard[5 + size :]
    return HELLO[:3] + len(body).to_bytes(2, "big") + body + heard


def test_what_precedes_a_stream_is_part_of_it() -> None:
    ends = Ends("[TCP:flags:PA:1]-precede{text=PREFIX}-|", LINES, lambda number, packet: number == 4).run()
    assert ends.heard == b"PREFIX" + b"".join(LINES)


def test_random_values_come_from_named_coins() -> None:
    asked: list[tuple[str, bytes, str]] = []

    class Noting(ScriptedCoins):
        def pick(self, box: str, scope: bytes, name: str, n: int) -> int:
            asked.append((box, scope, name))
            return super().pick(box, scope, name, n)

    act(PA + "duplicate(tamper{TCP:load:corrupt},tamper{TCP:load:corrupt})-|", DATA_SEGMENT, Noting())
    assert asked == [("strategy", bytes((0, 0, 0, 1)), "TCP:load kind"), ("strategy", bytes((0, 0, 0, 2)), "TCP:load kind")]
