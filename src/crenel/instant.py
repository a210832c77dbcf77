"""The one clock type: `Instant` counts nanoseconds, and nothing in the core asks what time it is."""

from typing import NewType

Instant = NewType("Instant", int)
"""Nanoseconds. In a capture, since 1970-01-01 UTC; in a simulation, since the start of the run."""

NANOSECONDS = 1_000_000_000
"""Nanoseconds in one second."""


def seconds(amount: float) -> int:
    """Return a duration in whole nanoseconds for an amount in seconds."""
    return round(amount * NANOSECONDS)
