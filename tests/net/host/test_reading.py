"""Text in and out of order, overlapping and urgent, as ladders: what the application reads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.net.host.ladder import ladder
from tests.net.host.script import DATA, Send, Step
from tests.net.host.scripts import FIN_WAIT_2, OPEN


@pytest.mark.parametrize(
    ("parts", "read"),
    [
        ([(11, "AAAAA"), (11, "BBBBB")], "AAAAA"),
        ([(11, "AAAAA"), (11, "BBBBBBBB")], "BBBBBBBB"),
        ([(13, "AAAA"), (11, "BBBBBBBB")], "BBBBBBBB"),
        ([(13, "AAAA"), (11, "BBBB")], "BBBBAA"),
        ([(11, "AAAA"), (13, "BBBB")], "AAAABB"),
        ([(11, "AAAAAA"), (13, "BB")], "AAAAAA"),
    ],
)
def test_the_first_copy_stays_unless_it_is_covered_whole(parts: list[tuple[int, str]], read: str) -> None:
    early: list[Step] = [Send("PA", seq, 1, text.encode()) for seq, text in parts]
    assert f"read {DATA.decode()}{read}\n" in ladder([*OPEN, *early, Send("PA", 1, 1, DATA)])


def test_what_was_read_is_not_read_again() -> None:
    assert "read 0123456789YYYYY\n" in ladder([*OPEN, Send("PA", 1, 1, DATA), Send("PA", 6, 1, b"XXXXXYYYYY")])


@pytest.mark.parametrize(("pointer", "stream", "byte"), [(0, "Ubcd", "a"), (1, "Ubcd", "a"), (2, "abcd", "U"), (5, "aUbc", "d")])
def test_the_urgent_byte_stands_before_the_pointer_and_is_left_out(pointer: int, stream: str, byte: str) -> None:
    text = ladder([*OPEN, Send("PAU", 1, 1, b"aUbcd", urgent=pointer)])
    assert f"urgent {byte}\n" in text
    assert f"read {stream}\n" in text


def test_a_fin_held_out_of_order_closes_when_the_gap_is_filled() -> None:
    text = ladder([*FIN_WAIT_2, Send("FA", 11, 2), Send("PA", 1, 2, DATA)])
    assert text.endswith("<< A seq 2 ack 12\nread 0123456789\nend\nCLOSED")


@given(st.permutations(range(6)), st.integers(1, 5))
def test_any_order_of_segments_reads_the_same(order: list[int], size: int) -> None:
    stream = bytes(range(65, 65 + 6 * size))
    sends: list[Step] = [Send("PA", 1 + at * size, 1, stream[at * size : (at + 1) * size]) for at in order]
    assert f"read {stream.decode()}\n" in ladder([*OPEN, *sends])
