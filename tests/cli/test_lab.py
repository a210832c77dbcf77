"""`crenel lab doctor`: what it prints of this machine, and the status that goes with it."""

import json

from crenel.net.lab.doctor import examine
from tests.cli.running import run


def test_it_says_what_can_be_done_and_how_to_enable_what_cannot() -> None:
    ran, health = run("lab", "doctor"), examine()
    assert ran.status == (0 if health.able else 1)
    for finding in health.findings:
        assert finding.says.partition(" ")[0] in ran.out
    whole = json.loads(run("lab", "doctor", "--format", "json").out)
    assert whole["able"] is health.able
    assert [one["name"] for one in whole["findings"]] == [finding.name for finding in health.findings]


def test_the_group_lists_it() -> None:
    assert "doctor" in run("lab", "--help").out
