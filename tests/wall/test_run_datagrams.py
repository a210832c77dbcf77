"""Datagrams whose headers claim more or less than is there in, what readers that care about it see out."""

from pathlib import Path

import msgspec
import pytest

from crenel.coins import ScriptedCoins
from crenel.instant import Instant
from crenel.wall.effects import Inject, Side
from crenel.wire.dns_build import build_query
from crenel.wire.packet import udp_packet
from tests.net.made import QUERY, box, wall_with

HEADER = 12
POOL = """
[list.pool]
title = "Addresses"
kind = "pool"
sources = ["made-up"]
entries = [{ name = "203.0.113.1", form = "exact", source = "made-up" }]
"""
FORGE = (
    'answer = { flags_rd0 = 0x8000, flags_rd1 = 0x8180, record_ttl = { fixed = 60 }, owner = "pointer", pool = "pool", order = "cyclic", '
    "processes = 1, df = false, ip_id = { fixed = 0 }, ttl = { fixed = 64 }, delay = { fixed = 1 } }"
)
FOUR, SIX = (bytes((192, 0, 2, 2)), bytes((198, 51, 100, 2))), (bytes(15) + b"\x02", bytes(15) + b"\x03")


def names_seen(folder: Path, payload: bytes, *, udp_length: int | None = None, ends: tuple[bytes, bytes] = FOUR, padded_to: int = 0) -> list[bytes]:
    """Return the names on which a box that reads queries acts."""
    dns = box("dns", transport="udp", trigger=f"{QUERY}, padded_to = {padded_to}", chance='p = 1.0, per = "event"', tcb=None, reaction=FORGE)
    packet = msgspec.structs.replace(udp_packet(*ends, 50000, 53, payload), udp_length=udp_length)
    effects = wall_with(folder, dns, POOL).start(ScriptedCoins()).see(Instant(0), Side.INSIDE, packet)
    return [effect.because.value for effect in effects if isinstance(effect, Inject)]


@pytest.mark.parametrize(("beyond", "seen"), [(0, [b"blocked.example"]), (1, []), (5, [])])
def test_a_name_ends_where_the_udp_header_says_that_the_datagram_does(tmp_path: Path, beyond: int, seen: list[bytes]) -> None:
    """Behind the listed name stands another label: whoever believes the shorter length never reads it."""
    query = build_query(b"blocked.example.longer")
    assert names_seen(tmp_path, query, udp_length=8 + HEADER + len("_blocked_example") + beyond) == seen
    assert names_seen(tmp_path, query) == []


@pytest.mark.parametrize("udp_length", [0, 7, None])
def test_an_impossible_length_is_not_believed(tmp_path: Path, udp_length: int | None) -> None:
    assert names_seen(tmp_path, build_query(b"blocked.example"), udp_length=udp_length) == [b"blocked.example"]


@pytest.mark.parametrize(("ends", "padded_to", "seen"), [(FOUR, 60, [b"blocked.example"]), (FOUR, 46, []), (SIX, 60, [])])
def test_zeros_follow_a_short_packet_by_the_size_of_its_own_headers(
    tmp_path: Path, ends: tuple[bytes, bytes], padded_to: int, seen: list[bytes]
) -> None:
    """The last label claims a byte that is not there: padding makes it a zero byte, which ends the name; without padding it is unknown."""
    query = build_query(b"blocked.example")[:HEADER] + b"\x07blocked\x08example"
    assert names_seen(tmp_path, query, ends=ends, padded_to=padded_to) == seen
