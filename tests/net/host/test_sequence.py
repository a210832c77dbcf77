"""Sequence numbers around the place where they wrap."""

from hypothesis import given
from hypothesis import strategies as st

from crenel.net.host.sequence import after, before, between, in_window, signed

NUMBER = st.integers(0, 2**32 - 1)


@given(NUMBER, st.integers(1, 2**31 - 1))
def test_what_lies_ahead_is_after(low: int, ahead: int) -> None:
    high = (low + ahead) % 2**32
    assert before(low, high)
    assert after(high, low)
    assert not before(high, low)
    assert between(high, low, high)
    assert signed(high - low) == ahead
    assert signed(low - high) == -ahead


@given(NUMBER)
def test_the_edges_of_a_window(low: int) -> None:
    high = (low + 100) % 2**32
    assert in_window(low, low, low, high)
    assert in_window(high, high, low, high), "a bare ACK right behind the window"
    assert not in_window(high, (high + 1) % 2**32, low, high)
    assert not in_window((low - 1) % 2**32, low, low, high)
    assert in_window((low - 1) % 2**32, (low + 1) % 2**32, low, high)
