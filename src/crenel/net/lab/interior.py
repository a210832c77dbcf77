"""Contents of files in, a view of the file system out in which they stand: the lab's own resolver, hosts and trust store.

Everything is done in a mount namespace of the lab, so nothing outside changes.
"""

import contextlib
import os

from crenel.net.lab.calls import MS_BIND, MS_NODEV, MS_NOEXEC, MS_NOSUID, mount

HOME = "/run/crenel"
"""Where the lab keeps what it plants."""
TRUST = f"{HOME}/trust.pem"
"""The certificates that programs in the lab trust."""

_RUN = ("/run", "/var/run")
_SOCKETS = (*_RUN, "/tmp/.X11-unix")  # noqa: S108  where display servers listen
_TRUST_FOLDERS = ("/etc/ssl/certs", "/etc/pki/tls/certs", "/etc/pki/ca-trust/extracted/pem", "/etc/ca-certificates/extracted")
_TRUST_NAMES = ("ca-certificates.crt", "ca-bundle.crt", "tls-ca-bundle.pem")


def furnish() -> None:
    """Make the place for what the lab plants, and hide the sockets of the machine's services. Raises OSError.

    Through those sockets a program could ask outside, whatever its network namespace.
    """
    for folder in _SOCKETS:
        if os.path.islink(folder) or not os.path.isdir(folder):  # noqa: PTH114, PTH112  pathlib takes a quarter of the start-up to import
            continue
        links = {entry.name: os.readlink(entry.path) for entry in os.scandir(folder) if entry.is_symlink()}  # noqa: PTH115
        _empty(folder, 0o755)
        for name, target in links.items():
            os.symlink(target, f"{folder}/{name}")  # noqa: PTH211  some systems keep their programs behind such a link
    os.makedirs(HOME, exist_ok=True)  # noqa: PTH103


def plant(files: dict[str, str], trust: str) -> list[str]:
    """Let each path show the text given for it, and the trust store these certificates alone; return what could not be had.

    Raises OSError.
    """
    notes = []
    for number, (path, text) in enumerate(files.items()):
        target = os.path.realpath(path)
        if not os.path.exists(target):  # noqa: PTH110
            with contextlib.suppress(OSError):
                if target.startswith(_RUN):
                    _write(target, text)
                    continue
            notes.append(f"{path} is absent here, and the lab cannot add it")
            continue
        source = f"{HOME}/file-{number}"
        _write(source, text)
        mount(source, target, None, MS_BIND)
    _write(TRUST, trust)
    for folder in dict.fromkeys(os.path.realpath(folder) for folder in _TRUST_FOLDERS):
        if os.path.isdir(folder):  # noqa: PTH112
            _empty(folder, 0o755)
            for name in _TRUST_NAMES:
                _write(f"{folder}/{name}", trust)
    return notes


def _empty(folder: str, mode: int) -> None:
    mount("tmpfs", folder, "tmpfs", MS_NOSUID | MS_NODEV, f"mode={mode:o},size=16m")


def _write(path: str, text: str) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120
    with open(path, "w", encoding="utf-8", opener=_public) as file:
        file.write(text)


def _public(path: str, flags: int) -> int:
    return os.open(path, flags, 0o644)


def show_interfaces() -> bool:
    """Let /sys tell of this network namespace; return whether it does."""
    try:
        mount("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    except OSError:
        return False
    return True
