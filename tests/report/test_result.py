"""Heads of results say what an answer rests on, and can always be written."""

import msgspec
import pytest

from crenel.errors import ProfileError
from crenel.net.trace import CaptureSummary
from crenel.report.result import Asked, Failure, run_head, writable, writable_summary
from crenel.wall.wall import Wall
from tests.report.making import flow, wall_of

ASKED = Asked("1.2.3", ("10.0.0.0/8",), 0.1)
SUMMARY = CaptureSummary("x\udcff.pcap", 3, 2, 1, ("cut",), lost=True)


def test_the_head_names_all_that_was_asked() -> None:
    head = run_head(wall_of(seed=7, listed=("a.example",)), ASKED, [SUMMARY], [Failure("y", "no")])
    assert (head.crenel, head.schema, head.wall, head.as_of, head.seed, head.listed) == ("1.2.3", 1, "gfw", "2025-01-15", 7, ("a.example",))
    assert (head.inside, head.tolerate, head.failed) == (("10.0.0.0/8",), 0.1, (Failure("y", "no"),))
    assert len(head.wall_sha256) == 64
    assert b'"x\\\\xff.pcap"' in msgspec.json.encode(head)


def test_paths_that_are_no_text_can_be_written() -> None:
    assert msgspec.json.encode(writable(flow(capture="\udc80.pcap"))).startswith(b'{"capture":"\\\\x80.pcap"')
    assert writable(flow(capture="ü.pcap")).capture == "ü.pcap"
    assert writable_summary(SUMMARY).capture == "x\\xff.pcap"


def test_a_wall_without_a_profile_has_no_head() -> None:
    shipped = wall_of()
    bare = Wall("bare", "Bare", [], limits=shipped.limits, utc_offset=0, hour=None)
    with pytest.raises(ProfileError, match="not loaded from a profile"):
        run_head(bare, ASKED, [], [])
