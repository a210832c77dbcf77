"""What a page shows in, the same as a file to pass on out: one that needs nothing else."""

from crenel.report.citing import known_sources
from crenel.report.html_check import Checked, Gathered, check_html
from crenel.report.html_try import try_html
from crenel.web.answer import Answer, judged, witness
from crenel.web.page import Shown


def saved_report(shown: Shown, again: str) -> str:
    """Return the report of a page's answers; of captures that of the first answer.

    Args:
        shown: what the page shows.
        again: the command that gives the same answer.

    Raises:
        CaptureError: the capture is no longer held.
    """
    first = shown.answers[0]
    if first.capture is not None:
        return _of_capture(first, shown.walls[0], again)
    sources = {key: value for wall in shown.walls for key, value in known_sources(wall).items()}
    dates = [[answer.tried] for answer in shown.answers if answer.tried is not None]
    return try_html(dates, sources, again)


def _of_capture(answer: Answer, wall: str, again: str) -> str:
    if answer.capture is None:
        return ""
    held = answer.capture.held
    gathered = Gathered(answer.wall)
    summary = judged(held, answer.wall, gathered.take)
    witnessed = witness(held, answer.wall, [flow.flow for flow in gathered.wanted()])
    packets = {(held.name, number): found for number, found in witnessed.items()}
    return check_html(
        Checked(gathered=gathered, captures=(summary,), failed=(), witnessed=packets, sources=known_sources(wall), again=again),
    )  # fmt: skip
