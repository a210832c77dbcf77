"""Reports of tests of peers in, a table out: which programs ran, which were skipped and why, and which did as documented."""

import functools
import importlib.metadata
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

PROPERTY = "peer"
"""What a test's row is called among the properties of its report."""
OWN = "a client of our own"
"""A peer that is no real program, and is not counted."""
_COLUMNS = ("peer", "version", "does", "as of", "documented", "act", "miss", "chance", "result")


@functools.cache
def version_of(package: str) -> str:
    """Return the version of a distribution of Python or of a Debian package; nothing where neither is known."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        pass
    try:
        asked = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package], capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return asked.stdout.rpartition(":")[2].partition("+")[0].partition("-")[0]


def rows_of(stats: Mapping[str, Sequence[Any]]) -> list[dict[str, str]]:
    """Return a row for each peer's test among the reports of a session, by peer, what it does and date."""
    found: dict[str, dict[str, str]] = {}
    for report in [report for reports in stats.values() for report in reports if hasattr(report, "user_properties")]:
        told = [row for name, row in report.user_properties if name == PROPERTY]
        if not told:
            continue
        row = found.setdefault(report.nodeid, {})
        row.update(told[-1])  # the report of a later phase knows more
        if report.failed:
            row["result"] = "NOT as documented"
        elif report.skipped:
            row["result"] = f"skipped: {_reason(report.longrepr)}"
        elif report.when == "call":
            row["result"] = "as documented"
    return sorted(found.values(), key=lambda row: (row["peer"], row["does"], row["as of"]))


def lines_of(rows: Sequence[Mapping[str, str]]) -> list[str]:
    """Return the table as lines of text, the last of which counts."""
    widths = [max(len(name), *(len(row.get(name, "")) for row in rows)) for name in _COLUMNS]
    lines = [_line(_COLUMNS, widths), *(_line([row.get(name, "") for name in _COLUMNS], widths) for row in rows)]
    real = [row for row in rows if row["peer"] != OWN]
    ran = {row["peer"] for row in real if not row.get("result", "skipped").startswith("skipped")}
    skipped = {row["peer"] for row in real} - ran
    well = sum(row.get("result") == "as documented" for row in rows)
    tried = sum(not row.get("result", "skipped").startswith("skipped") for row in rows)
    return [*lines, f"{len(ran)} peers ran, {len(skipped)} were skipped; {well} of {tried} trials as documented"]


def _line(cells: Iterable[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def _reason(longrepr: Any) -> str:
    """Return why a test was skipped."""
    return str(longrepr[2] if isinstance(longrepr, tuple) else longrepr).removeprefix("Skipped: ")
