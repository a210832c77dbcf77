"""What was typed: kept as it was, and asked again by an address."""

from urllib.parse import parse_qsl, urlsplit

from hypothesis import given
from hypothesis import strategies as st

from crenel.web.asked import LONGEST_LINK, Asked, link, read_asked

TEXT = st.text(st.characters(codec="utf-8"), max_size=40)


def test_what_is_not_given_keeps_its_default() -> None:
    assert read_asked({}) == Asked()
    assert read_asked({"kind": "nonsense", "other": "x", "port": ""}) == Asked()


def test_a_date_to_go_to_takes_the_place_of_the_one_that_was_typed() -> None:
    assert read_asked({"date": "2020-01-01", "go": "2021-02-03"}).date == "2021-02-03"


def test_an_address_holds_what_differs_from_the_default() -> None:
    assert link(Asked()) == "/"
    assert link(Asked(target="a b", hex="00", held="x"), date="2020-01-01") == "/?target=a+b&date=2020-01-01"
    assert link(Asked(kind="capture", held="t", flow="3", target="x")) == "/?kind=capture&held=t&flow=3"
    assert "date2" not in link(Asked(date2="2020-01-01"))
    assert "date2" in link(Asked(date2="2020-01-01", beside="yes"))


def test_what_is_too_long_has_no_address() -> None:
    assert link(Asked(kind="hex", hex="00" * LONGEST_LINK)) == ""


@given(TEXT, TEXT, TEXT)
def test_an_address_asks_the_same_again(target: str, date: str, wall: str) -> None:
    asked = Asked(target=target, date=date, wall=wall)
    assert read_asked(dict(parse_qsl(urlsplit(link(asked)).query))) == asked


def test_nothing_brought_is_empty() -> None:
    assert Asked().empty
    assert Asked(target=" ").empty
    assert Asked(kind="hex", target="x").empty
    assert not Asked(kind="capture", held="x").empty
