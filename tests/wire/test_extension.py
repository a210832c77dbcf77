"""Chains of IPv6 extension headers: how far they are followed, and the fragment header in them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.wire.extension import Chain, fragment_header, set_fragment, walk_extensions

HOP, ROUTING, FRAGMENT, AH, NONE, OPTIONS, UDP, ESP = 0, 43, 44, 51, 59, 60, 17, 50


def header(following: int, words: int = 0) -> bytes:
    return bytes((following, words)) + bytes(6 + 8 * words)


def walked(data: bytes, first: int) -> Chain:
    return walk_extensions(b"--" + data, 2, 2 + len(data), first)


@pytest.mark.parametrize(
    ("first", "data", "proto", "length"),
    [
        (UDP, b"", UDP, 0),
        (HOP, header(UDP), UDP, 8),
        (HOP, header(ROUTING) + header(OPTIONS, 2) + header(UDP), UDP, 40),
        (AH, bytes((UDP, 4)) + bytes(22), UDP, 24),
        (OPTIONS, header(NONE), NONE, 8),
        (OPTIONS, header(ESP), ESP, 8),
        (OPTIONS, header(UDP, 1)[:15], OPTIONS, 0),
        (OPTIONS, header(HOP) + b"\x11\0\0", HOP, 8),
        (ESP, bytes(40), ESP, 0),
    ],
)
def test_the_chain_is_followed_as_far_as_it_is_whole(first: int, data: bytes, proto: int, length: int) -> None:
    assert walked(data, first) == Chain(proto, 2 + length)


def test_fragment_header() -> None:
    assert walked(fragment_header(UDP, 1448, 1, 7) + header(9), FRAGMENT) == Chain(UDP, 10, 2, 1448, 1, 7)


def test_the_chain_ends_in_the_middle_of_a_datagram() -> None:
    assert walked(fragment_header(OPTIONS, 8, 0, 7) + header(UDP), FRAGMENT).proto == OPTIONS
    assert walked(fragment_header(OPTIONS, 0, 1, 7) + header(UDP), FRAGMENT).proto == UDP


def test_a_second_fragment_header_is_not_walked() -> None:
    chain = walked(fragment_header(FRAGMENT, 0, 1, 7) + fragment_header(UDP, 0, 1, 8), FRAGMENT)
    assert (chain.proto, chain.position, chain.ident) == (FRAGMENT, 10, 7)


def test_reserved_bits_of_a_fragment_header_stay() -> None:
    odd = b"before--" + bytes((UDP, 0xFF, 0, 0x06)) + bytes(4) + b"behind"
    assert set_fragment(odd, 8, 16, 1, 5) == b"before--" + bytes((UDP, 0xFF, 0, 0x17, 0, 0, 0, 5)) + b"behind"


@given(st.sampled_from([HOP, ROUTING, FRAGMENT, AH, OPTIONS, 135]), st.lists(st.sampled_from([header(HOP), header(FRAGMENT), b"\x2c\0", header(AH)])))
def test_any_chain_ends_inside_its_bytes(first: int, parts: list[bytes]) -> None:
    data = b"".join(parts)
    chain = walk_extensions(data, 0, len(data), first)
    assert 0 <= chain.position <= len(data)
