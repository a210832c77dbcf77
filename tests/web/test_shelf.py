"""The shelf: captures lie in a folder of its own under names of its own, within bounds, and are gone afterwards."""

import gzip
import io
import os
from pathlib import Path

import pytest

from crenel.errors import CaptureError
from crenel.web.shelf import LARGEST_UNPACKED, MOST_HELD, Shelf


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "..", "C:\\x\\y.pcap", "a\x00b", "\u202egnp.exe", "", "x" * 70_000, "."])
def test_no_name_leads_out_of_the_folder(shelf: Shelf, name: str) -> None:
    held = shelf.hold(name, io.BytesIO(b"bytes"))
    assert Path(held.path).resolve().parent == shelf.folder.resolve()
    assert Path(held.path).read_bytes() == b"bytes"
    assert len(held.name) <= 100
    assert held.name.isprintable()
    assert "/" not in held.name
    shelf.close()


def test_a_token_finds_its_capture_and_nothing_else(shelf: Shelf) -> None:
    held = shelf.hold("x.pcap", io.BytesIO(b"1"))
    assert shelf.find(held.token) == held
    for wrong in ("", "0" * 32, held.token[:-1], f"../{held.token}", held.token.upper() + " "):
        with pytest.raises(CaptureError, match="no longer held here"):
            shelf.find(wrong)
    shelf.close()


def test_what_is_packed_is_unpacked(shelf: Shelf) -> None:
    held = shelf.hold("x.gz", io.BytesIO(gzip.compress(b"one") + gzip.compress(b"two")))
    assert Path(held.path).read_bytes() == b"onetwo"
    assert (held.size, held.fault) == (6, None)
    shelf.close()


def test_what_is_cut_or_broken_says_so(shelf: Shelf) -> None:
    whole = gzip.compress(os.urandom(5000))
    assert shelf.hold("x.gz", io.BytesIO(whole[:3000])).fault == "the gzip data is cut"
    with pytest.raises(CaptureError, match=r"x\.gz: the gzip data is broken"):
        shelf.hold("x.gz", io.BytesIO(b"\x1f\x8b" + bytes(40)))
    shelf.close()


def test_a_bomb_is_refused_and_leaves_nothing(shelf: Shelf) -> None:
    bomb = gzip.compress(bytes(LARGEST_UNPACKED + (8 << 20)))
    assert len(bomb) < 1 << 20
    with pytest.raises(CaptureError, match=r"bomb\.gz: unpacks to more than 64 MB"):
        shelf.hold("bomb.gz", io.BytesIO(bomb))
    assert not [*shelf.folder.iterdir()]
    shelf.close()


def test_nothing_is_refused(shelf: Shelf) -> None:
    with pytest.raises(CaptureError, match=r"x: the file is empty \(0 bytes\)"):
        shelf.hold("x", io.BytesIO(b""))
    assert not [*shelf.folder.iterdir()]
    shelf.close()


def test_the_oldest_are_let_go(shelf: Shelf) -> None:
    held = [shelf.hold(f"{number}", io.BytesIO(b"x")) for number in range(MOST_HELD + 3)]
    assert len([*shelf.folder.iterdir()]) == MOST_HELD
    with pytest.raises(CaptureError, match="bring it again"):
        shelf.find(held[0].token)
    shelf.let_go(held[-1].token)
    shelf.let_go(held[-1].token)
    assert len([*shelf.folder.iterdir()]) == MOST_HELD - 1
    folder = shelf.folder
    shelf.close()
    assert not folder.exists()
