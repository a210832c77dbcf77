"""What holds for every test: how many examples hypothesis makes, and that a peer which is absent skips with a reason."""

import os
import shutil

import pytest
from hypothesis import HealthCheck, settings

# No deadline: a shared machine stalls now and then, and speed is measured elsewhere. In CI the same commit gets the same examples.
settings.register_profile("quick", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("quick"), derandomize=True, database=None, print_blob=True)
settings.register_profile("long", settings.get_profile("quick"), max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "quick"))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test marked `peer("tshark")` where that program is not installed."""
    for marker in item.iter_markers("peer"):
        for program in marker.args:
            if shutil.which(program) is None:
                pytest.skip(f"peer absent: {program} (make test installs it where it runs as root)")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show which real programs ran through the wall, and which did as documented; of many tests few are of that kind."""
    from tests.peers.table import lines_of, rows_of

    rows = rows_of(terminalreporter.stats)
    if rows:
        terminalreporter.section("real programs through the wall")
        for line in lines_of(rows):
            terminalreporter.write_line(line)
