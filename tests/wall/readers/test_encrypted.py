"""The rule for fully encrypted traffic: every recorded verdict, the reference judgements, and each number at its edge."""

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.wall.readers.encrypted import RandomLooking
from tests.data import data_path

PUBLISHED: dict[str, object] = {
    "bits_low": (17, 5), "bits_high": (23, 5), "printable": (0x20, 0x7E), "leading": 6, "printable_share": (1, 2), "run": 20,
    "prefix_bytes": ("[16-17] 03 [00-09]",), "prefix_text": ("GET ", "PUT ", "POST ", "HEAD "), "prefix_text_any_case": False,
    "shortest_recorded": 50,
}


def rule(**how: object) -> RandomLooking:
    return RandomLooking(**{**PUBLISHED, **how})  # type: ignore[arg-type]  # keywords of the type


RULE = rule()


def candidate(payload: bytes, by: RandomLooking = RULE) -> bool:
    return bool(by.read(payload, (len(payload),), False).found)


@pytest.mark.parametrize(("name", "rows"), [("test-entropy", 256), ("printable-fraction", 100)])
def test_every_recorded_verdict(name: str, rows: int) -> None:
    with data_path(f"verdicts/fet23/{name}.csv").open(newline="") as lines:
        verdicts = [(bytes.fromhex(row["payload"]), row["affected"]) for row in csv.DictReader(lines)]
    assert len(verdicts) == rows
    assert not [payload.hex() for payload, affected in verdicts if candidate(payload) != (affected == "true")]


def test_the_reference_judgements_by_their_statistics() -> None:
    """The rows give counts and the first bytes; a payload that has both is judged as the row says."""
    with data_path("labels/fet_reference.csv").open(newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["trusted"] != "no" and row["set"] != "censorlab"]
    assert len(rows) == 1799
    whole = [row for row in rows if int(row["first_len"]) <= 32 and len(row["first32_hex"]) == 2 * int(row["first_len"])]
    assert len(whole) > 100
    assert not [row["file"] for row in whole if candidate(bytes.fromhex(row["first32_hex"])) != (row["verdict"] == "flagged")]
    for row in rows:
        size, first = int(row["first_len"]), bytes.fromhex(row["first32_hex"])
        bits, printable = round(float(row["popcount_per_byte"]) * size), round(float(row["frac_printable"]) * size)
        exempt = (
            5 * bits <= 17 * size
            or 5 * bits >= 23 * size
            or 2 * printable > size
            or int(row["longest_run"]) > 20
            or RULE._opening.match(first) is not None
        )
        assert exempt == (row["verdict"] == "exempt"), row["file"]


def with_bits(bits: int) -> bytes:
    """Return 50 bytes that are not printable and have so many bits set."""
    each, more = divmod(bits, 50)
    of_count = {count: next(byte for byte in range(128, 256) if byte.bit_count() == count) for count in range(1, 9)}
    return bytes([of_count[each + 1]] * more + [of_count[each]] * (50 - more))


@pytest.mark.parametrize(("bits", "seen"), [(170, False), (171, True), (229, True), (230, False)])
def test_set_bits_at_both_edges(bits: int, seen: bool) -> None:
    assert candidate(with_bits(bits)) == seen


@pytest.mark.parametrize(("printable", "seen"), [(49, True), (50, True), (51, False)])
def test_printable_share_at_its_edge(printable: int, seen: bool) -> None:
    payload = b"\xe8" + b"K" * (printable - 40) + b"\xe8" + b"\xe8K" * 40
    payload += b"\xe8" * (100 - len(payload))
    assert (len(payload), payload.count(b"K")) == (100, printable)
    assert candidate(payload) == seen
    assert candidate(payload, rule(printable_share=(1, 4))) is False


@pytest.mark.parametrize(("run", "seen"), [(20, True), (21, False)])
def test_the_longest_run_at_its_edge(run: int, seen: bool) -> None:
    payload = b"\xe8" * 10 + b"K" * run + b"\xe8" * (90 - run)
    assert candidate(payload) == seen
    assert candidate(payload, rule(run=run)) is True
    assert candidate(payload, rule(run=run - 1)) is False


@pytest.mark.parametrize(("leading", "seen"), [(5, True), (6, False)])
def test_leading_printable_bytes_at_their_edge(leading: int, seen: bool) -> None:
    payload = b"K" * leading + b"\xe8" * 60
    assert candidate(payload) == seen
    assert candidate(payload, rule(leading=leading)) is False


@pytest.mark.parametrize(
    ("opening", "seen"),
    [
        ("160300", False), ("170309", False), ("16030a", True), ("150301", True), ("180301", True), ("160201", True), ("1603", True),
        (b"GET ".hex(), False), (b"PUT ".hex(), False), (b"POST ".hex(), False), (b"HEAD ".hex(), False),
        (b"GET\x80".hex(), True), (b"get ".hex(), True),
        (b"OPT ".hex(), True),
    ],
)
def test_openings_of_protocols(opening: str, seen: bool) -> None:
    payload = bytes.fromhex(opening) + b"\xe8" * 60
    assert candidate(payload) == seen
    assert candidate(payload, rule(prefix_bytes=(), prefix_text=()))


def test_what_the_alternatives_change() -> None:
    assert not candidate(b"get \xe8" + b"\xe8" * 60, rule(prefix_text_any_case=True))
    assert not candidate(b"\x16\x03\x0f" + b"\xe8" * 60, rule(prefix_bytes=("[16-17] 03 [00-0f]",)))
    assert candidate(b"\xe8" * 50 + b"\x20" * 10, rule(printable=(0x21, 0x7E), bits_low=(1, 1)))
    assert not candidate(b"\xa8\x20" * 26, rule(bits_low=(1, 1), printable_share=(1, 3)))


@pytest.mark.parametrize("prefix", ["", "1", "16-17", "[17-16]", "zz", "[1-2]"])
def test_a_prefix_that_cannot_be_read_is_refused(prefix: str) -> None:
    with pytest.raises(ValueError, match="prefix"):
        rule(prefix_bytes=(prefix,))


def test_a_payload_below_anything_measured_is_a_candidate_and_says_so() -> None:
    for size, assumed in ((49, "length below anything measured"), (50, "")):
        found, = RULE.read(b"\xe8" * size, (size,), False).found
        assert found.assumed == assumed
        assert found.length == size
        assert str(size) in found.detail
    assert not candidate(b"")


def test_only_the_first_segment_counts() -> None:
    answer = RULE.read(b"\x21" + b"\xe8" * 200, (1, 201), False)
    assert not answer.found
    assert not answer.more
    assert RULE.read(b"\xe8" * 100 + b"K" * 100, (100, 200), False).found


@given(st.binary(min_size=1, max_size=120))
def test_the_rule_as_it_is_published_gives_the_same(payload: bytes) -> None:
    bits = sum(byte >> place & 1 for byte in payload for place in range(8))
    marks = [0x20 <= byte <= 0x7E for byte in payload]
    longest = max(len(run) for run in "".join("x" if mark else " " for mark in marks).split(" "))
    exempt = (
        10 * bits <= 34 * len(payload)
        or 10 * bits >= 46 * len(payload)
        or (len(payload) >= 6 and all(marks[:6]))
        or 2 * sum(marks) > len(payload)
        or longest > 20
        or (payload[:1] in (b"\x16", b"\x17") and payload[1:2] == b"\x03" and len(payload) > 2 and payload[2] <= 9)
        or payload.startswith((b"GET ", b"PUT ", b"POST ", b"HEAD "))
    )
    assert candidate(payload) != exempt
