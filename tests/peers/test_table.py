"""Invented reports in, the table of peers out: what ran, what was skipped and why, what went otherwise than documented."""

from types import SimpleNamespace
from typing import Any

from tests.peers.table import OWN, PROPERTY, lines_of, rows_of


def _report(peer: str, when: str, outcome: str, *, reason: str = "", **more: str) -> Any:
    row = {"peer": peer, "does": "TLS", "as of": "2025-01-15", "documented": "reset, 0.97", **more}
    told = {"skipped": outcome == "skipped", "failed": outcome == "failed", "longrepr": ("file", 1, f"Skipped: {reason}") if reason else None}
    return SimpleNamespace(nodeid=f"test[{peer}]", when=when, user_properties=[(PROPERTY, row)], **told)


STATS = {
    "": [_report("curl", "setup", "passed"), _report("curl", "teardown", "passed", act="reset"), SimpleNamespace(user_properties=[])],
    "passed": [_report("curl", "call", "passed", act="reset", miss="passes", chance="0.97", version="7"), _report(OWN, "call", "passed")],
    "failed": [_report("wget", "call", "failed", act="passes")],
    "skipped": [_report("lynx", "setup", "skipped", reason="peer absent: lynx")],
    "deselected": [SimpleNamespace()],
}


def test_each_peer_has_a_row_however_its_test_ended() -> None:
    assert {row["peer"]: row["result"] for row in rows_of(STATS)} == {
        OWN: "as documented", "curl": "as documented", "lynx": "skipped: peer absent: lynx", "wget": "NOT as documented",
    }  # fmt: skip


def test_the_table_counts_real_programs() -> None:
    lines = lines_of(rows_of(STATS))
    assert lines[0].split("  ")[0] == "peer"
    assert next(line for line in lines if line.startswith("curl")).split() == [
        "curl", "7", "TLS", "2025-01-15", "reset,", "0.97", "reset", "passes", "0.97", "as", "documented",
    ]  # fmt: skip
    assert lines[-1] == "2 peers ran, 1 were skipped; 2 of 3 trials as documented"


def test_no_peers_no_rows() -> None:
    assert rows_of({"passed": [SimpleNamespace(user_properties=[])]}) == []
