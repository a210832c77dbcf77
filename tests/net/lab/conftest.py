"""A lab for tests that leave nothing behind in it: made once for each of their modules."""

from collections.abc import Iterator

import pytest

from crenel.net.lab.lab import Lab
from tests.net.lab.machine import MISSING, near_lab


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """Return a lab in which nothing happens to packets."""
    if MISSING:
        pytest.skip(f"no lab on this machine: {MISSING}")
    with near_lab() as made:
        yield made
