"""A test bench for internet censorship: what a national firewall does to packets, rebuilt from published measurements."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crenel import evade
    from crenel.atlas.compile import load_wall
    from crenel.net.replay.check import check_capture
    from crenel.net.sim.tries import Session, chance, try_payload, try_url

__all__ = ["Session", "chance", "check_capture", "evade", "load_wall", "try_payload", "try_url"]
__version__ = "0.1.0"

_HOMES = {
    "load_wall": "crenel.atlas.compile",
    "check_capture": "crenel.net.replay.check",
    "try_url": "crenel.net.sim.tries",
    "try_payload": "crenel.net.sim.tries",
    "chance": "crenel.net.sim.tries",
    "Session": "crenel.net.sim.tries",
}


def __getattr__(name: str) -> object:
    """Import a public name on first use, so that importing the package costs next to nothing."""
    import importlib

    if name == "evade":
        return importlib.import_module("crenel.evade")
    if name not in _HOMES:
        message = f"module 'crenel' has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(importlib.import_module(_HOMES[name]), name)
