"""TCP options: read as Linux reads them, written as Linux writes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.net.host.options import (
    HostOptions,
    SynOptions,
    is_unkeyed_signature,
    read_sack,
    read_syn_options,
    read_timestamp,
    sack_option,
    syn_options,
    timestamp_option,
)  # fmt: skip

LINUX_SYN = bytes.fromhex("020405b40402080a000003e80000000001030307")


def test_a_syn_carries_the_options_of_linux_in_its_order() -> None:
    assert syn_options(HostOptions(), (1000, 0), mss=1460, scale=True, sack=True) == LINUX_SYN
    assert syn_options(HostOptions(), None, mss=1460, scale=True, sack=True) == bytes.fromhex("020405b40101040201030307")
    assert syn_options(HostOptions(window_scale=None), None, mss=1460, scale=True, sack=False) == bytes.fromhex("020405b4")


def test_what_is_written_is_read() -> None:
    assert read_syn_options(LINUX_SYN) == SynOptions(1460, 7, sack=True, timestamp=(1000, 0))
    assert read_timestamp(timestamp_option(5, 6)) == (5, 6)
    assert read_timestamp(b"\x08\x0a" + bytes(7) + b"\x09\x01\x01") == (0, 9)


def test_a_scale_over_fourteen_is_fourteen() -> None:
    assert read_syn_options(b"\x03\x03\xff\x00").scale == 14


@pytest.mark.parametrize("options", [b"\xfe\x00\x02\x04\x05\xb4", b"\x02\x08\x05\xb4", b"\x00\x02\x04\x05\xb4", b"\x02"])
def test_nothing_is_read_behind_an_option_that_makes_no_sense(options: bytes) -> None:
    assert read_syn_options(options) == SynOptions()


@pytest.mark.parametrize(
    ("options", "refused"),
    [
        (b"\x13\x12" + bytes(16), True),
        (b"\x01\x01\x13\x12" + bytes(16), True),
        (b"\x00\x13\x12" + bytes(16), False),
        (b"\x13\x12" + bytes(15), False),
        (b"\xfe\x00" + bytes(16), True),
        (b"\x08\x0a" + bytes(18), False),
    ],
)
def test_a_signature_without_a_key_is_seen(options: bytes, refused: bool) -> None:
    assert is_unkeyed_signature(options) is refused


@pytest.mark.parametrize(("options", "refused"), [(b"\x13\x12" + bytes(16), True), (b"\xfe\x00" + bytes(16), False)])
def test_older_kernels_took_options_that_make_no_sense_but_no_signature(options: bytes, refused: bool) -> None:
    assert is_unkeyed_signature(options, checks=False) is refused


@given(st.binary(max_size=44))
def test_no_options_raise(options: bytes) -> None:
    read_syn_options(options)
    read_timestamp(options)
    is_unkeyed_signature(options)


def test_sack_blocks_are_pairs_of_edges() -> None:
    assert sack_option([(1, 2)]) == bytes.fromhex("0101050a0000000100000002")


def test_the_blocks_of_a_sack_option_are_read() -> None:
    blocks = [(0xFFFFFFF0, 5), (70, 80)]
    assert read_sack(sack_option(blocks)) == blocks
    assert read_sack(timestamp_option(1, 2) + sack_option(blocks[:1])) == blocks[:1]
    for options in (b"", b"\x05", b"\x05\x01", b"\x05\x0a" + bytes(4), b"\x00" + sack_option(blocks), timestamp_option(1, 2)):
        assert read_sack(options) == []


@given(st.binary(max_size=40))
def test_no_options_make_reading_blocks_raise(options: bytes) -> None:
    assert all(len(block) == 2 for block in read_sack(options))
