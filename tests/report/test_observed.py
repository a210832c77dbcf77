"""What a client saw of an exchange: every connection that it tried, the stream that it heard, and the page in it."""

from crenel.net.app.http import Http
from crenel.net.app.tls import Tls
from crenel.report.observed import FAILURES, addresses, arrivals, asked, connections, heard, messages, page_of, response, title
from tests.report.tried import carried, exchange_of, wall_of


def test_connections() -> None:
    [one] = connections(exchange_of("https://allowed.example/", wall_of()))
    assert (one.done, one.time, one.failure, one.syn.dport) == (True, 162_000_000, None, 443)
    assert connections(exchange_of("allowed.example", wall_of())) == []
    second = carried(wall_of(), "https://blocked.example/", "https://allowed.example/")[1].exchange
    assert [one.done for one in connections(second)] == [True]


def test_the_page_of_a_server_and_of_a_client() -> None:
    exchange = exchange_of("http://allowed.example/", wall_of())
    told = page_of(Http(host="allowed.example"))
    assert response(exchange, Http(host="allowed.example")) == told
    assert (told.code, title(told)) == (200, "allowed.example")
    assert heard(exchange).endswith(told.body)
    assert len(page_of(Tls(host="allowed.example")).body) == 1024
    assert response(exchange_of("https://blocked.example/", wall_of()), Tls(host="blocked.example")) is None


def test_look_ups() -> None:
    exchange = exchange_of("blocked.example", wall_of())
    assert asked(exchange) == ("blocked.example", "A")
    found = messages(exchange)
    assert [time for time, _ in found] == sorted(event.time for event in arrivals(exchange))
    assert len(found) == 4
    assert addresses(found[-1][1]) == ["203.0.113.32"]
    assert asked(exchange_of("dns-tcp://allowed.example?type=AAAA", wall_of())) == ("allowed.example", "AAAA")


def test_each_ending_has_a_failure_or_none() -> None:
    assert {ending for ending, failure in FAILURES.items() if failure is None} == {"answered", "misled"}
