"""`crenel check` as its users meet it: what it prints, how it ends, what it says of bad input."""

import gzip
import json
import struct
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest

from tests.cli.running import DAY, ROOT, run, run_apart
from tests.report.making import EXAMPLE, hello, query, tcp, write_capture
from tests.wire.captures import enhanced, interface, pcap, section

GFW = (resources.files("crenel.atlas") / "walls" / "gfw.toml").read_text("utf-8")
ETHERNET_FRAME = bytes(12) + b"\x88\xb5" + bytes(46)


@pytest.fixture
def safe_capture(tmp_path: Path) -> str:
    return write_capture(tmp_path / "safe.pcapng", query(b"allowed.example"))


@pytest.fixture
def risky_capture(tmp_path: Path) -> str:
    return write_capture(tmp_path / "risky.pcapng", query(b"blocked.example"), tcp([hello(b"blocked.example")]))


def test_the_table_of_the_first_look() -> None:
    """To take a new snapshot: crenel check examples/first-look.pcapng --as-of 2025-01-15 > tests/cli/first-look.txt ."""
    ran = run_apart("check", "examples/first-look.pcapng", *DAY)
    assert ran.out == (Path(__file__).parent / "first-look.txt").read_text("utf-8")
    assert (ran.status, ran.err) == (1, "")


def test_the_status_follows_the_chance(safe_capture: str, risky_capture: str, tmp_path: Path) -> None:
    assert run("check", safe_capture, *DAY).status == 0
    assert run("check", risky_capture, *DAY).status == 1
    assert run("check", risky_capture, *DAY, "--tolerate", "1").status == 0
    noise = write_capture(tmp_path / "noise.pcapng", tcp([bytes(range(128, 256)) * 2], dport=8388))
    for seed in range(6):  # blocked with some of these seeds, passed with others
        assert run("check", noise, "--as-of", "2022-06-01", "--seed", str(seed)).status == 1
        assert run("check", noise, "--as-of", "2022-06-01", "--seed", str(seed), "--tolerate", "0.3").status == 0


def test_formats_agree(risky_capture: str) -> None:
    lines = [json.loads(line) for line in run("check", risky_capture, *DAY, "--format", "jsonl").lines]
    whole = json.loads(run("check", risky_capture, *DAY, "--format", "json").out)
    head, *headed = [json.loads(line) for line in run("check", risky_capture, *DAY, "--format", "jsonl", "--header").lines]
    assert whole["flows"] == lines == headed
    assert {**head, "flows": lines} == whole
    summary = {"capture": risky_capture, "packets": 5, "flows": 2, "undecoded": 0, "damaged": [], "lost": False, "evictions": 0}
    assert whole["captures"] == [summary]
    assert (whole["as_of"], whole["seed"], whole["wall"], whole["failed"]) == ("2025-01-15", 0, "gfw", [])


def test_the_same_twice(risky_capture: str) -> None:
    assert run("check", risky_capture, *DAY, "--format", "json") == run("check", risky_capture, *DAY, "--format", "json")


def test_options_reach_the_wall(risky_capture: str, tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("allowed.example\n")
    head = json.loads(
        run(
            "check", risky_capture, *DAY, "--format", "json", "--seed", "7", "--vantage", "guangzhou", "--listed", "a.example",
            "--inside", "192.0.2.0/24", "--tolerate", "0.25", "--list", f"gfw-dns-1={tmp_path / 'names.txt'}",
            "--assume", "tls-sni-late.chance.p=0.5",
        ).out
    )
    assert (head["seed"], head["vantage"], head["tolerate"]) == (7, "guangzhou", 0.25)
    assert (head["listed"], head["inside"]) == (["a.example"], ["192.0.2.0/24"])
    assert head["lists"] == {"gfw-dns-1": str(tmp_path / "names.txt")}
    assert head["assume"] == {"tls-sni-late.chance.p": "0.5"}
    boxes = [trigger["middlebox"] for trigger in head["flows"][0]["triggers"]]
    assert boxes == ["dns-2", "dns-3"]


def test_without_a_date_it_is_today_and_says_so(safe_capture: str) -> None:
    lines = run("check", safe_capture, "--format", "jsonl")
    as_of = json.loads(run("check", safe_capture, "--format", "json").out)["as_of"]
    assert lines.err == f"crenel: judged as of {as_of}, which is today; --as-of takes another day\n"
    assert run("check", safe_capture, "--format", "jsonl", *DAY).err == ""
    assert f"as of {as_of}" in run("check", safe_capture).out


def test_standard_input_and_gzip(tmp_path: Path, risky_capture: str) -> None:
    raw = Path(risky_capture).read_bytes()
    plain = run("check", risky_capture, *DAY, "--format", "jsonl").out
    piped = run_apart("check", "-", *DAY, "--format", "jsonl", stdin=raw)
    assert piped.out == plain.replace(json.dumps(risky_capture), '"-"')
    assert piped.status == 1
    (tmp_path / "packed").write_bytes(gzip.compress(raw, mtime=0))
    assert run("check", str(tmp_path / "packed"), *DAY).status == 1


# Bad input.


def bad_captures(folder: Path) -> Iterator[tuple[str, bytes | None, int, str]]:
    """Yield name, content, status and sentence."""
    header = pcap(())
    whole = EXAMPLE.read_bytes()
    yield "nothing.pcap", None, 2, "nothing.pcap: No such file or directory"
    yield "empty.pcap", b"", 2, "empty.pcap: not a capture: it is empty (0 bytes)"
    yield "text.pcap", b"hello", 2, "text.pcap: not a capture: it begins with 68 65 6c 6c, which is neither pcap nor pcapng"
    yield "head.pcap", header[:10], 2, "head.pcap: not a capture: the pcap file header is cut: 10 of 24 bytes"
    yield "cut.pcapng", whole[:30000], 3, (
        "cut.pcapng: damaged at byte 29836: the capture ends inside a block: 164 of 212 bytes; what could be read is reported"
    )
    yield "gzip.pcap", gzip.compress(whole, mtime=0)[:9000], 3, "gzip.pcap: damaged"
    yield "gzip-head.pcap", gzip.compress(whole, mtime=0)[:12], 2, "gzip-head.pcap: the gzip data is cut"
    yield "link.pcap", struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 250) + pcap((ETHERNET_FRAME,) * 2)[24:], 0, (
        "link.pcap: 2 frames of 2 hold no IP packet that could be read"
    )
    yield "snap.pcap", pcap((ETHERNET_FRAME,), snap=0), 0, (
        "snap.pcap: damaged at byte 16: absurd snap length 0, ignored; everything was read all the same"
    )
    yield "version.pcap", pcap((ETHERNET_FRAME,), version=(9, 9)), 0, (
        "version.pcap: damaged at byte 4: unknown pcap version 9.9, read as 2.4; everything was read all the same"
    )
    yield "none.pcap", header, 0, ""
    yield "none.pcapng", section() + interface(), 0, ""
    yield "lost.pcapng", section() + interface() + enhanced(ETHERNET_FRAME, number=5), 3, "a packet of interface 5, which no block describes"


@pytest.mark.parametrize("case", [pytest.param(case, id=case[0]) for case in bad_captures(Path())])
@pytest.mark.parametrize("output", ["table", "jsonl"])
def test_a_bad_capture_is_one_sentence(case: tuple[str, bytes | None, int, str], output: str, tmp_path: Path) -> None:
    name, content, status, sentence = case
    if content is not None:
        (tmp_path / name).write_bytes(content)
    ran = run_apart("check", name, *DAY, "--format", output, cwd=tmp_path)
    assert ran.status == status
    assert sentence in ran.err
    assert "Traceback" not in ran.err
    assert all(line.startswith("crenel: ") for line in ran.err.splitlines())
    if status == 2:
        assert ran.err.count("\n") == 1
        assert ran.out == ""


def test_a_folder_and_an_unreadable_file(tmp_path: Path) -> None:
    assert run("check", str(tmp_path), *DAY) == (2, "", f"crenel: {tmp_path}: Is a directory\n")


def test_what_stands_before_the_damage_is_printed(tmp_path: Path) -> None:
    whole = EXAMPLE.read_bytes()
    (tmp_path / "cut.pcapng").write_bytes(whole[:30000])
    all_flows = [json.loads(line) for line in run("check", str(EXAMPLE), *DAY, "--format", "jsonl").lines]
    cut = json.loads(run("check", str(tmp_path / "cut.pcapng"), *DAY, "--format", "json").out)
    assert cut["captures"][0]["lost"] is True
    assert cut["captures"][0]["packets"] == 147
    assert [flow["flow"] for flow in cut["flows"]] == list(range(1, 15))
    for flow, known in zip(cut["flows"][:13], all_flows, strict=False):
        assert {**flow, "capture": ""} == {**known, "capture": ""}


def test_the_others_are_judged_where_one_cannot_be_read(safe_capture: str, risky_capture: str, tmp_path: Path) -> None:
    ran = run("check", safe_capture, str(tmp_path / "no.pcap"), risky_capture, *DAY, "--format", "json")
    result = json.loads(ran.out)
    assert ran.status == 3
    assert [capture["capture"] for capture in result["captures"]] == [safe_capture, risky_capture]
    assert [failure["capture"] for failure in result["failed"]] == [str(tmp_path / "no.pcap")]
    assert len(result["flows"]) == 3


def test_where_nothing_can_be_read_the_object_is_still_whole(tmp_path: Path) -> None:
    ran = run("check", str(tmp_path / "no.pcap"), *DAY, "--format", "json")
    assert ran.status == 2
    assert json.loads(ran.out)["flows"] == []


WALLS = {
    "unknown": (GFW.replace("utc_offset = 8", "utc_offset = 8\nfrobnicate = 1", 1), "Object contains unknown field `frobnicate`"),
    "deep": (GFW.replace("first_seen = ", "seen = 1\nfirst_seen = ", 1), "Object contains unknown field `seen` - at `$.middlebox[0].epoch[0]`"),
    "overlap": (GFW.replace("first_seen = 2019-11-23", "first_seen = 2019-10-01", 1), "the epochs of 2019-09-01 and 2019-10-01 overlap"),
    "source": (GFW.replace('sources = ["anonymous2020triplet:table-3", "harrity2022getout:section-3"]', "sources = []", 1), "has no source"),
    "toml": ("x = [", "Invalid value"),
    "latin": ("x = '\udce4'", "not UTF-8 at byte 5"),
}


@pytest.mark.parametrize("name", WALLS)
def test_a_bad_wall_is_one_sentence(name: str, safe_capture: str, tmp_path: Path) -> None:
    text, sentence = WALLS[name]
    path = tmp_path / f"{name}.toml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    ran = run("check", safe_capture, "--wall", str(path), *DAY)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith(f"crenel: {path}: ")
    assert sentence in ran.err
    assert ran.err.count("\n") == 1


def test_a_bad_list_is_one_sentence(safe_capture: str, tmp_path: Path) -> None:
    path = tmp_path / "latin.txt"
    path.write_bytes(b"good.example\nb\xe4d.example\n")
    assert run("check", safe_capture, *DAY, "--list", f"gfw-dns-1={path}") == (2, "", f"crenel: {path}:2: not UTF-8 at byte 2 of the line\n")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--as-of", "2001-01-01"), "2001-01-01 is too early"),
        (("--as-of", "2025-02-30"), "'2025-02-30' is not a date: write YYYY-MM-DD or YYYY-MM-DDTHH:MM"),
        (("--as-of", "yesterday"), "'yesterday' is not a date"),
        (("--wall", "mars"), "no wall is called 'mars'; there is gfw"),
        (("--vantage", "mars"), "no vantage is called 'mars'; there is "),
        (("--list", "x"), "'x': write NAME=FILE"),
        (("--list", "nolist=x.txt"), "--list nolist: this wall has no such list"),
        (("--list", "gfw-dns-1=no-such-file.txt"), "no-such-file.txt: No such file or directory"),
        (("--listed", ""), "a name is missing"),
        (("--assume", "x"), "--assume 'x': write BOX.KEY=VALUE"),
        (("--assume", "no.such=1"), "--assume no.such: this wall has no box 'no'"),
        (("--inside", "10.0.0.0/40"), "--inside: '10.0.0.0/40' does not appear to be an IPv4 or IPv6 network"),
        (("--seed", "x"), "'x' is not a valid integer"),
        (("--tolerate", "2"), "2.0 is not in the range"),
        (("--workers", "0"), "0 is not in the range"),
        (("--format", "xml"), "'xml' is not one of"),
        (("--frob",), "No such option '--frob'"),
        (("--explain", "9"), "there is no flow 9 among 1 flow"),
        (("--explain", "one"), "--explain 'one': write the number of a flow"),
        (("--explain", "0"), "--explain '0': write the number of a flow"),
        (("--explain", "other.pcap:1"), "other.pcap is none of the captures"),
        (("--explain", "1", "--format", "jsonl"), "--explain tells a story for people"),
    ],
)
def test_a_wrong_option_is_one_sentence(arguments: tuple[str, ...], sentence: str, safe_capture: str) -> None:
    ran = run("check", safe_capture, *arguments)
    assert (ran.status, ran.out) == (2, "")
    assert sentence in ran.err
    assert ran.err.count("\n") == 1


def test_no_capture_at_all_and_standard_input_twice() -> None:
    assert run("check").err == "crenel check: Missing argument 'CAPTURE...'. (crenel check --help lists the options)\n"
    assert run("check", "-", "-", *DAY) == (2, "", "crenel: standard input can be read only once\n")


# The story of one flow.


def test_a_story_ends_with_the_status_of_its_flow(tmp_path: Path) -> None:
    path = write_capture(tmp_path / "both.pcapng", query(b"blocked.example"), query(b"allowed.example", sport=50001))
    assert run("check", path, *DAY, "--explain", "1").status == 1
    passes = run("check", path, *DAY, "--explain", "2")
    assert passes.status == 0
    assert passes.lines[0] == f"Flow 2 of {path}"


def test_a_story_of_one_of_several_captures(safe_capture: str, risky_capture: str) -> None:
    ran = run("check", safe_capture, risky_capture, *DAY, "--explain", f"{risky_capture}:2")
    assert ran.lines[0] == f"Flow 2 of {risky_capture}"
    assert run("check", safe_capture, risky_capture, *DAY, "--explain", "2").err.startswith("crenel: --explain 2: with several captures write FILE:2")


def test_a_story_from_a_damaged_capture(tmp_path: Path) -> None:
    (tmp_path / "cut.pcapng").write_bytes(EXAMPLE.read_bytes()[:30000])
    ran = run("check", str(tmp_path / "cut.pcapng"), *DAY, "--explain", "12")
    assert ran.status == 3
    assert "blocked.example" in ran.out
    assert "damaged" in ran.err


def test_the_example_is_where_the_readme_says() -> None:
    assert ROOT / "examples" / "first-look.pcapng" == EXAMPLE
