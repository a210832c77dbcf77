"""Where the real captures and recorded verdicts lie; a test that needs them skips with a reason where they are absent."""

import os
from pathlib import Path

import pytest

DATA = Path(os.environ.get("CRENEL_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
"""The folder of test data: the environment variable CRENEL_DATA, or `shared/data` beside the checkout."""


def data_path(name: str) -> Path:
    """Return the path of a data file or folder, or skip the calling test with a reason."""
    path = DATA / name
    if not path.exists():
        pytest.skip(f"test data absent: {name} (looked in CRENEL_DATA or ../shared/data)")
    return path
