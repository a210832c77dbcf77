"""`crenel try --format ooni` as its users meet it: one line, a status, and a sentence for what a probe does not do."""

import json

import pytest

from tests.cli.running import DAY, run


@pytest.mark.parametrize(
    ("target", "test", "status"),
    [
        ("https://blocked.example/", "web_connectivity", 1), ("http://allowed.example/", "web_connectivity", 0),
        ("blocked.example", "dnscheck", 1), ("dns-tcp://allowed.example", "dnscheck", 0),
    ],
)
def test_one_line(target: str, test: str, status: int) -> None:
    ran = run("try", target, *DAY, "--format", "ooni")
    assert (ran.status, ran.err, len(ran.lines)) == (status, "", 1)
    assert json.loads(ran.out)["test_name"] == test


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("quic://a.example/",), "OONI measures websites"), (("--hex", "00"), "OONI measures no payloads"),
        (("a.example", "--then", "b.example"), "leave --then out"), (("a.example", "--repeat", "2"), "leave --repeat out"),
        (("a.example", "--report", "x.html"), "leave --report out"), (("a.example", "--pcap", "x"), "leave --pcap out"),
    ],
)
def test_what_a_probe_does_not_do(arguments: tuple[str, ...], sentence: str) -> None:
    ran = run("try", *arguments, *DAY, "--format", "ooni")
    assert (ran.status, ran.out) == (2, "")
    assert sentence in ran.err
    assert ran.err.count("\n") == 1


def test_today_is_named() -> None:
    assert "which is today; --as-of takes another day" in run("try", "allowed.example", "--format", "ooni").err


def test_the_same_every_time() -> None:
    assert run("try", "https://blocked.example/", *DAY, "--format", "ooni") == run("try", "https://blocked.example/", *DAY, "--format", "ooni")
