"""Names of conversations and classes of packets: both directions find one flow, and each flag that boxes look at has its bit."""

from hypothesis import given
from hypothesis import strategies as st

from crenel.flow.key import CLASS_ACK, CLASS_FIN, CLASS_LOAD, CLASS_RST, CLASS_SECOND, CLASS_SYN, CLASSES, FLAG_CLASS, flow_key, reverse_key
from crenel.wire.ip import serialise
from crenel.wire.packet import ACK, FIN, PSH, RST, SYN, URG, tcp_packet

PORTS = st.integers(0, 65535)
ENDS = st.one_of(*(st.tuples(st.binary(min_size=size, max_size=size), st.binary(min_size=size, max_size=size), PORTS, PORTS) for size in (4, 16)))


@given(ends=ENDS)
def test_the_key_of_the_other_direction_is_the_reverse_of_this(ends: tuple[bytes, bytes, int, int]) -> None:
    src, dst, sport, dport = ends
    key = flow_key(src, dst, sport, dport)
    assert reverse_key(key) == flow_key(dst, src, dport, sport)
    assert reverse_key(reverse_key(key)) == key


@given(one=ENDS, other=ENDS)
def test_other_ends_have_another_key(one: tuple[bytes, bytes, int, int], other: tuple[bytes, bytes, int, int]) -> None:
    assert (flow_key(*one) == flow_key(*other)) == (one == other)


@given(ends=ENDS.filter(lambda ends: len(ends[0]) == 4))
def test_the_key_stands_in_the_packet_as_it_is(ends: tuple[bytes, bytes, int, int]) -> None:
    src, dst, sport, dport = ends
    assert serialise(tcp_packet(src, dst, sport, dport))[12:24] == flow_key(src, dst, sport, dport)


@given(flags=st.integers(0, 255))
def test_a_class_has_one_bit_for_each_flag_that_a_state_model_may_name(flags: int) -> None:
    bits = {FIN: CLASS_FIN, SYN: CLASS_SYN, RST: CLASS_RST, ACK: CLASS_ACK}
    assert FLAG_CLASS[flags] == sum(bit for flag, bit in bits.items() if flags & flag)
    assert FLAG_CLASS[flags] == FLAG_CLASS[flags ^ PSH] == FLAG_CLASS[flags ^ URG]


def test_the_bits_of_a_class_do_not_meet() -> None:
    assert CLASS_FIN | CLASS_SYN | CLASS_RST | CLASS_ACK | CLASS_LOAD | CLASS_SECOND == CLASSES - 1
    assert CLASS_FIN + CLASS_SYN + CLASS_RST + CLASS_ACK + CLASS_LOAD + CLASS_SECOND == CLASSES - 1
