"""A scenario in, what the internet is told and what the server must own out."""

import msgspec

from crenel.net.lab.internet.scenario import Listen, parse_scenario
from crenel.net.lab.internet.setup import Setup, missing_networks, set_up

SCENARIO = parse_scenario(
    b"""
ipv6 = false
[[host]]
name = "far.example"
addresses = ["198.18.7.7", "2001:db8:77::1"]
[[host]]
name = "near.example"
addresses = ["203.0.113.9"]
[[program]]
name = "a"
command = ["a"]
listen = ["tcp/203.0.113.9:443", "udp/198.18.7.8:53", "tcp/1"]
""",
    "x.toml",
)


def test_a_setup_holds_what_the_scenario_says() -> None:
    setup = set_up("certificate", "key", SCENARIO, addresses=("203.0.113.53", "203.0.113.9"), caddy=None, networks=("10.0.0.0/8", "fd00::/8"))
    assert setup.names.look_up("far.example") == ("198.18.7.7", "2001:db8:77::1")
    (other,) = setup.names.look_up("other.example")
    assert other.startswith("10.")
    assert setup.addresses == ("203.0.113.53", "203.0.113.9", "198.18.7.7", "2001:db8:77::1")
    assert setup.claims == (Listen("tcp", "203.0.113.9", 443), Listen("udp", "198.18.7.8", 53), Listen("tcp", None, 1))


def test_a_setup_survives_the_way_to_the_server() -> None:
    setup = set_up("certificate", "key", SCENARIO, addresses=(), caddy="caddy")
    assert msgspec.json.decode(msgspec.json.encode(setup), type=Setup) == setup


def test_what_the_server_does_not_own_yet_is_told() -> None:
    assert missing_networks(SCENARIO, ("203.0.113.0/24", "2001:db8:5e::/48")) == ("198.18.7.7/32", "2001:db8:77::1/128", "198.18.7.8/32")
    assert not missing_networks(SCENARIO, ("0.0.0.0/0", "::/0"))
