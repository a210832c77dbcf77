"""Packet scripts to the real Linux TCP and to the endpoint: both accept, drop and answer alike, or the exception is listed."""

import threading
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from tests.net.host.exceptions import EXCEPTIONS
from tests.net.host.kernel import KernelGround, Namespace, missing
from tests.net.host.model import ModelGround
from tests.net.host.script import Seen, Step, play
from tests.net.host.scripts import SCRIPTS, random_scripts

PEER_PORT = 40000
RECORD = Path(__file__).with_name("kernel.json")
"""What Linux 6.18 answered, so that the endpoint is held to it where no namespace can be made; `python -m tests.net.host.record` makes it anew."""
FIRST_PORT = 2000
ATTEMPTS = 3
"""A machine that stalls for some milliseconds makes the kernel's answer late: then a script is played again."""

GROUPS = (
    "syn-sent", "request", "listen", "open", "out of window", "challenge", "PAWS", "MD5", "checksum", "data offset", "window", "overlap", "urgent",
    "crossed SYNs",
)  # fmt: skip
FINAL = ("FIN-WAIT-1", "FIN-WAIT-2", "CLOSING", "CLOSE-WAIT", "LAST-ACK", "TIME-WAIT", "closed, FIN-WAIT-1", "closed, FIN-WAIT-2")


RANDOM = random_scripts(seed=3, count=150)


def on_model(name: str) -> Seen:
    return play((SCRIPTS | RANDOM)[name], ModelGround(FIRST_PORT, PEER_PORT), FIRST_PORT, PEER_PORT)


def on_kernel(scripts: dict[str, list[Step]]) -> dict[str, Seen]:
    """Play all scripts in a namespace that a thread of its own enters, so that the rest of the process stays where it is."""
    found: dict[str, Seen] = {}
    failed: list[BaseException] = []

    def run() -> None:
        try:
            namespace = Namespace()
            try:
                port = FIRST_PORT
                for name, steps in scripts.items():
                    wanted = on_model(name)
                    for _ in range(1 if name in EXCEPTIONS else ATTEMPTS):
                        port += 1
                        found[name] = play_once(namespace, steps, port)
                        if found[name] == wanted:
                            break
            finally:
                namespace.close()
        except BaseException as problem:  # noqa: BLE001 - it is raised again where pytest sees it
            failed.append(problem)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return found


def play_once(namespace: Namespace, steps: list[Step], port: int) -> Seen:
    ground = KernelGround(namespace, port, PEER_PORT)
    try:
        return play(steps, ground, port, PEER_PORT)
    finally:
        ground.close()


@pytest.fixture(scope="module")
def kernel() -> dict[str, Seen]:
    lacking = missing()
    if lacking:
        pytest.skip(f"the kernel comparison needs {lacking}")
    try:
        return on_kernel(SCRIPTS | RANDOM)
    except PermissionError as problem:
        pytest.skip(f"the kernel comparison needs the right to make a network namespace: {problem}")


def test_endpoint_and_kernel_agree(kernel: dict[str, Seen]) -> None:
    parted = {name: (kernel[name], on_model(name)) for name in SCRIPTS if name not in EXCEPTIONS and kernel[name] != on_model(name)}
    report = [
        f"{name}\n  kernel   {real.answers} {real.stream!r} {real.urgent!r} {real.read} {real.state}"
        f"\n  endpoint {made.answers} {made.stream!r} {made.urgent!r} {made.read} {made.state}"
        for name, (real, made) in parted.items()
    ]
    assert not parted, "\n".join(report)


def test_they_agree_on_scripts_that_nobody_thought_of(kernel: dict[str, Seen]) -> None:
    parted = [(RANDOM[name], kernel[name], on_model(name)) for name in RANDOM if kernel[name] != on_model(name)]
    assert len(parted) <= len(RANDOM) // 20, parted  # the listed exceptions turn up here too


def test_every_exception_still_differs(kernel: dict[str, Seen]) -> None:
    assert not [name for name in EXCEPTIONS if kernel[name] == on_model(name)]


def test_there_are_scripts_for_every_situation() -> None:
    counted = Counter(name.partition(":")[0] for name in SCRIPTS)
    assert all(counted[group] >= 4 for group in GROUPS), counted
    assert sum(counted[group] for group in FINAL) >= 4
    assert len(SCRIPTS) >= 60


def test_exceptions_are_few_and_explained() -> None:
    assert set(EXCEPTIONS) <= set(SCRIPTS)
    assert len(EXCEPTIONS) <= len(SCRIPTS) // 20
    assert all(all(parting) for parting in EXCEPTIONS.values())


def test_the_endpoint_agrees_with_what_a_kernel_once_answered() -> None:
    record = msgspec.json.decode(RECORD.read_bytes(), type=dict[str, Seen])
    assert set(record) == set(SCRIPTS)
    assert {name for name in SCRIPTS if record[name] != on_model(name)} == set(EXCEPTIONS)
