"""What a packet gave a box to act on in, the explanation that every effect of it carries out."""

import pytest

from crenel.instant import Instant
from crenel.wall.effects import Because
from crenel.wall.ground import Ground, because_of
from crenel.wall.match import Entry as ListEntry
from crenel.wall.readers.reading import Found
from crenel.wall.residual import Entry
from tests.wall.making import made_box, residual, to_server

PACKET = to_server(1)
FOUND = Found("http.host", b"www.blocked.example", 22, 19)
LISTED = ListEntry("blocked.example", "suffix", "a-list")
SECOND = 1_000_000_000


def test_a_find_on_a_list_is_explained_by_its_entry_and_place() -> None:
    because = because_of(Ground(made_box(), FOUND, LISTED, 100, PACKET), 0.75)
    assert because == Because(
        middlebox="a", epoch="2000-01-01", read="http.host", offset=122, length=19, value=b"www.blocked.example", rule="blocked.example (suffix) on names",
        chance=0.75, sources=("made-up", "a-list"), assumed=("a: made up",), residual=None, last_seen="2030-01-01", armed_by=None,
    )


@pytest.mark.parametrize(
    ("entry", "detail", "rule"),
    [
        (LISTED, "", "blocked.example (suffix) on names"), (LISTED, "seen by one parser", "blocked.example (suffix) on names; seen by one parser"),
        (None, "seen by one parser", "seen by one parser"), (None, "", ""),
    ],
)
def test_a_rule_is_entry_and_detail(entry: ListEntry | None, detail: str, rule: str) -> None:
    found = Found("tls.sni", b"x", 0, 1, detail)
    assert because_of(Ground(made_box(), found, entry, 0, PACKET), 1.0).rule == rule


def test_a_find_without_a_list_rests_on_the_box_s_sources_alone() -> None:
    because = because_of(Ground(made_box(), FOUND, None, 0, PACKET), 1.0)
    assert (because.sources, because.offset) == (("made-up",), 22)


def test_what_a_find_assumes_is_told_after_what_the_box_assumes() -> None:
    found = Found("quic.sni", b"x", 0, 1, assumed="nobody measured this")
    assert because_of(Ground(made_box(), found, None, 0, PACKET), 1.0).assumed == ("a: made up", "nobody measured this")


def test_a_ground_without_a_find_says_nothing_of_bytes() -> None:
    because = because_of(Ground(made_box(), None, None, 7, PACKET), 1.0)
    assert (because.read, because.offset, because.length, because.value, because.rule) == ("", 0, 0, b"", "")


@pytest.mark.parametrize(
    ("seconds", "said"), [(60.0, "remembered for 60 s by client, server port"), (0.5, "remembered for 0.5 s by client, server port")]
)
def test_a_memory_is_explained_by_its_keys_and_what_is_left_of_it(seconds: float, said: str) -> None:
    box = made_box(remembers=residual(tuple=["client", "server_port"], seconds=seconds))
    entry = Entry(0, b"k", Instant(0), Instant(90 * SECOND))
    entry.count, entry.flow = 3, 8
    because = because_of(Ground(box, None, None, 0, PACKET), 0.5, residual=entry, now=Instant(30 * SECOND + SECOND // 4))
    assert (because.read, because.rule, because.residual) == ("residual", said, "after 3 trigger(s), 59.8 s before it ends")
    assert (because.armed_by, because.chance, because.sources) == (8, 0.5, ("made-up",))
