"""The path of a real capture or table in, its judged flows or its rows out, each worked out once for all tests of a run."""

import csv
import functools
import ipaddress

from crenel.atlas.compile import load_wall
from crenel.net.replay.check import CheckedCapture, check_capture
from crenel.net.trace import FlowReport
from crenel.wall.wall import Wall
from tests.data import data_path

End = tuple[str, int]

WIDE = "2022-06-01"
"""A date on which nearly all boxes were in force; what is read and counted does not depend on it."""


@functools.cache
def wall_of(as_of: str) -> Wall:
    """Return the shipped wall for a date."""
    return load_wall(as_of=as_of)


@functools.lru_cache(maxsize=2048)
def judge(name: str, as_of: str = WIDE) -> CheckedCapture:
    """Judge a capture of the test data."""
    return check_capture(str(data_path(name)), wall_of(as_of))


@functools.lru_cache(maxsize=2048)
def flows_between(name: str, transport: str, as_of: str = WIDE) -> dict[frozenset[End], list[FlowReport]]:
    """Return the flows of a capture by their two ends, whichever opened them."""
    flows: dict[frozenset[End], list[FlowReport]] = {}
    for flow in judge(name, as_of):
        if flow.transport == transport:
            flows.setdefault(frozenset(((flow.client, flow.client_port), (flow.server, flow.server_port))), []).append(flow)
    return flows


def end(address: str, port: str) -> End:
    """Return one end as reports write it."""
    return str(ipaddress.ip_address(address)), int(port)


def rows_of(name: str) -> list[dict[str, str]]:
    """Return the rows of a table with a header line."""
    csv.field_size_limit(1 << 24)
    with data_path(name).open(newline="", encoding="utf-8") as table:
        return list(csv.DictReader(table))
