"""The lists of events: filtered by span, kind and text; each with the source of what it says and whose its figure is."""

import datetime as dt

import pytest

from crenel.atlas.timeline import happenings
from crenel.errors import UsageError
from crenel.web.events import CAUTION, KINDS, chosen, events_around, timeline_form, timeline_list
from tests.web.test_elements import Reader


def test_all_kinds_can_be_chosen() -> None:
    assert {event.kind for event in happenings()} == set(KINDS)
    assert sum(len(chosen("", "", [kind], "")) for kind in KINDS) == len(happenings()) == len(chosen("", "", [], ""))


def test_filters_narrow() -> None:
    found = chosen("2024", "2024-06", ["mechanism"], "quic")
    assert found
    assert all(event.kind == "mechanism" and event.date.startswith("2024") for event in found)


@pytest.mark.parametrize(("since", "kinds", "sentence"), [("x", [], "is not a date"), ("", ["<b>"], "there is mechanism, rule")])
def test_what_is_wrong_is_a_sentence(since: str, kinds: list[str], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        chosen(since, "", kinds, "")


def test_every_event_has_its_source_and_every_figure_its_claimant() -> None:
    text = timeline_list(happenings())
    read = Reader(text)
    assert sum(attributes.get("class") == "cited" for _, attributes in read.tags) == len(happenings())
    assert text.count("(by ") >= sum(event.figure_by is not None for event in happenings())
    assert CAUTION in read.text
    assert "No event" in timeline_list([])


def test_no_event_leads_out_of_the_page() -> None:
    read = Reader(timeline_list(happenings()) + events_around(dt.date(2023, 7, 20)))
    assert {attributes.get("href") for tag, attributes in read.tags if tag == "a"} == {"/timeline"}
    assert "Technical changes" in read.text
    assert "Public record" in read.text


def test_the_filters_keep_what_was_typed() -> None:
    read = Reader(timeline_form('"><b>', "2020", ["rule"], "x"))
    values = [attributes.get("value") for tag, attributes in read.tags if tag == "input"]
    assert '"><b>' in values
    assert [attributes["value"] for tag, attributes in read.tags if "checked" in attributes] == ["rule"]
