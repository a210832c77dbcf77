"""The Internet checksum, by the definition of RFC 1071 and by its own example."""

from hypothesis import given
from hypothesis import strategies as st

from crenel.wire.checksum import internet_checksum, ones_sum, pseudo_header


def folded(data: bytes) -> int:
    """Add 16-bit words with end-around carry, word by word."""
    total = 0
    for at in range(0, len(data), 2):
        total += int.from_bytes(data[at : at + 2].ljust(2, b"\0"), "big")
        total = (total & 0xFFFF) + (total >> 16)
    return total


def test_example_of_rfc_1071_section_3() -> None:
    assert ones_sum(bytes.fromhex("0001f203f4f5f6f7")) == 0xDDF2


def test_nothing_and_zeros_sum_to_zero_and_all_ones_do_not() -> None:
    assert (ones_sum(b""), ones_sum(bytes(6)), ones_sum(b"\xff\xff")) == (0, 0, 0xFFFF)
    assert (internet_checksum(b""), internet_checksum(b"\xff\xff")) == (0xFFFF, 0)


def test_odd_end_is_padded_with_zero() -> None:
    assert ones_sum(b"\x12\x34\x56") == ones_sum(b"\x12\x34\x56\x00") == 0x1234 + 0x5600


@given(st.binary(max_size=200))
def test_equals_the_sum_word_by_word(data: bytes) -> None:
    assert ones_sum(data) == folded(data)


@given(st.binary(min_size=2, max_size=80), st.integers(0, 2**40))
def test_data_with_its_checksum_sums_to_all_ones(data: bytes, initial: int) -> None:
    checksum = internet_checksum(data + bytes(len(data) % 2), initial)
    assert ones_sum(data + bytes(len(data) % 2) + checksum.to_bytes(2, "big"), initial) == 0xFFFF


@given(st.binary(min_size=4, max_size=4), st.binary(min_size=4, max_size=4), st.integers(1, 255), st.integers(0, 0xFFFF))
def test_pseudo_header_of_rfc_9293(src: bytes, dst: bytes, proto: int, length: int) -> None:
    spelt_out = src + dst + bytes((0, proto)) + length.to_bytes(2, "big")
    assert ones_sum(b"", pseudo_header(src, dst, proto, length)) == folded(spelt_out)


@given(st.binary(min_size=16, max_size=16), st.binary(min_size=16, max_size=16), st.integers(1, 255), st.integers(0, 2**32 - 1))
def test_pseudo_header_of_rfc_8200(src: bytes, dst: bytes, proto: int, length: int) -> None:
    spelt_out = src + dst + length.to_bytes(4, "big") + proto.to_bytes(4, "big")
    assert ones_sum(b"", pseudo_header(src, dst, proto, length)) == folded(spelt_out)
