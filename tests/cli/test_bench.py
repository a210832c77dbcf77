"""`crenel bench` hands its options on and ends with the status of the measurement."""

import sys
import types

import pytest
from click.testing import CliRunner

from crenel.cli.bench import bench
from crenel.errors import UsageError


def test_options_are_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def measure(packets: int, only: tuple[str, ...], seed: int) -> int:
        calls.append((packets, only, seed))
        return 0

    module = types.ModuleType("crenel.bench.run")
    module.main = measure  # type: ignore[attr-defined]
    module.TARGETS = [types.SimpleNamespace(name=name) for name in ("openings", "quic")]  # type: ignore[attr-defined]
    module.EXCHANGES = "exchanges"  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "crenel.bench.run", module)
    assert CliRunner().invoke(bench, ["--packets", "5", "--only", "quic", "--only", "openings", "--seed", "3"]).exit_code == 0
    assert calls == [(5, ("quic", "openings"), 3)]


def test_an_unknown_capture_is_refused() -> None:
    result = CliRunner().invoke(bench, ["--only", "no-such"])
    assert isinstance(result.exception, UsageError)
    assert "no-such" in str(result.exception)
    assert "openings, established, quic, exchanges" in str(result.exception)
