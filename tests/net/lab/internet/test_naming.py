"""Names in, addresses out: the same for ever, within their network, with a few that the RFCs except."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.net.lab.internet.naming import Names, derive

NAMES = Names(hosts={"fixed.example": ("203.0.113.9",), "*.wild.example": ("203.0.113.8",), "none.example": ()})


def test_addresses_follow_from_the_name_alone() -> None:
    assert Names().look_up("www.example.org") == ("10.74.180.58", "2001:db8:5e:e633:8544:80b9:270a:b43a")
    assert Names().look_up("WWW.Example.ORG.") == Names().look_up("www.example.org")
    assert Names(with_6=False).look_up("www.example.org") == ("10.74.180.58",)


@pytest.mark.parametrize(
    ("name", "addresses"),
    [
        ("fixed.example", ("203.0.113.9",)),
        ("FIXED.example.", ("203.0.113.9",)),
        ("a.wild.example", ("203.0.113.8",)),
        ("b.a.wild.example", ("203.0.113.8",)),
        ("none.example", ()),
        ("x.invalid", ()),
        ("invalid", ()),
        (".", ()),
        ("localhost", ("127.0.0.1", "::1")),
        ("a.localhost", ("127.0.0.1", "::1")),
    ],
)
def test_names_that_have_their_own(name: str, addresses: tuple[str, ...]) -> None:
    assert NAMES.look_up(name) == addresses


def test_a_star_does_not_stand_for_nothing() -> None:
    assert NAMES.look_up("wild.example") == Names().look_up("wild.example")


@given(st.text(), st.sampled_from(["10.64.0.0/10", "198.51.100.0/24", "192.0.2.8/29", "2001:db8:5e::/48", "2001:db8::/127"]))
def test_an_address_lies_in_its_network_and_looks_like_a_host(name: str, network: str) -> None:
    within = ipaddress.ip_network(network)
    address = ipaddress.ip_address(derive(name, within))
    assert address in within
    assert address.version == 6 or address.packed[3] not in {0, 255}
    assert address != within.network_address


def test_few_names_share_an_address() -> None:
    found = {derive(f"{number}.example", ipaddress.ip_network("10.64.0.0/10")) for number in range(1000)}
    assert len(found) > 990
