"""Recorded verdicts on payloads that look encrypted in, whether the model would act on each out: every row, and both sides of every edge."""

import pytest

from crenel.net.sim.tries import chance, try_payload
from tests.conformance.judging import rows_of, wall_of

AS_OF = "2023-02-14"

DARK, KEY = b"\x87", b"K"
"""Four bits set in each, the first not printable, the second printable."""


def bits(count: int) -> bytes:
    """Return 100 bytes, none of them printable, with so many bits set: 300 to 400, or 400 to 500."""
    few, many = (b"\x83", b"\x87") if count <= 400 else (b"\x87", b"\x97")
    more = count - 100 * few[0].bit_count()
    return many * more + few * (100 - more)


@pytest.mark.parametrize(("name", "count"), [("printable-fraction", 100), ("test-entropy", 256)])
def test_every_recorded_verdict_is_forecast(name: str, count: int) -> None:
    rows = rows_of(f"verdicts/fet23/{name}.csv")
    wall = wall_of(AS_OF)
    wrong = []
    for row in rows:
        port = int(row["addr"].rpartition(":")[2])
        acts = chance(bytes.fromhex(row["payload"]), wall, port=port) > 0
        if acts != (row["affected"] == "true"):
            wrong.append(f"{row['addr']} {row['payload'][:40]}... is affected: {row['affected']}")
    print(f"{len(rows) - len(wrong)} of {len(rows)} verdicts of {name}")
    assert len(rows) == count
    assert not wrong


@pytest.mark.parametrize(
    ("payload", "acts"),
    [
        (bits(340), False), (bits(341), True), (bits(459), True), (bits(460), False),
        (DARK * 45 + (KEY * 10 + DARK) * 5, True), (DARK * 44 + (KEY * 10 + DARK) * 5 + KEY, False),
        (KEY * 5 + DARK * 95, True), (KEY * 6 + DARK * 94, False),
        (DARK * 40 + KEY * 20 + DARK * 40, True), (DARK * 40 + KEY * 21 + DARK * 39, False),
        (b"\x16\x03\x09" + DARK * 97, False), (b"\x18\x03\x09" + DARK * 97, True), (b"\x16\x03\x0a" + DARK * 97, True),
    ],
    ids=[
        "3.40 bits", "3.41 bits", "4.59 bits", "4.60 bits", "half printable", "51 in 100 printable", "5 printable first", "6 printable first",
        "20 printable in a row", "21 printable in a row", "a TLS record", "no TLS content type", "no TLS version",
    ],
)
def test_the_edges_are_whole_numbers(payload: bytes, acts: bool) -> None:
    assert (chance(payload, wall_of(AS_OF), port=9000) > 0) == acts


@pytest.mark.parametrize(("size", "assumed"), [(49, True), (50, False)])
def test_below_the_shortest_recorded_payload_the_verdict_is_assumed(size: int, assumed: bool) -> None:
    out = try_payload(DARK * size, wall_of(AS_OF), port=9000)
    assert out.at_risk
    assert any("length below anything measured" in sentence for sentence in out.evidence[0].assumed) == assumed
