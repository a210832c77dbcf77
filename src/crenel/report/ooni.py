"""Exchanges in, measurements in the shape of OONI's `web_connectivity` and `dnscheck` out, so that pipelines can be tested on what is known.

The shapes follow OONI's data formats df-000 to df-008. What a test helper would have measured from outside comes from what the
simulated server would say; the truth, which no probe knows, stands under `annotations`.
"""

import base64
import datetime as dt
from collections.abc import Iterator, Sequence
from typing import TypeAlias

import msgspec

from crenel.errors import UsageError
from crenel.net.app.dns import Dns, true_addresses
from crenel.net.app.http import Http
from crenel.net.app.target import Target
from crenel.net.app.tls import Tls
from crenel.net.exchange import Exchange
from crenel.net.replay.report import show_address
from crenel.report.observed import FAILURES, Connection, Page, addresses, asked, connections, messages, page_of, response, title
from crenel.report.table import end_of
from crenel.report.text import safe
from crenel.wire.dns import A, Message
from crenel.wire.packet import TCP

Json: TypeAlias = "dict[str, Json] | list[Json] | str | float | bool | None"
"""A value that can be written as JSON."""

_TEST_VERSIONS = {"web_connectivity": "0.5.28", "dnscheck": "0.9.2"}
"""Of the tests whose shapes these are."""
_RCODES = {0: "dns_no_answer", 2: "dns_server_misbehaving", 3: "dns_nxdomain_error", 5: "dns_refused_error"}
_BILLION = 1_000_000_000


class Truth(msgspec.Struct, frozen=True):
    """What a test helper outside sees of a real server."""

    page: Page | None = None
    """What it sends; None where nobody could read that."""
    addresses: tuple[str, ...] = ()
    """Where its name really leads; empty: to where the client went."""


def probe_steps(target: Target) -> tuple[Target, ...]:
    """Return what a probe carries out for a target: a look-up of the name before a website, which then is where the look-up truly leads.

    Raises:
        UsageError: OONI has no test of such a thing that could be told of.
    """
    if isinstance(target.app, Dns):
        return (target,)
    if not isinstance(target.app, Http | Tls):
        message = f"--format ooni: {safe(target.shown, 200)}: OONI measures websites (http, https) and resolvers (dns, dns-tcp)"
        raise UsageError(message)
    if target.address is not None:
        return (target,)
    [address] = true_addresses(target.name.encode("utf-8", "surrogateescape"), A)
    return Target(target.name, Dns(name=target.name), target.name), msgspec.structs.replace(target, address=address)


def measurement(targets: Sequence[Target], exchanges: Sequence[Exchange], crenel: str = "") -> dict[str, Json]:
    """Return the measurement that the steps of a probe come to.

    Args:
        targets: from `probe_steps`.
        exchanges: what became of each, in one session.
        crenel: the version of Crenel.

    Raises:
        UsageError: OONI has no test of such a thing that could be told of.
    """
    if isinstance(targets[-1].app, Dns):
        return dnscheck(targets[-1], exchanges[-1], crenel)
    return web_connectivity(targets[-1], exchanges[-1], exchanges[0] if len(exchanges) > 1 else None, crenel)


def web_connectivity(
    target: Target, fetch: Exchange, lookup: Exchange | None = None, crenel: str = "", truth: Truth | None = None
) -> dict[str, Json]:
    """Return the measurement of a website.

    Args:
        target: the page, of http or https.
        fetch: what became of it.
        lookup: the look-up of its name before it; None where the target names an address.
        crenel: the version of Crenel.
        truth: what is so of a real server; None: all follows from the simulated one.

    Raises:
        UsageError: the target is no website.
    """
    if not isinstance(target.app, Http | Tls):
        message = f"{target.shown}: a website is http or https"
        raise UsageError(message)
    first = fetch.trace[0].packet
    address = end_of(show_address(first.dst), first.dport)
    queries = [] if lookup is None else _queries(lookup, 1)
    connected, handshakes = connections(fetch), []
    if isinstance(target.app, Tls):
        handshakes = [_handshake(fetch, target.app, address, number, connection) for number, connection in enumerate(connected, 2) if connection.done]
    page = response(fetch, target.app)
    failure = None if page is not None else FAILURES[fetch.experience.ending] or "eof_error"
    request = _transaction(target, failure, page, address, fetch.experience.time, 1 + len(connected))
    truth = truth or Truth()
    told = truth.page or page_of(target.app)
    servers = truth.addresses or (show_address(first.dst),)
    keys: dict[str, Json] = {
        "agent": "redirect", "client_resolver": _resolver(lookup), "retries": None, "socksproxy": None,
        "network_events": list(_network_events(fetch, address, 2)), "queries": list(queries), "requests": [request],
        "tcp_connect": [_tcp_connect(fetch, number, connection) for number, connection in enumerate(connected, 2)],
        "tls_handshakes": list(handshakes), "x_dns_duplicate_responses": _duplicates(lookup) if lookup is not None else None,
        "control": _control(servers, target, told), "control_failure": None, "dns_experiment_failure": _dns_failure(queries),
        "http_experiment_failure": failure,
    }  # fmt: skip
    keys |= _analysis(lookup, servers, any(connection.done for connection in connected), page, told, failure)
    exchanges = [fetch] if lookup is None else [lookup, fetch]
    return _measurement("web_connectivity", target.shown, exchanges, keys, crenel)


def dnscheck(target: Target, exchange: Exchange, crenel: str = "") -> dict[str, Json]:
    """Return the measurement of a resolver.

    Args:
        target: the name that is looked up.
        exchange: what became of it.
        crenel: the version of Crenel.

    Raises:
        UsageError: the target is no look-up.
    """
    if not isinstance(target.app, Dns):
        message = f"{target.shown}: a resolver is asked by dns or dns-tcp"
        raise UsageError(message)
    first = exchange.trace[0].packet
    scheme = "tcp" if first.proto == TCP else "udp"
    url = f"{scheme}://{end_of(show_address(first.dst), first.dport)}"
    queries = _queries(exchange, 1)
    lookup: dict[str, Json] = {
        "agent": "redirect", "failure": _dns_failure(queries), "queries": list(queries), "network_events": [], "requests": None, "socksproxy": None,
        "tcp_connect": [_tcp_connect(exchange, number, one) for number, one in enumerate(connections(exchange), 1)] if scheme == "tcp" else [],
        "tls_handshakes": [], "x_dns_duplicate_responses": _duplicates(exchange),
    }  # fmt: skip
    keys: dict[str, Json] = {
        "bootstrap": None, "bootstrap_failure": None, "default_addrs": "", "domain": target.name, "http3_enabled": False, "http_host": "",
        "lookups": {url: lookup}, "tls_server_name": "", "tls_version": "",
    }  # fmt: skip
    return _measurement("dnscheck", url, [exchange], keys, crenel)


def _measurement(test: str, given: str, exchanges: Sequence[Exchange], keys: dict[str, Json], crenel: str) -> dict[str, Json]:
    begun = dt.datetime.fromtimestamp(exchanges[0].start // _BILLION, dt.UTC).strftime("%Y-%m-%d %H:%M:%S")
    last = exchanges[-1]
    boxes = list(dict.fromkeys(trigger.middlebox for one in exchanges for trigger in one.triggers if trigger.acted))
    truth: dict[str, Json] = {
        "engine_name": "crenel", "engine_version": crenel, "crenel_outcome": last.outcome, "crenel_wall": last.wall.name,
        "crenel_middleboxes": ",".join(boxes), "crenel_chance": f"{last.chance:.6g}",
    }  # fmt: skip
    if len(exchanges) > 1:
        truth["crenel_lookup_outcome"] = exchanges[0].outcome
    return {
        "annotations": truth, "data_format_version": "0.2.0",
        "extensions": {"dnst": 0, "httpt": 0, "netevents": 0, "tcpconnect": 0, "tlshandshake": 0, "tunnel": 0},
        "input": given, "measurement_start_time": begun, "probe_asn": "AS0", "probe_cc": "ZZ", "probe_ip": "127.0.0.1", "probe_network_name": "",
        "report_id": "", "resolver_asn": "AS0", "resolver_ip": "127.0.0.2", "resolver_network_name": "", "software_name": "crenel",
        "software_version": crenel, "test_helpers": {"backend": {"address": "simulated", "type": "simulated"}}, "test_keys": keys,
        "test_name": test, "test_runtime": sum(one.experience.time for one in exchanges) / _BILLION, "test_start_time": begun,
        "test_version": _TEST_VERSIONS[test],
    }  # fmt: skip


# Look-ups.


def _queries(exchange: Exchange, number: int) -> list[Json]:
    """Return the look-up as the probe saw it: with the first answer, which is the one that counts."""
    found = messages(exchange)
    return [_query(exchange, number, found[0] if found else None)]


def _duplicates(exchange: Exchange) -> list[Json]:
    """Return the answers behind the first."""
    return [_query(exchange, 1, one) for one in messages(exchange)[1:]]


def _query(exchange: Exchange, number: int, heard: tuple[int, Message] | None) -> dict[str, Json]:
    (hostname, kind), server = asked(exchange), exchange.trace[0].packet
    answers: list[Json] = []
    failure = FAILURES[exchange.experience.ending] or "generic_timeout_error"
    if heard is not None:
        for address in addresses(heard[1]):
            version = "ipv6" if ":" in address else "ipv4"
            answers.append({"asn": 0, "as_org_name": "", "answer_type": "AAAA" if version == "ipv6" else "A", version: address, "ttl": None})
    no_answer = None if heard is None or answers else _RCODES.get(heard[1].rcode, "dns_server_misbehaving")
    return {
        "answers": answers or None, "engine": "tcp" if server.proto == TCP else "udp", "failure": failure if heard is None else no_answer,
        "hostname": hostname, "query_type": kind, "resolver_hostname": None, "resolver_port": None,
        "resolver_address": end_of(show_address(server.dst), server.dport), "rcode": heard[1].rcode if heard is not None else None,
        "t": (heard[0] if heard is not None else exchange.experience.time) / _BILLION, "t0": 0.0, "tags": [], "transaction_id": number,
    }  # fmt: skip


def _dns_failure(queries: Sequence[Json]) -> Json:
    first = queries[0] if queries else None
    return first["failure"] if isinstance(first, dict) else None


def _resolver(lookup: Exchange | None) -> str:
    return "" if lookup is None else show_address(lookup.trace[0].packet.dst)


# Connections.


def _tcp_connect(exchange: Exchange, number: int, connection: Connection) -> Json:
    packet, failure = connection.syn, connection.failure
    return {
        "ip": show_address(packet.dst), "port": packet.dport,
        "status": {"blocked": not connection.done, "failure": failure, "success": connection.done},
        "t": connection.time / _BILLION, "t0": 0.0, "tags": [], "transaction_id": number,
    }  # fmt: skip


def _handshake(exchange: Exchange, app: Tls, address: str, number: int, connection: Connection) -> Json:
    failure = FAILURES[exchange.experience.ending]
    if exchange.experience.ending == "misled":
        failure = "ssl_invalid_certificate" if exchange.experience.says.startswith("TLS") else "ssl_failed_handshake"
    return {
        "network": "tcp", "address": address, "cipher_suite": "" if failure else "TLS_AES_128_GCM_SHA256", "failure": failure,
        "negotiated_protocol": "" if failure else "http/1.1", "no_tls_verify": False, "peer_certificates": None, "server_name": app.host or "",
        "t": exchange.experience.time / _BILLION, "t0": connection.time / _BILLION, "tags": [], "tls_version": "" if failure else "TLSv1.3",
        "transaction_id": number,
    }  # fmt: skip


def _network_events(exchange: Exchange, address: str, number: int) -> Iterator[Json]:
    """Yield what the client wrote and read, packet by packet."""
    for event in exchange.trace:
        packet, size = event.packet, len(event.packet.payload)
        wrote = event.sender == "client" and event.what == "sent"
        if event.time > exchange.experience.time or not size or not (wrote or (event.what == "arrived" and event.where == "client")):
            continue
        yield {
            "address": address, "failure": None, "num_bytes": size, "operation": "write" if wrote else "read",
            "proto": "tcp" if packet.proto == TCP else "udp", "t": event.time / _BILLION, "t0": event.time / _BILLION, "tags": [],
            "transaction_id": number,
        }  # fmt: skip
    failure = FAILURES[exchange.experience.ending]
    if failure is not None:
        time = exchange.experience.time / _BILLION
        yield {
            "address": address, "failure": failure, "num_bytes": 0, "operation": "read", "proto": "tcp", "t": time, "t0": time, "tags": [],
            "transaction_id": number,
        }  # fmt: skip


# Pages.


def _transaction(target: Target, failure: str | None, page: Page | None, address: str, time: int, number: int) -> Json:
    said: list[tuple[str, str]] = [("Host", target.name), ("Accept", "*/*"), ("User-Agent", "crenel")]
    answer: dict[str, Json] = {"body": "", "body_is_truncated": False, "code": 0, "headers": {}, "headers_list": []}
    if page is not None:
        given: dict[str, Json] = dict(page.headers)
        listed: list[Json] = [[name, value] for name, value in page.headers]
        answer |= {"body": _binary(page.body), "code": page.code, "headers": given, "headers_list": listed}
    request: dict[str, Json] = {
        "body": "", "body_is_truncated": False, "headers": dict(said), "headers_list": [[name, value] for name, value in said], "method": "GET",
        "tor": {"exit_ip": None, "exit_name": None, "is_tor": False}, "url": target.shown, "x_transport": "tcp",
    }  # fmt: skip
    return {
        "network": "tcp", "address": address, "alpn": "", "failure": failure, "request": request, "response": answer, "t": time / _BILLION,
        "t0": 0.0, "tags": [], "transaction_id": number,
    }  # fmt: skip


def _binary(body: bytes) -> Json:
    """Return bytes as text where they are UTF-8, else as OONI writes binary data."""
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return {"format": "base64", "data": base64.b64encode(body).decode()}


# What a test helper would have said, and what follows.


def _control(servers: Sequence[str], target: Target, told: Page) -> Json:
    assert isinstance(target.app, Http | Tls)  # noqa: S101  checked by the only caller
    places = [end_of(server, target.app.port) for server in servers]
    handshake: dict[str, Json] = {}
    if isinstance(target.app, Tls):
        handshake = {place: {"failure": None, "server_name": target.app.host or "", "status": True} for place in places}
    request: dict[str, Json] = {
        "body_length": len(told.body), "discovered_h3_endpoint": "", "failure": None, "headers": dict(told.headers), "status_code": told.code,
        "title": title(told),
    }  # fmt: skip
    return {
        "dns": {"addrs": list(servers), "failure": None}, "http_request": request, "http3_request": None,
        "ip_info": {server: {"asn": 0, "flags": 10} for server in servers}, "quic_handshake": {},
        "tcp_connect": {place: {"failure": None, "status": True} for place in places},
        "tls_handshake": handshake,
    }  # fmt: skip


def _analysis(
    lookup: Exchange | None, servers: Sequence[str], connected: bool, page: Page | None, told: Page, failure: str | None  # noqa: FBT001  private
) -> dict[str, Json]:
    """Return what a probe concludes, by the rules of its version 0.5."""
    found = messages(lookup) if lookup is not None else []
    consistent = lookup is None or (bool(found) and (not set(servers).isdisjoint(addresses(found[0][1])) or not addresses(found[0][1])))
    same = page is not None and (page.code, page.body) == (told.code, told.body)
    larger = max(len(told.body), len(page.body) if page is not None else 0, 1)
    proportion = min(len(told.body), len(page.body)) / larger if page is not None else 0.0
    blocking: Json = False
    if not consistent:
        blocking = "dns"
    elif not connected:
        blocking = "tcp_ip"
    elif failure is not None:
        blocking = "http-failure"
    elif not same:
        blocking = "http-diff"
    return {
        "dns_consistency": "consistent" if consistent else "inconsistent", "body_proportion": proportion,
        "body_length_match": proportion > 0.7 if page is not None else None,
        "headers_match": page.headers == told.headers if page is not None else None,
        "status_code_match": page.code == told.code if page is not None else None,
        "title_match": title(page) == title(told) if page is not None else None, "blocking": blocking, "accessible": blocking is False,
    }  # fmt: skip
