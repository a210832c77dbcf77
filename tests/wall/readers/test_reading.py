"""Answers are values: what nothing reads changes nothing, and a DNS query knows whether it asks for recursion."""

from crenel.wall.readers.reading import NOT_MINE, WAIT, Answer, Query


def test_the_two_answers_that_name_nothing() -> None:
    assert Answer((), 0, False) == NOT_MINE
    assert Answer((), 0, True) == WAIT


def test_recursion_is_the_lowest_bit_of_the_first_flag_byte() -> None:
    assert Query(1, 0x0100, b"\0", b"", None, None).recursion
    assert not Query(1, 0xFEFF, b"\0", b"", None, None).recursion
