"""IEEE 802.11 frames: where the data begins, with every header that can stand before it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.wire.result import Unparseable
from crenel.wire.wifi import data_of_frame, data_of_radiotap
from tests.wire.oracle import scapy

ADDRESSES = bytes(20)
DATA, QOS_DATA = 0x08, 0x88


@pytest.mark.parametrize(
    ("control", "flags", "length"),
    [(DATA, 0, 24), (DATA, 1, 24), (DATA, 2, 24), (DATA, 3, 30), (QOS_DATA, 1, 26), (QOS_DATA, 3, 32), (QOS_DATA, 0x81, 30), (DATA, 0x81, 24)],
)
def test_length_of_the_header(control: int, flags: int, length: int) -> None:
    frame = bytes((control, flags)) + bytes(60)
    assert data_of_frame(b"??" + frame, 2, 2 + len(frame)) == 2 + length


@pytest.mark.parametrize(
    ("frame", "word"),
    [
        (bytes((DATA, 0)) + bytes(21), "cut"),
        (bytes((0x80, 0)) + bytes(60), "without data"),
        (bytes((0xB4, 0)) + bytes(60), "without data"),
        (bytes((0x48, 0)) + bytes(60), "without data"),
        (bytes((DATA, 0x40)) + bytes(60), "encrypted"),
        (bytes((QOS_DATA, 0)) + bytes(22) + b"\x80" + bytes(40), "aggregate"),
    ],
)
def test_no_plain_data(frame: bytes, word: str) -> None:
    found = data_of_frame(frame, 0, len(frame))
    assert isinstance(found, Unparseable)
    assert word in found.because


@pytest.mark.parametrize(
    ("present", "padded"),
    [("Flags", True), ("Flags", False), ("TSFT+Flags+Rate+Channel", True), ("TSFT+Flags+Rate+Channel", False), ("Rate", False)],
)
def test_padding_that_radiotap_announces(present: str, padded: bool) -> None:
    s = scapy()
    fields = {"Flags": 0x20 if padded else 0} if "Flags" in present else {}
    head = bytes(s.RadioTap(present=present, **fields))
    frame = bytes((QOS_DATA, 1)) + bytes(60)
    assert data_of_radiotap(head + frame, 0, len(head + frame)) == len(head) + (28 if padded else 26)


def test_radiotap_with_more_words_of_flags() -> None:
    head = bytes.fromhex("00 00 1400 020000a0 000000a0 00000000 20000000".replace("a0", "80"))
    frame = bytes((QOS_DATA, 1)) + bytes(60)
    assert data_of_radiotap(head + frame, 0, len(head + frame)) == 20 + 28


@given(st.binary(max_size=80), st.integers(0, 10), st.integers(0, 80))
def test_any_bytes_give_a_place_or_a_reason(buffer: bytes, start: int, end: int) -> None:
    end = min(end, len(buffer))
    for read in (data_of_frame, data_of_radiotap):
        found = read(buffer, start, end)
        assert isinstance(found, Unparseable) or found >= start + 24
