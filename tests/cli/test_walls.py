"""`crenel walls`: the list, one wall as of a day, the schema."""

import json

from tests.cli.running import DAY, run


def test_the_list() -> None:
    assert run("walls").lines[0].startswith("gfw  The Great Firewall of China: 19 boxes in ")
    record = json.loads(run("walls", "--format", "json").out)["walls"][0]
    assert record == json.loads(run("walls", "--format", "jsonl").lines[0])
    assert record["first_seen"] == "2015-01-01"


def test_one_wall() -> None:
    ran = run("walls", "show", "gfw", *DAY)
    assert ran.lines[0] == "The Great Firewall of China (gfw) as of 2025-01-15"
    assert ran.status == 0
    record = json.loads(run("walls", "show", "gfw", *DAY, "--format", "json").out)
    assert [box["id"] for box in record["in_force"]][:3] == ["dns-1", "dns-2", "dns-3"]
    assert json.loads(run("walls", "show", "gfw", *DAY, "--format", "jsonl").lines[0]) == record
    one = run("walls", "show", "gfw", *DAY, "--box", "quic-sni")
    assert "quic-sni  QUIC: the server name in a client's Initial; the client's packets are dropped" in one.lines
    assert not [line for line in one.lines if line.startswith("dns-1")]


def test_an_assumption_is_shown() -> None:
    shown = run("walls", "show", "gfw", *DAY, "--box", "tls-sni-late", "--assume", "tls-sni-late.chance.p=0.5")
    assert any("acts        on 50 %" in line for line in shown.lines)


def test_the_schema() -> None:
    assert json.loads(run("walls", "schema").out)["title"] == "A wall of Crenel"


def test_what_is_wrong_is_one_sentence() -> None:
    assert run("walls", "show", "mars").err == "crenel: no wall is called 'mars'; there is gfw\n"
    assert run("walls", "show", "gfw", "--as-of", "1999-01-01").status == 2
    assert run("walls", "show", "gfw", *DAY, "--box", "x").err.startswith("crenel: --box x: this wall has dns-1, ")
    assert run("walls", "show", "gfw", *DAY, "--assume", "x").status == 2
    assert run("walls", "show", "gfw", *DAY, "--assume", "x.y=1").status == 2
