"""Plans: addresses are checked, files and variables are the lab's own, and nothing points outside."""

import pytest

from crenel.errors import UsageError
from crenel.net.lab.interior import TRUST
from crenel.net.lab.plan import Layout, Plan, environment
from crenel.net.path.path import End


@pytest.mark.parametrize(
    "layout",
    [Layout(client=("192.0.2.300",)), Layout(server=()), Layout(served=("192.0.2.1/24",)), Layout(resolver="resolver.example"), Layout(client=())],
)
def test_a_layout_that_cannot_be_is_refused_by_name(layout: Layout) -> None:
    with pytest.raises(UsageError, match="the layout of the lab: "):
        layout.check()


def test_the_default_layout_can_be() -> None:
    Layout().check()


def test_only_the_server_owns_networks_and_both_know_the_resolver() -> None:
    plan = Plan(layout=Layout(resolver="203.0.113.99"), files={"/etc/hosts": "mine\n"})
    client, server = plan.side(End.CLIENT), plan.side(End.SERVER)
    assert (client["own"], server["own"]) == ((), Layout().served)
    for side in (client, server):
        files = side["files"]
        assert isinstance(files, dict)
        assert files["/etc/resolv.conf"] == "nameserver 203.0.113.99\n"
        assert files["/etc/hosts"] == "mine\n"


def test_variables_trust_the_lab_and_point_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "SSL_CERT_FILE", "CRENEL_KEPT"):
        monkeypatch.setenv(name, "before")
    found = environment(End.SERVER, {"MORE": "1"})
    assert not {"HTTPS_PROXY", "https_proxy"} & found.keys()
    assert (found["SSL_CERT_FILE"], found["CRENEL_KEPT"], found["MORE"], found["CRENEL_LAB"]) == (TRUST, "before", "1", "server")
    assert environment(End.CLIENT, {"SSL_CERT_FILE": "own"})["SSL_CERT_FILE"] == "own"
