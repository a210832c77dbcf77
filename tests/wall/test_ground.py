"""Why a box acts, in words: the entry and the list, what was read and where, who says so, and what is assumed."""

from pathlib import Path

import pytest

from crenel.atlas.compile import load_wall
from crenel.instant import Instant
from crenel.wall.effects import Because
from crenel.wall.ground import Ground, because_of
from crenel.wall.match import OTHER
from crenel.wall.match import Entry as ListEntry
from crenel.wall.readers.reading import Found
from crenel.wall.residual import Entry
from crenel.wire.packet import tcp_packet

CITADEL = str(Path(__file__).parents[1] / "walls" / "citadel.toml")
PACKET = tcp_packet(bytes(4), bytes(4), 1, 2)


def because(name: str, *, entry: ListEntry | None = None, found: Found | None = None, base: int = 0, wall: str = CITADEL) -> Because:
    box = next(box for box in load_wall(wall, as_of="2030-03-01").boxes if box.id == name)
    return because_of(Ground(box, found, entry, base, PACKET), 0.25)


def test_an_entry_is_named_with_its_form_its_list_and_its_source() -> None:
    told = because("usher", entry=ListEntry("blocked.example", "suffix", "somebody"), found=Found("http.host", b"a.blocked.example", 7, 17))
    assert told.rule == "blocked.example (suffix) on citadel-unwanted"
    assert told.sources == ("citadel-lore:usher", "somebody")
    assert (told.middlebox, told.epoch, told.last_seen, told.chance) == ("usher", "2030-01-01", "2031-12-31", 0.25)
    assert (told.read, told.value, told.offset, told.length) == ("http.host", b"a.blocked.example", 7, 17)


def test_offsets_count_from_the_beginning_of_the_stream() -> None:
    assert because("usher", found=Found("http.host", b"x", 7, 1), base=100).offset == 107


def test_what_the_reader_adds_is_said_too() -> None:
    told = because("usher", entry=ListEntry("x", "exact", "s"), found=Found("http.host", b"x", 0, 1, "as read by one", assumed="a guess"))
    assert told.rule.endswith("on citadel-unwanted; as read by one")
    assert told.assumed == ("a guess",)


def test_a_name_that_is_not_on_a_list_of_what_may_pass() -> None:
    told = because("gate", entry=OTHER, found=Found("tls.sni", b"x", 0, 1))
    assert told.rule == "not on citadel-guests"
    assert told.sources == ("citadel-lore:gate",)


def test_what_a_profile_assumes_goes_with_every_ground() -> None:
    box = next(box for box in load_wall(as_of="2022-06-01").boxes if box.id == "fet")
    told = because_of(Ground(box, None, None, 0, PACKET), 0.5)
    assert told.assumed
    assert all(": " in sentence for sentence in told.assumed)


@pytest.mark.parametrize(("count", "left"), [(1, 20.0), (3, 0.5)])
def test_memory_is_told_by_its_key_its_triggers_and_the_time_left(count: int, left: float) -> None:
    box = next(box for box in load_wall(CITADEL, as_of="2030-03-01").boxes if box.id == "gate")
    entry = Entry(box.index, b"key", Instant(0), Instant(30_000_000_000))
    entry.count, entry.flow = count, 4
    told = because_of(Ground(box, None, None, 0, PACKET), 1.0, residual=entry, now=round((30 - left) * 1e9))
    assert told.read == "residual"
    assert told.rule == "remembered for 20 s by client, server, client port, server port"
    assert told.residual == f"after {count} trigger(s), {left} s before it ends"
    assert told.armed_by == 4
