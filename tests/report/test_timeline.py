"""An event becomes one line: when, what kind, what, whose figure, by which source."""

from crenel.atlas.timeline import Happening, happenings
from crenel.report.layout import plain
from crenel.report.timeline import timeline_lines

EVENT = Happening(date="2020-01", kind="rule", text="A rule begins.", sources=("one", "two"), confidence="high")


def test_an_event_is_one_line() -> None:
    spanned = Happening(
        date="2020-02-03", to="2020-02-05", kind="mechanism", text="It blinks.", figure="3 times", figure_by="a witness", sources=("one",),
        confidence="low",
    )
    assert [plain(line) for line in timeline_lines([EVENT, spanned], None)] == [
        "2020-01                   rule       A rule begins. [one, two]",
        "2020-02-03 to 2020-02-05  mechanism  It blinks. (3 times, by a witness) [one, confidence low]",
    ]


def test_all_events_fit_a_terminal() -> None:
    assert max(len(plain(line)) for line in timeline_lines(happenings(), 80)) <= 80
