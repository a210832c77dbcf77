"""Tests of peers in; each has its row for the table, and skips with a reason where something that it needs is absent."""

import importlib.util
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.net.lab.machine import MISSING
from tests.peers.scene import Case
from tests.peers.table import PROPERTY, version_of


def pytest_itemcollected(item: pytest.Item) -> None:
    """Give a test of a case its row, so that the table has it whatever becomes of the test."""
    case = _case_of(item)
    if case is not None:
        item.user_properties.append((PROPERTY, case.row()))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a case where the machine lacks what it needs; programs are looked for by the mark `peer`."""
    case = _case_of(item)
    if case is None:
        return
    if MISSING:
        pytest.skip(f"no lab on this machine: {MISSING}")
    absent = [name for name in case.libraries if importlib.util.find_spec(name) is None]
    if absent:
        pytest.skip(f"peer absent: the Python package {absent[0]}")
    packed = [name for name in case.programs if Path(shutil.which(name) or name).resolve().name == "snap"]
    if packed:
        pytest.skip(f"{packed[0]} is packed as a snap, which cannot run in a lab")
    if case.root and os.geteuid() != 0:
        pytest.skip("not root, which this peer needs")


@pytest.fixture
def row(request: pytest.FixtureRequest) -> dict[str, str]:
    """Return the row of a test, to be filled."""
    rows: Iterable[dict[str, str]] = (row for name, row in request.node.user_properties if name == PROPERTY)
    row = next(iter(rows))
    case = _case_of(request.node)
    assert case is not None
    row["version"] = version_of(case.package or case.peer)
    return row


def _case_of(item: pytest.Item) -> Case | None:
    case = item.callspec.params.get("case") if isinstance(item, pytest.Function) and hasattr(item, "callspec") else None
    return case if isinstance(case, Case) else None
