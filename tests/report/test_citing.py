"""A source id becomes what a reader needs to find the work."""

import msgspec
import pytest

from crenel.atlas.load import sources
from crenel.atlas.schema import Source
from crenel.report.citing import cite, known_sources

WORK = Source(title="A Work", authors="Somebody", venue="Venue 2020", year=2020, read="full", confidence="high")


def test_places_in_one_work_are_put_together() -> None:
    assert cite(["one:section-3", "two", "one:table-1"], {"one": WORK, "two": msgspec.structs.replace(WORK, venue="Venue")}) == [
        "Somebody, “A Work”, Venue 2020 (section 3 and table 1) [one]",
        "Somebody, “A Work”, Venue, 2020 [two]",
    ]


def test_a_work_that_nobody_knows_and_the_users_own() -> None:
    assert cite(["nowhere", "user", "listed"], {}) == ["nowhere", "your own list (--list)", "you (--listed)"]


@pytest.mark.parametrize("work", sorted(sources()))
def test_every_source_of_the_atlas_can_be_cited(work: str) -> None:
    assert cite([work], known_sources("gfw"))[0].endswith(f"[{work}]")
