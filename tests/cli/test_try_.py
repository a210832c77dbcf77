"""`crenel try` as its users meet it: what it prints, how it ends, what it says of bad input, and that nothing is left to luck."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest

from crenel.wire.dns_build import build_query
from tests.cli.running import DAY, Ran, run, run_apart
from tests.report.tried import NOISE

BLOCKED, ALLOWED = "https://blocked.example/", "https://allowed.example/"


@pytest.fixture
def noise(tmp_path: Path) -> str:
    (tmp_path / "noise.bin").write_bytes(NOISE)
    return str(tmp_path / "noise.bin")


def exchanges(*arguments: str, stdin: bytes = b"") -> list[dict[str, object]]:
    return [json.loads(line) for line in run("try", *arguments, "--format", "jsonl", stdin=stdin).lines]


def test_the_account_begins_with_what_was_asked_and_has_a_ladder() -> None:
    ran = run("try", BLOCKED, *DAY)
    assert (ran.status, ran.err) == (1, "")
    assert ran.lines[:3] == [BLOCKED, "wall   The Great Firewall of China (gfw) as of 2025-01-15 at 12:00", "from   vantage beijing, seed 0"]
    assert "  185.8   |<=========#          |     191.8   RST/ACK ×3, forged by tls-sni-triple" in ran.lines


@pytest.mark.parametrize(
    ("target", "status"),
    [
        (BLOCKED, 1), (ALLOWED, 0), ("blocked.example", 1), ("allowed.example", 0), ("http://allowed.example/?q=ultrasurf", 1),
        ("https://192.0.2.1/", 0),
    ],
)
def test_the_status_says_whether_anything_is_at_risk(target: str, status: int) -> None:
    assert run("try", target, *DAY).status == status


def test_the_status_follows_the_chance_not_the_draw(noise: str) -> None:
    outcomes = set()
    for seed in range(8):
        given = ("--payload", noise, "--port", "8388", "--as-of", "2022-06-01", "--seed", str(seed))
        assert run("try", *given).status == 1
        assert run("try", *given, "--tolerate", "0.3").status == 0
        outcomes.add(exchanges(*given)[0]["outcome"])
    assert outcomes == {"blocked", "passed"}


def test_formats_agree_and_keep_to_the_schema() -> None:
    given = (BLOCKED, "--then", "blocked.example", "--repeat", "3", *DAY)
    whole = json.loads(run("try", *given, "--format", "json").out)
    head, *headed = [json.loads(line) for line in run("try", *given, "--format", "jsonl", "--header").lines]
    assert whole["exchanges"] == headed == exchanges(*given)
    assert {**head, "exchanges": headed} == whole
    validator = jsonschema.Draft202012Validator(json.loads(run("schema").out))
    for value in (whole, head, *headed):
        validator.validate(value)
    assert (whole["wall"], whole["as_of"], whole["seed"], whole["vantage"]) == ("gfw", "2025-01-15", 0, "beijing")


def test_options_reach_the_wall_and_the_path(tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("allowed.example\n")
    lists = ("--list", f"gfw-dns-2={tmp_path / 'names.txt'}")
    [one] = exchanges("allowed.example", *DAY, "--vantage", "guangzhou", "--listed", "other.example", *lists)
    assert [trigger["middlebox"] for trigger in one["triggers"]] == ["dns-2"]  # type: ignore[attr-defined]
    [listed] = exchanges("https://www.some-site.org/", *DAY, "--listed", "www.some-site.org")
    assert listed["at_risk"] is True
    [earlier] = exchanges("allowed.example", "--as-of", "2022-06-01T03:00")
    assert earlier["as_of"] == "2022-06-01T03:00"


def test_a_name_on_no_list_is_said_to_be_on_none() -> None:
    text = " ".join(run("try", "https://www.some-site.org/", *DAY).out.split())
    assert "www.some-site.org is not among Crenel's" in text
    assert "which says nothing about the real list; --listed shows what would happen" in text


def test_today_is_named() -> None:
    ran = run("try", "allowed.example", "--format", "jsonl")
    day = json.loads(ran.out)["as_of"]
    assert ran.err == f"crenel: tried as of {day}, which is today; --as-of takes another day\n"
    assert f"as of {day}" in run("try", "allowed.example").out


# Payloads.


def test_payloads_are_sent_in_the_order_given(noise: str) -> None:
    [one] = exchanges("--hex", "01 02", "--payload", noise, "--hex", "03:04:05", *DAY)
    sent = [event["length"] for event in one["events"] if event["what"] == "sent" and event["sender"] == "client" and event["length"]]  # type: ignore[attr-defined]
    assert sent == [2, 200, 3]
    assert one["target"] == "2, 200 and 3 bytes over tcp to port 443"


def test_standard_input_and_datagrams() -> None:
    [one] = exchanges("--payload", "-", "--udp", "--port", "53", *DAY, stdin=build_query(b"blocked.example"))
    assert (one["transport"], one["server_port"], one["protocol"], one["chance"]) == ("udp", 53, "dns", 1.0)


# What comes after.


def test_what_the_wall_remembers_hits_the_next_exchange() -> None:
    for after, blocked in (("10", True), ("179", True), ("180.5", False)):
        first, second = exchanges(BLOCKED, "--then", ALLOWED, "--after", after, *DAY)
        assert (first["verdict"], first["residual"]) == ("blocked", False)
        assert (second["verdict"] == "blocked", second["residual"], second["chance"]) == (blocked, blocked, 0.0)
    assert "then, 10 s later: https://allowed.example/" in run("try", BLOCKED, "--then", ALLOWED, *DAY).lines


def test_several_may_follow() -> None:
    found = exchanges(BLOCKED, "--then", ALLOWED, "--then", "allowed.example", *DAY)
    assert [one["target"] for one in found] == [BLOCKED, ALLOWED, "allowed.example"]


def test_dates_beside_each_other() -> None:
    ran = run("try", BLOCKED, *DAY, "--compare", "2022-06-01", "--compare", "2019-01-15")
    assert [line[:10] for line in ran.lines if line[:4] in {"2025", "2022", "2019"}] == ["2025-01-15", "2022-06-01", "2019-01-15"]
    assert [one["as_of"] for one in exchanges(BLOCKED, *DAY, "--compare", "2022-06-01")] == ["2025-01-15", "2022-06-01"]
    assert run("try", "allowed.example", *DAY, "--compare", "2022-06-01").status == 0


def test_repetitions_give_a_rate_beside_the_exact_chance(noise: str) -> None:
    [one] = exchanges("--payload", noise, "--port", "8388", "--as-of", "2022-06-01", "--repeat", "400")
    rate = one["rate"]
    assert isinstance(rate, dict)
    assert rate["trials"] == 400
    assert rate["low"] < float(str(one["chance"])) < rate["high"]
    assert any(line.startswith("rate        ") for line in run("try", "blocked.example", *DAY, "--repeat", "2").lines)


# The same every time.


@pytest.mark.parametrize("more", [(), ("--then", ALLOWED, "--repeat", "10"), ("--format", "json"), ("--compare", "2022-06-01")])
def test_the_same_bytes_whatever_the_hash_seed(more: tuple[str, ...]) -> None:
    found = {run_apart("try", BLOCKED, *DAY, *more, environment={"PYTHONHASHSEED": seed}).out for seed in ("0", "1", "4711")}
    assert len(found) == 1


def test_the_same_bytes_whatever_the_number_of_processes(noise: str) -> None:
    given = ("try", "--payload", noise, "--port", "8388", "--as-of", "2022-06-01", "--repeat", "2100", "--format", "json")
    assert run_apart(*given) == run_apart(*given, "--workers", "2")


def test_another_seed_draws_another_history() -> None:
    assert run("try", BLOCKED, *DAY, "--seed", "1").out != run("try", BLOCKED, *DAY).out.replace("seed 0", "seed 1")


# A capture.


def test_the_capture_is_the_same_every_time_and_judged_as_told(tmp_path: Path) -> None:
    files = [tmp_path / "a.pcapng", tmp_path / "b.pcapng", tmp_path / "c.pcapng"]
    for file, (seed, workers) in zip(files, (("0", "1"), ("7", "1"), ("7", "2")), strict=True):
        given = (BLOCKED, "--then", ALLOWED, *DAY, "--pcap", str(file), "--repeat", "20", "--workers", workers)
        assert run_apart("try", *given, environment={"PYTHONHASHSEED": seed}).status == 1
    assert files[0].read_bytes() == files[1].read_bytes() == files[2].read_bytes()
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["a.pcapng", "b.pcapng", "c.pcapng"]
    flows = [json.loads(line) for line in run("check", str(files[0]), *DAY, "--format", "jsonl").lines]
    assert {flow["name"] for flow in flows} == {"blocked.example", "allowed.example"}


@pytest.mark.peer("tshark")
def test_tshark_reads_the_comments(tmp_path: Path) -> None:
    path = tmp_path / "x.pcapng"
    run("try", BLOCKED, "--then", ALLOWED, *DAY, "--pcap", str(path))
    fields = ("-T", "fields", "-e", "frame.comment", "-e", "frame.interface_name", "-e", "frame.time_epoch", "-e", "tcp.flags.reset")
    told = subprocess.run(["tshark", "-r", str(path), *fields], capture_output=True, check=True, timeout=60, text=True).stdout.splitlines()
    rows = [line.split("\t") for line in told]
    forged = [row for row in rows if "; injected toward" in row[0]]
    assert {row[0].split("forged by ")[1].split(";")[0] for row in forged} == {"tls-sni-single", "tls-sni-triple"}
    assert {(row[1], row[3]) for row in forged} in ({("gfw", "1")}, {("gfw", "True")})
    assert {row[1] for row in rows} == {"client", "gfw", "server", "strict-filter"}
    times = [float(row[2]) for row in rows]
    assert max(times) - min(times) > 10


def test_a_capture_replaces_a_file_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "x.pcapng"
    path.write_text("precious")
    assert run("try", "http://", *DAY, "--pcap", str(path)).status == 2
    assert path.read_text() == "precious"
    assert run("try", "allowed.example", *DAY, "--pcap", str(path)).status == 0
    assert path.read_bytes()[:4] == b"\x0a\x0d\x0d\x0a"


# Bad input.


def bad(folder: Path) -> Iterator[tuple[tuple[str, ...], str]]:
    yield (), "name a TARGET, such as https://blocked.example/, or give --payload or --hex"
    yield ("http://",), "'http://': the URL names no host"
    yield ("gopher://a.example/",), "the scheme 'gopher' is not known; there is http, https, quic, dns, dns-tcp, ftp, smtp"
    yield ("not a name",), "'not a name' is not a host name"
    yield ("",), "is not a host name"
    yield ("https://a.example:99999/",), "not a URL"
    yield ("192.0.2.1",), "an address is not looked up"
    yield ("a.example", "b.example"), "unexpected extra argument"
    yield ("a.example", "--hex", "01"), "a TARGET and --payload or --hex exclude each other"
    yield ("--payload", str(folder / "empty")), "empty: the payload is empty (0 bytes)"
    yield ("--payload", str(folder / "large")), "large: the payload has more than 1,048,576 bytes"
    yield ("--payload", str(folder / "none")), "none: No such file or directory"
    yield ("--payload", str(folder)), "Is a directory"
    yield ("--payload", "-"), "standard input: the payload is empty (0 bytes)"
    yield ("--payload", "-", "--payload", "-"), "standard input can be read only once"
    yield ("--payload", str(folder / "long"), "--udp"), "over udp at most 65507 can be tried"
    yield ("--hex", "0g"), "--hex '0g': write pairs of hexadecimal digits"
    yield ("--hex", ""), "--hex: the payload is empty (0 bytes)"
    yield ("--hex", "01", "--port", "0"), "port 0: a destination port is a number from 1 to 65535"
    yield ("a.example", "--udp"), "--udp goes with --payload or --hex"
    yield ("a.example", "--port", "80"), "--port goes with --payload or --hex"
    yield ("a.example", "--as-of", "1999-01-01"), "1999-01-01 is too early"
    yield ("a.example", "--compare", "1999-01-01"), "1999-01-01 is too early"
    yield ("a.example", "--compare", "never"), "'never' is not a date"
    yield ("a.example", "--repeat", "0"), "0 is not in the range"
    yield ("a.example", "--workers", "0"), "0 is not in the range"
    yield ("a.example", "--after", "5"), "--after goes with --then"
    yield ("a.example", "--then", "b.example", "--after", "-1"), "--after -1.0: write seconds"
    yield ("a.example", "--then", "b.example", "--after", "nan"), "--after nan: write seconds"
    yield ("a.example", "--then", "b.example", "--after", "1e30"), "--after 1e+30: write seconds"
    yield ("a.example", "--then", "gopher://x/"), "the scheme 'gopher' is not known"
    yield ("a.example", "--inside", "192.0.2.0/24"), "--inside is for captures"
    yield ("a.example", "--vantage", "mars"), "no vantage is called 'mars'"
    yield ("a.example", "--pcap", str(folder / "no" / "x.pcapng")), "x.pcapng: No such file or directory"
    yield ("a.example", "--pcap", str(folder)), "not a regular file"
    yield ("a.example", "--pcap", "/dev/null"), "--pcap /dev/null: not a regular file"
    yield ("a.example", "--pcap", str(folder / "x"), "--compare", "2020-01-01"), "--pcap writes the exchange of one date"


@pytest.mark.parametrize("number", range(len(list(bad(Path())))))
def test_bad_input_is_one_sentence(number: int, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "large").write_bytes(bytes((1 << 20) + 1))
    (tmp_path / "long").write_bytes(bytes(65_508))
    before = sorted(tmp_path.iterdir())
    arguments, sentence = list(bad(tmp_path))[number]
    ran: Ran = run("try", *arguments)
    assert (ran.status, ran.out) == (2, "")
    assert sentence in ran.err
    assert ran.err.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == before


def test_the_largest_payload_can_be_tried(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(1 << 20))
    ran = run("try", "--payload", str(tmp_path / "large"), *DAY)
    assert ran.status == 0
    assert len(ran.lines) < 80
