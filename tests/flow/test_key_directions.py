"""Ends of conversations and flags in, keys and packet classes out: dpkt's bytes of a packet are the oracle."""

import dpkt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.flow.key import CLASS_ACK, CLASS_FIN, CLASS_LOAD, CLASS_RST, CLASS_SECOND, CLASS_SYN, CLASSES, FLAG_CLASS, flow_key, reverse_key
from crenel.wire.packet import ACK, CWR, ECE, FIN, PSH, RST, SYN, URG

PORT = st.integers(0, 65535)
ENDS = st.sampled_from((4, 16)).flatmap(lambda size: st.tuples(st.binary(min_size=size, max_size=size), st.binary(min_size=size, max_size=size), PORT, PORT))
BITS = {FIN: CLASS_FIN, SYN: CLASS_SYN, RST: CLASS_RST, ACK: CLASS_ACK}


@given(ends=ENDS)
def test_the_reverse_of_the_reverse_is_the_key(ends: tuple[bytes, bytes, int, int]) -> None:
    key = flow_key(*ends)
    assert reverse_key(reverse_key(key)) == key


@given(ends=ENDS)
def test_the_reverse_is_the_key_of_the_answer(ends: tuple[bytes, bytes, int, int]) -> None:
    src, dst, sport, dport = ends
    assert reverse_key(flow_key(src, dst, sport, dport)) == flow_key(dst, src, dport, sport)
    assert (reverse_key(flow_key(*ends)) == flow_key(*ends)) == ((src, sport) == (dst, dport))


@given(ends=ENDS, others=ENDS)
def test_a_key_is_that_of_its_ends_alone(ends: tuple[bytes, bytes, int, int], others: tuple[bytes, bytes, int, int]) -> None:
    assert (flow_key(*ends) == flow_key(*others)) == (ends == others)


@given(src=st.binary(min_size=4, max_size=4), dst=st.binary(min_size=4, max_size=4), sport=PORT, dport=PORT)
def test_the_key_stands_in_an_ipv4_packet_without_options(src: bytes, dst: bytes, sport: int, dport: int) -> None:
    packet = bytes(dpkt.ip.IP(src=src, dst=dst, p=6, data=dpkt.tcp.TCP(sport=sport, dport=dport)))
    assert packet[12:24] == flow_key(src, dst, sport, dport)


@pytest.mark.parametrize("ports", [(0, 0), (65535, 0), (0, 65535), (65535, 65535), (255, 256)])
def test_ports_take_two_bytes_each(ports: tuple[int, int]) -> None:
    assert flow_key(bytes(4), bytes(4), *ports)[8:] == ports[0].to_bytes(2, "big") + ports[1].to_bytes(2, "big")


@given(flags=st.integers(0, 255))
def test_a_class_knows_four_flags(flags: int) -> None:
    assert FLAG_CLASS[flags] == sum(bit for flag, bit in BITS.items() if flags & flag)
    assert FLAG_CLASS[flags ^ (PSH | URG | ECE | CWR)] == FLAG_CLASS[flags]


def test_bits_of_a_class_do_not_overlap_and_fill_it() -> None:
    assert len(FLAG_CLASS) == 256
    assert set(FLAG_CLASS) == set(range(16))
    assert CLASS_FIN | CLASS_SYN | CLASS_RST | CLASS_ACK | CLASS_LOAD | CLASS_SECOND == CLASSES - 1
    assert CLASS_FIN + CLASS_SYN + CLASS_RST + CLASS_ACK + CLASS_LOAD + CLASS_SECOND == CLASSES - 1
