"""Two namespaces in this process's hands: what cannot be made is told in a sentence, and closing gives everything back."""

import os
import subprocess
import sys

import pytest

from crenel.errors import LabError
from crenel.net.lab import namespaces
from crenel.net.lab.namespaces import Namespaces, in_memory, interpreter
from crenel.net.lab.plan import Layout, Plan
from crenel.net.path.path import End
from tests.net.lab.machine import NEEDS_LAB, SOURCE


def descriptors() -> list[str]:
    return sorted(os.listdir("/proc/self/fd"))  # noqa: PTH208


@NEEDS_LAB
def test_closing_gives_all_descriptors_back_and_may_be_repeated() -> None:
    before = descriptors()
    made = Namespaces(Plan())
    assert len(made.tuns) == 2
    made.close()
    made.close()
    assert descriptors() == before


@NEEDS_LAB
def test_a_side_that_cannot_be_set_up_says_what_failed_and_leaves_nothing() -> None:
    before = descriptors()
    with pytest.raises(LabError, match=r"no lab: the client's side could not be set up: .*rtnetlink request 20: .*; `crenel lab doctor` says"):
        Namespaces(Plan(layout=Layout(client=("192.0.2.2", "192.0.2.2"))))
    assert descriptors() == before


@pytest.mark.parametrize("ending", ["sys.exit(0)", "raise RuntimeError('made up')"])
@pytest.mark.skipif(sys.platform != "linux", reason="Linux system calls")
def test_a_keeper_that_ends_early_is_an_error(monkeypatch: pytest.MonkeyPatch, ending: str) -> None:
    before = descriptors()
    monkeypatch.setattr(namespaces, "interpreter", lambda _: [sys.executable, "-c", f"import sys; {ending}"])
    with pytest.raises(LabError, match="the lab ended while it was set up"):
        Namespaces(Plan())
    assert descriptors() == before


@pytest.mark.skipif(sys.platform != "linux", reason="Linux system calls")
def test_a_keeper_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(namespaces, "_READY", 0.3)
    monkeypatch.setattr(namespaces, "interpreter", lambda _: [sys.executable, "-c", "import time; time.sleep(60)"])
    with pytest.raises(LabError, match=r"the client's side of the lab was not set up within 0 seconds|was not set up"):
        Namespaces(Plan())


@NEEDS_LAB
def test_what_is_asked_of_a_closed_lab_is_an_error() -> None:
    made = Namespaces(Plan())
    made.close()
    with pytest.raises(LabError, match="the client's side of the lab is gone"):
        made.open_socket(End.CLIENT)
    with pytest.raises(LabError, match="the server's side of the lab is gone"):
        made.spawn(End.SERVER, ["true"], (0, 1, 2), {}, "/", own_session=True)


@NEEDS_LAB
def test_a_lab_that_is_abandoned_ends_by_itself() -> None:
    made = Namespaces(Plan())
    made.abandon()
    assert made._keeper.wait(5) == 0
    made.close()


@pytest.mark.skipif(sys.platform != "linux", reason="Linux system calls")
def test_a_value_in_memory_is_read_from_its_beginning() -> None:
    number = in_memory({"a": [1, "ü"]})
    with os.fdopen(number, "rb") as file:
        assert file.read() == b'{"a": [1, "\\u00fc"]}'


def test_importing_the_package_does_not_import_the_lab() -> None:
    script = f"import sys; sys.path.insert(0, {str(SOURCE)!r})\nimport crenel; crenel.load_wall; print('crenel.net.lab' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_what_runs_in_a_bare_interpreter_imports_the_standard_library_alone() -> None:
    script = interpreter("keeper")[-1].replace("main()", "print(sorted(name for name in sys.modules if name.split('.')[0] in ('crenel', 'msgspec')))")
    done = subprocess.run([*interpreter("keeper")[:-1], script], capture_output=True, text=True, check=True)
    assert "msgspec" not in done.stdout
    assert "crenel.net.path" not in done.stdout
    assert "crenel.net.lab.side" in done.stdout
