"""What a user takes for granted in, the box with that value, or one sentence of refusal, out."""

from pathlib import Path

import pytest

from crenel.atlas.assume import apply_assumptions, assumed_for, parse_assumption
from crenel.atlas.compile import load_wall
from crenel.atlas.load import load_profile
from crenel.atlas.schema import Epoch
from crenel.errors import UsageError
from crenel.wall.box import Box
from tests.net.made import HEAD, box

DAY = "2025-01-15"
REMEMBERS = """residual = { tuple = ["client", "server"], seconds = 90, refresh = false, from = "both", on = "any", does = "reset", \
chances = [0.5, 1.0], onset = { fixed = 0 } }"""
ALTERNATIVES = """
  [[middlebox.epoch.alternative]]
  key = "residual.seconds"
  name = "short"
  value = 60
  sources = ["made-up"]
  says = "a minute in another study"
  [[middlebox.epoch.alternative]]
  key = "residual"
  name = "gone"
  sources = ["made-up"]
  says = "nothing was remembered in a third"
  [middlebox.epoch.assumed]
  "residual.seconds" = "a guess"
"""


@pytest.fixture
def path(tmp_path: Path) -> str:
    (tmp_path / "made.toml").write_text(HEAD + box("a", more=REMEMBERS) + ALTERNATIVES)
    return str(tmp_path / "made.toml")


def epoch_of(path: str, **assume: str) -> Epoch:
    """Return the epoch of the box; underscores in the keys stand for dots."""
    profile, _, _ = load_profile(path)
    return apply_assumptions("a", profile.middlebox[0].epoch[0], {key.replace("_", "."): value for key, value in assume.items()})


def shipped_box(box_id: str, as_of: str = DAY, **assume: str) -> Box:
    wall = load_wall(as_of=as_of, assume={f"{box_id}.{key.replace('_', '.')}": value for key, value in assume.items()})
    return next(one for one in wall.boxes if one.id == box_id)


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [("a.b=c", "a.b", "c"), (" a.b = c ", "a.b", "c"), ("a.b=c=d", "a.b", "c=d"), ("a.b.c.d=[1, 2]", "a.b.c.d", "[1, 2]")],
)
def test_key_and_value_stand_around_the_first_equals_sign(text: str, key: str, value: str) -> None:
    assert parse_assumption(text) == (key, value)


@pytest.mark.parametrize("text", ["", "a", "a.b", "a=b", "a.b=", "=b", "=", "a=b.c"])
def test_an_assumption_without_key_or_value_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as refusal:
        parse_assumption(text)
    assert str(refusal.value) == f"--assume {text!r}: write BOX.KEY=VALUE, such as some-box.residual.seconds=60"


def test_assumptions_are_sorted_by_box() -> None:
    assume = {"a.x.y": "1", "ab.x": "2", "a.z": "3"}
    assert assumed_for("a", assume) == {"x.y": "1", "z": "3"}
    assert assumed_for("ab", assume) == {"x": "2"}
    assert assumed_for("b", assume) == {}


def test_nothing_assumed_changes_nothing(path: str) -> None:
    profile, _, _ = load_profile(path)
    epoch = profile.middlebox[0].epoch[0]
    assert apply_assumptions("a", epoch, {}) is epoch


def test_an_alternative_of_the_profile_is_named(path: str) -> None:
    epoch = epoch_of(path, residual_seconds="short")
    assert epoch.residual is not None
    assert epoch.residual.seconds == 60
    assert epoch.assumed == {"residual.seconds": "a minute in another study"}
    assert epoch_of(path, residual="gone").residual is None


@pytest.mark.parametrize(("value", "seconds"), [("60", 60), ("1.5", 1.5), ("none", 0), ("1_000", 1000)])
def test_a_number_takes_the_place_of_a_number(path: str, value: str, seconds: float) -> None:
    epoch = epoch_of(path, residual_seconds=value)
    assert epoch.residual is not None
    assert epoch.residual.seconds == seconds
    assert epoch.assumed == {"residual.seconds": f"set to {value} by the user"}


def test_everything_else_stays(path: str) -> None:
    profile, _, _ = load_profile(path)
    before, after = profile.middlebox[0].epoch[0], epoch_of(path, residual_seconds="60")
    changed = {field for field in Epoch.__struct_fields__ if getattr(before, field) != getattr(after, field)}
    assert changed == {"residual", "assumed"}


def test_none_takes_away(path: str) -> None:
    assert epoch_of(path, residual="none").residual is None
    with pytest.raises(UsageError, match=r"^--assume a\.scope: Object missing required field `scope`$"):
        epoch_of(path, scope="none")


def test_words_lists_and_tables(path: str) -> None:
    assert epoch_of(path, chance_per="pair").chance.per == "pair"
    assert epoch_of(path, chance_per='"pair"').chance.per == "pair"
    assert epoch_of(path, scope_ports="[[80, 80]]").scope.ports == ((80, 80),)
    assert epoch_of(path, chance='{ p = 0.25, per = "event" }').chance.p == 0.25
    assert epoch_of(path, confidence="high").confidence == "high"


def test_a_value_inside_a_list_is_reached_by_its_place(path: str) -> None:
    epoch = epoch_of(path, residual_chances_0="0.75", reaction_inject_0_copies="3")
    assert epoch.residual is not None
    assert epoch.residual.chances == (0.75, 1.0)
    assert epoch.reaction.inject[0].copies == 3


@pytest.mark.parametrize(
    "key",
    [
        "nothing", "residual.minutes", "residual.seconds.more", "residual.chances.2", "residual.chances.-1", "residual.chances.x",
        "residual.chances.²", "reaction.inject.1.copies", "reaction.inject.copies", "other_device.share", "chance.", "", ".p",
    ],
)  # fmt: skip
def test_a_key_that_the_epoch_does_not_have(path: str, key: str) -> None:
    with pytest.raises(UsageError) as refusal:
        load_wall(path, as_of="2020-01-01", assume={f"a.{key}": "1"})
    assert str(refusal.value) == f"--assume a.{key}: the epoch in force has no such key"


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("residual.seconds", "long", "--assume a.residual.seconds: Expected `float`, got `str` - at `$.residual.seconds`"),
        ("chance.per", "day", "--assume a.chance.per: Invalid enum value 'day' - at `$.chance.per`"),
        ("residual.refresh", "1", "--assume a.residual.refresh: Expected `bool`, got `int` - at `$.residual.refresh`"),
        ("residual", "{ frob = 1 }", "--assume a.residual: Object contains unknown field `frob` - at `$.residual`"),
        ("chance.p", "7", None), ("chance.p", "-0.1", None), ("chance.p", "nan", None), ("chance.p", "none", None),
        ("trigger.list", "nolist", None), ("tcb", "notable", None), ("chance.by_hour", "{ x = [0.5] }", None), ("reaction.withhold", "true", None),
    ],
)  # fmt: skip
def test_a_value_that_does_not_fit(path: str, key: str, value: str, sentence: str | None) -> None:
    with pytest.raises(UsageError) as refusal:
        load_wall(path, as_of="2020-01-01", assume={f"a.{key}": value})
    assert str(refusal.value).startswith(f"--assume a.{key}: ")
    assert sentence is None or str(refusal.value) == sentence


def test_a_box_that_the_wall_does_not_have_or_not_yet() -> None:
    with pytest.raises(UsageError, match=r"^--assume mars\.chance\.p: this wall has no box 'mars'; it has dns-1, dns-2, "):
        load_wall(as_of=DAY, assume={"mars.chance.p": "1"})
    with pytest.raises(UsageError, match=r"^--assume esni\.chance\.p: this box is not in force on 2020-07-28$"):
        load_wall(as_of="2020-07-28", assume={"esni.chance.p": "1"})
    assert shipped_box("esni", "2020-07-29", chance_p="1").hours == (1.0,) * 24


def test_one_probability_replaces_a_curve() -> None:
    assert len(set(shipped_box("quic-sni").hours)) > 10
    assert shipped_box("quic-sni", chance_p="0.5").hours == (0.5,) * 24
    assert shipped_box("fet", "2022-06-01", chance_p="1").hours == (1.0,) * 24


def test_another_curve_or_city_can_be_taken() -> None:
    curve = f"{{ here = [{', '.join(['0.25'] * 24)}] }}"
    wall = load_wall(as_of=DAY, assume={"quic-sni.chance.by_hour": curve, "quic-sni.chance.city": "here"})
    assert next(one for one in wall.boxes if one.id == "quic-sni").hours == (0.25,) * 24
    guangzhou = load_wall(as_of=DAY, vantage="zhengzhou", assume={"quic-sni.chance.city": "guangzhou"})
    assert next(one for one in guangzhou.boxes if one.id == "quic-sni").hours[0] == 0.265


def test_the_alternatives_of_the_shipped_wall_are_all_accepted() -> None:
    profile, _, _ = load_profile()
    tried = 0
    for one in profile.middlebox:
        for epoch in one.epoch:
            for alternative in epoch.alternative:
                wall = load_wall(as_of=str(epoch.first_seen), assume={f"{one.id}.{alternative.key}": alternative.name})
                changed = next(made for made in wall.boxes if made.id == one.id)
                assert f"{alternative.key}: {alternative.says}" in changed.facts.assumed
                tried += 1
    assert tried >= 10


def test_what_was_assumed_is_told_with_every_result(path: str) -> None:
    (made,) = load_wall(path, as_of="2020-01-01", assume={"a.chance.p": "0.25"}).boxes
    assert "chance.p: set to 0.25 by the user" in made.facts.assumed
