"""What tests of the page share: a client of a page whose today never moves, and small captures."""

import datetime as dt
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from starlette.testclient import TestClient

from crenel.web.gallery import Gallery
from crenel.web.guard import hosts_at
from crenel.web.routes import Site
from crenel.web.shelf import Shelf

TODAY = dt.date(2026, 1, 15)
PORT = 8573
BASE = f"http://127.0.0.1:{PORT}"
FIRST_LOOK = Path(__file__).parents[2] / "examples" / "first-look.pcapng"
CITADEL = str(Path(__file__).parents[1] / "walls" / "citadel.toml")
"""A wall that nobody built, from 2030 on."""
GALLERY = Gallery(today=TODAY)
"""Walls are compiled once for all tests."""


@contextmanager
def page(gallery: Gallery = GALLERY) -> Iterator[tuple[TestClient, Shelf]]:
    """Yield a client of the page, and the shelf behind it."""
    shelf = Shelf()
    try:
        yield TestClient(Site(gallery, shelf).application(hosts_at(PORT)), base_url=BASE), shelf
    finally:
        shelf.close()


def pcap(*frames: bytes) -> bytes:
    """Return a capture of Ethernet frames."""
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    return head + b"".join(struct.pack("<IIII", 1, number, len(frame), len(frame)) + frame for number, frame in enumerate(frames))
