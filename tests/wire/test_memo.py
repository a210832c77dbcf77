"""One memory for several readers of a buffer: asked twice for the same one, the function runs once; for another, again."""

from crenel.wire.memo import remember_last


def test_the_same_buffer_is_read_once_and_an_equal_one_again() -> None:
    read: list[bytes] = []

    @remember_last
    def measure(buffer: bytes) -> int:
        read.append(buffer)
        return len(buffer)

    first, other = b"abc" * 3, b"de" * 3
    equal = bytes(bytearray(first))
    assert equal is not first
    assert [measure(buffer) for buffer in (first, first, other, first, equal, equal)] == [9, 9, 6, 9, 9, 9]
    assert read == [first, other, first, equal]


def test_an_answer_of_none_is_remembered_too() -> None:
    read: list[bytes] = []
    recall = remember_last(read.append)
    buffer = b"x" * 5
    recall(buffer)
    recall(buffer)
    assert len(read) == 1
