"""The flows of a lab in, measurements in the shape of OONI's out: a look-up and the website that it led to are one, other look-ups each their own."""

from collections.abc import Iterator, Sequence

from crenel.net.app.dns import Dns
from crenel.net.app.http import Http
from crenel.net.app.target import Target
from crenel.net.app.tls import Tls
from crenel.net.exchange import Exchange
from crenel.report.observed import addresses, read_page, served
from crenel.report.ooni import Json, Truth, dnscheck, web_connectivity
from crenel.report.run import Told
from crenel.wire.dns import Message, read_message
from crenel.wire.packet import TCP


def run_measurements(told: Sequence[Told], crenel: str = "") -> Iterator[dict[str, Json]]:
    """Yield the measurements that the flows of a command come to, by their beginning.

    What the server really said is what a test helper would have seen; of TLS, which nobody reads, a stand-in stands at both sides.
    Flows of other protocols are passed over.

    Args:
        told: the flows.
        crenel: the version of Crenel.
    """
    lookups = {one.report.name: one for one in reversed(told) if one.report.protocol == "dns" and one.report.name}
    sites = [one for one in told if one.report.protocol in {"http", "tls"} and one.report.name]
    used = {id(lookups[one.report.name]) for one in sites if one.report.name in lookups}
    for one in told:
        name, exchange = one.report.name, one.lab.exchange
        if one in sites:
            first = lookups.get(name or "")
            lookup = None if first is None else first.lab.exchange
            page = read_page(served(exchange)) if one.report.protocol == "http" else None
            yield web_connectivity(_site(one), exchange, lookup, crenel, Truth(page, true_addresses(lookup)))
        elif one.report.protocol == "dns" and name and id(one) not in used:
            tcp = exchange.trace[0].packet.proto == TCP
            yield dnscheck(Target(name, Dns(name=name, transport="tcp" if tcp else "udp"), name), exchange, crenel)


def _site(one: Told) -> Target:
    name, port, encrypted = one.report.name or "", one.lab.exchange.trace[0].packet.dport, one.report.protocol == "tls"
    shown = f"http{'s' if encrypted else ''}://{name}{'' if port == (443 if encrypted else 80) else f':{port}'}/"
    return Target(shown, Tls(host=name, port=port) if encrypted else Http(host=name, port=port), name)


def true_addresses(lookup: Exchange | None) -> tuple[str, ...]:
    """Return the addresses that the resolver itself gave, whatever else came."""
    found: dict[str, None] = {}
    for event in lookup.trace if lookup is not None else ():
        if event.sender == "server" and event.what == "sent" and event.packet.payload:
            payload = bytes(event.packet.payload)
            message = read_message(payload[2:] if event.packet.proto == TCP else payload)
            if isinstance(message, Message):
                found |= dict.fromkeys(addresses(message))
    return tuple(found)
