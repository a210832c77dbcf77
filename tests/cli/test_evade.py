"""`crenel evade` with arguments in, what it prints and how it ends out."""

import json

import pytest

from tests.cli.running import run

THEN = ("--as-of", "2019-01-15")


def test_the_list_names_strategies() -> None:
    ran = run("evade", "list")
    assert ran.status == 0
    assert any(line.startswith("tls-record-split ") for line in ran.lines)
    whole = json.loads(run("evade", "list", "--format", "json").out)
    assert len(whole["strategies"]) == len(ran.lines) - 1
    assert len(run("evade", "list", "--format", "jsonl").lines) == len(whole["strategies"])


def test_a_strategy_is_tested_by_its_name_or_its_text() -> None:
    ran = run("evade", "test", "rst-ttl-late", *THEN)
    assert ran.status == 0
    assert "rate        90 %, exactly" in ran.out
    assert "http, at the client, on simulated hosts" in ran.out
    text = run("evade", "test", "[TCP:flags:A]-duplicate(,tamper{TCP:flags:replace:R}(tamper{IP:ttl:replace:10},))-|", *THEN)
    assert [line for line in text.lines if line.startswith("rate")] == [line for line in ran.lines if line.startswith("rate")]


def test_side_protocol_and_name_come_from_the_library_or_from_options() -> None:
    day = ("--as-of", "2020-01-15", "--format", "json")
    found = json.loads(run("evade", "test", "server-open-rst", *day).out)["tests"][0]
    assert (found["side"], found["protocol"], round(found["rate"]["value"], 3)) == ("server", "http", 0.515)
    assert found["decided_by"].startswith("52 % = the resynchronisation coin of http-keyword (server-reset, 50 %), unless")
    ftp = json.loads(run("evade", "test", "server-badack-load", *day, "--protocol", "ftp").out)["tests"][0]
    assert (ftp["protocol"], ftp["rate"]["value"]) == ("ftp", 1.0)
    assert "asking for torproject.org" in run("evade", "test", "dns-drop-two", "--as-of", "2020-01-15").out
    assert "asking for facebook.com" in run("evade", "test", "dns-drop-two", "--as-of", "2020-01-15", "--name", "facebook.com").out


def test_a_sample_is_the_same_whatever_the_number_of_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crenel.cli.evade_trials.SPREAD_FROM", 1)
    monkeypatch.setattr("crenel.cli.evade_trials.CHUNK", 60)
    asked = ("evade", "test", "rst-ttl-early", *THEN, "--sample", "120", "--format", "json")
    alone, spread = run(*asked), run(*asked, "--workers", "2")
    assert alone.out == spread.out
    rate = json.loads(alone.out)["tests"][0]["rate"]
    assert (rate["exact"], rate["trials"]) == (False, 120)
    assert rate["interval"][0] < 0.515 < rate["interval"][1]


def test_against_several_walls_a_table_is_printed() -> None:
    ran = run("evade", "test", "tls-record-split", "none", "--against", "gfw@2019-01-15", "--against", "gfw@2017-05-01")
    assert ran.status == 0
    assert ran.lines[0].split() == ["strategy", "protocol", "side", "gfw@2019-01-15", "gfw@2017-05-01"]
    assert ran.lines[1].split() == ["tls-record-split", "https", "client", "100", "%", "--", "(1)"]
    assert ran.lines[-1] == "(1)  gfw as of 2017-05-01 stops nothing that https could show: there is nothing to evade"
    records = [json.loads(line) for line in run("evade", "test", "none", "--against", "gfw@2019-01-15", "--format", "jsonl").lines]
    assert [(one["strategy"], one["as_of"], one["test"]["protocol"]) for one in records] == [("none", "2019-01-15", "http")]


def test_a_strategy_that_never_fires_is_told_and_no_error() -> None:
    ran = run("evade", "test", "[TCP:flags:U]-drop-|", *THEN)
    assert ran.status == 0
    assert "tests nothing" in ran.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("[TCP:flags:PA]-dupl(,)-|",), "column 16 of the strategy: expected an action"),
        (("[TCP:flagz:PA]-drop-|",), "column 6 of the strategy: expected a field of TCP"),
        (("no-such-name",), "no strategy is called 'no-such-name'"),
        (("tls-record-split", "--strict"), "expected an action that Geneva has"),
        (("quic-initial-split",), "gfw as of 2019-01-15 stops nothing that quic could show: there is nothing to evade"),
        (("none", "--name", "innocent.example"), "stops nothing that http about 'innocent.example' could show"),
        (("none", "--protocol", "gopher"), "--protocol gopher: there is http, https"),
        (("none", "--inside", "192.0.2.0/24"), "--inside is for captures"),
        (("none", "--against", "gfw@"), "--against 'gfw@': write WALL or WALL@DATE"),
        (("none", "--sample", "0"), "--sample"),
    ],
)
def test_wrong_input_is_one_sentence_and_status_2(arguments: tuple[str, ...], message: str) -> None:
    ran = run("evade", "test", *arguments, *THEN)
    assert (ran.status, ran.out) == (2, "")
    assert message in ran.err


def test_the_column_is_pointed_at() -> None:
    lines = run("evade", "test", "[TCP:flagz:PA]-drop-|", *THEN).err.splitlines()
    assert lines[1:] == ["  [TCP:flagz:PA]-drop-|", "       ^"]


def test_the_table_sets_published_beside_reproduced() -> None:
    ran = run("evade", "table")
    assert ran.status == 0
    assert ran.lines[-1].startswith("mean absolute error 3.")
    cells = json.loads(run("evade", "table", "--format", "json").out)["cells"]
    assert len(cells) == 89
    assert {cell["study"] for cell in cells} == {"imc17", "ccs19", "geneva-client", "geneva-later", "sig20"}
