"""Files of the atlas, shipped and broken, in; checked structs or one sentence with file and place out."""

from pathlib import Path

import msgspec
import pytest

from crenel.atlas.compile import load_wall
from crenel.atlas.load import DEFAULT_WALL, load_profile, load_vantage, read_named, read_toml, shipped, sources, walls
from crenel.errors import ProfileError
from tests.net.made import HEAD, box

VANTAGES = "beijing, eleven-points-2017, four-cities-2019, four-cities-2020, guangzhou, outside-2020, shanghai, zhengzhou"


class Small(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    number: int
    inner: dict[str, int] = {}


def test_the_default_wall_is_shipped() -> None:
    assert DEFAULT_WALL in walls()
    profile, place, text = load_profile()
    assert (profile.name, place) == (DEFAULT_WALL, f"{DEFAULT_WALL}.toml")
    assert text == shipped("walls")[DEFAULT_WALL]


def test_names_that_are_not_shipped_are_refused_with_those_that_are() -> None:
    with pytest.raises(ProfileError) as refusal:
        load_profile("mars")
    assert str(refusal.value) == f"no wall is called 'mars'; there is {', '.join(walls())}"
    with pytest.raises(ProfileError) as refusal:
        load_vantage("mars")
    assert str(refusal.value) == f"no vantage is called 'mars'; there is {VANTAGES}"
    with pytest.raises(ProfileError, match="no wall is called ''"):
        load_profile("")


def test_a_path_is_never_taken_for_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ProfileError) as refusal:
        load_profile(str(tmp_path / "no.toml"))
    assert str(refusal.value) == f"{tmp_path / 'no.toml'}: No such file or directory"
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ProfileError, match=r"^gfw.toml: No such file or directory$"):
        load_profile("gfw.toml")
    with pytest.raises(ProfileError, match=r"^\./gfw: No such file or directory$"):
        load_profile("./gfw")
    (tmp_path / "gfw").write_text(HEAD + box("a"))
    assert load_profile("./gfw")[0].name == "made"
    assert load_profile("gfw")[0].name == "gfw"
    (tmp_path / "folder.toml").mkdir()
    with pytest.raises(ProfileError, match=r"^folder.toml: Is a directory$"):
        load_profile("folder.toml")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"number = 1\nx = '\xe4'", "not UTF-8 at byte 16"),
        (b"\xff", "not UTF-8 at byte 0"),
        (b"number = ", "Invalid value (at end of document)"),
        (b"number = 1\nnumber = 2\n", "Cannot overwrite a value (at line 2, column 11)"),
        (b"", "Object missing required field `number`"),
        (b"number = 'one'", "Expected `int`, got `str` - at `$.number`"),
        (b"number = 1\nmore = 2", "Object contains unknown field `more`"),
        (b"number = 1\n[inner]\na = 1.5", "Expected `int`, got `float` - at `$.inner[...]`"),
    ],
)
def test_a_broken_file_is_one_sentence_with_file_and_place(text: bytes, sentence: str) -> None:
    with pytest.raises(ProfileError) as refusal:
        read_toml(text, Small, "some.toml")
    assert str(refusal.value) == f"some.toml: {sentence}"


def test_a_sound_file_is_read() -> None:
    assert read_toml("number = 1 # ü\n[inner]\na = 2".encode(), Small, "some.toml") == Small(1, {"a": 2})


def test_a_path_names_the_file_as_it_was_given(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_bytes(b"y")
    assert read_named("walls", str(tmp_path / "x.toml"), "wall") == (b"y", str(tmp_path / "x.toml"))


def test_a_vantage_may_be_a_file(tmp_path: Path) -> None:
    text = shipped("vantages")["beijing"].decode()
    path = tmp_path / "mine.toml"
    path.write_text(text.replace('name = "beijing"', 'name = "mine"').replace("hops_to_wall = 12", "hops_to_wall = 3", 1))
    assert (load_vantage(str(path)).name, load_vantage(str(path)).hops_to_wall) == ("mine", 3)
    path.write_text(text.replace("hops_to_wall = 12", "hops_to_wall = 'far'", 1))
    with pytest.raises(ProfileError) as refusal:
        load_vantage(str(path))
    assert str(refusal.value) == f"{path}: Expected `int`, got `str` - at `$.hops_to_wall`"
    path.write_text("planet = 'mars'\n" + text)
    with pytest.raises(ProfileError, match="unknown field `planet`"):
        load_vantage(str(path))


def test_a_changed_file_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "made.toml"
    path.write_text(HEAD + box("a"))
    assert [one.id for one in load_wall(str(path), as_of="2020-01-01").boxes] == ["a"]
    path.write_text(HEAD + box("b"))
    assert [one.id for one in load_wall(str(path), as_of="2020-01-01").boxes] == ["b"]


def test_a_day_before_the_wall_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "made.toml"
    path.write_text(HEAD + box("a"))
    assert load_wall(str(path), as_of="2000-01-01").boxes
    for day in ("1999-12-31", "1999-12-31T23:59"):
        with pytest.raises(ProfileError) as refusal:
            load_wall(str(path), as_of=day)
        assert str(refusal.value) == f"{path}: nothing is known of this wall before 2000-01-01; {day} is too early"


def test_the_shipped_wall_begins_with_its_oldest_box() -> None:
    assert load_wall(as_of="2015-01-01").boxes
    with pytest.raises(ProfileError, match=r"^gfw.toml: nothing is known of this wall before 2015-01-01; 2014-12-31 is too early$"):
        load_wall(as_of="2014-12-31")


def test_every_source_says_who_and_how_it_was_read() -> None:
    assert len(sources()) > 30
    assert all(one.title and one.authors for one in sources().values())
