"""An internet on the loopback address, made once for each module that asks only."""

from collections.abc import Iterator

import pytest

from crenel.net.lab.internet.caddy import find_caddy
from crenel.net.lab.internet.internet import Internet
from tests.net.lab.internet.nearby import internet, setup_in


@pytest.fixture(scope="module")
def near(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Internet]:
    """Return one without Caddy."""
    with internet(setup_in(tmp_path_factory.mktemp("near"))) as made:
        yield made


@pytest.fixture(scope="module")
def near_caddy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Internet]:
    """Return one with Caddy."""
    caddy = find_caddy()
    if caddy is None:
        pytest.skip("peer absent: caddy (the extra lab brings it)")
    with internet(setup_in(tmp_path_factory.mktemp("caddy")), caddy=caddy) as made:
        yield made
