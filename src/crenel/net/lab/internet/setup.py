"""A lab's authority, layout and scenario in, all that its internet is told when it begins out."""

import ipaddress
from collections.abc import Mapping, Sequence

import msgspec

from crenel.net.lab.interior import HOME
from crenel.net.lab.internet.naming import Names
from crenel.net.lab.internet.scenario import Listen, Program, Scenario

EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104  the namespace of a lab has no way in but the lab


class Setup(msgspec.Struct, frozen=True, kw_only=True):
    """What the internet of a lab is like."""

    certificate: str
    """Of the authority that issues certificates, as PEM."""
    key: str
    names: Names = Names()
    programs: tuple[Program, ...] = ()
    claims: tuple[Listen, ...] = ()
    """Where the programs listen."""
    addresses: tuple[str, ...] = ()
    """Addresses at which there are servers from the start, even on ports where a program has an address of its own; also those of the
    certificate for who asks for none by name."""
    wildcards: tuple[str, ...] = EVERYWHERE
    ports: Mapping[str, int] = {}
    """Other ports than usual, by service."""
    folder: str = f"{HOME}/internet"
    """Where it may write."""
    caddy: str | None = None
    """Where Caddy is; None: there is none, and HTTP/1.1 is all that is spoken."""


def set_up(
    certificate: str, key: str, scenario: Scenario, *, addresses: Sequence[str], caddy: str | None, networks: tuple[str, str] | None = None
) -> Setup:
    """Return the setup of a lab's internet.

    Args:
        certificate: of the authority, as PEM.
        key: of the authority, as PEM.
        scenario: what is added; an empty one adds nothing.
        addresses: what else than the scenario's hosts is to be served: the resolver and the server itself.
        caddy: where Caddy is, if it is.
        networks: from which networks names get their addresses, of version 4 and 6; None: as usual.
    """
    hosts = {host.name: host.addresses for host in scenario.host}
    names = Names(hosts=hosts, with_6=scenario.ipv6)
    if networks is not None:
        names = msgspec.structs.replace(names, network_4=networks[0], network_6=networks[1])
    own = (*addresses, *(address for host in scenario.host for address in host.addresses))
    return Setup(
        certificate=certificate, key=key, names=names, programs=scenario.program, addresses=tuple(dict.fromkeys(own)), caddy=caddy,
        claims=tuple(listen for program in scenario.program for listen in program.listens()),
    )  # fmt: skip


def missing_networks(scenario: Scenario, served: Sequence[str]) -> tuple[str, ...]:
    """Return what a lab's server must own beside the networks that it serves, so that the hosts and programs of a scenario are reached."""
    networks = [ipaddress.ip_network(network) for network in served]
    wanted = [address for host in scenario.host for address in host.addresses]
    wanted += [listen.address for program in scenario.program for listen in program.listens() if listen.address is not None]
    absent = dict.fromkeys(address for address in wanted if not any(ipaddress.ip_address(address) in network for network in networks))
    return tuple(f"{address}/{ipaddress.ip_address(address).max_prefixlen}" for address in absent)
