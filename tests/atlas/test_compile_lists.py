"""Lists, pools and what was asked for in, compiled boxes out: what a list holds on a day, whose file replaces it, how a pool is filled."""

import datetime as dt
import hashlib
import ipaddress
from pathlib import Path

import pytest

from crenel.atlas import compile as compiling
from crenel.atlas.compile import About, load_wall
from crenel.atlas.load import load_profile
from crenel.coins import KeyedCoins
from crenel.errors import ProfileError, UsageError
from crenel.instant import Instant
from crenel.wall.box import Box
from crenel.wall.effects import Inject, Side
from crenel.wall.match import AddressList, NameList
from crenel.wall.wall import Wall
from crenel.wire.dns_build import build_query
from crenel.wire.packet import udp_packet
from tests.atlas.test_check_profiles import SOUND
from tests.net.made import HEAD, QUERY, box

DAY = "2025-01-15"


def about_of(wall: Wall) -> About:
    assert isinstance(wall.about, About)
    return wall.about


def names_of(one: Box) -> NameList:
    assert isinstance(one.names, NameList)
    return one.names


def box_of(wall: Wall, box_id: str) -> Box:
    return next(one for one in wall.boxes if one.id == box_id)


# Names.

DATED = HEAD.replace(
    'entries = [{ name = "blocked.example", form = "suffix", source = "made-up" }',
    'entries = [{ name = "blocked.example", source = "made-up" }, '
    '{ name = "dated.example", source = "made-up", from = 2020-02-01, until = 2020-03-01 }',
)


@pytest.mark.parametrize(
    ("day", "listed"),
    [
        ("2020-01-31", False), ("2020-01-31T23:59", False), ("2020-02-01", True), ("2020-03-01", True), ("2020-03-01T23:59", True),
        ("2020-03-02", False),
    ],
)  # fmt: skip
def test_an_entry_stands_on_its_list_from_its_first_through_its_last_day(tmp_path: Path, day: str, listed: bool) -> None:
    path = tmp_path / "made.toml"
    path.write_text(DATED + box("a"))
    wall = load_wall(str(path), as_of=day)
    names = names_of(wall.boxes[0])
    assert (names.find(b"www.dated.example") is not None) is listed
    assert names.find(b"www.blocked.example") is not None
    assert about_of(wall).examples == 2 + listed


def test_a_file_replaces_a_list_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("mine.test\n")
    wall = load_wall(as_of=DAY, lists={"gfw-dns-3": str(tmp_path / "names.txt")})
    third, second = box_of(wall, "dns-3"), box_of(wall, "dns-2")
    assert [names_of(third).find(name) is not None for name in (b"mine.test", b"blocked.example")] == [True, False]
    assert [names_of(second).find(name) is not None for name in (b"mine.test", b"blocked.example")] == [False, True]
    assert not third.facts.example_list
    assert second.facts.example_list
    assert about_of(wall).lists == {"gfw-dns-3": str(tmp_path / "names.txt")}
    assert about_of(wall).example_boxes


def test_where_every_list_is_the_users_none_is_an_example(tmp_path: Path) -> None:
    (tmp_path / "made.toml").write_text(HEAD + box("a"))
    (tmp_path / "names.txt").write_text("mine.test\n")
    path = str(tmp_path / "made.toml")
    own = about_of(load_wall(path, as_of="2020-01-01", lists={"names": str(tmp_path / "names.txt")}))
    shipped = about_of(load_wall(path, as_of="2020-01-01"))
    assert (own.example_boxes, own.examples, shipped.example_boxes, shipped.examples) == (False, 0, True, 2)


def test_listed_names_come_on_every_list_of_names() -> None:
    wall = load_wall(as_of=DAY, listed=["mine.test"])
    profile, _, _ = load_profile()
    reading_names = [one for one in wall.boxes if one.facts.list_name is not None and profile.list[one.facts.list_name].kind == "names"]
    assert len(reading_names) >= 6
    for one in reading_names:
        assert names_of(one).find(b"www.mine.test") is not None
        assert names_of(one).find(b"blocked.example") is not None
        assert names_of(one).find(b"notmine.test") is None
    others = [one for one in wall.boxes if one.facts.list_name is not None and one not in reading_names]
    assert {profile.list[one.facts.list_name].kind for one in others if one.facts.list_name} == {"keywords", "addresses"}
    assert not any(one.names.find(b"mine.test") for one in others if isinstance(one.names, NameList))
    assert about_of(wall).listed == ("mine.test",)


def test_a_star_lists_every_name_there_is() -> None:
    names = names_of(box_of(load_wall(as_of=DAY, listed=["*"]), "dns-2"))
    assert names.find(b"anything.at.all") is not None
    assert names.find(b"") is None


def test_listed_names_go_with_a_file(tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("mine.test\n")
    wall = load_wall(as_of=DAY, listed=["more.test"], lists={"gfw-dns-2": str(tmp_path / "names.txt")})
    names = names_of(box_of(wall, "dns-2"))
    assert [names.find(name) is not None for name in (b"mine.test", b"more.test", b"blocked.example")] == [True, True, False]


def test_addresses_can_be_replaced(tmp_path: Path) -> None:
    (tmp_path / "addresses.txt").write_text("192.0.2.0/25\n")
    wall = load_wall(as_of=DAY, lists={"gfw-ip-drop": str(tmp_path / "addresses.txt")})
    names = box_of(wall, "ip-drop").names
    assert isinstance(names, AddressList)
    assert [names.find(bytes((192, 0, 2, last)), 1) is not None for last in (127, 128)] == [True, False]
    assert names.find(bytes((203, 0, 113, 66)), 1) is None


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("gfw-dns-1", b"good.test\nb\xe4d.test\n", ":2: not UTF-8 at byte 2 of the line"),
        ("gfw-ip-drop", b"blocked.example\n", ":1: 'blocked.example' is not an address"),
        ("dns-2-pool", b"198.18.0.1\nx\n", ":2: 'x' is not an address"),
    ],
)
def test_a_file_that_does_not_fit_its_list(tmp_path: Path, name: str, content: bytes, sentence: str) -> None:
    (tmp_path / "list.txt").write_bytes(content)
    with pytest.raises(ProfileError) as refusal:
        load_wall(as_of="2020-01-15", lists={name: str(tmp_path / "list.txt")})
    assert str(refusal.value).startswith(f"{tmp_path / 'list.txt'}{sentence}")


def test_a_list_that_the_wall_does_not_have(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^--list mars: this wall has no such list; it has gfw-dns-1, "):
        load_wall(as_of=DAY, lists={"mars": str(tmp_path / "none.txt")})


# Pools.


def pool_of(wall: Wall, seeds: int = 200) -> set[str]:
    """Return the addresses that a random pool hands out."""
    found = set()
    query = udp_packet(bytes((192, 0, 2, 2)), bytes((198, 51, 100, 2)), 50000, 53, build_query(b"blocked.example"))
    for seed in range(seeds):
        effects = wall.start(KeyedCoins(seed)).see(Instant(0), Side.INSIDE, query)
        (answer,) = [effect.packet for effect in effects if isinstance(effect, Inject)]
        found.add(str(ipaddress.ip_address(answer.payload[-4:])))
    return found


ANSWERING = "".join((
    HEAD,
    box("dns", transport="udp", tcb=None, trigger=QUERY, chance='p = 1, per = "event"', reaction='answer = { flags_rd0 = 0, flags_rd1 = 0, '
        'record_ttl = { fixed = 60 }, owner = "copy", pool = "pool", order = "random", df = false, ip_id = { fixed = 0 }, ttl = { fixed = 64 }, '
        "delay = { fixed = 1 } }"),
    SOUND[SOUND.index("\n[list.pool]"):],
))  # fmt: skip


def answering(folder: Path, *changes: tuple[str, str], **given: dict[str, str]) -> Wall:
    text = ANSWERING
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (folder / "made.toml").write_text(text)
    return load_wall(str(folder / "made.toml"), as_of="2020-01-01", **given)  # type: ignore[arg-type]


def test_a_pool_is_filled_up_to_its_counted_size(tmp_path: Path) -> None:
    assert pool_of(answering(tmp_path)) == {"192.0.2.1", "198.18.0.1", "198.18.0.2"}
    assert pool_of(answering(tmp_path, ("size = 3", "size = 1"))) == {"192.0.2.1"}
    assert pool_of(answering(tmp_path, ("size = 3\n", ""))) == {"192.0.2.1"}
    assert pool_of(answering(tmp_path, ('fill = "198.18.0.0/15"', ""))) == {"192.0.2.1"}


def test_a_pool_is_filled_with_hosts_of_its_network_only(tmp_path: Path) -> None:
    small = answering(tmp_path, ("198.18.0.0/15", "198.18.0.0/30"), ("size = 3", "size = 99"))
    assert pool_of(small) == {"192.0.2.1", "198.18.0.1", "198.18.0.2"}


def test_a_pool_is_never_filled_past_what_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "SHOWN_ADDRESSES", 2)
    assert pool_of(answering(tmp_path, ("size = 3", "size = 1000000"))) == {"192.0.2.1", "198.18.0.1"}


def test_a_file_replaces_a_pool(tmp_path: Path) -> None:
    (tmp_path / "pool.txt").write_text("203.0.113.5\n203.0.113.9\n")
    assert pool_of(answering(tmp_path, lists={"pool": str(tmp_path / "pool.txt")})) == {"203.0.113.5", "203.0.113.9"}


# What is told of it.


def test_a_wall_tells_what_was_asked_for(tmp_path: Path) -> None:
    (tmp_path / "made.toml").write_text(HEAD + box("a"))
    path = str(tmp_path / "made.toml")
    about = about_of(load_wall(path, as_of=dt.date(2020, 1, 1), seed=7, assume={"a.chance.p": "1"}, listed=["x.test"], vantage="shanghai"))
    assert (about.name, about.title, about.as_of, about.seed, about.utc_offset) == ("made", "A wall made for tests", "2020-01-01", 7, 0)
    assert (about.assume, about.lists, about.listed, about.vantage, about.notes) == ({"a.chance.p": "1"}, {}, ("x.test",), "shanghai", ())
    assert about.sha256 == hashlib.sha256((tmp_path / "made.toml").read_bytes()).hexdigest()


def test_a_date_may_be_text_a_date_or_a_minute() -> None:
    for as_of, shown, hour in ((DAY, DAY, None), (dt.date(2025, 1, 15), DAY, None), ("2025-01-15T05:30", "2025-01-15T05:30", 5)):
        wall = load_wall(as_of=as_of)
        assert (about_of(wall).as_of, wall.hour) == (shown, hour)


def test_without_a_date_it_is_today_in_the_walls_own_time() -> None:
    zone = dt.timezone(dt.timedelta(hours=8))
    before = dt.datetime.now(zone).date()
    about = about_of(load_wall())
    assert about.as_of in {str(before), str(dt.datetime.now(zone).date())}


def test_the_same_wall_from_elsewhere_keeps_all_else() -> None:
    wall = load_wall(as_of=DAY, seed=3, listed=["x.test"])
    there = wall.seen_from("guangzhou")
    assert (about_of(there).vantage, about_of(there).seed, about_of(there).listed) == ("guangzhou", 3, ("x.test",))
    assert [one.id for one in there.boxes] == [one.id for one in wall.boxes]
    assert wall.seen_from(None) is wall
