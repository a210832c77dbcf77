"""A command's report: its flows, the ladder of each that matters, and how to do the same again."""

from html.parser import HTMLParser

from crenel.report.html_run import run_html
from crenel.report.run import tell_flows
from tests.report.test_run import DESK, WALL, listed, outcome_of, plain_talk


def test_a_report_has_the_flows_and_the_ladders_of_those_that_matter() -> None:
    outcome = outcome_of(plain_talk(), listed())
    page = run_html(outcome, tell_flows(outcome), WALL, DESK, "crenel run -- curl", 4)
    HTMLParser().feed(page)
    assert 'id="f2"' in page
    assert 'id="f1"' not in page
    assert "crenel run -- curl" in page
    assert "blocked.example" in page
    assert "2 flows: 1 at risk, 1 pass" in page
    assert 'id="f1"' in run_html(outcome, tell_flows(outcome), WALL, DESK, "", None)
