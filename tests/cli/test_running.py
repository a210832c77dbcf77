"""The work of `crenel run` without its process: what is refused beforehand, and which status follows from what."""

from pathlib import Path

import msgspec
import pytest

from crenel.cli.options import Judging
from crenel.cli.running import Running, _ended, run_command
from crenel.errors import UsageError
from crenel.net.lab.outcome import Outcome
from tests.report.test_run import listed, outcome_of, plain_talk, unanswered

RUNNING = Running(("true",), (), None, None, "wall", "still", False, None, None)
JUDGING = Judging(None, "2025-01-15", 0, 0.0, None, {}, {}, (), ())


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (outcome_of(plain_talk()), 0),
        (outcome_of(listed()), 1),
        (outcome_of(listed(), unanswered()), 1),
        (outcome_of(plain_talk(), unanswered()), 3),
        (outcome_of(plain_talk(), problems=("the server died",)), 3),
        (outcome_of(listed(), problems=("the server died",)), 3),
        (outcome_of(), 0),
    ],
)
def test_the_status_of_the_wall(outcome: Outcome, status: int) -> None:
    assert _ended(outcome, RUNNING) == status


@pytest.mark.parametrize(("own", "status"), [(0, 0), (7, 7), (-15, 143), (None, 124)])
def test_the_status_of_the_command(own: int | None, status: int) -> None:
    assert _ended(msgspec.structs.replace(outcome_of(listed()), status=own), RUNNING._replace(status="command")) == status


@pytest.mark.parametrize("option", ["pcap", "report"])
def test_a_file_that_cannot_be_written_is_refused_before_the_command_runs(tmp_path: Path, option: str) -> None:
    for place, problem in ((tmp_path / "absent" / "x", "No such file or directory"), (tmp_path, "Is a directory")):
        with pytest.raises(UsageError, match=f"--{option} .*: {problem}"):
            run_command(RUNNING._replace(pcap=str(place)) if option == "pcap" else RUNNING._replace(report=str(place)), JUDGING, "table")
