"""What a doctor says: for every thing that is missing what was found and how to enable it, in sentences of one line."""

import sys

import pytest

from crenel.net.lab import doctor
from crenel.net.lab.doctor import Health, examine, judge

MAKE_TUN = "(as root, `modprobe tun`; in a container, start that with `--device /dev/net/tun`)"
BE_ROOT = (
    "(run as root; in a container, start that with the capabilities SYS_ADMIN and NET_ADMIN and without a seccomp profile that forbids namespaces)"
)
MORE_SPACES = "(as root, `sysctl user.max_user_namespaces=15000`)"
WELL = {"tun": "", "root": "", "user": "", "lab": ""}


def test_a_machine_that_can_all_needs_nothing() -> None:
    health = judge(WELL, [])
    assert (health.able, health.missing) == (True, "")
    assert [finding.name for finding in health.findings] == ["tun", "root-namespaces", "user-namespaces", "lab"]
    assert not any(finding.remedy for finding in health.findings)


def test_root_without_user_namespaces_is_enough() -> None:
    health = judge(WELL | {"user": "unshare: No space left on device"}, ["as root, x"])
    assert (health.able, health.missing) == (True, "")
    assert [finding.able for finding in health.findings] == [True, True, False, True]
    assert not any(finding.remedy for finding in health.findings)


@pytest.mark.parametrize(
    ("found", "switches", "missing"),
    [
        (
            {"tun": "[Errno 2] No such file or directory: '/dev/net/tun'", "lab": "the same"}, [],
            "/dev/net/tun cannot be opened: [Errno 2] No such file or directory: '/dev/net/tun' " + MAKE_TUN,
        ),
        (
            {"tun": "[Errno 13] Permission denied", "lab": "the same"}, [],
            "/dev/net/tun cannot be opened: [Errno 13] Permission denied (as root, `chmod 0666 /dev/net/tun`, or run as root)",
        ),
        (
            {"root": "not permitted", "user": "too many", "lab": "too many"}, ["as root, `sysctl user.max_user_namespaces=15000`"],
            f"this user may not make namespaces directly: not permitted {BE_ROOT}; no user namespace with rights can be made: too many {MORE_SPACES}",
        ),
        ({"lab": "mount on /proc: it broke"}, [], "no lab can be made: mount on /proc: it broke"),
    ],
)  # fmt: skip
def test_what_is_missing_comes_with_its_remedy(found: dict[str, str], switches: list[str], missing: str) -> None:
    health = judge(WELL | found, switches)
    assert not health.able
    assert health.missing == missing


def test_this_machine_is_examined_once() -> None:
    assert isinstance(examine(), Health)
    assert examine() is examine()


def test_another_system_is_told_what_a_lab_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    examine.cache_clear()
    try:
        assert examine().missing == "a lab needs Linux, and this is darwin (run it in a virtual machine with Linux)"
    finally:
        examine.cache_clear()


def test_a_look_that_fails_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "interpreter", lambda _: ["/no/such/interpreter"])
    examine.cache_clear()
    try:
        assert examine().missing.startswith("what this machine can do could not be found out: ")
    finally:
        examine.cache_clear()
