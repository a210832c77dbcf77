"""Two sequence numbers in, which comes first out: arithmetic modulo 2**32 (RFC 9293 section 3.4)."""

MASK = 0xFFFFFFFF
HALF = 0x80000000


def before(left: int, right: int) -> bool:
    """Say whether `left` comes before `right`."""
    return (left - right) & MASK >= HALF


def after(left: int, right: int) -> bool:
    """Say whether `left` comes after `right`."""
    return (right - left) & MASK >= HALF


def signed(difference: int) -> int:
    """Return a difference of two sequence numbers as the number from -2**31 to 2**31 - 1 that it stands for."""
    return (difference + HALF & MASK) - HALF


def in_window(seq: int, end: int, low: int, high: int) -> bool:
    """Say whether a segment touches the window from `low` to `high` (tcp_in_window, for requests and TIME-WAIT)."""
    if seq == low or (after(end, low) and before(seq, high)):
        return True
    return seq == high and seq == end


def between(seq: int, low: int, high: int) -> bool:
    """Say whether `seq` lies from `low` to `high`, both inclusive."""
    return high - low & MASK >= seq - low & MASK
