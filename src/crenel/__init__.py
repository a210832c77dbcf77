"""A test bench for internet censorship: what a national firewall does to packets, rebuilt from published measurements."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crenel.atlas.compile import load_wall
    from crenel.net.ideal import chance, try_payload
    from crenel.net.replay.check import check_capture

__all__ = ["chance", "check_capture", "load_wall", "try_payload"]
__version__ = "0.1.0"

_HOMES = {
    "load_wall": "crenel.atlas.compile",
    "check_capture": "crenel.net.replay.check",
    "try_payload": "crenel.net.ideal",
    "chance": "crenel.net.ideal",
}


def __getattr__(name: str) -> object:
    """Import a public name on first use, so that importing the package costs next to nothing."""
    if name not in _HOMES:
        message = f"module 'crenel' has no attribute {name!r}"
        raise AttributeError(message)
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)
