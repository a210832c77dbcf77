"""The vantages that are shipped, and the one from which a wall is judged on a day, in; that they are sound and the right one out."""

import msgspec
import pytest

from crenel.atlas.compile import About, default_vantage, load_wall
from crenel.atlas.load import load_profile, load_vantage, shipped, sources
from crenel.atlas.moment import parse_moment
from crenel.errors import ProfileError

NAMES = sorted(shipped("vantages"))


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_vantage_is_sound(name: str) -> None:
    vantage = load_vantage(name)
    assert vantage.name == name
    assert vantage.sources
    cited = [*vantage.sources, *(source for box in vantage.client_middlebox for source in box.sources)]
    assert [source for source in cited if source.partition(":")[0] not in sources()] == []
    assert 0 < vantage.hops_to_wall < vantage.hops_to_server
    assert vantage.client_delay_ms >= 0
    assert vantage.server_delay_ms >= 0
    assert all(0 <= p <= 1 for p in (vantage.loss, vantage.insertion_loss, vantage.strict_server_share))
    assert all(box.weight > 0 and box.sources for box in vantage.client_middlebox)
    assert len({box.id for box in vantage.client_middlebox}) == len(vantage.client_middlebox)


@pytest.mark.parametrize("name", NAMES)
def test_what_a_vantage_assumes_is_one_of_its_fields_with_a_sentence(name: str) -> None:
    vantage = load_vantage(name)
    fields = {field.name for field in msgspec.structs.fields(vantage)}
    assert set(vantage.assumed) <= fields
    assert all(len(why.split()) > 1 for why in vantage.assumed.values())


@pytest.mark.parametrize(
    ("day", "name"),
    [
        ("2015-01-01", "eleven-points-2017"), ("2017-12-31", "eleven-points-2017"), ("2018-01-01", "four-cities-2019"),
        ("2019-08-31", "four-cities-2019"), ("2019-09-01", "four-cities-2020"), ("2023-07-31", "four-cities-2020"),
        ("2023-08-01", "zhengzhou"), ("2024-04-06", "zhengzhou"), ("2024-04-06T23:59", "zhengzhou"), ("2024-04-07", "beijing"),
        ("2024-04-07T00:00", "beijing"), ("2030-01-01", "beijing"),
    ],
)  # fmt: skip
def test_each_day_has_its_vantage(day: str, name: str) -> None:
    about = load_wall(as_of=day).about
    assert isinstance(about, About)
    assert about.vantage == name


def test_before_the_first_vantage_one_has_to_be_named() -> None:
    profile, _, _ = load_profile()
    assert default_vantage(profile, parse_moment("2012-01-01")) == "eleven-points-2017"
    with pytest.raises(ProfileError, match=r"^gfw: the profile names no vantage for 2011-12-31; name one$"):
        default_vantage(profile, parse_moment("2011-12-31"))


def test_a_named_vantage_is_taken_on_any_day() -> None:
    about = load_wall(as_of="2017-05-01", vantage="shanghai").about
    assert isinstance(about, About)
    assert about.vantage == "shanghai"


def test_the_city_of_a_vantage_picks_its_curve() -> None:
    def hours(vantage: str) -> tuple[float, ...]:
        return next(box.hours for box in load_wall(as_of="2025-01-15", vantage=vantage).boxes if box.id == "quic-sni")

    assert hours("beijing")[:2] == (0.150, 0.237)
    assert hours("guangzhou")[:2] == (0.265, 0.241)
    assert hours("zhengzhou") == hours("beijing")  # without a curve of its own, that of the profile's city
