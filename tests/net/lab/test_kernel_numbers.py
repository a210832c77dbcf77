"""Packets of a stack on their way out and in: numbers, ports and timestamps are the trial's, and a checksum stays as right as it was."""

from typing import Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.net.lab.kernel_numbers import Numbers
from crenel.net.path.path import End
from crenel.wire.ip import parse_packet, serialise
from crenel.wire.packet import ACK, FIN, ICMP, PSH, RST, SYN, Packet, tcp_packet, udp_packet
from crenel.wire.verify import ChecksumState, checksum_state

CLIENT, SERVER = bytes((192, 0, 2, 2)), bytes((198, 51, 100, 2))
SIXES = bytes.fromhex("20010db8000c00000000000000000002"), bytes.fromhex("20010db8005e00000000000000000002")
PORT, REAL = 50_000, 12_000
OURS, THEIRS = 1000, 9000
STAMP = b"\x01\x01\x08\x0a"


def numbers() -> Numbers:
    made = Numbers(REAL - PORT, (OURS, THEIRS))
    assert made.use(PORT) == REAL
    return made


def read(data: bytes | None) -> Packet:
    assert data is not None
    packet = parse_packet(data)
    assert isinstance(packet, Packet)
    return packet


def stamp(value: int, echo: int) -> bytes:
    return STAMP + value.to_bytes(4, "big") + echo.to_bytes(4, "big")


def opened(sixes: bool = False) -> tuple[Numbers, int, int]:
    """Return the numbers of a connection after its handshake, and what its stacks raised: 700,000 and 800,000 are the stacks' own."""
    client, server = SIXES if sixes else (CLIENT, SERVER)
    made = numbers()
    syn = made.from_stack(End.CLIENT, serialise(tcp_packet(client, server, REAL, 80, seq=700_000, flags=SYN, options=stamp(5000, 0))), 0)
    assert read(syn).seq == OURS + PORT
    inside = read(made.to_stack(End.SERVER, syn or b""))
    assert (inside.sport, inside.seq) == (REAL, 700_000)
    answer = tcp_packet(server, client, 80, REAL, seq=800_000, ack=700_001, flags=SYN | ACK, options=stamp(6000, 5000))
    back = read(made.from_stack(End.SERVER, serialise(answer), 100))
    assert (back.dport, back.seq, back.ack, back.options) == (PORT, THEIRS + PORT, OURS + PORT + 1, stamp(6100, 5000))
    return made, OURS + PORT - 700_000, THEIRS + PORT - 800_000


@pytest.mark.parametrize("sixes", [False, True])
def test_a_connection_has_the_numbers_of_the_trial(sixes: bool) -> None:
    made, ours, theirs = opened(sixes)
    client, server = SIXES if sixes else (CLIENT, SERVER)
    request = tcp_packet(client, server, REAL, 80, seq=700_001, ack=800_001, flags=PSH | ACK, payload=b"GET", options=stamp(5001, 6100))
    out = read(made.from_stack(End.CLIENT, serialise(request), 200))
    assert (out.sport, out.dport, out.seq, out.ack, out.payload) == (PORT, 80, 700_001 + ours, 800_001 + theirs, b"GET")
    assert out.options == stamp(5201, 6100)
    assert checksum_state(out) is ChecksumState.VALID
    arrived = read(made.to_stack(End.SERVER, serialise(out)))
    assert (arrived.sport, arrived.seq, arrived.ack) == (REAL, 700_001, 800_001)
    # The server's stack gets the very timestamp that it sent with its SYN/ACK.
    assert arrived.options == stamp(5201, 6000)
    assert checksum_state(arrived) is ChecksumState.VALID


@given(st.integers(0, 0xFFFF), st.integers(0, 1 << 32 - 1), st.binary(max_size=40), st.sampled_from(["plain", "sack", "odd", "none"]))
def test_a_checksum_stays_as_right_as_it_was(checksum: int, seq: int, payload: bytes, kind: Literal["plain", "sack", "odd", "none"]) -> None:
    sack = b"\x05\x0a" + (800_100).to_bytes(4, "big") + (800_200).to_bytes(4, "big")
    options = {
        "plain": stamp(1, 6100),
        "sack": b"\x01\x01" + sack + stamp(7, 6100),
        "odd": b"\x01" + sack + b"\x08\x0a" + bytes(8) + b"\x01\x01\x01",
        "none": b"",
    }
    made, *_ = opened()
    packet = tcp_packet(CLIENT, SERVER, PORT, 80, seq=seq & 0xFFFFFFFF, ack=THEIRS + PORT + 1, payload=payload, options=options[kind])
    for wanted in (msgspec.structs.replace(packet, checksum=checksum), packet):
        data = serialise(wanted)
        for end in (End.CLIENT, End.SERVER):
            whole = read(data)
            state = checksum_state(whole)
            assert checksum_state(read(made.to_stack(end, data))) is state


def test_the_edges_of_what_arrived_out_of_order_are_changed() -> None:
    made, _, theirs = opened()
    block = (800_100).to_bytes(4, "big") + (800_200).to_bytes(4, "big")
    packet = tcp_packet(CLIENT, SERVER, REAL, 80, seq=700_001, ack=800_001, options=b"\x01\x01\x05\x0a" + block)
    out = read(made.from_stack(End.CLIENT, serialise(packet), 0))
    assert out.options[4:] == (800_100 + theirs).to_bytes(4, "big") + (800_200 + theirs).to_bytes(4, "big")
    back = read(made.to_stack(End.SERVER, serialise(out)))
    assert back.options == packet.options


def test_an_echo_is_too_late_by_what_the_path_took_unless_it_is_that_of_a_syn() -> None:
    made, *_ = opened()

    def arriving(echo: int) -> int:
        packet = tcp_packet(CLIENT, SERVER, PORT, 80, seq=OURS + PORT + 1, ack=THEIRS + PORT + 1, options=stamp(1, echo))
        return int.from_bytes(read(made.to_stack(End.SERVER, serialise(packet))).options[-4:], "big")

    assert [arriving(echo) for echo in (6100, 6350, 6000, 0)] == [6000, 6250, 5900, 0]
    # The same SYN/ACK once more, a second later: what lies between the two is in order.
    again = tcp_packet(SERVER, CLIENT, 80, REAL, seq=800_000, ack=700_001, flags=SYN | ACK, options=stamp(6003, 5000))
    made.from_stack(End.SERVER, serialise(again), 1100)
    assert [arriving(echo) for echo in (6100, 6350, 7103, 7200)] == [6000, 6003, 6003, 7100]


def test_what_an_earlier_trial_left_over_is_not_let_out() -> None:
    made = numbers()
    for end, packet in (
        (End.CLIENT, tcp_packet(CLIENT, SERVER, REAL - 8, 80)),
        (End.SERVER, tcp_packet(SERVER, CLIENT, 80, REAL)),
        (End.SERVER, udp_packet(SERVER, CLIENT, 53, REAL, b"late")),
    ):
        assert made.from_stack(end, serialise(packet), 0) is None
    made.to_stack(End.SERVER, serialise(udp_packet(CLIENT, SERVER, PORT, 53, b"query")))
    answer = made.from_stack(End.SERVER, serialise(udp_packet(SERVER, CLIENT, 53, REAL, b"answer")), 0)
    assert read(answer).dport == PORT
    assert checksum_state(read(answer)) is ChecksumState.VALID


def test_a_reset_for_what_belongs_nowhere_keeps_its_number() -> None:
    made, *_ = opened()
    out = made.from_stack(End.SERVER, serialise(tcp_packet(SERVER, CLIENT, 80, REAL, seq=0, ack=700_001, flags=RST | ACK)), 0)
    assert (read(out).seq, read(out).ack) == (0, OURS + PORT + 1)


def test_an_error_quotes_what_the_stack_sent() -> None:
    made, *_ = opened()
    syn = tcp_packet(CLIENT, SERVER, PORT, 80, seq=OURS + PORT, flags=SYN)
    error = Packet(4, bytes((100, 64, 0, 3)), CLIENT, ICMP, icmp_type=11, payload=serialise(syn)[:28])
    got = read(made.to_stack(End.CLIENT, serialise(error)))
    assert got.payload[20:] == REAL.to_bytes(2, "big") + (80).to_bytes(2, "big") + (700_000).to_bytes(4, "big")
    assert checksum_state(got) is ChecksumState.VALID


def test_fragments_and_noise_are_left_as_they_are() -> None:
    made, *_ = opened()
    later = serialise(msgspec.structs.replace(tcp_packet(CLIENT, SERVER, PORT, 80, payload=b"x" * 16), frag_offset=48, headless=True))
    for data in (b"", b"\x45", b"\x60" * 30, b"\x99" * 80, later):
        assert made.to_stack(End.SERVER, data) == data


@given(st.binary(max_size=90))
def test_nothing_raises(data: bytes) -> None:
    made, *_ = opened()
    for start in (b"", b"\x45\x00", b"\x60"):
        for end in End:
            made.to_stack(end, start + data)


def test_what_is_not_acknowledged_is_known() -> None:
    made, *_ = opened()
    flow = made.flows[PORT]
    assert flow.unheard(End.CLIENT)
    made.to_stack(End.CLIENT, serialise(tcp_packet(SERVER, CLIENT, 80, PORT, seq=THEIRS + PORT, ack=OURS + PORT + 1, flags=SYN | ACK)))
    assert not flow.unheard(End.CLIENT)
    assert flow.unheard(End.CLIENT, 3)
    assert flow.is_shut(End.CLIENT, 3)
    made.from_stack(End.CLIENT, serialise(tcp_packet(CLIENT, SERVER, REAL, 80, seq=700_001, ack=800_001, flags=FIN | ACK, payload=b"GET")), 0)
    assert (flow.unheard(End.CLIENT, 3), flow.is_shut(End.CLIENT, 3)) == (True, False)
    reset = tcp_packet(SERVER, CLIENT, 80, PORT, seq=THEIRS + PORT + 1, flags=RST)
    assert not flow.broken[End.CLIENT]
    made.to_stack(End.CLIENT, serialise(msgspec.structs.replace(reset, seq=reset.seq + 9)))
    assert not flow.broken[End.CLIENT]
    made.to_stack(End.CLIENT, serialise(reset))
    assert flow.broken[End.CLIENT]
