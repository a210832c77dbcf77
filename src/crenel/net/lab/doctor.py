"""A machine in, what it lacks for a lab out, each with a sentence that says how to enable it."""

import functools
import json
import subprocess
import sys
from pathlib import Path

import msgspec

from crenel.net.lab.namespaces import interpreter

_PATIENCE = 20.0
"""Seconds that a look at the machine may take (bench)."""
_CONTAINER = "in a container, start that with the capabilities SYS_ADMIN and NET_ADMIN and without a seccomp profile that forbids namespaces"
_SWITCHES = (
    ("/proc/sys/user/max_user_namespaces", "0", "as root, `sysctl user.max_user_namespaces=15000`"),
    ("/proc/sys/kernel/unprivileged_userns_clone", "0", "as root, `sysctl kernel.unprivileged_userns_clone=1`"),
    ("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1", "as root, `sysctl kernel.apparmor_restrict_unprivileged_userns=0`"),
)
"""Settings of the kernel that keep users from namespaces, the value with which they do, and how to change it."""


class Finding(msgspec.Struct, frozen=True):
    """One thing that a lab may need."""

    name: str
    """`system`, `tun`, `root-namespaces`, `user-namespaces` or `lab`."""
    able: bool
    says: str
    """What was found, in a sentence."""
    remedy: str
    """How to enable it, in a sentence; empty where nothing is to be done."""


class Health(msgspec.Struct, frozen=True):
    """What a machine can do."""

    findings: tuple[Finding, ...]

    @property
    def able(self) -> bool:
        """Can this user run a lab here?"""
        return self.findings[-1].able

    @property
    def missing(self) -> str:
        """What keeps a lab from running here, with the remedy; empty where nothing does."""
        if self.able:
            return ""
        lacking = [finding for finding in self.findings[:-1] if not finding.able and finding.remedy] or self.findings[-1:]
        return "; ".join(f"{finding.says} ({finding.remedy})" if finding.remedy else finding.says for finding in lacking)


@functools.cache
def examine() -> Health:
    """Return what this machine lets this user do. Everything is tried, in processes of their own, and undone."""
    if sys.platform != "linux":
        return Health((Finding("lab", False, f"a lab needs Linux, and this is {sys.platform}", "run it in a virtual machine with Linux"),))
    try:
        done = subprocess.run(interpreter("probe"), capture_output=True, check=True, timeout=_PATIENCE, stdin=subprocess.DEVNULL)  # noqa: S603  ours
        found: dict[str, str] = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as problem:
        return Health((Finding("lab", False, f"what this machine can do could not be found out: {problem}", ""),))
    return judge(found, [switch for path, bad, switch in _SWITCHES if _reads(path) == bad])


def judge(found: dict[str, str], switches: list[str]) -> Health:
    """Return what follows from the reasons why each step of the probe failed, and from the switches that would have to be set."""
    tun, root, user, lab = found["tun"], found["root"], found["user"], found["lab"]
    either = not root or not user
    says = (
        f"/dev/net/tun cannot be opened: {tun}" if tun else "/dev/net/tun can be opened",
        f"this user may not make namespaces directly: {root}" if root else "this user may make namespaces directly",
        f"no user namespace with rights can be made: {user}" if user else "user namespaces work, so that root is not needed",
        f"no lab can be made: {lab}" if lab else "a lab can be made",
    )
    return Health((
        Finding("tun", not tun, says[0], _tun_remedy(tun)),
        Finding("root-namespaces", not root, says[1], "" if either else f"run as root; {_CONTAINER}"),
        Finding("user-namespaces", not user, says[2], "" if either else "; ".join(switches) or _CONTAINER),
        Finding("lab", not lab, says[3], ""),
    ))  # fmt: skip


def _tun_remedy(problem: str) -> str:
    if not problem:
        return ""
    if "No such" in problem:
        return "as root, `modprobe tun`; in a container, start that with `--device /dev/net/tun`"
    return "as root, `chmod 0666 /dev/net/tun`, or run as root"


def _reads(path: str) -> str | None:
    try:
        return Path(path).read_text("ascii").strip()
    except OSError:
        return None
