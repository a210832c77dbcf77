"""What `crenel evade test` is asked for in; the wall, the ground and the strategy that it comes to out."""

import json
import sys
from types import ModuleType
from typing import Self

import pytest

from crenel.cli.evading import Asking, try_strategies
from crenel.cli.options import Judging
from crenel.errors import LabError
from crenel.instant import Instant
from crenel.net.sim.trials import Simulated

JUDGING = Judging(None, "2019-01-15", 0, 0.0, None, {}, {}, (), ())
ASKING = Asking(("rst-ttl-late",), None, None, None, (), 30, 1, False, "kernel")


def test_without_tun_devices_the_kernel_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "crenel.net.lab.kernel", None)
    with pytest.raises(LabError, match="--on kernel: this system has no TUN devices"):
        try_strategies(ASKING, JUDGING, "json")


def test_on_the_kernel_trials_are_sampled(monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    class Kernel(Simulated, frozen=True):
        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            pass

    module = ModuleType("crenel.net.lab.kernel")
    module.Kernel = Kernel  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "crenel.net.lab.kernel", module)
    assert Kernel(Instant(0)).start == 0
    assert try_strategies(ASKING, JUDGING, "json") == 0
    found = json.loads(capfdbinary.readouterr().out)["tests"][0]
    assert (found["ground"], found["rate"]["exact"], found["rate"]["trials"], found["family"]) == ("kernel", False, 30, "tear-down")
