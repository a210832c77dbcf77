"""Endpoints joined by a channel in virtual time: what is sent arrives, however the channel treats it, and nothing raises."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.instant import Instant
from crenel.net.host import Data, Endpoint, HostOptions, Opened, PeerClosed, Refused, Reset, State, TimedOut, Unreachable
from crenel.wire.packet import ACK, RST, SYN, TCP, Packet, tcp_packet
from tests.net.host.wire import CLIENT, PORT, SERVER, SERVER_PORT, Wire

SECOND = 1_000_000_000
HOUR = 3600 * SECOND
NOW = Instant(0)


def endpoint(*, listening: bool, options: HostOptions | None = None, isn: int = 9000) -> Endpoint:
    return Endpoint(SERVER, SERVER_PORT, isn=isn, options=options or HostOptions(), listening=listening)


def test_an_exchange_from_open_to_close() -> None:
    wire = Wire()
    wire.connect()
    wire.carry(SECOND)
    wire.client.send(wire.now, b"GET / HTTP/1.1\r\n\r\n")
    wire.carry(SECOND)
    wire.server.send(wire.now, b"x" * 5000)
    wire.server.close(wire.now)
    wire.carry(SECOND)
    wire.client.close(wire.now)
    wire.carry(SECOND)
    assert wire.learnt["client"][0] == wire.learnt["server"][0] == Opened()
    assert wire.stream("server") == b"GET / HTTP/1.1\r\n\r\n"
    assert wire.stream("client") == b"x" * 5000
    assert wire.learnt["client"][-1] == PeerClosed()
    assert (wire.client.state, wire.server.state) == (State.CLOSED, State.TIME_WAIT)
    wire.carry(HOUR)
    assert wire.server.state is State.CLOSED


FATES = st.lists(st.sampled_from([(0,), (0,), (0,), (), (0, 0), (0, 700_000_000), (30_000_000,), (2_000_000_000,)]), max_size=25)
SIZES = st.lists(st.integers(1, 4000), min_size=1, max_size=4)


ISNS = st.sampled_from([5, 0xFFFFFF00, 0x7FFFFFF0])
WINDOWS = st.sampled_from([100, 5000, 64240])


@given(fates=FATES, up=SIZES, down=SIZES, window=WINDOWS, stamps=st.booleans(), isn=ISNS)
def test_what_is_sent_arrives_whatever_the_channel_does(
    fates: list[list[int]], up: list[int], down: list[int], window: int, stamps: bool, isn: int
) -> None:
    options = HostOptions(window=window, timestamps=stamps, window_scale=7 if window > 1000 else None)
    wire = Wire(fates, options, client_isn=isn, server_isn=isn + 77)
    wire.connect()
    sent = {"client": b"", "server": b""}
    for number, size in enumerate(up):
        part = bytes([number + 1]) * size
        sent["server"] += part
        wire.client.send(wire.now, part)
    wire.carry(20 * SECOND)
    for number, size in enumerate(down):
        part = bytes([number + 101]) * size
        sent["client"] += part
        wire.server.send(wire.now, part)
    wire.server.shutdown(wire.now)
    wire.carry(wire.now + 400 * SECOND)
    wire.client.close(wire.now)
    wire.carry(wire.now + 400 * SECOND)
    assert wire.stream("server") == sent["server"]
    assert wire.stream("client") == sent["client"]
    assert wire.learnt["client"][-1] == PeerClosed()
    assert wire.client.state is State.CLOSED


FLAGS = st.integers(0, 255)
NEAR = st.one_of(st.integers(-3, 30), st.integers(0, 2**32 - 1))
KNOWN = st.sampled_from([b"\x01\x01\x08\x0a" + bytes(8), b"\x02\x04\x05\xb4", b"\x13\x12" + bytes(18)])
OPTIONS = st.one_of(st.just(b""), st.binary(max_size=40), KNOWN)
ROLES = st.sampled_from(["listen", "connect", "open", "closed"])


@st.composite
def packets(draw: st.DrawFn, client_isn: int = 500, isn: int = 9000) -> Packet:
    return Packet(
        4, CLIENT, SERVER, draw(st.sampled_from([TCP, TCP, TCP, 17, 1])), PORT, SERVER_PORT, client_isn + draw(NEAR), isn + draw(NEAR), draw(FLAGS),
        draw(st.integers(0, 65535)), draw(st.binary(max_size=30)), urgent=draw(st.integers(0, 65535)), options=draw(OPTIONS),
        data_offset=draw(st.one_of(st.none(), st.integers(0, 15))), checksum=draw(st.one_of(st.none(), st.none(), st.integers(0, 65535))),
        frag_offset=draw(st.sampled_from([0, 0, 0, 8])), ip_flags=draw(st.integers(0, 7)), headless=draw(st.sampled_from([False, False, True])),
    )  # fmt: skip


@given(received=st.lists(packets(), max_size=25), role=ROLES, acts=st.lists(st.integers(0, 7), max_size=25))
def test_no_packet_raises(received: list[Packet], role: str, acts: list[int]) -> None:
    end = endpoint(listening=role in {"listen", "open"})
    if role == "connect":
        end.connect(NOW, CLIENT, PORT)
    if role == "open":
        end.receive(NOW, tcp_packet(CLIENT, SERVER, PORT, SERVER_PORT, seq=500, flags=SYN))
        end.receive(NOW, tcp_packet(CLIENT, SERVER, PORT, SERVER_PORT, seq=501, ack=9001, flags=ACK))
    now = NOW
    for number, packet in enumerate(received):
        end.receive(now, packet)
        act = acts[number] if number < len(acts) else 9
        if act == 0:
            end.send(now, b"some data")
        elif act == 1:
            end.shutdown(now)
        elif act == 2:
            end.close(now)
        elif act == 3:
            end.abort(now)
        elif act > 5 and (due := end.next_timer()) is not None:
            now = max(now, due)
            end.fire(now)
        for answer in end.packets():
            assert 0 <= answer.seq < 2**32
            assert 0 <= answer.ack < 2**32
            assert 0 <= answer.window < 65536
        end.events()


def test_a_syn_is_repeated_and_given_up() -> None:
    end = endpoint(listening=False)
    end.connect(NOW, CLIENT, PORT)
    times = []
    while (due := end.next_timer()) is not None:
        end.packets()
        end.fire(due)
        times.append(due // SECOND)
    # tcp_syn_linear_timeouts of 4, then doubled six times.
    assert times == [1, 2, 3, 4, 5, 7, 11, 19, 35, 67, 131]
    assert end.events() == [TimedOut()]


def test_a_syn_ack_is_repeated_five_times() -> None:
    end = endpoint(listening=True)
    end.receive(NOW, tcp_packet(CLIENT, SERVER, PORT, SERVER_PORT, seq=500, flags=SYN))
    times = []
    while (due := end.next_timer()) is not None:
        end.fire(due)
        times.append(due // SECOND)
    assert times == [1, 3, 7, 15, 31, 63]
    assert [packet.flags for packet in end.packets()] == [SYN | ACK] * 6
    assert end.state is State.LISTEN


def test_data_nobody_acknowledges_is_given_up_after_a_quarter_of_an_hour() -> None:
    wire = Wire()
    wire.connect()
    wire.carry(SECOND)
    wire.server.listening = False
    wire.server.end()
    wire.fates = [()] * 1000
    start = wire.now
    wire.client.send(wire.now, b"anybody there?")
    wire.carry(HOUR)
    assert wire.learnt["client"][-1] == TimedOut()
    assert 900 < (wire.now - start) / SECOND < 1100


def test_a_refused_and_a_reset_connection_are_told_apart() -> None:
    end = endpoint(listening=False)
    end.connect(NOW, CLIENT, PORT)
    end.receive(NOW, tcp_packet(CLIENT, SERVER, PORT, SERVER_PORT, seq=0, ack=9001, flags=RST | ACK))
    assert end.events() == [Refused()]
    wire = Wire()
    wire.connect()
    wire.carry(SECOND)
    wire.server.abort(wire.now)
    wire.carry(SECOND)
    assert wire.learnt["client"] == [Opened(), Reset()]


def test_an_icmp_error_ends_only_an_attempt_to_connect() -> None:
    end = endpoint(listening=False)
    end.connect(NOW, CLIENT, PORT)
    end.unreachable(1, 3, 1)
    assert end.state is State.SYN_SENT, "the quoted sequence number is not ours"
    end.unreachable(9000, 3, 1)
    assert end.events() == [Unreachable(3, 1)]
    wire = Wire()
    wire.connect()
    wire.carry(SECOND)
    wire.client.unreachable(1000, 3, 1)
    assert wire.client.state is State.ESTABLISHED


def test_an_ended_connection_answers_like_a_closed_port() -> None:
    wire = Wire()
    wire.connect()
    wire.carry(SECOND)
    wire.client.abort(wire.now)
    wire.client.packets()
    wire.client.receive(wire.now, tcp_packet(SERVER, CLIENT, SERVER_PORT, PORT, seq=9001, ack=1001, payload=b"late"))
    assert [(packet.flags, packet.seq) for packet in wire.client.packets()] == [(RST, 1001)]


def test_data_sent_before_the_handshake_waits_for_it() -> None:
    wire = Wire()
    wire.connect()
    wire.client.send(wire.now, b"early")
    wire.carry(SECOND)
    assert wire.learnt["server"] == [Opened(), Data(b"early")]


def test_a_fin_retransmitted_is_acknowledged_again() -> None:
    wire = Wire([(0,)] * 4 + [()])
    wire.connect()
    wire.carry(SECOND // 10)
    wire.client.close(wire.now)
    wire.carry(2 * SECOND)
    assert wire.learnt["server"][-1] == PeerClosed()
    assert wire.server.state is State.CLOSE_WAIT


@pytest.mark.long
def test_a_packet_costs_under_ten_microseconds() -> None:
    start, count = time.perf_counter(), 0
    for _ in range(1000):
        wire = Wire()
        wire.connect()
        wire.carry(SECOND)
        wire.client.send(wire.now, b"GET / HTTP/1.1\r\n\r\n")
        wire.carry(SECOND)
        count += wire.sent
    per_packet = (time.perf_counter() - start) / count * 1e6
    print(f"{per_packet:.1f} microseconds per packet, channel included")
    assert per_packet < 40
